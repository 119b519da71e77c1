"""What every body must do with receipts in batches; the ledger's own structs say what is right."""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import ClassVar

import msgspec
import pytest

from tallystick.accel import Accepted, Body
from tallystick.ledger.receipt import Change, Outcome, Receipt, hash_of_changes
from tallystick.ledger.side import Use
from tallystick.values.codec import encode

TURNS = (0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536)
"""Lengths at which MessagePack changes how it writes a length."""


def encoded(accepted: Accepted) -> bytes:
    """The receipt as the ledger knows it."""
    transaction_id, ids, changes = accepted
    return encode(
        Receipt(
            outcome=Outcome.ACCEPTED,
            transaction_id=transaction_id,
            ids=ids,
            changes_hash=hash_of_changes(changes),
        )
    )


class ReceiptConformance:
    """Receipts of what was accepted, and the chain over used references."""

    body: ClassVar[Body]

    @pytest.mark.parametrize("length", TURNS)
    def test_receipts_are_those_of_the_ledger(self, length: int) -> None:
        id_ = b"\xff" * 32
        one: tuple[Change, ...] = ((b"key", b"record"),)
        done: list[Accepted] = [
            (id_, (), ()),
            (id_, (), ((b"gone", None),)),
            (id_, (), ((b"k" * length, b"r" * length),)),
            (id_, tuple([f"note-{at}" for at in range(length)]), one),
            (id_, ("i" * length, "\u00e9\u4e2d\U0001f600"), ()),
            (id_, (), one * length),
        ]
        expected = [encoded(each) for each in done]
        assert self.body.accepted_receipts(done) == expected
        assert self.body.accepted_receipts(done * 3) == expected * 3
        assert [self.body.accepted_receipts([each]) for each in done] == [[e] for e in expected]

    def test_receipts_of_nothing(self) -> None:
        assert self.body.accepted_receipts([]) == []

    def test_receipts_at_random(self) -> None:
        random = Random(20)
        done: list[Accepted] = []
        for _ in range(500):
            changes = [
                (random.randbytes(random.randrange(300)), random.choice((None, b"", b"x" * 300)))
                for _ in range(random.randrange(20))
            ]
            ids = tuple([f"{random.getrandbits(64):x}" for _ in range(random.randrange(20))])
            done.append((random.randbytes(32), ids, tuple(changes)))
        assert self.body.accepted_receipts(done) == [encoded(each) for each in done]

    @pytest.mark.parametrize("count", (0, 1, 8, 9, 500))
    def test_each_use_is_hashed_with_the_hash_before_it(self, count: int) -> None:
        random = Random(count)
        uses: list[Use] = [
            (f"S{at}", "r" * random.choice(TURNS), random.randbytes(32)) for at in range(count)
        ]
        running = bytes(32)
        for use in uses:
            running = sha256(running + msgspec.msgpack.encode(use)).digest()
        assert self.body.chained(bytes(32), uses) == running
