from tallystick.apps.cash.messages import Mint, Redeem, Transfer
from tallystick.apps.cash.records import Balance, Supply
from tallystick.apps.cash.refusals import Refusal
from tallystick.apps.cash.tests.network import CNY, by, network
from tallystick.apps.cash.tests.orders import freeze
from tallystick.apps.members.refusals import Refusal as Members

ISSUER = by("central-bank")


def test_a_holder_pays_the_issuer_who_takes_the_money_out_of_use() -> None:
    world = network()
    world.accepts(ISSUER, Mint(to="bank-a", money=CNY, amount_minor=1_000))
    world.accepts_together(
        (by("bank-a"), Transfer(to="central-bank", money=CNY, amount_minor=400)),
        (ISSUER, Redeem(money=CNY, amount_minor=400)),
    )
    supply = world.view().get(Supply, CNY)
    assert (supply.issued_minor, supply.redeemed_minor) == (1_000, 400)
    assert world.view().get(Balance, "bank-a", CNY).available_minor == 600
    assert world.view().get(Balance, "central-bank", CNY).available_minor == 0


def test_refused_in_this_order() -> None:
    world = network()
    redeem = Redeem(money=CNY, amount_minor=0)
    world.refuses(by("bank-a"), redeem, Refusal.NO_SUCH_MONEY, money=CNY)
    world.accepts(ISSUER, Mint(to="bank-a", money=CNY, amount_minor=1_000))
    world.refuses(by("bank-a"), redeem, Refusal.NOT_ISSUER, party="bank-a")
    world.refuses(ISSUER, redeem, Refusal.ZERO_AMOUNT)
    freeze(world, "central-bank")
    world.refuses(ISSUER, Redeem(money=CNY, amount_minor=1), Members.FROZEN)


def test_an_issuer_redeems_no_more_than_came_back_to_it() -> None:
    world = network()
    world.accepts(ISSUER, Mint(to="bank-a", money=CNY, amount_minor=1_000))
    world.refuses(ISSUER, Redeem(money=CNY, amount_minor=1), Refusal.INSUFFICIENT)
    world.accepts(by("bank-a"), Transfer(to="central-bank", money=CNY, amount_minor=10))
    world.refuses(ISSUER, Redeem(money=CNY, amount_minor=11), Refusal.INSUFFICIENT)
