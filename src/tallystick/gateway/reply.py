"""What whoever sends a transaction is told about it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from tallystick.engine.base import Answer, Busy
from tallystick.ledger import receipt as ledger
from tallystick.ledger.candidate import Done
from tallystick.ledger.receipt import IDS_MAX, VALUES_MAX, Receipt, Value
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tallystick.values.codec import Struct, encode
from tallystick.values.units import Count, Hash32, Height, Id, Label


class Outcome(enum.Enum):
    """How it stands with a transaction."""

    RECEIVED = "received"
    """Taken, not decided yet: keep the bytes and hand them in again until there is an answer."""
    KEPT = "kept"
    """Written down by a node of a consortium, not decided yet: it hands them in until they are."""
    ACCEPTED = "accepted"
    """Committed; everything asked for has happened."""
    REFUSED = "refused"
    """Committed; a rule said no and nothing happened. The reference is used up."""
    UNAUTHORISED = "unauthorised"
    """The signatures do not satisfy the policies; the reference is not used up."""
    REUSED = "reused"
    """The sender used the reference for another transaction."""
    EXPIRED = "expired"
    """A committed block's time has passed the expiry: it never will be committed."""
    REJECTED = "rejected"
    """The door did not take the bytes: they are no transaction of this chain, or it is busy."""


RETRY_MS = "retry_ms"
"""Value of a busy node's no: after how many milliseconds to hand the same in again."""
UNDECIDED = (Outcome.RECEIVED, Outcome.KEPT)
"""Outcomes after which another will come."""


class Reply(Struct):
    """The answer to one transaction."""

    outcome: Outcome
    """How it stands."""
    transaction_id: Hash32 | None = None
    """Id of the transaction; None when the bytes are none."""
    height: Height | None = None
    """Block that holds it; None when none does."""
    app: Label | None = None
    """Application whose rule said no; None when nobody did."""
    code: Count = 0
    """Number of the refusal within the application; 0 without one."""
    values: Annotated[tuple[Value, ...], Meta(max_length=VALUES_MAX)] = ()
    """Values that the refusal's sentence names."""
    ids: Annotated[tuple[Id, ...], Meta(max_length=IDS_MAX)] = ()
    """Ids of the records made, in the order made."""
    retry: bool = False
    """Whether the same bytes may be taken later."""

    @property
    def is_final(self) -> bool:
        """Whether this will not change by itself."""
        return self.outcome not in UNDECIDED and not self.retry

    @property
    def retry_ms(self) -> int:
        """After how many milliseconds a busy node wants the same again; 0: it does not say."""
        said = self.value(RETRY_MS)
        return said if isinstance(said, int) else 0

    def value(self, name: str) -> str | int | None:
        """A value that the refusal names, or None."""
        return next((each.value for each in self.values if each.name == name), None)


def taken(transaction_id: bytes, *, is_kept: bool) -> Reply:
    """It was taken; kept, when the node will hand it in after a restart too."""
    outcome = Outcome.KEPT if is_kept else Outcome.RECEIVED
    return Reply(outcome=outcome, transaction_id=transaction_id)


def rejected(no: Refused, transaction_id: bytes | None = None) -> Reply:
    """The door's no."""
    return Reply(
        outcome=Outcome.REJECTED,
        transaction_id=transaction_id,
        app=no.code.app,
        code=no.code.number,
        values=tuple(Value(name=name, value=value) for name, value in no.values.items()),
        retry=no.code.retry,
    )


def busy_no(busy: Busy) -> Refused:
    """A busy engine's no, as a refusal: with the time after which to try again."""
    return Refused(Refusal.BUSY, {"reason": busy.reason, RETRY_MS: busy.retry_ms})


def expired(transaction_id: bytes) -> Reply:
    """It never will be committed."""
    return Reply(
        outcome=Outcome.EXPIRED,
        transaction_id=transaction_id,
        app=Refusal.EXPIRED.app,
        code=Refusal.EXPIRED.number,
    )


def not_here(transaction_id: bytes) -> Reply:
    """It may have been committed before this node's blocks begin."""
    return rejected(Refused(Refusal.NOT_HERE, {}), transaction_id)


