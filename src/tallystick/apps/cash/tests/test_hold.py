import pytest

from tallystick.apps.cash.messages import Capture, ExpireHold, Hold, Mint, Release, Transfer
from tallystick.apps.cash.records import Balance, Held, Supply
from tallystick.apps.cash.refusals import Refusal
from tallystick.apps.cash.tests.desk.messages import (
    SUBJECT,
    Fund,
    GiveBack,
    Spend,
    SpendLater,
    TopUp,
)
from tallystick.apps.cash.tests.network import CNY, by, network
from tallystick.apps.cash.tests.orders import freeze
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.ledger.system import PendingTimer
from tallystick.testing.world import World
from tallystick.values.codec import encode

NOBODY = "hold-0000000000000000"
HOUR_MS = 3_600_000


@pytest.fixture
def world() -> World:
    """D1 has 10.00."""
    made = network()
    made.accepts(by("central-bank"), Mint(to="D1", money=CNY, amount_minor=1_000))
    return made


def of(world: World, party: str) -> tuple[int, int]:
    """Available and held of a party."""
    balance = world.view().peek(Balance, party, CNY)
    return (0, 0) if balance is None else (balance.available_minor, balance.held_minor)


def deposit(world: World, expires_at_ms: int | None = None) -> str:
    """D1 holds 6.00 for S1."""
    return world.accepts(
        by("D1"),
        Hold(
            money=CNY,
            amount_minor=600,
            purpose="deposit",
            beneficiary="S1",
            expires_at_ms=expires_at_ms,
        ),
    ).id


# --- Hold


def test_what_is_held_cannot_be_paid_with(world: World) -> None:
    hold_id = deposit(world)
    assert of(world, "D1") == (400, 600)
    held = world.view().get(Held, hold_id)
    assert (held.owner, held.beneficiary, held.remaining_minor) == ("D1", "S1", 600)
    assert (held.purpose, held.subject, held.timer_id) == ("deposit", None, None)
    more = Transfer(to="S2", money=CNY, amount_minor=401)
    world.refuses(by("D1"), more, Refusal.INSUFFICIENT)


def test_hold_is_refused_in_this_order(world: World) -> None:
    past = world.ledger_ms
    for refused, code in (
        (Hold(money=CNY, amount_minor=0, beneficiary="nobody"), Members.NOT_A_MEMBER),
        (
            Hold(money=CNY, amount_minor=0, beneficiary="D1", expires_at_ms=past),
            Refusal.SELF_TRANSFER,
        ),
        (Hold(money=CNY, amount_minor=0, expires_at_ms=past), Refusal.EXPIRY_PASSED),
        (Hold(money=CNY, amount_minor=0), Refusal.ZERO_AMOUNT),
        (Hold(money=CNY, amount_minor=1_001), Refusal.INSUFFICIENT),
    ):
        world.refuses(by("D1"), refused, code)
    freeze(world, "D1")
    world.refuses(by("D1"), Hold(money=CNY, amount_minor=1), Members.FROZEN)


# --- Release


def test_only_the_beneficiary_lets_it_go(world: World) -> None:
    hold_id = deposit(world)
    world.refuses(by("D1"), Release(hold_id=hold_id), Refusal.NOT_YOUR_HOLD)
    world.accepts(by("S1"), Release(hold_id=hold_id, amount_minor=100))
    assert of(world, "D1") == (500, 500)
    world.accepts(by("S1"), Release(hold_id=hold_id))
    assert of(world, "D1") == (1_000, 0)
    world.refuses(by("S1"), Release(hold_id=hold_id), Refusal.NO_SUCH_HOLD, hold_id=hold_id)


def test_a_reserve_of_ones_own_is_let_go_at_will(world: World) -> None:
    hold_id = world.accepts(by("D1"), Hold(money=CNY, amount_minor=600)).id
    world.refuses(by("S1"), Release(hold_id=hold_id), Refusal.NOT_YOUR_HOLD)
    world.accepts(by("D1"), Release(hold_id=hold_id))
    assert of(world, "D1") == (1_000, 0)


