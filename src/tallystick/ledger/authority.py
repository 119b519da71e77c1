"""The seam to whoever decides who may sign: exactly one application is given as `authority=`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tallystick.ledger.app import Message

if TYPE_CHECKING:
    from tallystick.ledger.context import Context
    from tallystick.ledger.transaction import Call
    from tallystick.ledger.view import Reader


@dataclass(frozen=True, slots=True)
class Signed:
    """Under whose hands a call was made."""

    outlet: str | None
    """Branch it is done at."""
    officers: tuple[str, ...]
    """Persons who signed for the call's party, makers first."""


class Authority(Protocol):
    """Decides whether good signatures satisfy the policies of the parties that act."""

    def authorize(
        self, ctx: Context, calls: tuple[Call[Any], ...], keys: tuple[bytes, ...]
    ) -> tuple[Signed, ...]:
        """Who signed each call; Refused makes the transaction `unauthorised`."""

    def reader_of(self, reader: Reader, key: bytes) -> str | None:
        """Member whose officer holds this key; None if nobody does."""

    def sees_all(self, reader: Reader, party: str) -> bool:
        """Whether a member may read every record: a supervisor."""


def limited_amount(ctx: Context, message: Message) -> tuple[str, int] | None:
    """Currency and amount (minor units) that an officer's limit applies to, by `limit_by`.

    None when the message has no such amount. A reference to a record that is not there is refused
    with that record's own code.
    """
    limit = ctx.rules.limits.get(type(message))
    return None if limit is None else limit(ctx, message)
