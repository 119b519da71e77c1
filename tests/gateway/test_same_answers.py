"""Bytes opened in a batch become the same transaction, or get the same refusal, as one by one."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from functools import cache
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.accel import NotOpened, Opened, OpenedBatch, load, open_batch
from tallystick.engine.verdicts import Verdicts
from tallystick.gateway.admit import Admission
from tallystick.ledger.refusal import RefusalCode, Refused
from tallystick.ledger.transaction import Names, Transaction, assemble
from tallystick.testing.world import sign
from tallystick.values.codec import encode
from tallystick.values.units import OutletId, PartyId
from tests.till.desk import MINUTE_MS, Desk
from tests.till.messages import Fill, Pay

FILL = ("A", Fill(currency="CNY", amount_minor=100))
PAY = ("B", Pay(to="A", amount_minor=30))
RANDOM_EDITS = 3_000


class Shut:
    """A batch that opens nothing: everything is read and verified one by one."""

    def __init__(self, raws: Sequence[bytes]) -> None:
        """Hash them, and no more."""
        self.digests = [hashlib.sha256(raw).digest() for raw in raws]
        self.opened: list[Opened | None] = [None for _ in raws]

    def verify(self, places: Sequence[int]) -> list[int]:
        """Nothing can be verified."""
        for place in places:
            raise NotOpened(place)
        return []


@cache
def desk() -> Desk:
    """One desk for all."""
    return Desk()


@cache
def good() -> tuple[bytes, ...]:
    """Good transactions: one signature, two, several calls, an expiry at the horizon."""
    made = desk()
    horizon = made.engine.now_ms() + made.genesis.horizon_ms
    return (
        made.signed(FILL),
        made.signed(FILL, keys=["A.clerk", "B.clerk", "C.clerk"]),
        made.signed(FILL, PAY, FILL),
        made.signed(FILL, expires_at_ms=horizon),
    )


Said = Transaction | tuple[RefusalCode, dict[str, str | int]]


def said(bodies: type[Shut] | object, raws: Sequence[bytes]) -> list[Said]:
    """What a door says that opens batches in some way."""
    admission = Admission(desk().ledger, Verdicts(bodies))  # type: ignore[arg-type]
    found = admission.admit(raws, desk().engine.now_ms())
    return [plain(each) if isinstance(each, Transaction) else told(each) for each in found]


def told(no: Refused) -> tuple[RefusalCode, dict[str, str | int]]:
    """A refusal as it can be compared."""
    return no.code, no.values


def plain(transaction: Transaction) -> Transaction:
    """The same: its body, which is not compared, says what it says when it is read strictly."""
    body = desk().transaction(transaction.raw).body
    assert encode(transaction.body) == encode(body)
    for found, strict in zip(transaction.body.calls, body.calls, strict=True):
        assert found.message == strict.message
    return transaction


def check(raws: Sequence[bytes]) -> list[Said]:
    """All bodies say the same of all, together and alone."""
    expected = said(Shut, raws)
    assert said(open_batch, raws) == expected
    assert said(load("auto").open_batch, raws) == expected
    return expected


def test_good_ones_come_in() -> None:
    found = check(good())
    assert all(isinstance(each, Transaction) for each in found)
    assert [len(each.keys()) for each in found if isinstance(each, Transaction)] == [1, 3, 2, 1]


def test_what_a_transaction_says_of_its_envelope_is_what_travelled() -> None:
    for opened, slow in zip(said(open_batch, good()), said(Shut, good()), strict=True):
        assert isinstance(opened, Transaction)
        assert isinstance(slow, Transaction)
        assert opened.triples() == slow.triples()
        assert opened.signed == slow.signed
        assert [each.public_key for each in opened.signatures] == list(slow.keys())
        assert hashlib.sha256(opened.signed).digest() == opened.id


def test_each_kind_of_refusal_is_the_same_and_hurts_only_itself() -> None:
    kinds = {
        each[0].name for each in check(list(interleaved())) if not isinstance(each, Transaction)
    }
    assert kinds == {
        "MALFORMED",
        "NOT_CANONICAL",
        "TOO_LARGE",
        "WRONG_CHAIN",
        "EXPIRY_TOO_FAR",
        "SENDER_MISMATCH",
        "BAD_SIGNATURE",
    }


def interleaved() -> Iterator[bytes]:
    """One of each kind, with good ones between them."""
    made = desk()
    form, body, signatures = msgspec.msgpack.decode(good()[1])
    plain = msgspec.msgpack.decode(body)
    other = msgspec.msgpack.encode(plain | {"sender": "B"})
    turned = msgspec.msgpack.encode(dict(reversed(plain.items())))
    last = [
        [1, key, bytes(64) if place else good_one]
        for place, (_, key, good_one) in enumerate(signatures)
    ]
    bad = (
        b"",
        bytes(70_000),
        msgspec.msgpack.encode([form, turned, signatures]),
        msgspec.msgpack.encode([form, msgspec.msgpack.encode(plain | {"tip": 5}), signatures]),
        msgspec.msgpack.encode([form, body, signatures[::-1]]),
        msgspec.msgpack.encode([form, body, []]),
        msgspec.msgpack.encode([form, body, last]),
        made.signed(FILL, chain_id="till-00000000"),
        made.signed(FILL, expires_at_ms=made.engine.now_ms() + 1_000 * 1_440 * MINUTE_MS),
        assemble(other, [sign("B.clerk", other)]),
    )
    for each in bad:
        yield each
        yield from good()


WRONG = ("", "\n", "A\n", "\x7f", "A\x00", "é", "A" * 33, "A" * 65, "a b", "A@B", "\u2028")
RIGHT = ("Z", "A-1", "B" * 32, "new-one")


@pytest.mark.parametrize("name", (*WRONG, *RIGHT))
def test_names_that_were_never_seen_are_matched_with_their_patterns(name: str) -> None:
    check(good())  # their names are known now
    _, body, signatures = msgspec.msgpack.decode(good()[2])
    plain_body = msgspec.msgpack.decode(body)
    raws = [plain_body | {field: name} for field in ("chain_id", "sender", "reference")]
    for place in range(3):
        for changes in ({"party": name}, {"outlet": name}, {"outlet": "A"}):
            calls = [dict(call) for call in plain_body["calls"]]
            calls[place] |= changes
            raws.append(plain_body | {"calls": calls})
    encoded = [msgspec.msgpack.encode(each) for each in raws]
    for _ in range(2):  # the second time what fits is known
        check([msgspec.msgpack.encode([1, each, signatures]) for each in encoded])


def test_all_names_that_are_remembered_together_have_one_pattern() -> None:
    patterns = {str(get_args(each)[1].pattern) for each in (PartyId, OutletId)}
    assert len(patterns) == 1


def test_names_are_forgotten_when_there_are_too_many() -> None:
    names = Names(most=3)
    bodies = [desk().transaction(raw).body for raw in good()[:3]]
    for body in bodies:
        names.note(body)
        assert names.fit(body)
    for number in range(10):
        other = msgspec.structs.replace(bodies[0], sender=f"S{number}")
        assert not names.fit(other)
        names.note(other)
        assert names.fit(other)
        assert len(names._members) <= 3


@pytest.mark.parametrize("seed", range(3))
def test_random_edits_of_good_ones(seed: int) -> None:
    dice = random.Random(seed)
    check([edited(dice.choice(good()), dice) for _ in range(RANDOM_EDITS // 3)])


def edited(raw: bytes, dice: random.Random) -> bytes:
    """The same bytes with a few changed, cut out or put in; half of them near the beginning."""
    made = bytearray(raw)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        place = dice.randrange(min(len(made), dice.choice((8, 60, len(made)))) or 1)
        kind = dice.randrange(5)
        if kind == 0:
            del made[place : place + dice.choice((1, 1, 2, 33, 96))]
        elif kind == 1:
            made[place:place] = dice.randbytes(dice.choice((1, 2, 16)))
        elif made:
            made[min(place, len(made) - 1)] = dice.choice((dice.randrange(256), 0xC4, 0xC5, 0xDC))
    return bytes(made)


@given(st.lists(st.binary(max_size=300), max_size=8))
@settings(max_examples=100)
def test_any_bytes(raws: list[bytes]) -> None:
    check(raws)


def test_what_a_body_does_not_open_is_verified_by_itself() -> None:
    class Half(Shut):
        """Opens only every other one."""

        def __init__(self, raws: Sequence[bytes]) -> None:
            """Open all, and show half of it."""
            super().__init__(raws)
            self.batch: OpenedBatch = open_batch(raws)
            self.opened = [
                each if place % 2 else None for place, each in enumerate(self.batch.opened)
            ]

    raws = list(interleaved())
    assert said(Half, raws) == said(Shut, raws)
