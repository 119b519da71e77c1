"""Signatures that are wrong, a stranger's, revoked, worthless, or all of one person."""

import msgspec
import pytest

from tallystick.apps.cash.messages import Mint, Transfer
from tallystick.apps.members.interface import NewKey
from tallystick.apps.members.messages import AddOfficer, RegisterKey, RevokeKey
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.gateway.reply import Outcome
from tallystick.ledger.app import Role
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.transaction import SUITE_ED25519, Signature, assemble
from tallystick.testing.world import public_key, sign
from tests.hostile.net import CNY, Net

PAID = Transfer(to="D3", money=CNY, amount_minor=1)
IDENTITY = bytes([1]) + bytes(31)
"""The neutral point: under ZIP-215 it "signs" anything."""
ORDER_TWO = bytes([0xEC]) + b"\xff" * 30 + b"\x7f"
ANYTHING = Signature(suite=SUITE_ED25519, public_key=IDENTITY, signature=IDENTITY + bytes(32))


def with_money(net: Net, party: str) -> str:
    """A member that has something to spend; its usual signers."""
    net.accepts("CB.maker+checker", Mint(to=party, money=CNY, amount_minor=1_000_00))
    return f"{party}.maker+checker"


@pytest.mark.parametrize("place", (0, 31, 32, 63))
def test_wrong(net: Net, place: int) -> None:
    """One bit of a signature is another one."""
    body = net.body((with_money(net, "S2"), PAID))
    good = [sign("S2.maker", body), sign("S2.checker", body)]
    bits = bytearray(good[1].signature)
    bits[place] ^= 1
    bad = msgspec.structs.replace(good[1], signature=bytes(bits))
    reply = net.turned_away(assemble(body, [good[0], bad]), Outcome.REJECTED, Refusal.BAD_SIGNATURE)
    assert reply.value("public_key") == bad.public_key.hex()


def test_of_another_body(net: Net) -> None:
    """A good signature under something else."""
    body, other = (net.body((with_money(net, "S2"), PAID)) for _ in range(2))
    raw = assemble(body, [sign("S2.maker", body), sign("S2.checker", other)])
    net.turned_away(raw, Outcome.REJECTED, Refusal.BAD_SIGNATURE)


def test_none_at_all(net: Net) -> None:
    body = net.body((with_money(net, "S2"), PAID))
    net.turned_away(assemble(body, []), Outcome.REJECTED, Refusal.MALFORMED)


def test_twice_the_same(net: Net) -> None:
    body = net.body((with_money(net, "S2"), PAID))
    raw = assemble(body, [sign("S2.maker", body)] * 2)
    net.turned_away(raw, Outcome.REJECTED, Refusal.MALFORMED)


def test_of_a_stranger(net: Net) -> None:
    """Keys that nobody registered, beside good ones or alone."""
    who = with_money(net, "S2")
    alone = net.signed((who, PAID), keys=("nobody.maker", "nobody.checker"))
    net.turned_away(alone, Outcome.UNAUTHORISED, Members.UNKNOWN_KEY)
    beside = net.signed((who, PAID), keys=("S2.maker", "S2.checker", "nobody.maker"))
    net.turned_away(beside, Outcome.UNAUTHORISED, Members.UNKNOWN_KEY)


def test_of_another_member(net: Net) -> None:
    """Officers of S3 have no say in what S2 pays; the reference is still S2's to use."""
    who = with_money(net, "S2")
    for keys in (("S3.maker", "S3.checker"), ("S2.maker", "S2.checker", "S3.checker")):
        raw = net.signed((who, PAID), keys=keys, reference="strangers")
        net.turned_away(raw, Outcome.UNAUTHORISED, Members.STRANGER)
    good = net.client.submit(net.signed((who, PAID), reference="strangers"))
    assert good.outcome is Outcome.ACCEPTED


def test_too_few(net: Net) -> None:
    """A signature was stripped on the way: that spoils nothing."""
    body = net.body((with_money(net, "S2"), PAID))
    maker, checker = sign("S2.maker", body), sign("S2.checker", body)
    net.turned_away(assemble(body, [maker]), Outcome.UNAUTHORISED, Members.NOT_ENOUGH_OFFICERS)
    assert net.client.submit(assemble(body, [maker, checker])).outcome is Outcome.ACCEPTED


def test_of_a_revoked_key(net: Net) -> None:
    who = with_money(net, "S3")
    key = public_key("S3.maker/lost")
    net.accepts("S3.admin+checker", RegisterKey(officer_id="maker", key=NewKey(public_key=key)))
    keys = ("S3.maker/lost", "S3.checker")
    assert net.client.submit(net.signed((who, PAID), keys=keys)).outcome is Outcome.ACCEPTED
    net.accepts("S3.admin", RevokeKey(public_key=key, reason="token lost"))
    net.turned_away(net.signed((who, PAID), keys=keys), Outcome.UNAUTHORISED, Members.KEY_REVOKED)


@pytest.mark.parametrize("key", (IDENTITY, ORDER_TWO, bytes(32)), ids=("one", "two", "four"))
def test_small_order_key_is_not_registered(net: Net, key: bytes) -> None:
    asked = RegisterKey(officer_id="maker", key=NewKey(public_key=key))
    net.refuses("S4.admin+checker", asked, Members.WEAK_KEY)


def test_of_a_small_order_key(net: Net) -> None:
    """Such a signature fits every body, so it must be nobody's."""
    body = net.body((with_money(net, "S4"), PAID))
    raw = assemble(body, [ANYTHING, sign("S4.maker", body)])
    net.turned_away(raw, Outcome.UNAUTHORISED, Members.UNKNOWN_KEY)


def test_maker_is_never_checker(net: Net) -> None:
    """One person with both roles and two keys is one person."""
    who = with_money(net, "S5")
    person = AddOfficer(
        officer_id="boss",
        identity=bytes(range(32)),
        roles=(Role.MAKER, Role.CHECKER),
        keys=tuple(NewKey(public_key=public_key(f"S5.boss/{n}")) for n in (1, 2)),
    )
    net.accepts("S5.admin+checker", person)
    raw = net.signed((who, PAID), keys=("S5.boss/1", "S5.boss/2"))
    net.turned_away(raw, Outcome.UNAUTHORISED, Members.SAME_PERSON)
    good = net.signed((who, PAID), keys=("S5.boss/1", "S5.checker"))
    assert net.client.submit(good).outcome is Outcome.ACCEPTED