def test_release_is_refused_in_this_order(world: World) -> None:
    world.refuses(by("D1"), Release(hold_id=NOBODY, amount_minor=0), Refusal.NO_SUCH_HOLD)
    kept = world.accepts(by("D1"), Fund(owner="D1", money=CNY, amount_minor=1)).id
    world.refuses(by("D1"), Release(hold_id=kept, amount_minor=0), Refusal.HELD_FOR_RECORD)
    hold_id = deposit(world)
    world.refuses(by("D1"), Release(hold_id=hold_id, amount_minor=0), Refusal.NOT_YOUR_HOLD)
    world.refuses(by("S1"), Release(hold_id=hold_id, amount_minor=0), Refusal.ZERO_AMOUNT)
    more = Release(hold_id=hold_id, amount_minor=601)
    world.refuses(by("S1"), more, Refusal.MORE_THAN_HELD, amount_minor=601)


def test_what_was_taken_in_the_same_transaction_is_gone(world: World) -> None:
    hold_id = deposit(world)
    world.refuses_together(
        (by("S1"), Capture(hold_id=hold_id)),
        (by("S1"), Release(hold_id=hold_id)),
        code=Refusal.NO_SUCH_HOLD,
    )
    assert of(world, "D1") == (400, 600)


# --- Capture


def test_the_beneficiary_takes_it(world: World) -> None:
    hold_id = deposit(world)
    world.accepts(by("S1"), Capture(hold_id=hold_id, amount_minor=599))
    assert (of(world, "D1"), of(world, "S1")) == ((400, 1), (599, 0))
    world.accepts(by("S1"), Capture(hold_id=hold_id))
    assert (of(world, "D1"), of(world, "S1")) == ((400, 0), (600, 0))
    assert world.view().peek(Held, hold_id) is None


def test_capture_is_refused_in_this_order(world: World) -> None:
    world.refuses(by("S1"), Capture(hold_id=NOBODY, amount_minor=0), Refusal.NO_SUCH_HOLD)
    kept = world.accepts(by("D1"), Fund(owner="D1", money=CNY, amount_minor=1)).id
    world.refuses(by("S1"), Capture(hold_id=kept, amount_minor=0), Refusal.HELD_FOR_RECORD)
    hold_id = deposit(world)
    world.refuses(by("S2"), Capture(hold_id=hold_id, amount_minor=0), Refusal.NOT_BENEFICIARY)
    world.refuses(by("S1"), Capture(hold_id=hold_id, amount_minor=0), Refusal.ZERO_AMOUNT)
    more = Capture(hold_id=hold_id, amount_minor=601)
    world.refuses(by("S1"), more, Refusal.MORE_THAN_HELD)


def test_a_hold_of_a_frozen_account_waits(world: World) -> None:
    """Taken by message it waits for the order's end; let go it need not."""
    hold_id = deposit(world)
    freeze(world, "D1")
    world.refuses(by("S1"), Capture(hold_id=hold_id, amount_minor=0), Members.FROZEN)
    world.accepts(by("S1"), Release(hold_id=hold_id))
    assert of(world, "D1") == (1_000, 0)


# --- ExpireHold


def test_when_its_time_is_over_the_rest_goes_back(world: World) -> None:
    end = world.ledger_ms + HOUR_MS
    hold_id = deposit(world, expires_at_ms=end)
    world.accepts(by("S1"), Capture(hold_id=hold_id, amount_minor=200))
    world.passes(hours=2)
    assert (of(world, "D1"), of(world, "S1")) == ((800, 0), (200, 0))
    assert world.view().peek(Held, hold_id) is None


def test_what_was_taken_whole_leaves_no_timer(world: World) -> None:
    hold_id = deposit(world, expires_at_ms=world.ledger_ms + HOUR_MS)
    world.accepts(by("S1"), Capture(hold_id=hold_id))
    assert list(world.view().scan(PendingTimer)) == []
    assert of(world, "S1") == (600, 0)


def test_a_deadline_counts_before_the_timer_has_run() -> None:
    """As if the timer were late: a hold with an end and without a timer."""
    opened = network().ledger_ms
    world = network(
        [
            Supply(money=CNY, issuer="central-bank", issued_minor=600, redeemed_minor=0),
            Balance(party="D1", money=CNY, available_minor=0, held_minor=600),
            Held(
                hold_id=NOBODY,
                owner="D1",
                money=CNY,
                amount_minor=600,
                remaining_minor=600,
                beneficiary="S1",
                expires_at_ms=opened + HOUR_MS,
            ),
        ]
    )
    world.refuses(by("D1"), Release(hold_id=NOBODY), Refusal.NOT_YOUR_HOLD)
    world.passes(hours=2)
    world.refuses(by("S1"), Capture(hold_id=NOBODY, amount_minor=0), Refusal.HOLD_EXPIRED)
    world.accepts(by("D1"), Release(hold_id=NOBODY))
    assert of(world, "D1") == (600, 0)


