"""Each invariant finds what it is there to find: a record is bent, and it says so."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from tallystick.apps.documents.records import WATCHERS_MAX, Watchers
from tallystick.apps.receivables import invariants
from tallystick.apps.receivables.messages import AcceptOffer, NotifyRecourse
from tallystick.apps.receivables.records import (
    Cascade,
    Deal,
    Funding,
    Leaf,
    Leg,
    Payable,
    Piece,
    RecourseClaim,
    Undertaking,
    Withheld,
)
from tallystick.apps.receivables.terms import (
    CascadeStatus,
    ClaimStatus,
    DealStatus,
    InterestMethod,
    PieceStatus,
    Retired,
    UndertakingStatus,
)
from tallystick.apps.receivables.tests.market import Market
from tallystick.ledger.app import Record, key_bytes
from tallystick.ledger.view import View


class Bent:
    """A view in which some records read otherwise than they are."""

    def __init__(self, view: View, *bent: Record, without: tuple[Record, ...] = ()) -> None:
        """Put records in place of the real ones, or leave some out."""
        self.now_ms = view.now_ms
        self.height = view.height
        self._view = view
        self._bent = {key_bytes(each): each for each in bent}
        self._gone = {key_bytes(each) for each in without}

    def _shown(self, kept: Any) -> Any:
        return self._bent.get(key_bytes(kept), kept)

    def get(self, type_: Any, *key: Any) -> Any:
        return self._shown(self._view.get(type_, *key))

    def peek(self, type_: Any, *key: Any) -> Any:
        found = self._view.peek(type_, *key)
        return None if found is None else self._shown(found)

    def scan(self, type_: Any, *prefix: Any, **more: Any) -> Iterator[Any]:
        for kept in self._view.scan(type_, *prefix, **more):
            if key_bytes(kept) not in self._gone:
                yield self._shown(kept)


class Stage:
    """A market with one of everything."""

    def __init__(self) -> None:
        """Fund, split, finance twice, pass on, pay in part, keep back, default, claim."""
        market = Market()
        whole = market.opened(300000)
        first, second, third = market.split("S1", whole, 100000, 100000, 100000)
        market.mint("bank-a", 1_000_000)
        market.mint("factor-a", 1_000_000)
        market.financed("S1", first, "bank-a")
        market.financed(
            "S1",
            second,
            "factor-a",
            recourse=True,
            advance_ppm=800_000,
            method=InterestMethod.ARREARS_ON_ADVANCE,
        )
        other = market.opened(50000, due_day="2026-12-01")
        market.passed("S1", other, "S2")
        market.funds(market.of(other), 20000)
        reserved = market.opened(60000, due_day="2026-12-01")
        (deal_id,) = market.applied("S1", reserved, "bank-b")
        market.offered(deal_id)
        market.does("S1", AcceptOffer(deal_id=deal_id))
        asked = market.opened(70000, due_day="2026-12-01")
        market.applied("S1", asked, "bank-b")
        self.early = market.world.copy().view()
        market.freeze(third, "S1")
        market.funds(market.of(whole), 150000)
        market.at("2026-10-08", 17 * 60)
        market.at("2026-10-13")
        deal = market.world.view().get(Piece, second).deal_id
        assert deal is not None
        market.does("factor-a", NotifyRecourse(deal_id=deal))
        self.market = market
        self.view = market.world.view()
        self.due = market.of(whole)

    def one(self, type_: Any, **where: Any) -> Any:
        """One record that fits."""
        return self.view.find(type_, **where)[0]


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


def finds(invariant: Callable[[View], Iterator[str]], stage: Stage, *bent: Record) -> None:
    """The invariant holds as things are, and says so when a record is bent."""
    assert list(invariant(stage.view)) == []
    assert list(invariant(Bent(stage.view, *bent))) != []  # type: ignore[arg-type]


def test_pieces_partition_the_face(stage: Stage) -> None:
    leaf = stage.one(Leaf, undertaking_id=stage.due, start_minor=100000)
    finds(invariants.pieces_partition_the_face, stage, replace(leaf, end_minor=199999))
    undertaking = stage.one(Undertaking, undertaking_id=stage.due)
    finds(invariants.pieces_partition_the_face, stage, replace(undertaking, pieces_count=2))
    draft = replace(undertaking, status=UndertakingStatus.EXPIRED)
    finds(invariants.pieces_partition_the_face, stage, draft)


def test_leaves_and_pieces_agree(stage: Stage) -> None:
    piece = stage.one(Piece, undertaking_id=stage.due, start_minor=100000, status="held")
    holds = invariants.leaves_and_pieces_agree
    finds(holds, stage, replace(piece, paid_minor=1))
    finds(holds, stage, replace(piece, late_owed_minor=1))
    finds(holds, stage, replace(piece, retired=Retired.SPLIT, status=PieceStatus.RETIRED))
    split = stage.one(Piece, undertaking_id=stage.due, retired="split")
    finds(holds, stage, replace(split, retired=Retired.PAID))


def test_pieces_carry_their_terms(stage: Stage) -> None:
    holds = invariants.pieces_carry_their_terms
    piece = stage.one(Piece, holder="factor-a", status=PieceStatus.HELD)
    for bent in (
        replace(piece, hops_max=3),
        replace(piece, min_piece_minor=2),
        replace(piece, due_day="2026-10-02"),
        replace(piece, moneys=("CNY@CB",)),
        replace(piece, late_ppm_per_day=501),
        replace(piece, currency="EUR"),
    ):
        finds(holds, stage, bent)
    deal = stage.one(Deal, deal_id=piece.deal_id)
    finds(holds, stage, replace(deal, moneys=("CNY@CB",)))
    undertaking = stage.one(Undertaking, undertaking_id=stage.due)
    telling = replace(undertaking, tellings=1)
    for moved in (
        replace(piece, transfer_cutoff_at_ms=1),
        replace(piece, payment_day="2026-10-09"),
        replace(deal, grace_end_day="2026-10-13"),
    ):
        finds(holds, stage, moved)
        assert list(holds(Bent(stage.view, moved, telling))) == []  # type: ignore[arg-type]


def test_held_pieces_are_owed(stage: Stage) -> None:
    piece = stage.one(Piece, undertaking_id=stage.due, start_minor=100000, status="held")
    holds = invariants.held_pieces_are_owed
    finds(holds, stage, replace(piece, status=PieceStatus.RETIRED, retired=Retired.PAID))
    finds(holds, stage, replace(piece, paid_minor=100001))


def test_sums_of_pieces_are_the_undertaking(stage: Stage) -> None:
    undertaking = stage.one(Undertaking, undertaking_id=stage.due)
    holds = invariants.sums_of_pieces_are_the_undertaking
    finds(holds, stage, replace(undertaking, paid_minor=1))
    finds(holds, stage, replace(undertaking, late_owed_minor=1))
    finds(holds, stage, replace(undertaking, status=UndertakingStatus.PAID))


def test_money_held_is_money_kept(stage: Stage) -> None:
    funding = stage.one(Funding)
    holds = invariants.money_held_is_money_kept
    finds(holds, stage, replace(funding, left_minor=funding.left_minor + 1))
    undertaking = stage.one(Undertaking, undertaking_id=stage.due)
    finds(holds, stage, replace(undertaking, held_minor=1))


def test_withheld_money_is_there(stage: Stage) -> None:
    kept = stage.one(Withheld)
    finds(invariants.withheld_money_is_there, stage, replace(kept, amount_minor=10**9))


def test_payments_are_shared_out_whole(stage: Stage) -> None:
    cascade = stage.one(Cascade)
    holds = invariants.payments_are_shared_out_whole
    finds(holds, stage, replace(cascade, amount_minor=1))
    finds(holds, stage, replace(cascade, status=CascadeStatus.DECIDED))
    leg = stage.one(Leg)
    finds(holds, stage, replace(leg, principal_minor=1))


def test_locks_have_their_reason(stage: Stage) -> None:
    holds = invariants.locks_have_their_reason
    assert list(holds(stage.early)) == []
    locked = [piece for piece in stage.early.scan(Piece) if piece.locks]
    assert len(locked) == 3
    for piece in locked:
        bent = Bent(stage.early, replace(piece, locks=()))
        assert list(holds(bent)) != []  # type: ignore[arg-type]
    assert list(holds(stage.view)) == []


def test_no_piece_is_financed_twice(stage: Stage) -> None:
    first, second = (stage.one(Deal, financier=each) for each in ("bank-a", "factor-a"))
    holds = invariants.no_piece_is_financed_twice
    promised = [
        replace(each, status=DealStatus.ACCEPTED, piece_id=first.piece_id)
        for each in (first, second)
    ]
    finds(holds, stage, *promised)
    piece = stage.one(Piece, piece_id=first.piece_id)
    finds(holds, stage, replace(piece, deal_id=second.deal_id))
    finds(holds, stage, replace(piece, holder="S3"))
    other = stage.one(Piece, piece_id=second.piece_id)
    assert other.status is PieceStatus.HELD
    finds(holds, stage, replace(second, status=DealStatus.REPAID))


def test_financed_deals_have_their_piece(stage: Stage) -> None:
    deal = stage.one(Deal, financier="factor-a")
    assert deal.status is DealStatus.FINANCED
    piece = stage.one(Piece, piece_id=deal.piece_id)
    finds(invariants.financed_deals_have_their_piece, stage, replace(piece, deal_id=None))


def test_holders_are_told_of_disputes(stage: Stage) -> None:
    piece = stage.one(Piece, holder="factor-a")
    holds = invariants.holders_are_told_of_disputes
    finds(holds, stage, replace(piece, holder="S3"))
    (paper,) = stage.one(Undertaking, undertaking_id=piece.undertaking_id).registrations
    many = tuple(f"holder-{number}" for number in range(WATCHERS_MAX))
    full = Watchers(registration_id=paper, parties=many)
    bent = Bent(stage.view, replace(piece, holder="S3"), full)
    assert list(holds(bent)) == [], "further watchers are not noted"  # type: ignore[arg-type]


def test_claims_follow_their_deals(stage: Stage) -> None:
    claim = stage.one(RecourseClaim)
    holds = invariants.claims_follow_their_deals
    finds(holds, stage, replace(claim, status=ClaimStatus.REPAID))
    deal = stage.one(Deal, deal_id=claim.deal_id)
    finds(holds, stage, replace(deal, offer=replace(deal.offer, recourse=False)))


def test_books_list_what_is_open(stage: Stage) -> None:
    payable = stage.one(Payable)
    holds = invariants.books_list_what_is_open
    assert list(holds(stage.view)) == []
    gone = Bent(stage.view, without=(payable,))
    assert list(holds(gone)) != []  # type: ignore[arg-type]
