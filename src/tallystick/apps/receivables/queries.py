"""Named reads of receivables. Each shows what the asker may see, and no more."""

from collections.abc import Iterable, Iterator
from typing import cast

from tallystick.apps.governance.interface import calendar
from tallystick.apps.receivables.cascade import owing_on
from tallystick.apps.receivables.deals import buy_back_price, claim_of
from tallystick.apps.receivables.locks import is_dead
from tallystick.apps.receivables.records import (
    Alert,
    Cascade,
    Deal,
    Leg,
    Piece,
    RecourseClaim,
    Transfer,
    Undertaking,
)
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.standing import OWING, today_of
from tallystick.apps.receivables.terms import (
    DealId,
    DealStatus,
    PieceId,
    PieceStatus,
    TransferStatus,
    UndertakingId,
    UndertakingStatus,
)
from tallystick.ledger.refusal import require
from tallystick.ledger.view import View
from tallystick.values.codec import Struct
from tallystick.values.units import (
    AtMs,
    Count,
    Currency,
    Day,
    Hash32,
    Height,
    Minor,
    PartyId,
)

ROWS_MAX = 10_000
"""Most rows that one read answers."""


class LifeLine(Struct):
    """One change of an undertaking."""

    height: Height
    """Block that made it."""
    at_ms: AtMs
    """Ledger time of that block."""
    transaction_id: Hash32 | None
    """Transaction that made it; None when a timer did."""
    status: UndertakingStatus
    """Where it stood after it."""
    held_minor: Minor
    """Cash held for it after it, in minor units."""
    paid_minor: Minor
    """Principal paid in all after it, in minor units."""
    left_minor: Minor
    """Principal owed after it, in minor units."""


class Owed(Struct):
    """What a debtor owes on an undertaking today."""

    undertaking_id: UndertakingId
    """The undertaking."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    day: Day
    """Today, where it is paid."""
    principal_minor: Minor
    """Unpaid principal, in minor units."""
    late_minor: Minor
    """Late interest to today, in minor units: the sum of the pieces' rounded figures."""
    total_minor: Minor
    """Both, in minor units: what `pay` takes at most."""
    held_minor: Minor
    """Cash held for it already, in minor units."""


class DueSum(Struct):
    """What a debtor owes on one day."""

    payment_day: Day
    """Day on which it is paid."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    count: Count
    """How many undertakings."""
    left_minor: Minor
    """Unpaid principal, in minor units."""
    held_minor: Minor
    """Cash held for them, in minor units."""


class ClaimToday(Struct):
    """What a financier with recourse is owed today."""

    deal_id: DealId
    """The deal."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    day: Day
    """Today, where it is paid."""
    fees_minor: Minor
    """Agreed fees not yet got, in minor units."""
    interest_minor: Minor
    """Interest to today, in minor units."""
    advance_minor: Minor
    """Advance not yet got back, in minor units."""
    total_minor: Minor
    """All of it, in minor units: what `repay_recourse` takes."""
    received_minor: Minor
    """What the financier has been paid, in minor units."""


class Price(Struct):
    """What buying a piece back costs today."""

    deal_id: DealId
    """The deal."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    day: Day
    """Today, where it is paid."""
    price_minor: Minor
    """Price, in minor units: what `buy_back` takes."""
    face_minor: Minor
    """Face of the piece, in minor units."""


class StatusSum(Struct):
    """Undertakings of one status and currency."""

    status: UndertakingStatus
    """Where they stand."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    count: Count
    """How many."""
    extended: Count
    """How many of them are due later than their invoices, with the supplier's consent."""
    face_minor: Minor
    """Their faces, in minor units."""
    left_minor: Minor
    """Their unpaid principal, in minor units."""


# --- Undertakings


def undertaking(view: View, undertaking_id: UndertakingId) -> Undertaking:
    """One undertaking."""
    return view.get(Undertaking, undertaking_id)


def undertakings(view: View, party: PartyId) -> Iterator[Undertaking]:
    """Undertakings of a party, as debtor or first supplier."""
    for each in view.scan(Undertaking):
        if party in (each.debtor, each.supplier):
            yield each


def life_line(view: View, undertaking_id: UndertakingId) -> Iterator[LifeLine]:
    """What happened to an undertaking, oldest first."""
    for past in view.history(Undertaking, undertaking_id):
        after = cast("Undertaking", past.after)  # an undertaking is never dropped
        yield LifeLine(
            height=past.height,
            at_ms=past.time_ms,
            transaction_id=past.transaction_id,
            status=after.status,
            held_minor=after.held_minor,
            paid_minor=after.paid_minor,
            left_minor=after.left_minor,
        )


def owed(view: View, undertaking_id: UndertakingId) -> Owed:
    """What the debtor owes on an undertaking today, for the debtor to read."""
    found = view.get(Undertaking, undertaking_id)
    day = today_of(view, found)
    owing = owing_on(view, found, day)
    return Owed(
        undertaking_id=undertaking_id,
        currency=found.currency,
        day=day,
        principal_minor=sum(each.principal_minor for each in owing),
        late_minor=sum(each.late_minor for each in owing),
        total_minor=sum(each.total_minor for each in owing),
        held_minor=found.held_minor,
    )


def payables(view: View, debtor: PartyId) -> Iterator[DueSum]:
    """What a debtor owes, day by day."""
    days: dict[tuple[str, str], list[Undertaking]] = {}
    for each in view.scan(Undertaking):
        if each.debtor == debtor and each.status in OWING:
            days.setdefault((each.payment_day, each.currency), []).append(each)
    for (day, currency), found in sorted(days.items(), key=lambda pair: pair[0]):
        yield DueSum(
            payment_day=day,
            currency=currency,
            count=len(found),
            left_minor=sum(each.left_minor for each in found),
            held_minor=sum(each.held_minor for each in found),
        )


