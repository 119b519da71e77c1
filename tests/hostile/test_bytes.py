"""Bytes that are no transaction of this chain, or that were here before."""

import msgspec
import pytest

from tallystick.apps.cash.messages import Mint, Transfer
from tallystick.gateway.reply import Outcome
from tallystick.ledger.app import Message
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.transaction import BYTES_MAX, FORMAT, assemble
from tallystick.testing.world import sign
from tests.hostile.net import CNY, EXPIRY_MS, Net

WHO = "CB.maker+checker"
GOOD = Mint(to="S1", money=CNY, amount_minor=100)


def rewritten(net: Net, body: bytes) -> bytes:
    """A transaction with this body, signed by those who may."""
    return assemble(body, [sign("CB.maker", body), sign("CB.checker", body)])


@pytest.mark.parametrize(
    "raw",
    (
        b"",
        b"\xc1",
        b"hello",
        b'{"json": true}',
        b"\x00" * 1000,
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 5000,
        msgspec.msgpack.encode([1, b"", []]),
        msgspec.msgpack.encode({"format": 1}),
    ),
    ids=("nothing", "unused", "text", "json", "zeros", "endless", "nested", "empty", "map"),
)
def test_not_messagepack(net: Net, raw: bytes) -> None:
    net.turned_away(raw, Outcome.REJECTED, Refusal.MALFORMED)


def test_too_large(net: Net) -> None:
    net.turned_away(bytes(BYTES_MAX + 1), Outcome.REJECTED, Refusal.TOO_LARGE)


def test_cut_or_longer(net: Net) -> None:
    raw = net.signed((WHO, GOOD))
    net.turned_away(raw[:-1], Outcome.REJECTED, Refusal.MALFORMED)
    net.turned_away(raw + b"\x00", Outcome.REJECTED, Refusal.MALFORMED)


def test_not_canonical(net: Net) -> None:
    """The same content, its fields in another order, or a default written out."""
    plain = msgspec.msgpack.decode(net.body((WHO, GOOD)))
    turned = msgspec.msgpack.encode(dict(reversed(plain.items())))
    net.turned_away(rewritten(net, turned), Outcome.REJECTED, Refusal.NOT_CANONICAL)
    plain["calls"][0]["outlet"] = None
    written_out = msgspec.msgpack.encode(plain)
    net.turned_away(rewritten(net, written_out), Outcome.REJECTED, Refusal.NOT_CANONICAL)


def test_not_canonical_envelope(net: Net) -> None:
    """A long form of a short number around a good body."""
    raw = net.signed((WHO, GOOD))
    assert raw[:2] == bytes([0x93, FORMAT])
    longer = bytes([0x93, 0xCC, FORMAT]) + raw[2:]
    net.turned_away(longer, Outcome.REJECTED, Refusal.NOT_CANONICAL)


@pytest.mark.parametrize("where", ("body", "call", "message"))
def test_unknown_field(net: Net, where: str) -> None:
    plain = msgspec.msgpack.decode(net.body((WHO, GOOD)))
    inner = {"body": plain, "call": plain["calls"][0], "message": plain["calls"][0]["message"]}
    inner[where]["urgent"] = True
    raw = rewritten(net, msgspec.msgpack.encode(plain))
    reply = net.turned_away(raw, Outcome.REJECTED, Refusal.MALFORMED)
    assert "urgent" in str(reply.value("detail"))


def test_unknown_message(net: Net) -> None:
    plain = msgspec.msgpack.decode(net.body((WHO, GOOD)))
    plain["calls"][0]["message"]["type"] = "cash.steal.1"
    raw = rewritten(net, msgspec.msgpack.encode(plain))
    net.turned_away(raw, Outcome.REJECTED, Refusal.MALFORMED)


def test_wrong_chain(net: Net) -> None:
    """A pilot's transaction cannot be replayed on the consortium made from it."""
    raw = net.signed((WHO, GOOD), chain_id="hostile-00000000")
    net.turned_away(raw, Outcome.REJECTED, Refusal.WRONG_CHAIN)


def test_expired(net: Net) -> None:
    past = net.node.engine.standing().ledger_ms - 1
    net.turned_away(net.signed((WHO, GOOD), expires_at_ms=past), Outcome.EXPIRED, Refusal.EXPIRED)


def test_expiry_beyond_the_horizon(net: Net) -> None:
    far = net.now_ms + net.node.ledger.genesis.horizon_ms + EXPIRY_MS
    raw = net.signed((WHO, GOOD), expires_at_ms=far)
    net.turned_away(raw, Outcome.REJECTED, Refusal.EXPIRY_TOO_FAR)


def balance(net: Net, party: str) -> str:
    """What a party has, as the node answers it."""
    asked = net.client.query("cash", "balances", party=party)
    return str(next((each["available_minor"] for each in asked), "0"))


def test_replayed(net: Net) -> None:
    """The same bytes again are answered as before, and happen once."""
    raw = net.signed((WHO, Mint(to="T1", money=CNY, amount_minor=700)))
    first = net.client.submit(raw)
    assert first.outcome is Outcome.ACCEPTED
    before, had = net.standing(), balance(net, "T1")
    for _ in range(3):
        assert net.client.submit(raw) == first
    assert [each.height for each in net.client.offer([raw] * 5, wait_seconds=5)] == [
        first.height
    ] * 5
    assert (net.standing(), balance(net, "T1")) == (before, had)


def test_replayed_with_another_signature(net: Net) -> None:
    """A transaction is named by what was signed: more signatures do not make it another one."""
    raw = net.signed((WHO, Mint(to="T2", money=CNY, amount_minor=700)))
    first = net.client.submit(raw)
    body = msgspec.msgpack.decode(raw)[1]
    again = assemble(body, [sign(f"CB.{each}", body) for each in ("maker", "checker", "approver")])
    before = net.standing()
    assert net.client.submit(again) == first
    assert net.standing() == before


@pytest.mark.parametrize(
    "other",
    (Mint(to="S2", money=CNY, amount_minor=100), Transfer(to="S1", money=CNY, amount_minor=100)),
    ids=("another amount", "another message"),
)
def test_reference_reused(net: Net, other: Message) -> None:
    reference = f"once-{type(other).__name__}"
    first = net.client.submit(net.signed((WHO, GOOD), reference=reference))
    assert first.outcome is Outcome.ACCEPTED
    raw = net.signed((WHO, other), reference=reference)
    net.turned_away(raw, Outcome.REUSED, Refusal.REFERENCE_REUSED)


def test_reference_of_another_sender(net: Net) -> None:
    """References are a sender's own: nobody takes another's away."""
    paid = Transfer(to="S2", money=CNY, amount_minor=1)
    net.accepts(WHO, GOOD)
    for who in (WHO, "S1.maker+checker"):
        asked = GOOD if who == WHO else paid
        reply = net.client.submit(net.signed((who, asked), reference="shared"))
        assert reply.outcome is Outcome.ACCEPTED
