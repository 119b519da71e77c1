"""Members, played at random: people and keys come and go, orders stand and fall."""

from __future__ import annotations

from random import Random

import pytest

from tallystick.apps.members import APP
from tallystick.apps.members.interface import Kind, LegalNumber, Limit, NumberScheme, Scope, Size
from tallystick.apps.members.messages import (
    AddOfficer,
    AddOutlet,
    Admit,
    ChangeMember,
    ChangeOfficer,
    CloseOutlet,
    Delegate,
    DropPolicy,
    EndDelegation,
    Expel,
    Freeze,
    GrantLicence,
    RecoverKey,
    RegisterKey,
    Reinstate,
    RemoveOfficer,
    RevokeKey,
    RevokeLicence,
    RotateKey,
    SetKindLicence,
    SetPolicy,
    Suspend,
    Unfreeze,
)
from tallystick.apps.members.parts import Need, NewKey, OfficerStatus, OrderStatus, Tier
from tallystick.apps.members.records import Member, Officer, Order, Outlet, Policy
from tallystick.apps.members.tests.counter.messages import PAY, Pay, Settle
from tallystick.apps.members.tests.network import DAY_MS, ROLES, key, network, newcomer, person
from tallystick.ledger.app import Role
from tallystick.testing.stateful import Actions, Asked, play
from tallystick.testing.world import World, public_key

KEYS_EACH = 12
NEWCOMERS = tuple(f"N{n}" for n in range(6))
VERBS = (PAY, "a.b", "c.d")
MESSAGES = ("counter.pay", "counter.greet", "counter.settle")
SUP, ORDERS = "SUP.maker+checker", "SUP.compliance"


def key_name(rng: Random, party: str, officer: str) -> str:
    """One of the few keys that an officer may ever have."""
    number = rng.randrange(KEYS_EACH)
    return f"{party}.{officer}/{number}" if number else f"{party}.{officer}"


def some_key(rng: Random, party: str, officer: str) -> NewKey:
    """Now and then somebody else's, or a weak one."""
    if rng.random() < 0.05:
        return rng.choice((NewKey(public_key=bytes(32)), key("bank-a.maker")))
    return key(key_name(rng, party, officer))


def name_of(officer: Officer) -> str | None:
    """Name under which an officer signs with an active key."""
    base = f"{officer.member}.{officer.officer_id}"
    names = [base, *(f"{base}/{n}" for n in range(1, KEYS_EACH))]
    known = (name for name in names if public_key(name) in officer.keys)
    found = next(known, None)
    return None if found is None else found.partition(".")[2]


def staff(world: World, party: str) -> list[Officer]:
    """Officers who act for a party."""
    found = world.view().scan(Officer, party)
    return [each for each in found if each.status is OfficerStatus.ACTIVE]


def hands(rng: Random, world: World, party: str, *roles: Role) -> str:
    """Different persons with these roles, or now and then somebody."""
    people = staff(world, party)
    rng.shuffle(people)
    chosen: list[str] = []
    for role in roles:
        for officer in people:
            name = name_of(officer)
            if name is not None and name not in chosen and role in officer.roles:
                chosen.append(name)
                break
    if rng.random() < 0.03 or not chosen:
        chosen.append("maker")
    return f"{party}.{'+'.join(chosen)}"


def house(rng: Random, world: World, party: str) -> str:
    """Who keeps a party's people and keys."""
    return hands(rng, world, party, Role.ADMIN, Role.CHECKER)


def some_party(rng: Random, world: World) -> str:
    """A member, the supervisors left alone so that somebody stays in office."""
    found = [each.member_id for each in world.view().scan(Member)]
    return rng.choice([party for party in found if not party.startswith("SUP")])


def some_officer(rng: Random, world: World, party: str) -> str:
    """An officer of a party, now and then a removed or unknown one."""
    if rng.random() < 0.1:
        return rng.choice(("o1", "nobody"))
    return rng.choice(staff(world, party)).officer_id


def some_roles(rng: Random) -> tuple[Role, ...]:
    """One role or several."""
    return tuple(rng.sample(tuple(ROLES.values()), rng.randint(1, 3)))


def some_limits(rng: Random) -> tuple[Limit, ...]:
    """Usually none."""
    choices = (
        (),
        (),
        (Limit(currency="CNY", single_minor=500, daily_minor=1_000),),
        (Limit(currency="CNY"), Limit(currency="CNY")),
    )
    return rng.choice(choices)


def some_time(rng: Random, world: World) -> int:
    """A time ahead, now and then one that has passed."""
    return world.ledger_ms + rng.choice((-1, DAY_MS, 3 * DAY_MS, 9 * DAY_MS))


