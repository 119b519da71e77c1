"""Tallystick: a permissioned ledger for finance. Here is what authors of applications import.

    from tallystick import App, Context, Message, Record, RefusalCode, message, record, require

A name is loaded when it is first asked for, so that `import tallystick` stays quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tallystick.client.client import Client
    from tallystick.ledger.app import App, Message, Record, message, record, timer
    from tallystick.ledger.context import Context
    from tallystick.ledger.refusal import RefusalCode, ensure, need, require
    from tallystick.ledger.view import View
    from tallystick.values.codec import replace

_HOMES: Final = {
    "App": "tallystick.ledger.app",
    "Client": "tallystick.client.client",
    "Context": "tallystick.ledger.context",
    "Message": "tallystick.ledger.app",
    "Record": "tallystick.ledger.app",
    "RefusalCode": "tallystick.ledger.refusal",
    "View": "tallystick.ledger.view",
    "ensure": "tallystick.ledger.refusal",
    "message": "tallystick.ledger.app",
    "need": "tallystick.ledger.refusal",
    "record": "tallystick.ledger.app",
    "replace": "tallystick.values.codec",
    "require": "tallystick.ledger.refusal",
    "timer": "tallystick.ledger.app",
}
"""Where each exported name lives."""

__all__ = [
    "App",
    "Client",
    "Context",
    "Message",
    "Record",
    "RefusalCode",
    "View",
    "ensure",
    "message",
    "need",
    "record",
    "replace",
    "require",
    "timer",
]


def __getattr__(name: str) -> Any:
    """Load an exported name (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
