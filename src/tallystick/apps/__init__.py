"""Financial applications, one folder each. Adding one is its folder and one line here."""

from tallystick.apps import cash, documents, governance, members
from tallystick.apps.members.authority import AUTHORITY

APPS = (
    members.APP,
    governance.APP,
    cash.APP,
    documents.APP,
)
"""All applications, in the order in which a genesis lists them."""

__all__ = ["APPS", "AUTHORITY"]
