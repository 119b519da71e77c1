"""Bytes at the door: what is a transaction, and what is refused before anything is remembered."""

from __future__ import annotations

import hashlib
import operator

import msgspec
import pytest

from tallystick.accel import load
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.transaction import (
    BYTES_MAX,
    Envelope,
    Signature,
    assemble,
    signed_bytes,
    transaction_id,
)
from tallystick.testing.world import World, sign
from tallystick.values.codec import decode, encode
from tests.ledger.toy.messages import Close, Open
from tests.ledger.toy.people import toy_world


@pytest.fixture
def world() -> World:
    return toy_world()


def raw(world: World) -> bytes:
    return world.signed(("A.m", Open(currency="CNY")))


def parts(world: World) -> tuple[bytes, tuple[Signature, ...]]:
    """Body and signatures of a good transaction."""
    envelope = decode(Envelope, raw(world))
    return envelope.body, envelope.signatures


def altered(world: World, **changes: object) -> bytes:
    """The bytes of a transaction whose body says something else, written canonically."""
    body, signatures = parts(world)
    plain = msgspec.msgpack.decode(body)
    for path, value in changes.items():
        if value is None:
            del plain[path]
        else:
            plain[path] = value
    return assemble(msgspec.msgpack.encode(plain), signatures)


def refused(world: World, data: bytes, code: Refusal, *told: str) -> None:
    """The door refuses the bytes, and nothing is remembered."""
    with pytest.raises(Refused) as no:
        world.ledger.codec.decode(data)
    assert no.value.code is code
    for word in told:
        assert word in str(no.value)
    assert world.chain.state.tip.height == 0


def test_a_transaction_is_named_by_what_was_signed(world: World) -> None:
    body, _ = parts(world)
    both = assemble(body, [sign("B.m", body), sign("A.m", body)])
    transaction = world.ledger.codec.decode(both)
    assert transaction.id == transaction_id(body) == hashlib.sha256(signed_bytes(body)).digest()
    assert transaction.keys() == tuple(sorted(transaction.keys()))
    assert [triple[1] for triple in transaction.triples()] == [signed_bytes(body)] * 2
    assert (transaction.raw, transaction.body.sender) == (both, "A")


def test_transactions_are_equal_when_the_same_bytes_travelled(world: World) -> None:
    decoded = world.ledger.codec.decode
    body, _ = parts(world)
    one, other = (assemble(body, [sign(who, body)]) for who in ("A.m", "B.m"))
    (opened,) = load("python").open_batch([one]).opened
    assert decoded(one) == decoded(one)
    assert decoded(one) != decoded(other)
    assert decoded(one) != one
    assert {decoded(one), decoded(one), decoded(other)} == {decoded(other), decoded(one)}
    for read in (decoded(one), world.ledger.codec.decode_opened(one, opened)):
        assert decoded(one) == read
        assert not operator.ne(decoded(one), read), "however the body was read"


@pytest.mark.parametrize(
    "data",
    (
        b"",
        b"\x00",
        b"\xc1",
        b"not MessagePack",
        b"\x91" * 60_000,  # nested beyond any stack
        b"\x93\x01\xc4\x01",
        b"\x93\x01\xc4\x00\x90\x00",
        b"\x93\x01\xa1x\x90",
        b"\x93\x01\xc4\x00\x90",
    ),
)
def test_not_a_transaction(world: World, data: bytes) -> None:
    refused(world, data, Refusal.MALFORMED)


def test_too_large(world: World) -> None:
    refused(world, bytes(BYTES_MAX + 1), Refusal.TOO_LARGE, "bytes=65537")


def test_a_format_of_the_future(world: World) -> None:
    body, signatures = parts(world)
    later = encode(Envelope(format=2, body=body, signatures=signatures))
    refused(world, later, Refusal.MALFORMED, "format 2 is unknown")


@pytest.mark.parametrize(
    ("changes", "told"),
    (
        ({"more": 1}, "more"),
        ({"reference": None}, "reference"),
        ({"reference": ""}, "reference"),
        ({"reference": "é"}, "reference"),
        ({"sender": "A\n"}, "sender"),
        ({"sender": "x" * 33}, "sender"),
        ({"chain_id": "world-01234567\n"}, "chain_id"),
        ({"expires_at_ms": -1}, "expires_at_ms"),
        ({"expires_at_ms": 1.0}, "expires_at_ms"),
        ({"calls": []}, "calls"),
        ({"calls": [{}]}, "party"),
    ),
)
def test_fields_are_checked_by_name(world: World, changes: dict[str, object], told: str) -> None:
    refused(world, altered(world, **changes), Refusal.MALFORMED, told)


@pytest.mark.parametrize("tag", ("toy.fly.1", "toy.open.2", "toy.close.1"))
def test_only_messages_that_members_send(world: World, tag: str) -> None:
    """Neither unknown ones nor those that the ledger itself runs can be read at all."""
    call = {"party": "A", "message": {"type": tag, "currency": "CNY"}}
    refused(world, altered(world, calls=[call]), Refusal.MALFORMED, tag)
    assert Close.spec.timer


def test_too_many_calls(world: World) -> None:
    call = {"party": "A", "message": {"type": "toy.open.1", "currency": "CNY"}}
    world.ledger.codec.decode(altered(world, calls=[call] * 16))
    refused(world, altered(world, calls=[call] * 17), Refusal.MALFORMED, "16")


def test_one_meaning_has_one_encoding(world: World) -> None:
    body, signatures = parts(world)
    plain = msgspec.msgpack.decode(body)
    turned = msgspec.msgpack.encode(dict(reversed(plain.items())))
    refused(world, assemble(turned, signatures), Refusal.NOT_CANONICAL)
    spelt = plain | {"calls": [plain["calls"][0] | {"outlet": None}]}
    refused(world, assemble(msgspec.msgpack.encode(spelt), signatures), Refusal.NOT_CANONICAL)
    longer = raw(world).replace(b"\x93\x01", b"\x93\xcc\x01", 1)
    refused(world, longer, Refusal.NOT_CANONICAL)


def test_the_sender_is_the_first_to_act(world: World) -> None:
    refused(world, altered(world, sender="B"), Refusal.SENDER_MISMATCH, "sender=B")


def test_the_list_of_signatures(world: World) -> None:
    body, (signature,) = parts(world)
    other = sign("B.m", body)
    first, second = sorted((signature, other), key=lambda each: each.public_key)

    def made(*signatures: Signature) -> bytes:
        return encode(Envelope(format=1, body=body, signatures=signatures))

    world.ledger.codec.decode(made(first, second))
    refused(world, made(), Refusal.MALFORMED, "no signature")
    refused(world, made(second, first), Refusal.MALFORMED, "not sorted")
    refused(world, made(first, first), Refusal.MALFORMED, "not sorted")
    foreign = msgspec.structs.replace(first, suite=2)
    refused(world, made(foreign), Refusal.MALFORMED, "suite 2 is unknown")
    short = msgspec.structs.replace(first, signature=bytes(63))
    refused(world, made(short), Refusal.MALFORMED, "64")
    short = msgspec.structs.replace(first, public_key=bytes(31))
    refused(world, made(short), Refusal.MALFORMED, "32")
