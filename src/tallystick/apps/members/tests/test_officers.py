"""AddOutlet, CloseOutlet, AddOfficer, ChangeOfficer, RemoveOfficer."""

from typing import Any

import pytest

from tallystick.apps.members.interface import Limit, NewKey
from tallystick.apps.members.messages import (
    AddOfficer,
    AddOutlet,
    ChangeOfficer,
    CloseOutlet,
    RemoveOfficer,
)
from tallystick.apps.members.parts import KEYS_MAX, KeyStatus, OfficerStatus, OutletStatus
from tallystick.apps.members.records import Key, Officer, Outlet
from tallystick.apps.members.refusals import Refusal
from tallystick.apps.members.tests.counter.messages import Greet
from tallystick.apps.members.tests.network import house, key, network, person
from tallystick.ledger.app import Role
from tallystick.testing.world import World, public_key
from tallystick.values.codec import replace

WHO = house("S1")
TWICE = (Limit(currency="CNY"), Limit(currency="CNY", single_minor=1))
SHANGHAI = AddOutlet(outlet_id="shanghai", name="Shanghai branch")


@pytest.fixture
def world() -> World:
    return network()


def add(name: str, *roles: Role, **more: Any) -> AddOfficer:
    told = person("S1", name, *roles, **more)
    return AddOfficer(**{field: getattr(told, field) for field in told.__struct_fields__})


def test_a_branch_opens_and_closes(world: World) -> None:
    world.accepts(WHO, SHANGHAI)
    world.refuses(WHO, SHANGHAI, Refusal.OUTLET_EXISTS, outlet_id="shanghai")
    clerk = add("clerk", Role.MAKER, outlet="shanghai")
    world.accepts(WHO, clerk)
    close = CloseOutlet(outlet_id="shanghai")
    world.refuses(WHO, close, Refusal.OUTLET_IN_USE, officer="clerk")
    world.accepts(WHO, RemoveOfficer(officer_id="clerk", reason="left"))
    world.accepts(WHO, close)
    assert world.view().get(Outlet, "S1", "shanghai").status is OutletStatus.CLOSED
    world.refuses(WHO, close, Refusal.OUTLET_CLOSED, outlet_id="shanghai")
    world.refuses(WHO, CloseOutlet(outlet_id="moon"), Refusal.NO_SUCH_OUTLET, outlet_id="moon")
    world.refuses(WHO, SHANGHAI, Refusal.OUTLET_EXISTS)
    world.refuses(WHO, replace(clerk, officer_id="c2"), Refusal.OUTLET_CLOSED)


def test_an_officer_works_at_once(world: World) -> None:
    world.accepts(WHO, add("li-wei", Role.CHECKER, Role.MAKER, Role.MAKER))
    assert world.view().get(Officer, "S1", "li-wei").roles == (Role.MAKER, Role.CHECKER)
    world.accepts("S1.li-wei+checker", Greet())
    world.accepts("S1.maker+li-wei", Greet())


def test_names_and_identities_may_be_left_out(world: World) -> None:
    for name in ("a", "b"):
        world.accepts(WHO, add(name, Role.MAKER, identity=None, keys=()))
    assert world.view().get(Officer, "S1", "a").keys == ()


def test_a_person_comes_back_under_another_id(world: World) -> None:
    clerk = add("clerk", Role.MAKER)
    world.accepts(WHO, clerk)
    back = replace(clerk, officer_id="clerk-2", keys=(key("S1.clerk-2"),))
    world.refuses(WHO, back, Refusal.SAME_IDENTITY, officer="clerk")
    world.accepts(WHO, RemoveOfficer(officer_id="clerk", reason="left"))
    world.refuses(WHO, clerk, Refusal.ALREADY_AN_OFFICER, officer="clerk")
    world.accepts(WHO, back)


def test_a_system_only_makes(world: World) -> None:
    erp = add("erp", Role.MAKER, Role.CHECKER, system=True, identity=None)
    world.refuses(WHO, erp, Refusal.ONLY_MAKES, officer="erp")
    world.accepts(WHO, replace(erp, roles=(Role.MAKER,)))
    world.accepts("S1.erp+checker", Greet())
    change = ChangeOfficer(officer_id="erp", roles=(Role.CHECKER,))
    world.refuses(WHO, change, Refusal.ONLY_MAKES)


