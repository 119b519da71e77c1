"""The door: which bytes may come in. Nothing that is turned away here is remembered."""

from __future__ import annotations

import gc
import hashlib
from typing import Any

import msgspec
import pytest

from tallystick.accel import open_batch
from tallystick.engine.verdicts import Verdicts
from tallystick.gateway.admit import Admission
from tallystick.gateway.reply import Outcome
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.transaction import (
    BYTES_MAX,
    Signature,
    Transaction,
    assemble,
    transaction_id,
)
from tallystick.testing.world import sign
from tests.till.desk import MINUTE_MS, Desk
from tests.till.messages import Appear, Fill

FILL = ("A", Fill(currency="CNY", amount_minor=100))


def admitted(desk: Desk, raw: bytes) -> Transaction | Refused:
    """What the door says to some bytes."""
    return Admission(desk.ledger, Verdicts(open_batch)).admit([raw], desk.engine.now_ms())[0]


def is_turned_away(desk: Desk, raw: bytes, code: Refusal) -> Refused:
    """The door's no, which has this code and changes nothing."""
    no = admitted(desk, raw)
    assert isinstance(no, Refused)
    assert no.code is code
    return no


def parts(desk: Desk, **options: Any) -> tuple[int, bytes, list[list[Any]]]:
    """Format, body and signatures of a good transaction."""
    form, body, signatures = msgspec.msgpack.decode(desk.signed(FILL, **options))
    return form, body, signatures


def repacked(form: Any, body: Any, signatures: Any) -> bytes:
    """The three parts as bytes again."""
    return msgspec.msgpack.encode([form, body, signatures])


@pytest.mark.parametrize(
    "raw",
    (
        b"",
        b"garbage",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 5_000,
        msgspec.msgpack.encode({"body": b""}),
        msgspec.msgpack.encode([1, b"", []]),
        msgspec.msgpack.encode([1, b"\x80", [[1, bytes(32), bytes(64)]]]),
    ),
)
def test_what_is_no_transaction_is_malformed(raw: bytes) -> None:
    is_turned_away(Desk(), raw, Refusal.MALFORMED)


def test_what_is_turned_away_leaves_nothing_for_the_collector() -> None:
    desk = Desk()
    admission = Admission(desk.ledger, Verdicts(open_batch))
    raws = [b"garbage", desk.signed(FILL)]
    admission.admit(raws, desk.engine.now_ms())  # what is made once and kept is there now
    gc.collect()
    gc.disable()
    try:
        admission.admit(raws, desk.engine.now_ms())
        left_behind = gc.collect()
    finally:
        gc.enable()
    assert left_behind == 0


def test_unknown_format_field_suite_and_message_are_malformed() -> None:
    desk = Desk()
    form, body, signatures = parts(desk)
    is_turned_away(desk, repacked(2, body, signatures), Refusal.MALFORMED)
    plain = msgspec.msgpack.decode(body)
    extra = msgspec.msgpack.encode(plain | {"tip": 5})
    is_turned_away(desk, repacked(form, extra, signatures), Refusal.MALFORMED)
    other = [[2, *signatures[0][1:]]]
    is_turned_away(desk, repacked(form, body, other), Refusal.MALFORMED)
    is_turned_away(desk, repacked(form, body, []), Refusal.MALFORMED)
    is_turned_away(desk, repacked(form, body, signatures * 2), Refusal.MALFORMED)


def test_a_timers_message_cannot_be_sent() -> None:
    desk = Desk()
    is_turned_away(desk, desk.signed(("A", Appear(name="x", number=1))), Refusal.MALFORMED)


def test_bytes_that_are_not_canonical_are_refused() -> None:
    desk = Desk()
    form, body, signatures = parts(desk)
    plain = msgspec.msgpack.decode(body)
    turned = msgspec.msgpack.encode(dict(reversed(plain.items())))
    is_turned_away(desk, repacked(form, turned, signatures), Refusal.NOT_CANONICAL)
    long_form = b"\x93\xcc\x01" + desk.signed(FILL)[2:]
    is_turned_away(desk, long_form, Refusal.NOT_CANONICAL)


def test_a_transaction_may_not_be_too_large() -> None:
    no = is_turned_away(Desk(), bytes(BYTES_MAX + 1), Refusal.TOO_LARGE)
    assert no.values == {"bytes": BYTES_MAX + 1, "bytes_max": BYTES_MAX}