class Happened:
    """A transaction was accepted in a block and made no record: what is said of all such alike."""

    __slots__ = ("height", "tail")

    def __init__(self, height: int) -> None:
        """Of the block of a height."""
        self.height = height
        """The block's height."""
        self.tail = _HEIGHT + encode(height)
        """What stands after the id in a packed reply."""


class Made(msgspec.Struct, frozen=True, gc=False):
    """A transaction was accepted in a block and made records."""

    said: Happened
    """What is said of all that was accepted in the block."""
    ids: tuple[str, ...]
    """Ids of the records, in the order made."""


Said = Answer | Reply | Happened | Made
"""An answer, in as few objects as it takes."""


def happened(transaction_id: bytes, said: Happened | Made) -> Reply:
    """It was accepted."""
    block, ids = (said.said, said.ids) if isinstance(said, Made) else (said, ())
    return Reply(
        outcome=Outcome.ACCEPTED, transaction_id=transaction_id, height=block.height, ids=ids
    )


def reply_of(answer: Answer | Reply) -> Reply:
    """The engine's answer, or the door's own, as the sender hears it."""
    if isinstance(answer, Reply):
        return answer
    receipt = answer.receipt
    if receipt is None:
        if answer.height is not None:
            return not_here(answer.transaction_id)
        return expired(answer.transaction_id)
    return Reply(
        outcome=_OUTCOMES[receipt.outcome],
        transaction_id=answer.transaction_id,
        height=answer.height,
        app=receipt.app,
        code=receipt.code,
        values=receipt.values,
        ids=receipt.ids,
    )


_OUTCOMES = {each: Outcome(each.value) for each in ledger.Outcome}


# --- many at once


def pack_replies(ids: Sequence[bytes], answers: Sequence[Said]) -> bytes:
    """All replies as one MessagePack array, each under its id.

    Nearly all say that something happened, one block's after the other: those that made no record
    are joined at once.
    """
    parts = [_array_head(len(answers))]
    place, count = 0, len(answers)
    while place < count:
        answer = answers[place]
        if isinstance(answer, Made):
            parts += (_MADE, ids[place], answer.said.tail, _IDS, encode(answer.ids))
            place += 1
            continue
        if not isinstance(answer, Happened):
            parts += _told(answer)
            place += 1
            continue
        end = _end_of(answers, place)
        between = answer.tail + _ACCEPTED
        parts += (_ACCEPTED, between.join(ids[place:end]), answer.tail)
        place = end
    return b"".join(parts)


def _told(answer: Answer | Reply) -> Sequence[bytes]:
    """One reply; a `Reply` is made only where there is much to tell."""
    if not isinstance(answer, Answer) or answer.height is None or not _is_plain(answer.told):
        return (encode(reply_of(answer)),)
    return (_ACCEPTED, answer.transaction_id, _HEIGHT, encode(answer.height))


def _is_plain(told: Done | Receipt | None) -> bool:
    """Whether it says no more than that everything happened."""
    if told is None or told.outcome is not _HAPPENED or told.ids:
        return False
    return isinstance(told, Done) or not (told.values or told.app or told.code)


def _end_of(answers: Sequence[Said], place: int) -> int:
    """Where a run of the same answer ends that begins at a place."""
    answer, end, count = answers[place], place + 1, len(answers)
    if not place and answers.count(answer) == count:
        return count
    while end < count and answers[end] is answer:
        end += 1
    return end


def _array_head(count: int) -> bytes:
    """How an array of so many begins: one of single bytes, without them."""
    return encode((None,) * count)[: -count or None]


_HAPPENED = ledger.Outcome.ACCEPTED
_ACCEPTED = (
    b"\x83"  # a map of three fields, written as `encode` writes a reply
    + encode("outcome")
    + encode(Outcome.ACCEPTED)
    + encode("transaction_id")
    + encode(bytes(32))[:2]
)
"""What stands before the id in the reply to an accepted transaction that made no record."""
_MADE = b"\x84" + _ACCEPTED[1:]
"""The same of one that made records: a map of four fields."""
_HEIGHT = encode("height")
"""What stands between the id and the height."""
_IDS = encode("ids")
"""What stands between the height and the ids of the records made."""
