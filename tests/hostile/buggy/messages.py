"""What can be asked of the buggy application."""

import enum

from tallystick.ledger.app import Message, message


class Bug(enum.Enum):
    """Ways to go wrong."""

    EXCEPTION = "exception"
    ENSURE = "ensure"
    RECURSION = "recursion"
    READS = "reads"
    WRITES = "writes"


@message(verb=None)
class Stumble(Message, tag="buggy.stumble.1"):
    """Write a record, then go wrong."""

    bug: Bug
    """How it goes wrong."""


@message(verb=None)
class Walk(Message, tag="buggy.walk.1"):
    """Write a record and do nothing wrong."""
