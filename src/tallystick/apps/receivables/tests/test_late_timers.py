"""Nothing relies on a timer having run: here one runs in each block, and many are due."""

import pytest

from tallystick.apps import APPS, AUTHORITY
from tallystick.apps.founding import first_records, supervised
from tallystick.apps.receivables.messages import (
    AcceptOffer,
    AcceptPass,
    Confirm,
    Disburse,
    Fund,
    NotifyRecourse,
    Pass,
    Split,
    WithdrawPass,
)
from tallystick.apps.receivables.records import Cascade, Transfer
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import (
    DealStatus,
    InterestMethod,
    TransferStatus,
    UndertakingStatus,
)
from tallystick.apps.receivables.tests.market import CNY, Market
from tallystick.testing.cast import CALENDAR, CAST, founder
from tallystick.testing.world import OPENS, ZONE_MINUTES, World
from tallystick.values.time import at


class Slow(Market):
    """A market whose blocks run one timer each."""

    def __init__(self) -> None:
        """Found the usual network."""
        founders = [founder(party, *told) for party, told in CAST.items()]
        opens_at_ms = at(*OPENS, ZONE_MINUTES)
        records = first_records(APPS, supervised(founders, CALENDAR), opens_at_ms)
        super().__init__(World(APPS, AUTHORITY, records, timers_per_block=1))

    def delay(self) -> None:
        """Leave timers behind that are due before all others."""
        for _ in range(12):
            (deal_id,) = self.applied("S1", self.opened(10, due_day="2026-07-10"), "bank-b")
            self.offered(deal_id, valid_until="2026-07-03", disburse_by="2026-07-03")

    def jumps(self, day: str, minute: int = 9 * 60) -> None:
        """Let it be that moment at once; what is due waits for blocks."""
        self.world.now_ms = at(day, minute, ZONE_MINUTES)


@pytest.fixture
def market() -> Slow:
    return Slow()


def test_answers_come_too_late_before_the_timer_says_so(market: Slow) -> None:
    made, read = market.drafted(100000)
    piece, other = market.opened(100000), market.opened(50000)
    transfer_id = market.passed("S1", piece, "S2")
    (deal_id,) = market.applied("S1", other, "bank-a")
    market.offered(deal_id)
    market.delay()
    market.jumps("2026-07-20")
    confirm = Confirm(undertaking_id=made, fingerprints=(read,))
    market.refuses("D1", confirm, Refusal.NOT_PROPOSED)
    accept = AcceptPass(transfer_id=transfer_id)
    market.refuses("S2", accept, Refusal.TRANSFER_CLOSED)
    market.refuses("S1", WithdrawPass(transfer_id=transfer_id), Refusal.TRANSFER_CLOSED)
    market.refuses("S1", AcceptOffer(deal_id=deal_id), Refusal.DEAL_CLOSED)
    assert market.deal(deal_id).status is DealStatus.OFFERED
    market.split("S1", piece, 1, 99999)
    market.split("S1", other, 1, 49999)
    market.world.passes(days=1)
    transfer = market.world.view().get(Transfer, transfer_id)
    assert transfer.status is TransferStatus.LAPSED
    assert market.deal(deal_id).status is DealStatus.LAPSED
    assert market.undertaking(made).status is UndertakingStatus.EXPIRED


def test_a_reservation_ends_before_the_timer_says_so(market: Slow) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    market.offered(deal_id)
    market.does("S1", AcceptOffer(deal_id=deal_id))
    disburse: Disburse = market.disburse(deal_id)
    market.delay()
    market.jumps("2026-07-11")
    market.refuses("bank-a", disburse, Refusal.DEAL_CLOSED)
    market.split("S1", piece, 1, 99999)


def test_the_cut_offs_bind_before_the_timers_say_so(market: Slow) -> None:
    piece = market.opened(100000)
    made = market.of(piece)
    market.funds(made, 60000)
    market.mint("D1", 50000)
    market.delay()
    market.jumps("2026-10-26")
    split = Split(piece_id=piece, parts_minor=(1, 99999))
    market.refuses("S1", split, Refusal.TRANSFERS_ENDED)
    market.refuses("S1", Pass(piece_id=piece, to="S2"), Refusal.TRANSFERS_ENDED)
    fund = Fund(undertaking_id=made, money=CNY, amount_minor=1)
    market.refuses("D1", fund, Refusal.CUT_OFF_PASSED)
    assert market.undertaking(made).status is UndertakingStatus.OPEN
    market.pays(made, 40360)
    after = market.undertaking(made)
    assert (after.status, after.late_paid_minor) == (UndertakingStatus.PAID, 360)
    first = market.world.view().get(Cascade, made, 1)
    assert (first.value_day, first.amount_minor) == ("2026-10-08", 60000)


def test_a_default_counts_before_the_timer_says_so(market: Slow) -> None:
    piece = market.opened(100000)
    market.mint("factor-a", 100000)
    deal_id = market.financed(
        "S1",
        piece,
        "factor-a",
        recourse=True,
        advance_ppm=800_000,
        method=InterestMethod.ARREARS_ON_ADVANCE,
    )
    market.funds(market.of(piece), 10000)
    market.delay()
    market.jumps("2026-10-13")
    assert market.undertaking(market.of(piece)).status is UndertakingStatus.OPEN
    market.does("factor-a", NotifyRecourse(deal_id=deal_id))
    assert market.undertaking(market.of(piece)).status is UndertakingStatus.DEFAULTED
    assert market.deal(deal_id).received_minor == 10000