# --- admission and licences


def admits(rng: Random, world: World) -> Asked | None:
    """A newcomer, sometimes one that is here, or one whose number is taken."""
    party = rng.choice((*NEWCOMERS, "S1"))
    numbers = (LegalNumber(scheme=NumberScheme.USCC, number=f"U{rng.randrange(4)}"),)
    told = newcomer(
        party,
        rng.choice((Kind.BANK, Kind.SUPPLIER)),
        size=rng.choice(tuple(Size)),
        numbers=rng.choice(((), (), numbers)),
    )
    return SUP, Admit(newcomer=told)


def expels(rng: Random, world: World) -> Asked | None:
    """A newcomer goes again."""
    return SUP, Expel(member=rng.choice((*NEWCOMERS, "SUP")), reason="x")


def changes_member(rng: Random, world: World) -> Asked | None:
    """Name, size and numbers change."""
    some = [LegalNumber(scheme=NumberScheme.VAT, number=f"V{n}") for n in range(8)]
    return SUP, ChangeMember(
        member=some_party(rng, world),
        legal_name=rng.choice(("One", "Two")),
        size=rng.choice(tuple(Size)),
        numbers=tuple(rng.sample(some, rng.randrange(3))),
    )


def licenses(rng: Random, world: World) -> Asked | None:
    """Verbs are given and taken."""
    party, verbs = some_party(rng, world), (rng.choice(VERBS),)
    return SUP, rng.choice(
        (
            GrantLicence(member=party, verbs=verbs),
            RevokeLicence(member=party, verbs=verbs, reason="x"),
            SetKindLicence(kind=rng.choice((Kind.BANK, Kind.SUPPLIER)), verbs=verbs),
        )
    )


# --- orders


def suspends(rng: Random, world: World) -> Asked | None:
    """A member, or some of its verbs."""
    return ORDERS, Suspend(
        member=rng.choice((some_party(rng, world), some_party(rng, world), "SUP")),
        verbs=rng.choice(((), (PAY,), VERBS)),
        order_id=f"A {rng.randrange(40)}",
        expires_at_ms=some_time(rng, world),
        reason="x",
    )


def freezes(rng: Random, world: World) -> Asked | None:
    """An account or a piece."""
    party = some_party(rng, world)
    account, piece = f"CNY@central-bank/{party}", "piece-0123456789abcdef"
    scope, subject = rng.choice(
        (
            (Scope.CASH_ACCOUNT, account),
            (Scope.PIECE, piece),
            (Scope.PIECE, piece),
            (Scope.PIECE, account),
        )
    )
    return ORDERS, Freeze(
        scope=scope,
        subject=subject,
        member=party,
        order_id=f"C {rng.randrange(40)}",
        expires_at_ms=some_time(rng, world),
        reason="x",
    )


def lifts(rng: Random, world: World) -> Asked | None:
    """An order, usually one that stands, usually by who entered it."""
    orders = list(world.view().scan(Order))
    standing = [each for each in orders if each.status is OrderStatus.IN_FORCE]
    if not standing:
        return None
    order = rng.choice(orders if rng.random() < 0.1 else standing)
    who = "SUP2.compliance" if rng.random() < 0.1 else ORDERS
    if order.scope in (Scope.CASH_ACCOUNT, Scope.PIECE):
        return who, Unfreeze(
            scope=order.scope, subject=order.subject, order_id=order.order_id, reason="x"
        )
    verbs = (order.subject.partition("/")[2],) if order.scope is Scope.VERB else ()
    return who, Reinstate(member=order.member, verbs=verbs, order_id=order.order_id, reason="x")


# --- a member's own house


def keeps_branches(rng: Random, world: World) -> Asked | None:
    """A branch opens or closes."""
    party, outlet = some_party(rng, world), f"b{rng.randrange(6)}"
    found = [each.outlet_id for each in world.view().scan(Outlet, party)]
    if found and rng.random() < 0.5:
        return house(rng, world, party), CloseOutlet(outlet_id=rng.choice((*found, outlet)))
    return house(rng, world, party), AddOutlet(outlet_id=outlet, name="B")


def some_outlet(rng: Random, world: World, party: str) -> str | None:
    """A branch of a party, or none."""
    found = [each.outlet_id for each in world.view().scan(Outlet, party)]
    return rng.choice((None, None, *found))


