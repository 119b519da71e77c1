"""Financial applications, one folder each. Adding one is its folder and one line here."""

from importlib import import_module

from tallystick.apps.members.authority import AUTHORITY
from tallystick.ledger.app import App

NAMES = (
    "members",
    "governance",
    "cash",
    "documents",
    "receivables",
)
"""All applications, in the order in which a genesis lists them."""

APPS: tuple[App, ...] = tuple([import_module(f"{__name__}.{name}").APP for name in NAMES])
"""What they declare, in that order."""

__all__ = ["APPS", "AUTHORITY", "NAMES"]