def test_another_chains_transaction_is_refused() -> None:
    desk = Desk()
    no = is_turned_away(desk, desk.signed(FILL, chain_id="till-00000000"), Refusal.WRONG_CHAIN)
    assert no.values == {"chain_id": "till-00000000"}


def test_an_expiry_beyond_the_horizon_is_refused_as_a_clients_future_clock_would_ask() -> None:
    desk = Desk()
    edge = desk.engine.now_ms() + desk.genesis.horizon_ms
    assert isinstance(admitted(desk, desk.signed(FILL, expires_at_ms=edge)), Transaction)
    is_turned_away(desk, desk.signed(FILL, expires_at_ms=edge + 1), Refusal.EXPIRY_TOO_FAR)


def test_the_sender_is_the_party_of_the_first_call() -> None:
    desk = Desk()
    form, body, _ = parts(desk)
    plain = msgspec.msgpack.decode(body)
    other = msgspec.msgpack.encode(plain | {"sender": "B"})
    signatures = [msgspec.msgpack.decode(msgspec.msgpack.encode(sign("B.clerk", other)))]
    is_turned_away(desk, repacked(form, other, signatures), Refusal.SENDER_MISMATCH)


def test_a_signature_over_other_bytes_is_bad() -> None:
    desk = Desk()
    form, body, signatures = parts(desk)
    spoiled = signatures[0][2][:-1] + bytes([signatures[0][2][-1] ^ 1])
    bad = repacked(form, body, [[*signatures[0][:2], spoiled]])
    no = is_turned_away(desk, bad, Refusal.BAD_SIGNATURE)
    assert no.values == {"public_key": signatures[0][1].hex()}


def test_one_bad_signature_among_good_ones_does_not_hurt_the_others() -> None:
    desk = Desk()
    good = [desk.signed(FILL) for _ in range(3)]
    form, body, signatures = parts(desk)
    bad = repacked(form, body, [[*signatures[0][:2], bytes(64)]])
    found = Admission(desk.ledger, Verdicts(open_batch)).admit(
        [good[0], bad, good[1], b"", good[2]], 0
    )
    horizon = [isinstance(each, Refused) and each.code is Refusal.EXPIRY_TOO_FAR for each in found]
    assert horizon == [True, True, True, False, True]
    now = desk.engine.now_ms()
    found = Admission(desk.ledger, Verdicts(open_batch)).admit(
        [good[0], bad, good[1], b"", good[2]], now
    )
    assert [isinstance(each, Transaction) for each in found] == [True, False, True, False, True]


def test_a_small_order_key_signs_everything_and_is_nobodys() -> None:
    desk = Desk()
    _, body, _ = parts(desk)
    small = Signature(suite=1, public_key=bytes([1]) + bytes(31), signature=bytes([1]) + bytes(63))
    raw = assemble(body, [small])
    assert isinstance(admitted(desk, raw), Transaction), "ZIP-215 takes the signature"
    with desk:
        reply = desk.offer(raw)[0]
    assert reply.outcome is Outcome.UNAUTHORISED


def test_signatures_of_the_same_bytes_are_verified_once() -> None:
    desk = Desk()
    admission = Admission(desk.ledger, Verdicts(open_batch))
    raw = desk.signed(FILL)
    for _ in range(3):
        assert isinstance(admission.admit([raw], desk.engine.now_ms())[0], Transaction)
    assert admission.signatures == 1


def test_only_the_newest_verdicts_are_kept() -> None:
    desk = Desk()
    admission = Admission(desk.ledger, Verdicts(open_batch, kept=2))
    raws = [desk.signed(FILL) for _ in range(3)]
    admission.admit(raws, desk.engine.now_ms())
    admission.admit([raws[2]], desk.engine.now_ms())
    assert admission.signatures == 3
    admission.admit([raws[0]], desk.engine.now_ms())
    assert admission.signatures == 4


def test_the_id_leaves_signatures_out() -> None:
    desk = Desk()
    _, body, _ = parts(desk)
    both = desk.transaction(assemble(body, [sign("A.clerk", body), sign("B.clerk", body)]))
    assert both.id == transaction_id(body) == hashlib.sha256(b"tallystick/tx/1" + body).digest()
    assert both.body.expires_at_ms == desk.engine.now_ms() + 10 * MINUTE_MS