def adds_officer(rng: Random, world: World) -> Asked | None:
    """A person or a system."""
    party, officer = some_party(rng, world), f"o{rng.randrange(8)}"
    system = rng.random() < 0.2
    return house(rng, world, party), AddOfficer(
        officer_id=officer,
        identity=rng.choice((None, person(party, officer, Role.MAKER).identity)),
        roles=(Role.MAKER,) if system and rng.random() < 0.8 else some_roles(rng),
        limits=some_limits(rng),
        outlet=some_outlet(rng, world, party),
        system=system,
        keys=(some_key(rng, party, officer),),
    )


def changes_officer(rng: Random, world: World) -> Asked | None:
    """Roles, limits and branch change."""
    party = some_party(rng, world)
    return house(rng, world, party), ChangeOfficer(
        officer_id=some_officer(rng, world, party),
        roles=some_roles(rng),
        limits=some_limits(rng),
        outlet=some_outlet(rng, world, party),
    )


def removes_officer(rng: Random, world: World) -> Asked | None:
    """Somebody leaves."""
    party = some_party(rng, world)
    leaving = some_officer(rng, world, party)
    return house(rng, world, party), RemoveOfficer(officer_id=leaving, reason="left")


def keeps_keys(rng: Random, world: World) -> Asked | None:
    """A key is registered, replaced, revoked or recovered."""
    party = some_party(rng, world)
    officer = rng.choice(staff(world, party))
    new = some_key(rng, party, officer.officer_id)
    old = rng.choice((*officer.keys, public_key("D1.maker")))
    who = house(rng, world, party)
    admin = hands(rng, world, party, Role.ADMIN)
    recover = RecoverKey(member=party, officer_id=officer.officer_id, key=new, reason="x")
    return rng.choice(
        (
            (who, RegisterKey(officer_id=officer.officer_id, key=new)),
            (who, RotateKey(old_key=old, key=new)),
            (admin, RevokeKey(public_key=old, reason="lost")),
            ("SUP.compliance+checker", recover),
        )
    )


def keeps_rules(rng: Random, world: World) -> Asked | None:
    """A member's own signing rules."""
    party, message = some_party(rng, world), rng.choice(MESSAGES)
    kept = list(world.view().scan(Policy, party))
    if kept and rng.random() < 0.4:
        return house(rng, world, party), DropPolicy(message=rng.choice(kept).message)
    approver = (Need(role=Role.APPROVER, persons=1),)
    tiers = (Tier(currency="CNY", from_minor=300, needs=approver),)
    return house(rng, world, party), SetPolicy(
        message=message, tiers=rng.choice(((), tiers)), one_person=rng.random() < 0.5
    )


def hands_over(rng: Random, world: World) -> Asked | None:
    """Somebody stands in for somebody."""
    party = some_party(rng, world)
    people = staff(world, party)
    stood_in = [each for each in people if each.delegations]
    if stood_in and rng.random() < 0.4:
        taker = rng.choice(stood_in)
        giver = rng.choice(taker.delegations).from_officer
        return house(rng, world, party), EndDelegation(
            from_officer=giver, to_officer=taker.officer_id
        )
    giver_, taker = rng.choice(people), rng.choice(people)
    return house(rng, world, party), Delegate(
        from_officer=giver_.officer_id,
        to_officer=taker.officer_id,
        roles=(rng.choice((*giver_.roles, Role.VIEWER)),),
        until_ms=some_time(rng, world),
    )


# --- business beside, and time


def pays(rng: Random, world: World) -> Asked | None:
    """Limits and standing are asked; these messages are not counted."""
    party = some_party(rng, world)
    who = hands(rng, world, party, Role.MAKER, Role.CHECKER)
    amount = rng.choice((1, 400, 600))
    return who, rng.choice(
        (
            Pay(currency="CNY", amount_minor=amount),
            Settle(currency="CNY", amount_minor=amount),
        )
    )


def waits(rng: Random, world: World) -> Asked | None:
    """Time passes; orders and delegations end."""
    world.passes(hours=rng.randrange(12))
    return None


ACTIONS: Actions = {
    admits: 1,
    expels: 1,
    changes_member: 2,
    licenses: 3,
    suspends: 2,
    freezes: 2,
    lifts: 3,
    keeps_branches: 2,
    adds_officer: 3,
    changes_officer: 2,
    removes_officer: 2,
    keeps_keys: 6,
    keeps_rules: 3,
    hands_over: 4,
    pays: 2,
    waits: 2,
}


@pytest.mark.stateful
@pytest.mark.timeout(600)
def test_members_at_random() -> None:
    """20,000 messages: whoever comes and goes, each key has one holder and each member signs."""
    tally = play(APP, network, ACTIONS)
    assert tally.shortfalls() == [], tally.told()
