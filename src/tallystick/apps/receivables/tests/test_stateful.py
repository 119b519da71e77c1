"""Receivables, played at random: drafts, pieces, deals, payments and what becomes of them."""

from __future__ import annotations

from random import Random
from typing import Any, TypeVar

import pytest

from tallystick.apps.cash.interface import available
from tallystick.apps.documents.records import Purpose, Registration, RegistrationStatus
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
    Disburse,
    Draft,
    Fund,
    NotifyRecourse,
    Offer,
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
from tallystick.apps.receivables.queries import claim_today, owed, price_today
from tallystick.apps.receivables.records import (
    Deal,
    Piece,
    RecourseClaim,
    Transfer,
    Undertaking,
)
from tallystick.apps.receivables.terms import (
    ClaimStatus,
    DealStatus,
    Fee,
    FeeBasis,
    FeeTime,
    Fingerprint,
    InterestMethod,
    PieceStatus,
    TransferStatus,
    UndertakingStatus,
    WarningKind,
)
from tallystick.apps.receivables.tests.market import CNY, Market, attested, by
from tallystick.ledger.app import Record
from tallystick.testing.stateful import Actions, Asked, play
from tallystick.testing.world import ZONE_MINUTES, World
from tallystick.values.rates import DayCount
from tallystick.values.time import add_days, day_of

R = TypeVar("R", bound=Record)
FACE = 100_000
SUPPLIERS = ("S1", "S2")
HOLDERS = ("S1", "S2", "S3", "T1", "bank-a", "factor-a")
FINANCIERS = ("bank-a", "bank-b", "factor-a")
DEBTORS = ("D1", "D2")
MONEY = ("CNY@CB", "CNY@CB", "CNY@bank-a")


def opening() -> World:
    """Invoices registered, everybody rich, some undertakings open."""
    market = Market(parameters={"receivables.settlement_required": 0})
    for party in (*HOLDERS, *DEBTORS, "bank-b"):
        market.mint(party, 10_000_000)
        if party != "bank-a":
            market.mint(party, 1_000_000, "CNY@bank-a")
    for number in range(5):
        market.opened(FACE, due_day=add_days("2026-07-10", 7 * number))
    for supplier in SUPPLIERS:
        for _ in range(12):
            market.invoice(supplier, FACE)
    for holder in ("S2", "S3"):
        for _ in range(4):
            market.invoice(holder, FACE, Purpose.SETTLEMENT)
    return market.world


# --- What there is


def some(rng: Random, world: World, type_: type[R], **where: Any) -> R | None:
    """One of the records that fit."""
    found = world.view().find(type_, limit=1_000, **where)
    return rng.choice(found) if found else None


def today(world: World) -> str:
    """The day it is."""
    return day_of(world.ledger_ms, ZONE_MINUTES)


def mostly(rng: Random, party: str) -> str:
    """The party whose business it is, and now and then another."""
    return by(party if rng.random() < 0.95 else rng.choice(HOLDERS))


def free_paper(rng: Random, world: World, purpose: Purpose) -> Registration | None:
    """A registration that nothing stands on."""
    return some(
        rng,
        world,
        Registration,
        purpose=purpose,
        subject=None,
        status=RegistrationStatus.REGU,
    )


def read(world: World, registrations: tuple[str, ...]) -> tuple[Fingerprint, ...]:
    """What a signer reads of invoices."""
    papers = [world.view().get(Registration, each) for each in registrations]
    return tuple(Fingerprint(strict=each.strict, relaxed=each.relaxed) for each in papers)


def own_piece(rng: Random, world: World) -> Piece | None:
    """A piece that is held, one still to be passed on rather than another."""
    held = world.view().find(Piece, status=PieceStatus.HELD, limit=1_000)
    if not held:
        return None
    fresh = [each for each in held if each.payment_day > add_days(today(world), 6)]
    return rng.choice(fresh if fresh and rng.random() < 0.9 else held)


