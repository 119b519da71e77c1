"""Who sees what: each its own, and no more (domain: the debtor, tier-n holders, financiers)."""

from typing import Any

import pytest

from tallystick.apps.receivables import APP
from tallystick.apps.receivables.messages import (
    Accept,
    AcceptOffer,
    AcceptPass,
    Apply,
    AskReturn,
    BuyBack,
    Cancel,
    Confirm,
    Decline,
    Fund,
    NotifyRecourse,
    Pass,
    Pay,
    RefusePass,
    Reject,
    RepayRecourse,
    ReturnPass,
    Split,
    Withdraw,
    WithdrawPass,
    WriteOff,
)
from tallystick.apps.receivables.queries import (
    applications,
    claims,
    deal,
    deals,
    holders,
    life_line,
    owed,
    payables,
    piece,
    pieces,
    price_today,
    totals,
    transfers,
    transfers_from,
    undertaking,
    undertakings,
)
from tallystick.apps.receivables.records import Leaf, Piece, Shares, Undertaking
from tallystick.apps.receivables.terms import (
    Fingerprint,
    InterestMethod,
    TransferStatus,
    UndertakingStatus,
)
from tallystick.apps.receivables.tests.market import CNY, Market
from tallystick.ledger.app import Message
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.refusal import Refused

STRANGERS = ("D2", "S4", "bank-b")


class Told:
    """A market in which much has happened."""

    def __init__(self) -> None:
        """Open, cut, pass on, finance, pay half, default, claim."""
        market = Market()
        whole = market.opened(300000)
        self.undertaking = market.of(whole)
        self.bought, self.factored, self.mine = market.split("S1", whole, 100000, 100000, 100000)
        self.passed = market.held_by("S1", self.mine, "S2")
        market.mint("bank-a", 1_000_000)
        market.mint("factor-a", 1_000_000)
        self.sale = market.financed("S1", self.bought, "bank-a")
        recourse: dict[str, Any] = {
            "recourse": True,
            "advance_ppm": 800_000,
            "method": InterestMethod.ARREARS_ON_ADVANCE,
        }
        self.factoring = market.financed("S1", self.factored, "factor-a", **recourse)
        market.funds(self.undertaking, 150000)
        market.at("2026-10-13")
        self.claim = market.does("factor-a", NotifyRecourse(deal_id=self.factoring)).id
        self.market = market

    def view(self, asker: str) -> Any:
        """What a party may see."""
        return self.market.world.view(asker)


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


def test_a_stranger_sees_nothing(told: Told) -> None:
    kept = [cls for cls in APP.record_types if list(told.view("SUP").scan(cls))]
    assert len(kept) >= 11
    for stranger in STRANGERS:
        for cls in kept:
            assert list(told.view(stranger).scan(cls)) == [], (stranger, cls.__name__)


def test_the_debtor_sees_what_it_owes_and_never_to_whom(told: Told) -> None:
    view = told.view("D1")
    assert list(view.scan(Piece)) == []
    assert list(view.scan(Shares)) == []
    leaves = list(view.scan(Leaf, told.undertaking))
    assert [leaf.left_minor for leaf in leaves] == [50000, 50000, 50000]
    assert {leaf.piece_id for leaf in leaves} == {None}
    assert undertaking(view, told.undertaking).pieces_count == 0
    shown = repr([record for cls in APP.record_types for record in view.scan(cls)])
    for hidden in ("S2", "bank-a", "factor-a", told.mine, told.sale):
        assert hidden not in shown
    assert owed(view, told.undertaking).total_minor > 150000


def test_a_holder_sees_its_piece_and_no_other(told: Told) -> None:
    view = told.view("S2")
    (own,) = view.scan(Piece)
    assert (own.piece_id, own.debtor, own.payment_day) == (told.mine, "D1", "2026-10-08")
    assert own.former_holders == ()
    with pytest.raises(Refused, match="NO_SUCH_UNDERTAKING"):
        undertaking(view, told.undertaking)
    with pytest.raises(Refused, match="NO_SUCH_PIECE"):
        piece(view, told.bought)
    shown = repr([record for cls in APP.record_types for record in view.scan(cls)])
    for hidden in ("bank-a", "factor-a", told.sale):
        assert hidden not in shown


def test_the_first_supplier_no_longer_sees_what_it_passed_on(told: Told) -> None:
    view = told.view("S1")
    with pytest.raises(Refused, match="NO_SUCH_PIECE"):
        piece(view, told.mine)
    assert [each.status.value for each in pieces(view, "S1")] == []
    assert [each.transfer_id for each in transfers_from(view, "S1", TransferStatus.ACCEPTED)] == [
        told.passed
    ]


