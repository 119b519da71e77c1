"""Replies: what is said of an answer, and many of them packed at once."""

from __future__ import annotations

import pytest

from tallystick.engine.base import Answer
from tallystick.gateway.reply import (
    Happened,
    Made,
    Reply,
    Said,
    expired,
    happened,
    pack_replies,
    rejected,
    reply_of,
    taken,
)
from tallystick.gateway.wire import pack_frames, unpack_frames
from tallystick.ledger.receipt import Outcome, Receipt, Value
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tallystick.values.codec import encode

ID = bytes(range(32))
ACCEPTED = Receipt(outcome=Outcome.ACCEPTED, transaction_id=ID, changes_hash=bytes(32))
MADE = Receipt(outcome=Outcome.ACCEPTED, transaction_id=ID, ids=("pc-0123456789abcdef",))
NO = Receipt(
    outcome=Outcome.REFUSED,
    transaction_id=ID,
    app="till",
    code=3,
    values=(Value(name="party", value="A"),),
)
ANSWERS = (
    Answer(ID, ACCEPTED, 1),
    Answer(bytes(32), ACCEPTED, 1),
    Answer(ID, ACCEPTED, 70_000),
    Answer(ID, MADE, 70_000),
    Answer(ID, ACCEPTED, 1),
    Answer(ID, ACCEPTED, None),
    Answer(ID, NO, 2**40),
    Answer(ID, None, None),
    Answer(ID, None, 3),
    taken(ID, is_kept=True),
    expired(ID),
    rejected(Refused(Refusal.BUSY, {"reason": "full", "retry_ms": 70})),
)


@pytest.mark.parametrize("count", (0, 1, 12, 15, 16, 1_000))
def test_packed_replies_are_the_encoded_ones(count: int) -> None:
    answers = [ANSWERS[place % len(ANSWERS)] for place in range(count)]
    packed = pack_replies([ID] * count, answers)
    assert packed == encode([reply_of(each) for each in answers])


@pytest.mark.parametrize("count", (1, 2, 15, 16, 1_000))
@pytest.mark.parametrize("turn", (1, 2, 3, 500, 1_000))
def test_what_happened_alike_is_packed_as_if_each_were_told_alone(count: int, turn: int) -> None:
    blocks = [Happened(height) for height in (1, 127, 128, 70_000, 2**40)]
    ids = [place.to_bytes(32, "big") for place in range(count)]
    answers: list[Said] = [blocks[place // turn % 5] for place in range(count)]
    if count > 2:
        answers[count // 2] = expired(ids[count // 2])
    assert pack_replies(ids, answers) == encode(_one_by_one(ids, answers))


@pytest.mark.parametrize("count", (1, 2, 15, 16, 1_000))
@pytest.mark.parametrize("turn", (1, 2, 500))
def test_what_made_records_is_packed_as_if_each_were_told_alone(count: int, turn: int) -> None:
    blocks = [Happened(height) for height in (1, 127, 128, 70_000, 2**40)]
    ids = [place.to_bytes(32, "big") for place in range(count)]
    made = [tuple([f"pc-{place:016x}"] * (place % 20)) for place in range(count)]
    answers: list[Said] = [
        Made(blocks[place // turn % 5], made[place]) if made[place] else blocks[place // turn % 5]
        for place in range(count)
    ]
    assert pack_replies(ids, answers) == encode(_one_by_one(ids, answers))
    assert [reply.ids for reply in _one_by_one(ids, answers)] == made


def _one_by_one(ids: list[bytes], answers: list[Said]) -> list[Reply]:
    """The replies, each made by itself."""
    return [
        happened(each, said) if isinstance(said, Happened | Made) else reply_of(said)
        for each, said in zip(ids, answers, strict=True)
    ]


def test_a_busy_nodes_no_says_when_to_come_again() -> None:
    assert rejected(Refused(Refusal.BUSY, {"reason": "full", "retry_ms": 70})).retry_ms == 70
    assert rejected(Refused(Refusal.BUSY, {"reason": "full", "retry_ms": "soon"})).retry_ms == 0
    assert Reply(outcome=taken(ID, is_kept=False).outcome).retry_ms == 0


def test_frames_are_what_they_were() -> None:
    parts = [b"", b"x", bytes(70_000), b"\x00" * 4]
    assert unpack_frames(pack_frames(parts)) == parts
    packed = pack_frames(parts)
    for end in (1, 3, 5, 7, 8, len(packed) - 1):
        with pytest.raises(Refused):
            unpack_frames(packed[:end])
    with pytest.raises(Refused):
        unpack_frames(packed, most=3)
    assert unpack_frames(b"") == []
