"""RegisterKey, RotateKey, RevokeKey, RecoverKey."""

import hashlib

import pytest

from tallystick.apps.members.authority import AUTHORITY
from tallystick.apps.members.interface import NewKey
from tallystick.apps.members.messages import (
    AddOfficer,
    RecoverKey,
    RegisterKey,
    RemoveOfficer,
    RevokeKey,
    RotateKey,
)
from tallystick.apps.members.parts import KEYS_MAX, KeyStatus, Suite
from tallystick.apps.members.records import Key, Officer
from tallystick.apps.members.refusals import Refusal
from tallystick.apps.members.tests.counter.messages import Greet
from tallystick.apps.members.tests.network import both, house, key, network
from tallystick.ledger.app import Role
from tallystick.testing.world import World, public_key

WHO = house("S1")
SUPERVISOR = "SUP.compliance+checker"
WEAK = (
    bytes(32),  # y = 0: order 4
    b"\x01" + bytes(31),  # the neutral element
    b"\xee" + b"\xff" * 30 + b"\x7f",  # the neutral element, not canonical
    b"\x02" + bytes(31),  # no point of the curve
)


@pytest.fixture
def world() -> World:
    made = network()
    made.accepts(WHO, AddOfficer(officer_id="gone", roles=(Role.MAKER,), keys=(key("S1.gone"),)))
    made.accepts(WHO, RemoveOfficer(officer_id="gone", reason="left"))
    return made


def register(name: str = "S1.maker/2", officer: str = "maker") -> RegisterKey:
    return RegisterKey(officer_id=officer, key=key(name))


def test_a_second_key_signs_too(world: World) -> None:
    world.accepts(WHO, register())
    kept = world.view().get(Key, public_key("S1.maker/2"))
    assert (kept.member, kept.officer, kept.suite) == ("S1", "maker", Suite.ED25519)
    world.accepts("S1.maker/2+checker", Greet())
    world.accepts("S1.maker+checker", Greet())


def test_a_certificate_may_be_bound_to_a_key(world: World) -> None:
    certificate = hashlib.sha256(b"certificate").digest()
    new = NewKey(public_key=public_key("S1.maker/2"), certificate=certificate)
    world.accepts(WHO, RegisterKey(officer_id="maker", key=new))
    assert world.view().get(Key, new.public_key).certificate == certificate


@pytest.mark.parametrize("weak", WEAK)
def test_small_order_and_no_points_are_refused(world: World, weak: bytes) -> None:
    new = NewKey(public_key=weak)
    for who, message in (
        (WHO, RegisterKey(officer_id="maker", key=new)),
        (WHO, RotateKey(old_key=public_key("S1.maker"), key=new)),
        (SUPERVISOR, RecoverKey(member="S1", officer_id="maker", key=new, reason="x")),
    ):
        world.refuses(who, message, Refusal.WEAK_KEY, public_key=weak.hex())


def test_a_key_refused(world: World) -> None:
    for message, code in (
        (register(officer="nobody"), Refusal.NO_SUCH_OFFICER),
        (register(officer="gone"), Refusal.OFFICER_REMOVED),
        (register("D1.maker"), Refusal.KEY_TAKEN),
        (register("S1.gone"), Refusal.KEY_TAKEN),
    ):
        world.refuses(WHO, message, code)
    for number in range(2, KEYS_MAX + 1):
        world.accepts(WHO, register(f"S1.maker/{number}"))
    world.refuses(WHO, register("S1.maker/x"), Refusal.TOO_MANY, what="keys", most=KEYS_MAX)


def test_a_key_makes_way_for_another(world: World) -> None:
    rotate = RotateKey(old_key=public_key("S1.maker"), key=key("S1.maker/2"))
    world.accepts(WHO, rotate)
    old = world.view().get(Key, public_key("S1.maker"))
    assert (old.status, old.reason, old.revoked_at_ms) == (
        KeyStatus.REVOKED,
        "replaced",
        world.ledger_ms,
    )
    assert world.view().get(Officer, "S1", "maker").keys == (public_key("S1.maker/2"),)
    world.refuses(both("S1"), Greet(), Refusal.KEY_REVOKED, public_key=old.public_key.hex())
    world.accepts("S1.maker/2+checker", Greet())
    for message, code in (
        (RotateKey(old_key=bytes(32), key=key("S1.x")), Refusal.NO_SUCH_KEY),
        (RotateKey(old_key=public_key("D1.maker"), key=key("S1.x")), Refusal.NO_SUCH_KEY),
        (rotate, Refusal.KEY_REVOKED),
        (
            RotateKey(old_key=public_key("S1.checker"), key=key("S1.maker/2")),
            Refusal.KEY_TAKEN,
        ),
    ):
        world.refuses(WHO, message, code)


def test_the_last_admin_can_rotate_the_own_key(world: World) -> None:
    world.accepts(WHO, RotateKey(old_key=public_key("S1.admin"), key=key("S1.admin/2")))
    world.accepts("S1.admin/2+checker", register())


def test_one_admin_revokes_at_once(world: World) -> None:
    revoke = RevokeKey(public_key=public_key("S1.maker"), reason="token lost")
    world.refuses("S1.checker", revoke, Refusal.NOT_ENOUGH_OFFICERS, roles="admin")
    world.accepts("S1.admin", revoke)
    kept = world.view().get(Key, public_key("S1.maker"))
    assert (kept.status, kept.reason) == (KeyStatus.REVOKED, "token lost")
    world.refuses(both("S1"), Greet(), Refusal.KEY_REVOKED)
    for name, code in (
        ("D1.maker", Refusal.NO_SUCH_KEY),
        ("nobody", Refusal.NO_SUCH_KEY),
        ("S1.maker", Refusal.KEY_REVOKED),
        ("S1.admin", Refusal.CANNOT_SIGN),
        ("S1.checker", Refusal.CANNOT_SIGN),
    ):
        world.refuses("S1.admin", RevokeKey(public_key=public_key(name), reason="x"), code)


def test_a_supervisor_helps_who_lost_all_tokens(world: World) -> None:
    def recover(member: str = "S1", officer: str = "admin", new: str = "S1.admin/2") -> RecoverKey:
        return RecoverKey(member=member, officer_id=officer, key=key(new), reason="fire")

    world.accepts(WHO, register("S1.admin/x", "admin"))
    world.accepts(SUPERVISOR, recover())
    assert world.view().get(Officer, "S1", "admin").keys == (public_key("S1.admin/2"),)
    world.refuses(WHO, register(), Refusal.KEY_REVOKED)
    world.accepts("S1.admin/2+checker", register())
    for message, code in (
        (recover("SUP", "nobody"), Refusal.OWN_MEMBER),
        (recover(officer="nobody"), Refusal.NO_SUCH_OFFICER),
        (recover(officer="gone"), Refusal.OFFICER_REMOVED),
        (recover(new="D1.maker"), Refusal.KEY_TAKEN),
    ):
        world.refuses(SUPERVISOR, message, code)
    world.refuses("SUP.compliance", recover(), Refusal.NOT_ENOUGH_OFFICERS, roles="checker")


def test_who_reads_with_a_key(world: World) -> None:
    view = world.view()
    assert AUTHORITY.reader_of(view, public_key("S1.maker")) == "S1"
    assert AUTHORITY.reader_of(view, public_key("S1.gone")) is None
    assert AUTHORITY.reader_of(view, public_key("nobody")) is None
