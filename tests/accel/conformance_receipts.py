"""What every body must do with executed blocks; the ledger's own structs say what is right."""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import ClassVar

import msgspec
import pytest
from msgspec import Raw

from tallystick.accel import Accepted, Body, Executed, NotUses, merkle_root
from tallystick.ledger.receipt import Change, Outcome, Receipt, hash_of_changes
from tallystick.ledger.side import RECEIPT, Use, place_key, receipt_key
from tallystick.values.codec import encode, encode_key

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


def random_change(random: Random) -> Change:
    """A key of any length, and what is under it now."""
    after = random.choice((None, b"", b"x" * 300))
    return random.randbytes(random.randrange(300)), after


class ReceiptConformance:
    """Receipts of what was accepted, and the chain over used references."""

    body: ClassVar[Body]

    @pytest.mark.parametrize("length", TURNS)
    def test_receipts_are_those_of_the_ledger(self, length: int) -> None:
        id_ = b"\xff" * 32
        one: tuple[Change, ...] = ((b"key", b"record"),)
        done: list[Executed] = [
            (id_, (), ()),
            (id_, (), ((b"gone", None),)),
            (id_, (), ((b"k" * length, b"r" * length),)),
            (id_, tuple([f"note-{at}" for at in range(length)]), one),
            (id_, ("i" * length, "\u00e9\u4e2d\U0001f600"), ()),
            (id_, (), one * length),
        ]
        self.is_sealed_as_the_ledger_says(done)
        self.is_sealed_as_the_ledger_says(done * 3)
        for each in done:
            self.is_sealed_as_the_ledger_says([each])

    def test_a_block_of_nothing(self) -> None:
        self.is_sealed_as_the_ledger_says([])

    def test_blocks_at_random(self) -> None:
        random = Random(20)
        done: list[Executed] = []
        for _ in range(500):
            changes = tuple([random_change(random) for _ in range(random.randrange(20))])
            if random.random() < 0.1:
                refused = Receipt(outcome=Outcome.REFUSED, transaction_id=random.randbytes(32))
                done.append((encode(refused), changes))
                continue
            ids = tuple([f"{random.getrandbits(64):x}" for _ in range(random.randrange(20))])
            done.append((random.randbytes(32), ids, changes))
        self.is_sealed_as_the_ledger_says(done)
        with pytest.raises(IndexError):
            self.body.seal_block(tuple(done), (), ()).receipt(500)

    @pytest.mark.parametrize("length", TURNS)
    def test_transactions_stand_in_the_entry_as_they_came(self, length: int) -> None:
        raws = (b"x" * length, b"")
        ids = (b"\1" * 32, b"\2" * 32)
        sealed = self.body.seal_block((), ids, raws)
        assert sealed.entry(b"\x81", b"") == encode({"transactions": raws})
        assert sealed.ids_root == merkle_root(ids)
        many = (b"raw",) * length
        lists = {"transactions": many} if many else {}
        head = bytes((0x80 | len(lists),))
        assert self.body.seal_block((), (), many).entry(head, b"") == encode(lists)

    def test_places_of_what_was_accepted(self) -> None:
        ids = [bytes(32), b"\0", b"", b"\xff" * 32, b"\1\0\2\0", b"\0\1" * 16]
        done: list[Executed] = [(each, (), ()) for each in ids]
        done[3:3] = [(b"a receipt of something else", ())] * 70_000
        found = self.body.seal_block(tuple(done), (), ()).places(RECEIPT, encode_key("at", 7))
        at = [0, 1, 2, 70_003, 70_004, 70_005]
        assert found == {
            receipt_key(each): place_key(7, place) for place, each in zip(at, ids, strict=True)
        }
        assert self.body.seal_block((), (), ()).places(b"", b"") == {}

    def is_sealed_as_the_ledger_says(self, done: list[Executed]) -> None:
        """Receipts, roots, size and entry of a block."""
        receipts = [encoded(each) if len(each) == 3 else each[0] for each in done]
        raws = (b"one", b"two")
        sealed = self.body.seal_block(tuple(done), (b"\1" * 32,), raws)
        assert [sealed.receipt(place) for place in range(len(done))] == receipts
        assert sealed.receipts_root == merkle_root(receipts)
        assert sealed.ids_root == merkle_root([b"\1" * 32])
        changed = [pair for each in done for pair in each[-1]]
        sizes = [len(key) + len(after or b"") for key, after in changed]
        assert sealed.size == 6 + sum(map(len, receipts)) + sum(sizes)
        lists: dict[str, object] = {"transactions": raws}
        if done:
            lists["receipts"] = [Raw(receipt) for receipt in receipts]
            lists["changes"] = [each[-1] for each in done]
        expected = encode({"height": 1, **lists, "signature": None})
        head = expected[:1] + encode("height") + encode(1)
        assert sealed.entry(head, encode("signature") + encode(None)) == expected

    @pytest.mark.parametrize("count", (0, 1, 8, 9, 500))
    def test_each_use_is_hashed_with_the_hash_before_it(self, count: int) -> None:
        random = Random(count)
        uses: list[Use] = [
            (f"S{at}", "r" * random.choice(TURNS), random.randbytes(32)) for at in range(count)
        ]
        running = bytes(32)
        for use in uses:
            running = sha256(running + msgspec.msgpack.encode(use)).digest()
        assert self.body.chained(bytes(32), encode(uses)) == running

    def test_what_is_no_list_of_uses_is_not_read(self) -> None:
        use = ("A", "r", b"id")
        whole = encode([use] * 40)
        good = (whole, encode([]), b"\xdd\0\0\0\1\xdc\0\3\xd9\1A\xdb\0\0\0\1r\xc5\0\2id")
        bad = (
            b"",
            b"\xc0",
            whole[:-1],
            whole + b"\0",
            b"\x92" + encode(use),
            b"\xdd\xff\xff\xff\xff" + encode(use),
            *(encode([each]) for each in (("A", "r"), (*use, 1), ("A", b"r", b"id"), (1, 2, 3))),
            encode([("A", "r", "id")]),
            encode([use]).replace(b"r", b"\xff"),
        )
        for each in good:
            assert len(self.body.chained(bytes(32), each)) == 32
        assert self.body.chained(bytes(32), good[2]) == self.body.chained(bytes(32), encode([use]))
        for each in bad:
            with pytest.raises(NotUses):
                self.body.chained(bytes(32), each)
            with pytest.raises(NotUses):
                self.body.used_references().note(1, each)
