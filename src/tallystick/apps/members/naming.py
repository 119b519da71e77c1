"""Messages by the names that policies give them."""

from functools import cache

from tallystick.ledger.app import Message, MessageSpec, tag_of
from tallystick.ledger.context import Context
from tallystick.ledger.system import Activation


@cache
def name_of(message: type[Message]) -> str:
    """Name of a message without its version, as policies give it: `receivables.pass`."""
    return tag_of(message).rpartition(".")[0]


def spec_in_force(ctx: Context, name: str) -> MessageSpec | None:
    """What is declared of a message that the rules in force accept; None if they know none.

    Rules that a release brings and that are not activated do not count, so all nodes agree.
    """
    for message in ctx.rules.sent:
        kept = ctx.peek(Activation, ctx.rules.app_of[message].name)
        if name_of(message) == name and kept is not None:
            spec, version = message.spec, kept.at(ctx.height)
            if spec.since <= version and (spec.until is None or version <= spec.until):
                return spec
    return None
