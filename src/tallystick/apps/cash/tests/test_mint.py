from tallystick.apps.cash.messages import Mint
from tallystick.apps.cash.records import Balance, Supply
from tallystick.apps.cash.refusals import Refusal
from tallystick.apps.cash.tests.network import CNY, by, network
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.ledger.refusals import Refusal as Ledger
from tallystick.values.units import INT64_MAX

TEN = 1_000
ISSUER = by("central-bank")


def test_an_issuer_issues_its_own_money() -> None:
    world = network()
    world.accepts(ISSUER, Mint(to="D1", money=CNY, amount_minor=TEN))
    world.accepts(ISSUER, Mint(to="D1", money=CNY, amount_minor=1))
    world.accepts(ISSUER, Mint(to="central-bank", money=CNY, amount_minor=5))
    balance = world.view().get(Balance, "D1", CNY)
    assert (balance.available_minor, balance.held_minor) == (TEN + 1, 0)
    supply = world.view().get(Supply, CNY)
    assert (supply.issuer, supply.issued_minor, supply.redeemed_minor) == (
        "central-bank",
        TEN + 6,
        0,
    )


def test_money_of_two_issuers_is_not_the_same() -> None:
    world = network()
    world.accepts(ISSUER, Mint(to="D1", money=CNY, amount_minor=TEN))
    world.accepts(by("bank-a"), Mint(to="D1", money="CNY@bank-a", amount_minor=7))
    held = {each.money: each.available_minor for each in world.view().scan(Balance, "D1")}
    assert held == {CNY: TEN, "CNY@bank-a": 7}


def test_refused_in_this_order() -> None:
    world = network()
    world.refuses(
        by("bank-a"),
        Mint(to="nobody", money="XXX@central-bank", amount_minor=0),
        Members.NOT_A_MEMBER,
    )
    world.refuses(
        by("bank-a"),
        Mint(to="D1", money="XXX@central-bank", amount_minor=0),
        Refusal.UNKNOWN_CURRENCY,
        money="XXX@central-bank",
    )
    world.refuses(by("bank-a"), Mint(to="D1", money=CNY, amount_minor=0), Refusal.NOT_ISSUER)
    world.refuses(ISSUER, Mint(to="D1", money=CNY, amount_minor=0), Refusal.ZERO_AMOUNT)
    assert list(world.view().scan(Balance)) == []


def test_who_has_no_licence_issues_nothing_even_its_own() -> None:
    world = network()
    world.refuses(by("S1"), Mint(to="D1", money="CNY@S1", amount_minor=1), Members.UNLICENSED)


def test_no_money_beyond_64_bits_is_ever_issued() -> None:
    world = network()
    world.accepts(ISSUER, Mint(to="D1", money=CNY, amount_minor=INT64_MAX))
    world.refuses(ISSUER, Mint(to="S1", money=CNY, amount_minor=1), Ledger.OVERFLOW)
    assert world.view().get(Balance, "D1", CNY).available_minor == INT64_MAX
    assert world.view().peek(Balance, "S1", CNY) is None