def a_deal(rng: Random, world: World, *statuses: DealStatus) -> Deal | None:
    """A deal at one of some steps, one whose step has not lapsed rather than another."""
    found = [each for each in world.view().scan(Deal) if each.status in statuses]
    return rng.choice(found) if found else None


# --- Opening


def drafts(rng: Random, world: World) -> Asked | None:
    """A supplier or a debtor drafts."""
    paper = free_paper(rng, world, Purpose.OPENING)
    if paper is None:
        return None
    debtor = rng.choice(DEBTORS)
    by_debtor = rng.random() < 0.4
    days = rng.choice((3, 8, 15, 30, 60, 90, 180))
    return by(debtor if by_debtor else paper.owner), Draft(
        debtor=debtor,
        supplier=paper.owner,
        amount_minor=rng.choice((FACE, FACE, FACE - 1, FACE // 3, FACE + 1)),
        currency="CNY",
        due_day=add_days(today(world), days),
        registrations=(paper.registration_id,),
        fingerprints=read(world, (paper.registration_id,)) if by_debtor else (),
        no_assignment=rng.random() < 0.1,
        grace_banking_days=rng.choice((None, 0, 1)),
        pieces_max=rng.choice((None, 20)),
    )


def answers(rng: Random, world: World) -> Asked | None:
    """Whoever was asked answers, or the drafter takes it back."""
    found = some(rng, world, Undertaking, status=UndertakingStatus.PROPOSED)
    if found is None:
        return None
    made = found.undertaking_id
    other = found.supplier if found.drafted_by == found.debtor else found.debtor
    luck = rng.random()
    if luck < 0.3:
        return mostly(rng, other), Reject(undertaking_id=made)
    if luck < 0.4:
        return mostly(rng, found.drafted_by), Cancel(undertaking_id=made)
    seen = tuple(WarningKind) if luck < 0.95 else ()
    if other == found.debtor:
        fingerprints = read(world, found.registrations)
        return by(other), Confirm(undertaking_id=made, fingerprints=fingerprints, clears=seen)
    return by(other), Accept(undertaking_id=made, clears=seen)


# --- Pieces


def cuts(rng: Random, world: World) -> Asked | None:
    """A holder cuts a piece in two to four, mostly adding up."""
    piece = own_piece(rng, world)
    if piece is None:
        return None
    size, parts = piece.amount_minor, rng.randrange(1, 4)
    first = [rng.randint(0, max(1, size // 4)) for _ in range(parts)]
    rest = size - sum(first) + rng.choice((0,) * 9 + (1,))
    return mostly(rng, piece.holder), Split(
        piece_id=piece.piece_id, parts_minor=(*first, max(0, rest))
    )


def passes(rng: Random, world: World) -> Asked | None:
    """A holder passes a piece on, with the receiver's invoice at times."""
    piece = own_piece(rng, world)
    if piece is None:
        return None
    paper = free_paper(rng, world, Purpose.SETTLEMENT) if rng.random() < 0.2 else None
    to = rng.choice(HOLDERS) if paper is None else paper.owner
    return mostly(rng, piece.holder), Pass(
        piece_id=piece.piece_id,
        to=to,
        registrations=() if paper is None else (paper.registration_id,),
        reason=rng.choice(("", "sells to them too")),
    )


def takes(rng: Random, world: World) -> Asked | None:
    """A transfer is accepted, refused or withdrawn."""
    found = some(rng, world, Transfer, status=TransferStatus.PROPOSED)
    if found is None:
        return None
    made, luck = found.transfer_id, rng.random()
    if luck < 0.7:
        return mostly(rng, found.receiver), AcceptPass(transfer_id=made)
    if luck < 0.85:
        return mostly(rng, found.receiver), RefusePass(transfer_id=made)
    return mostly(rng, found.sender), WithdrawPass(transfer_id=made)


def gives_back(rng: Random, world: World) -> Asked | None:
    """A sender says that it was an error; the receiver gives the piece back."""
    found = some(rng, world, Transfer, status=TransferStatus.ACCEPTED)
    if found is None:
        return None
    if found.error:
        return mostly(rng, found.receiver), ReturnPass(transfer_id=found.transfer_id)
    return mostly(rng, found.sender), AskReturn(transfer_id=found.transfer_id, error="wrong firm")


# --- Finance


def applies(rng: Random, world: World) -> Asked | None:
    """A holder asks one or two financiers."""
    piece = own_piece(rng, world)
    if piece is None:
        return None
    asked = tuple(rng.sample(FINANCIERS, rng.choice((1, 2))))
    return mostly(rng, piece.holder), Apply(piece_id=piece.piece_id, financiers=asked)


def offers(rng: Random, world: World) -> Asked | None:
    """A financier offers or declines."""
    deal = a_deal(rng, world, DealStatus.APPLIED)
    if deal is None:
        return None
    if rng.random() < 0.15:
        return mostly(rng, deal.financier), Decline(deal_id=deal.deal_id)
    recourse = rng.random() < 0.75
    upfront = not recourse or rng.random() < 0.3
    fee = Fee(
        name="handling",
        payer=deal.assignor,
        payee=deal.financier,
        basis=rng.choice((FeeBasis.FACE, FeeBasis.ADVANCE)),
        rate_ppm=2_000,
        when=FeeTime.MATURITY if recourse and rng.random() < 0.5 else FeeTime.UPFRONT,
    )
    methods = (InterestMethod.ARREARS_ON_ADVANCE, InterestMethod.UPFRONT_ON_FACE)
    return mostly(rng, deal.financier), Offer(
        deal_id=deal.deal_id,
        recourse=recourse,
        advance_ppm=rng.choice((500_000, 800_000, 900_001)) if recourse else 1_000_000,
        method=methods[upfront],
        rate_ppm=rng.choice((0, 43_500, 60_000)),
        day_count=rng.choice(tuple(DayCount)),
        fees=(fee,) if rng.random() < 0.5 else (),
        money=CNY,
        valid_until=add_days(today(world), rng.choice((0, 3, 5))),
        disburse_by=add_days(today(world), 5),
        buy_back=rng.random() < 0.9,
        fingerprints=read(world, deal.registrations),
    )


def chooses(rng: Random, world: World) -> Asked | None:
    """An assignor accepts an offer or withdraws."""
    deal = a_deal(rng, world, DealStatus.OFFERED)
    if deal is None:
        return None
    if rng.random() < 0.2:
        return mostly(rng, deal.assignor), Withdraw(deal_id=deal.deal_id)
    return mostly(rng, deal.assignor), AcceptOffer(deal_id=deal.deal_id)


def disburses(rng: Random, world: World) -> Asked | None:
    """A financier pays, mostly what it comes to."""
    deal = a_deal(rng, world, DealStatus.ACCEPTED)
    if deal is None:
        return None
    return mostly(rng, deal.financier), Disburse(
        deal_id=deal.deal_id,
        money=CNY,
        amount_minor=deal.net_cash_minor + rng.choice((0, 0, 0, 0, 1)),
        attestation=attested(end_day=add_days(today(world), 365)),
        clears=(WarningKind.REGISTRATION_ENDS_EARLY,),
    )


def buys_back(rng: Random, world: World) -> Asked | None:
    """An assignor buys a piece back."""
    deal = a_deal(rng, world, DealStatus.FINANCED)
    if deal is None:
        return None
    price = price_today(world.view(), deal.deal_id).price_minor
    ask = BuyBack(deal_id=deal.deal_id, money=CNY, amount_minor=max(0, price))
    return mostly(rng, deal.assignor), ask


# --- Payment and recourse


def funds(rng: Random, world: World) -> Asked | None:
    """A debtor funds a part of what it owes."""
    found = some(rng, world, Undertaking, status=UndertakingStatus.OPEN)
    if found is None:
        return None
    left = found.left_minor - found.held_minor
    amount = rng.choice((left, left // 2, left // 3, 1, left + 1))
    ask = Fund(undertaking_id=found.undertaking_id, money=rng.choice(MONEY), amount_minor=amount)
    return mostly(rng, found.debtor), ask


def pays(rng: Random, world: World) -> Asked | None:
    """A debtor pays a part of what it owes, naming it or not."""
    status = UndertakingStatus
    late = (status.DUE, status.PART_PAID, status.OVERDUE, status.DEFAULTED)
    found = some(rng, world, Undertaking, status=rng.choice(late))
    if found is None:
        return None
    total = owed(world.view(), found.undertaking_id).total_minor
    amount = rng.choice((total, total // 2, total // 7, 1, total + 1))
    named = None if rng.random() < 0.2 else found.undertaking_id
    ask = Pay(undertaking_id=named, money=rng.choice(MONEY), amount_minor=amount)
    return mostly(rng, found.debtor), ask


def has_recourse(deal: Deal) -> bool:
    """Does the assignor answer for the default?"""
    return deal.offer is not None and deal.offer.recourse


def claims(rng: Random, world: World) -> Asked | None:
    """A financier with recourse claims, mostly once the debtor has defaulted."""
    gone = {
        each.undertaking_id
        for each in world.view().find(Undertaking, status=UndertakingStatus.DEFAULTED)
    }
    found = [
        each
        for each in world.view().find(Deal, status=DealStatus.FINANCED, claim_id=None)
        if each.undertaking_id in gone and (has_recourse(each) or rng.random() < 0.2)
    ]
    if not found:
        return None
    deal = rng.choice(found)
    return mostly(rng, deal.financier), NotifyRecourse(deal_id=deal.deal_id)


def repays(rng: Random, world: World) -> Asked | None:
    """An assignor meets a claim."""
    found = [each for each in world.view().scan(RecourseClaim) if each.status is not MET]
    if not found or rng.random() < 0.3:
        return None
    claim = rng.choice(found)
    amount = claim_today(world.view(), claim.deal_id).total_minor + rng.choice((0, 0, 0, 1))
    ask = RepayRecourse(claim_id=claim.claim_id, money=CNY, amount_minor=amount)
    return mostly(rng, claim.assignor), ask


MET = ClaimStatus.REPAID


def gives_up(rng: Random, world: World) -> Asked | None:
    """A holder gives up what a defaulted debtor owes."""
    gone = some(rng, world, Undertaking, status=UndertakingStatus.DEFAULTED)
    if gone is None or rng.random() < 0.8:
        return None
    piece = some(rng, world, Piece, undertaking_id=gone.undertaking_id, status=PieceStatus.HELD)
    return None if piece is None else (mostly(rng, piece.holder), WriteOff(piece_id=piece.piece_id))


def waits(rng: Random, world: World) -> Asked | None:
    """Time passes: hours, or until something happens to an undertaking."""
    found = some(rng, world, Undertaking, status=UndertakingStatus.OPEN)
    if found is None or rng.random() < 0.7:
        world.passes(hours=rng.choice((1, 5, 20, 40)))
    else:
        moments = (found.payment_cutoff_at_ms, found.default_at_ms, found.default_at_ms)
        world.passes_until(max(world.ledger_ms, min(rng.choice(moments), LAST_MS)))
    return None


LAST_MS = 1_790_000_000_000
"""A run ends well within the published year."""

ACTIONS: Actions = {
    drafts: 3,
    answers: 3,
    cuts: 3,
    passes: 4,
    takes: 5,
    gives_back: 4,
    applies: 5,
    offers: 6,
    chooses: 6,
    disburses: 6,
    buys_back: 1,
    funds: 1,
    pays: 2,
    claims: 6,
    repays: 4,
    gives_up: 1,
    waits: 3,
}


def test_everybody_is_rich_in_the_opening() -> None:
    assert available(opening().view(), "D1", CNY) == 10_000_000


@pytest.mark.stateful
@pytest.mark.timeout(1_200)
def test_receivables_at_random() -> None:
    """20,000 messages: every cent has one holder and is paid once, whatever is asked."""
    tally = play(APP, opening, ACTIONS)
    assert tally.shortfalls() == [], tally.told()