def totals(view: View) -> Iterator[StatusSum]:
    """All undertakings by status and currency, for the supervisor."""
    sums: dict[tuple[str, str], list[Undertaking]] = {}
    for each in view.scan(Undertaking):
        sums.setdefault((each.status.value, each.currency), []).append(each)
    for (status, currency), found in sorted(sums.items(), key=lambda pair: pair[0]):
        yield StatusSum(
            status=UndertakingStatus(status),
            currency=currency,
            count=len(found),
            extended=sum(each.is_extended for each in found),
            face_minor=sum(each.amount_minor for each in found),
            left_minor=sum(each.left_minor for each in found),
        )


# --- Pieces


def piece(view: View, piece_id: PieceId) -> Piece:
    """One piece."""
    return view.get(Piece, piece_id)


def pieces(view: View, holder: PartyId, status: PieceStatus = PieceStatus.HELD) -> Iterable[Piece]:
    """Pieces that a party holds, or held when they were retired."""
    return view.find(Piece, holder=holder, status=status, limit=ROWS_MAX)


def holders(view: View, undertaking_id: UndertakingId) -> Iterable[Piece]:
    """Who holds what of an undertaking, from its lowest cent up."""
    return view.find(
        Piece,
        undertaking_id=undertaking_id,
        status=PieceStatus.HELD,
        order="start_minor",
        limit=ROWS_MAX,
    )


def transfers(
    view: View, receiver: PartyId, status: TransferStatus = TransferStatus.PROPOSED
) -> Iterable[Transfer]:
    """Transfers to a party."""
    return view.find(Transfer, receiver=receiver, status=status, limit=ROWS_MAX)


def transfers_from(
    view: View, sender: PartyId, status: TransferStatus = TransferStatus.PROPOSED
) -> Iterable[Transfer]:
    """Transfers by a party."""
    return view.find(Transfer, sender=sender, status=status, limit=ROWS_MAX)


# --- Finance


def deal(view: View, deal_id: DealId) -> Deal:
    """One finance deal, with what an offer comes to."""
    return view.get(Deal, deal_id)


def offers(view: View, piece_id: PieceId) -> Iterator[Deal]:
    """Offers that stand on a piece, the cheapest first; a financier reads its own alone."""
    standing = [
        each
        for each in view.find(Deal, piece_id=piece_id, limit=ROWS_MAX)
        if each.status is DealStatus.OFFERED
        and view.now_ms < each.ends_at_ms
        and not is_dead(view, each)
    ]
    yield from sorted(standing, key=lambda each: (each.yearly_cost_ppm, each.deal_id))


def deals(view: View, financier: PartyId) -> Iterable[Deal]:
    """Deals of a financier, applications included."""
    return view.find(Deal, financier=financier, limit=ROWS_MAX)


def applications(view: View, assignor: PartyId) -> Iterable[Deal]:
    """Deals in which a party asked for money."""
    return view.find(Deal, assignor=assignor, limit=ROWS_MAX)


def claim_today(view: View, deal_id: DealId) -> ClaimToday:
    """What the financier of a deal with recourse is owed today."""
    found = _paid_out(view, deal_id)
    day = calendar(view, found.calendar_id).day_of(view.now_ms)
    claim = claim_of(found, day)
    return ClaimToday(
        deal_id=deal_id,
        currency=found.currency,
        day=day,
        fees_minor=claim.fees_minor,
        interest_minor=claim.interest_minor,
        advance_minor=claim.advance_minor,
        total_minor=claim.total_minor,
        received_minor=found.received_minor,
    )


def price_today(view: View, deal_id: DealId) -> Price:
    """What buying a piece back costs today."""
    found = _paid_out(view, deal_id)
    require(found.status is DealStatus.FINANCED, Refusal.DEAL_CLOSED, deal_id=deal_id)
    day = calendar(view, found.calendar_id).day_of(view.now_ms)
    price = buy_back_price(found, found.amount_minor, day=day, payment_day=found.payment_day)
    return Price(
        deal_id=deal_id,
        currency=found.currency,
        day=day,
        price_minor=price,
        face_minor=found.amount_minor,
    )


def _paid_out(view: View, deal_id: str) -> Deal:
    """A deal under which money has moved."""
    found = view.get(Deal, deal_id)
    require(found.value_day is not None, Refusal.DEAL_CLOSED, deal_id=deal_id)
    return found


# --- Payments


def payments(view: View, undertaking_id: UndertakingId) -> Iterable[Cascade]:
    """Payments of an undertaking, oldest first, for the debtor."""
    return view.scan(Cascade, undertaking_id)


def legs(view: View, undertaking_id: UndertakingId) -> Iterable[Leg]:
    """Shares of an undertaking's payments that were paid; each holder reads its own."""
    return view.scan(Leg, undertaking_id)


def claims(view: View, assignor: PartyId) -> Iterable[RecourseClaim]:
    """Recourse claims on a party."""
    return view.find(RecourseClaim, assignor=assignor, limit=ROWS_MAX)


def alerts(view: View, to: PartyId | None = None) -> Iterable[Alert]:
    """What a party was told, oldest first; None: all that the asker may read, loops among them."""
    if to is None:
        return view.find(Alert, order="at_ms", limit=ROWS_MAX)
    return view.find(Alert, to=to, order="at_ms", limit=ROWS_MAX)