def test_a_timer_that_finds_its_hold_gone_does_nothing() -> None:
    late = PendingTimer(
        due_at_ms=network().ledger_ms + HOUR_MS,
        timer_id="tmr-0000000000000000",
        message=encode(ExpireHold(hold_id=NOBODY)),
    )
    world = network([late])
    world.passes(hours=1)
    assert list(world.view().scan(PendingTimer)) == []


# --- what other applications may do: hold, top_up, capture, release


def test_an_application_holds_for_its_record_and_pays_from_it(world: World) -> None:
    hold_id = world.accepts(by("D1"), Fund(owner="D1", money=CNY, amount_minor=500)).id
    assert world.view().get(Held, hold_id).subject == SUBJECT
    world.accepts(by("D1"), TopUp(hold_id=hold_id, amount_minor=100))
    held = world.view().get(Held, hold_id)
    assert (held.amount_minor, held.remaining_minor) == (600, 600)
    world.accepts(by("S2"), Spend(hold_id=hold_id, target="S1", amount_minor=250))
    world.accepts(by("S2"), GiveBack(hold_id=hold_id, amount_minor=50))
    assert (of(world, "D1"), of(world, "S1")) == ((450, 300), (250, 0))
    world.accepts(by("S2"), GiveBack(hold_id=hold_id))
    assert of(world, "D1") == (750, 0)


def test_a_timer_pays_from_a_hold_though_it_acts_for_nobody(world: World) -> None:
    hold_id = world.accepts(by("D1"), Fund(owner="D1", money=CNY, amount_minor=500)).id
    due = world.ledger_ms + HOUR_MS
    world.accepts(
        by("S2"), SpendLater(hold_id=hold_id, target="S1", amount_minor=500, due_at_ms=due)
    )
    world.passes(hours=1)
    assert (of(world, "D1"), of(world, "S1")) == ((500, 0), (500, 0))


def test_nobody_is_made_to_hold(world: World) -> None:
    world.refuses(
        by("S1"), Fund(owner="D1", money=CNY, amount_minor=1), Refusal.NOT_ACTING, party="D1"
    )
    hold_id = world.accepts(by("D1"), Fund(owner="D1", money=CNY, amount_minor=1)).id
    world.refuses(by("S1"), TopUp(hold_id=hold_id, amount_minor=1), Refusal.NOT_ACTING)
    world.refuses(by("D1"), TopUp(hold_id=NOBODY, amount_minor=1), Refusal.NO_SUCH_HOLD)
    world.refuses(by("D1"), TopUp(hold_id=hold_id, amount_minor=0), Refusal.ZERO_AMOUNT)
    world.refuses(by("D1"), Fund(owner="D1", money=CNY, amount_minor=0), Refusal.ZERO_AMOUNT)


def test_an_application_pays_no_more_than_was_held(world: World) -> None:
    hold_id = world.accepts(by("D1"), Fund(owner="D1", money=CNY, amount_minor=5)).id
    for amount, code in ((0, Refusal.ZERO_AMOUNT), (6, Refusal.MORE_THAN_HELD)):
        spend = Spend(hold_id=hold_id, target="S1", amount_minor=amount)
        world.refuses(by("D1"), spend, code)
    gone = Spend(hold_id=NOBODY, target="S1", amount_minor=1)
    world.refuses(by("D1"), gone, Refusal.NO_SUCH_HOLD)


def test_what_was_held_before_a_freeze_is_still_paid_out(world: World) -> None:
    """An order against one debtor does not stop the payment of all who hold its claims."""
    hold_id = world.accepts(by("D1"), Fund(owner="D1", money=CNY, amount_minor=600)).id
    freeze(world, "D1")
    world.refuses(by("D1"), TopUp(hold_id=hold_id, amount_minor=1), Members.FROZEN)
    world.accepts(by("S2"), Spend(hold_id=hold_id, target="S1", amount_minor=600))
    assert of(world, "S1") == (600, 0)