def test_an_officer_refused_in_this_order(world: World) -> None:
    weak = (NewKey(public_key=bytes(32)),)
    for message, code in (
        (add("maker", Role.CHECKER, system=True, limits=TWICE), Refusal.ALREADY_AN_OFFICER),
        (
            add(
                "x",
                Role.CHECKER,
                identity=person("S1", "maker", Role.MAKER).identity,
                system=True,
            ),
            Refusal.SAME_IDENTITY,
        ),
        (add("x", Role.CHECKER, system=True, limits=TWICE), Refusal.ONLY_MAKES),
        (add("x", Role.CHECKER, limits=TWICE, outlet="moon"), Refusal.LIMIT_TWICE),
        (add("x", Role.CHECKER, outlet="moon", keys=weak), Refusal.NO_SUCH_OUTLET),
        (add("x", Role.CHECKER, keys=weak), Refusal.WEAK_KEY),
        (add("x", Role.CHECKER, keys=(key("D1.maker"),)), Refusal.KEY_TAKEN),
    ):
        world.refuses(WHO, message, code)


def test_an_officer_changes(world: World) -> None:
    world.accepts(WHO, SHANGHAI)
    limits = (Limit(currency="CNY", single_minor=5),)
    change = ChangeOfficer(
        officer_id="maker", roles=(Role.CHECKER, Role.MAKER), limits=limits, outlet="shanghai"
    )
    world.accepts(WHO, change)
    officer = world.view().get(Officer, "S1", "maker")
    assert (officer.roles, officer.limits) == ((Role.MAKER, Role.CHECKER), limits)
    assert officer.outlet == "shanghai"
    world.accepts(WHO, add("gone", Role.MAKER))
    world.accepts(WHO, RemoveOfficer(officer_id="gone", reason="left"))
    world.accepts(WHO, AddOutlet(outlet_id="wuxi", name="Wuxi"))
    world.accepts(WHO, CloseOutlet(outlet_id="wuxi"))
    for message, code in (
        (replace(change, officer_id="nobody"), Refusal.NO_SUCH_OFFICER),
        (replace(change, officer_id="gone", limits=TWICE), Refusal.OFFICER_REMOVED),
        (replace(change, limits=TWICE, outlet="moon"), Refusal.LIMIT_TWICE),
        (replace(change, outlet="moon"), Refusal.NO_SUCH_OUTLET),
        (replace(change, outlet="wuxi"), Refusal.OUTLET_CLOSED),
        (ChangeOfficer(officer_id="admin", roles=(Role.MAKER,)), Refusal.CANNOT_SIGN),
    ):
        world.refuses(WHO, message, code)


def test_a_removed_officer_takes_the_keys_along(world: World) -> None:
    keys = (key("S1.clerk"), key("S1.clerk/2"))
    world.accepts(WHO, add("clerk", Role.MAKER, keys=keys))
    world.accepts(WHO, RemoveOfficer(officer_id="clerk", reason="left"))
    officer = world.view().get(Officer, "S1", "clerk")
    assert (officer.status, officer.keys) == (OfficerStatus.REMOVED, ())
    for name in ("S1.clerk", "S1.clerk/2"):
        kept = world.view().get(Key, public_key(name))
        assert (kept.status, kept.reason) == (KeyStatus.REVOKED, "left")
    world.refuses("S1.clerk+checker", Greet(), Refusal.KEY_REVOKED)
    gone = RemoveOfficer(officer_id="clerk", reason="x")
    world.refuses(WHO, gone, Refusal.OFFICER_REMOVED, officer="clerk")
    nobody = RemoveOfficer(officer_id="nobody", reason="x")
    world.refuses(WHO, nobody, Refusal.NO_SUCH_OFFICER, officer_id="nobody")


@pytest.mark.parametrize("officer", ("admin", "checker"))
def test_the_last_who_can_sign_stay(world: World, officer: str) -> None:
    leave = RemoveOfficer(officer_id=officer, reason="left")
    world.refuses(WHO, leave, Refusal.CANNOT_SIGN, member="S1")
    world.accepts(WHO, add("second", Role.ADMIN, Role.CHECKER))
    world.accepts(WHO, leave)


def test_an_officer_has_a_most_of_keys(world: World) -> None:
    keys = tuple(key(f"S1.many/{n}") for n in range(KEYS_MAX))
    world.accepts(WHO, add("many", Role.MAKER, keys=keys))
    assert len(world.view().get(Officer, "S1", "many").keys) == KEYS_MAX