def test_financiers_see_their_own_deals_alone(told: Told) -> None:
    assert [each.deal_id for each in deals(told.view("bank-a"), "bank-a")] == [told.sale]
    assert list(deals(told.view("bank-a"), "factor-a")) == []
    with pytest.raises(Refused, match="NO_SUCH_DEAL"):
        deal(told.view("factor-a"), told.sale)
    assert [each.deal_id for each in applications(told.view("S1"), "S1")] == sorted(
        [told.sale, told.factoring]
    )
    assert deal(told.view("S1"), told.sale).deal_id == told.sale
    assert [each.claim_id for each in claims(told.view("S1"), "S1")] == [told.claim]
    assert list(claims(told.view("bank-a"), "S1")) == []


def test_the_supervisor_sees_all(told: Told) -> None:
    view = told.view("SUP")
    assert [each.holder for each in holders(view, told.undertaking)] == ["bank-a", "factor-a", "S2"]
    (row,) = totals(view)
    assert (row.status, row.currency, row.count) == (UndertakingStatus.DEFAULTED, "CNY", 1)
    assert (row.face_minor, row.left_minor, row.extended) == (300000, 150000, 0)
    assert list(transfers(view, "S2")) == []


def test_life_line_tells_what_happened(told: Told) -> None:
    lines = list(life_line(told.view("D1"), told.undertaking))
    statuses = list(dict.fromkeys(line.status for line in lines))
    assert statuses == [
        UndertakingStatus.PROPOSED,
        UndertakingStatus.OPEN,
        UndertakingStatus.DUE,
        UndertakingStatus.PART_PAID,
        UndertakingStatus.OVERDUE,
        UndertakingStatus.DEFAULTED,
    ]
    assert (lines[-1].paid_minor, lines[-1].left_minor) == (150000, 150000)


def test_lists_of_a_party(told: Told) -> None:
    assert [each.undertaking_id for each in undertakings(told.view("S1"), "S1")] == [
        told.undertaking
    ]
    assert [each.undertaking_id for each in undertakings(told.view("D1"), "D1")] == [
        told.undertaking
    ]
    assert list(undertakings(told.view("SUP"), "bank-a")) == []
    (row,) = payables(told.view("D1"), "D1")
    assert (row.payment_day, row.left_minor, row.held_minor) == ("2026-10-08", 150000, 0)
    assert list(payables(told.view("SUP"), "D2")) == []


def test_a_price_is_told_to_the_two_of_a_deal(told: Told) -> None:
    for party in ("S1", "bank-a"):
        assert price_today(told.view(party), told.sale).face_minor == 100000
    with pytest.raises(Refused, match="NO_SUCH_DEAL"):
        price_today(told.view("S2"), told.sale)


def test_the_supplier_reads_the_undertaking_without_the_count_of_pieces(told: Told) -> None:
    seen = told.view("S1").get(Undertaking, told.undertaking)
    assert seen.pieces_count == 0
    assert told.view("SUP").get(Undertaking, told.undertaking).pieces_count == 3


def asked_by_strangers(told: Told) -> list[Message]:
    """Every message that names one of the records, as a stranger might send it."""
    fingerprint = Fingerprint(strict=bytes(32), relaxed=bytes(32))
    money: dict[str, Any] = {"money": CNY, "amount_minor": 1}
    offer = told.market.offer(told.sale)
    return [
        Confirm(undertaking_id=told.undertaking, fingerprints=(fingerprint,)),
        Accept(undertaking_id=told.undertaking),
        Reject(undertaking_id=told.undertaking),
        Cancel(undertaking_id=told.undertaking),
        Split(piece_id=told.mine, parts_minor=(1, 99999)),
        Pass(piece_id=told.mine, to="S5"),
        AcceptPass(transfer_id=told.passed),
        RefusePass(transfer_id=told.passed),
        WithdrawPass(transfer_id=told.passed),
        AskReturn(transfer_id=told.passed, error="mine"),
        ReturnPass(transfer_id=told.passed),
        Apply(piece_id=told.bought, financiers=("bank-b",)),
        offer,
        Decline(deal_id=told.sale),
        AcceptOffer(deal_id=told.sale),
        Withdraw(deal_id=told.sale),
        told.market.disburse(told.sale),
        BuyBack(deal_id=told.sale, **money),
        Fund(undertaking_id=told.undertaking, **money),
        Pay(undertaking_id=told.undertaking, **money),
        NotifyRecourse(deal_id=told.factoring),
        RepayRecourse(claim_id=told.claim, **money),
        WriteOff(piece_id=told.mine),
    ]


@pytest.mark.parametrize("stranger", ("S4", "bank-b", "D2"))
def test_no_refusal_tells_a_stranger_anything(told: Told, stranger: str) -> None:
    for message in asked_by_strangers(told):
        result = told.market.world.send((f"{stranger}.maker+checker", message))
        said = told.market.world.told(result.receipt)
        assert result.receipt.outcome is not Outcome.ACCEPTED, said
        values = [value.value for value in result.receipt.values]
        for hidden in ("S1", "S2", "D1", "bank-a", "factor-a"):
            assert hidden not in values, said
        assert not [value for value in values if isinstance(value, int)], said
