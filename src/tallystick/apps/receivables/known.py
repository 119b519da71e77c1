"""Records that another record refers to."""

from typing import TypeVar

from tallystick.ledger.app import Record
from tallystick.ledger.refusal import Fault
from tallystick.ledger.view import Reader

R = TypeVar("R", bound=Record)


def known(reader: Reader, type_: type[R], *key: object) -> R:
    """The record that another one names: it is there, or a rule of ours has lost it."""
    found = reader.peek(type_, *key)
    if found is None:
        raise Fault("a record that another one names is not there")
    return found
