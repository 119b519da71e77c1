"""Cash, played at random: mints, payments, holds and what becomes of them."""

from __future__ import annotations

from random import Random

import pytest

from tallystick.apps.cash import APP
from tallystick.apps.cash.messages import Capture, Hold, Mint, Redeem, Release, Transfer
from tallystick.apps.cash.records import Balance, Held
from tallystick.testing.cast import cast_world
from tallystick.testing.stateful import Actions, Asked, play
from tallystick.testing.world import World

CB_MONEY = "CNY@CB"
BANK_MONEY = "CNY@bank-a"
MEMBERS = ("CB", "bank-a", "bank-b", "D1", "S1", "S2", "T1")
PARTIES = (*MEMBERS, *MEMBERS, "nobody")


def by(party: str) -> str:
    """Maker and checker of a party."""
    return f"{party}.maker+checker"


def some_money(rng: Random) -> str:
    """Central bank money more often than a bank's."""
    return rng.choice((CB_MONEY, CB_MONEY, BANK_MONEY, "XYZ@CB"))


def some_balance(rng: Random, world: World) -> Balance | None:
    """A balance of somebody."""
    found = list(world.view().scan(Balance))
    return rng.choice(found) if found else None


def some_hold(rng: Random, world: World) -> Held | None:
    """Something that is held."""
    found = list(world.view().scan(Held))
    return rng.choice(found) if found else None


def part(rng: Random, whole_minor: int) -> int:
    """A part of an amount: all of it at times, more than it or nothing now and then."""
    if rng.random() < 0.2:
        return rng.choice((0, whole_minor, whole_minor + 1))
    return rng.randint(min(1, whole_minor), whole_minor)


def mints(rng: Random, world: World) -> Asked | None:
    """An issuer, or somebody who is none, issues money."""
    to, money = rng.choice(PARTIES), some_money(rng)
    who = rng.choice((money.partition("@")[2], "bank-b"))
    return by(who), Mint(to=to, money=money, amount_minor=part(rng, 1_000_000))


def redeems(rng: Random, world: World) -> Asked | None:
    """An issuer takes some of its money back."""
    money = some_money(rng)
    return by(money.partition("@")[2]), Redeem(money=money, amount_minor=rng.randrange(50_000))


def pays_in(rng: Random, world: World) -> Asked | None:
    """A holder pays the issuer, who redeems it, in one transaction."""
    kept = some_balance(rng, world)
    if kept is None or kept.available_minor == 0:
        return None
    issuer, amount = kept.money.partition("@")[2], part(rng, kept.available_minor)
    if issuer == kept.party:
        return by(issuer), Redeem(money=kept.money, amount_minor=amount)
    return (
        (by(kept.party), Transfer(to=issuer, money=kept.money, amount_minor=amount)),
        (by(issuer), Redeem(money=kept.money, amount_minor=amount)),
    )


def pays(rng: Random, world: World) -> Asked | None:
    """Somebody pays somebody."""
    kept = some_balance(rng, world)
    if kept is None:
        return None
    amount, to = part(rng, kept.available_minor), rng.choice(PARTIES)
    return by(kept.party), Transfer(to=to, money=kept.money, amount_minor=amount)


def sets_aside(rng: Random, world: World) -> Asked | None:
    """Somebody sets money aside, for a time or for good."""
    kept = some_balance(rng, world)
    if kept is None:
        return None
    hours = rng.choice((None, None, 1, 5, 50, 500, -1))
    return by(kept.party), Hold(
        money=kept.money,
        amount_minor=part(rng, kept.available_minor),
        beneficiary=rng.choice((None, *PARTIES)),
        expires_at_ms=None if hours is None else world.ledger_ms + hours * 3_600_000,
    )


def takes(rng: Random, world: World) -> Asked | None:
    """A beneficiary, or another, takes what is held."""
    kept = some_hold(rng, world)
    if kept is None:
        return None
    who = rng.choice((kept.beneficiary or kept.owner, kept.beneficiary or "S1", kept.owner))
    amount = rng.choice((None, part(rng, kept.remaining_minor)))
    return by(who), Capture(hold_id=kept.hold_id, amount_minor=amount)


def lets_go(rng: Random, world: World) -> Asked | None:
    """A beneficiary, or the owner, lets go what is held."""
    kept = some_hold(rng, world)
    if kept is None:
        return None
    who = rng.choice((kept.beneficiary or kept.owner, kept.owner))
    amount = rng.choice((None, part(rng, kept.remaining_minor)))
    return by(who), Release(hold_id=kept.hold_id, amount_minor=amount)


def waits(rng: Random, world: World) -> Asked | None:
    """Time passes; holds expire."""
    world.passes(minutes=rng.randrange(180))
    return None


ACTIONS: Actions = {
    mints: 2,
    redeems: 1,
    pays_in: 1,
    pays: 4,
    sets_aside: 3,
    takes: 2,
    lets_go: 2,
    waits: 1,
}


@pytest.mark.stateful
@pytest.mark.timeout(600)
def test_cash_at_random() -> None:
    """20,000 messages: money is neither made nor lost, whatever is asked in whatever order."""
    tally = play(APP, cast_world, ACTIONS)
    assert tally.shortfalls() == [], tally.told()
