"""Middle acts: pieces are cut, passed down the chain, financed once and never twice."""

from __future__ import annotations

from itertools import pairwise

from tallystick.apps.documents.records import Purpose
from tallystick.apps.receivables.messages import (
    AcceptOffer,
    AcceptPass,
    Apply,
    Disburse,
    Offer,
    Pass,
    Split,
)
from tallystick.apps.receivables.terms import (
    Attestation,
    AttestedKind,
    Fee,
    FeeBasis,
    FeeTime,
    InterestMethod,
)
from tallystick.demo.cast import BANK, FACTOR
from tallystick.demo.play import Claim, Parts, Play
from tallystick.demo.spelling import full_width
from tallystick.demo.tell import money, percent
from tallystick.formats.fingerprint import fingerprint
from tallystick.formats.ubl_document import Invoice
from tallystick.values.codec import replace
from tallystick.values.money import format_minor
from tallystick.values.rates import DayCount

FINANCE_DAY = "2026-07-06"
"""The Monday after: three of the 97 days have passed."""


def pass_first(play: Play, claim: Claim) -> tuple[str, str]:
    """Cut the first claim and pass a part down two tiers: piece to be financed, and its holder."""
    play.tell.act("Down the chain, to the cent", play.desk.clock())
    hops = [
        h for h in play.hops(claim.supplier, claim.currency) if h.payable_minor < claim.face_minor
    ]
    if not hops:
        size = claim.face_minor * 225 // 1000
        play.tell.unplayed("no invoice of a sub-supplier, so nothing can be passed on in payment.")
        piece, *_ = _cut(play, claim.supplier, claim.piece_id, claim, (size,))
        return piece, claim.supplier
    size = hops[0].payable_minor
    part = (claim.face_minor - size) * 4 // 9
    piece, *_ = _cut(play, claim.supplier, claim.piece_id, claim, (size, size + part))
    holder = _pass(play, claim, piece, holder=claim.supplier, hop=hops[0], size=size)
    further = [h for h in play.hops(holder, claim.currency) if h.payable_minor < size]
    if not further:
        return piece, holder
    next_size = further[0].payable_minor
    piece, *_ = _cut(play, holder, piece, claim, (next_size,), whole=size)
    return piece, _pass(play, claim, piece, holder=holder, hop=further[0], size=next_size)


def _cut(
    play: Play,
    holder: str,
    piece: str,
    claim: Claim,
    places: tuple[int, ...],
    *,
    whole: int | None = None,
) -> tuple[str, ...]:
    """Cut a piece at the given places; the ids of the parts."""
    size = claim.face_minor if whole is None else whole
    parts = tuple(b - a for a, b in pairwise((0, *places, size)))
    done = play.desk.do(holder, Split(piece_id=piece, parts_minor=parts))
    told = " + ".join(format_minor(part, claim.currency) for part in parts)
    play.tell.say(f"{play.name(holder)} cuts {money(size, claim.currency)} = {told}.")
    return done.ids


def _pass(play: Play, claim: Claim, piece: str, *, holder: str, hop: Invoice, size: int) -> str:
    """Pass a piece to a sub-supplier who registers its own invoice; the new holder."""
    receiver = play.seller(hop)
    paper = play.desk.register(receiver, hop, Purpose.SETTLEMENT, size)
    passing = Pass(piece_id=piece, to=receiver, registrations=(paper.registration_id,))
    transfer = play.desk.do(holder, passing).ids[0]
    play.desk.do(receiver, AcceptPass(transfer_id=transfer))
    play.settled.add(hop.number)
    play.tell.say(
        f"{play.name(holder)} passes {money(size, claim.currency)} to {play.name(receiver)} for"
        f" its invoice {hop.number}; {play.name(receiver)} accepts."
    )
    return receiver


def pass_second(play: Play, claim: Claim) -> Parts:
    """Cut the second claim in three, and pass the last part down as far as invoices go."""
    first = claim.face_minor * 4 // 10 + 1
    second = max(1, claim.face_minor // 3 - 4)
    places = (first, first + second)
    bank, factor, kept = _cut(play, claim.supplier, claim.piece_id, claim, places)
    size = claim.face_minor - first - second
    holder = claim.supplier
    for _ in range(2):
        hops = [h for h in play.hops(holder, claim.currency) if h.payable_minor >= size]
        if not hops:
            break
        holder = _pass(play, claim, kept, holder=holder, hop=hops[-1], size=size)
    return Parts(bank=bank, factor=factor, kept=kept, kept_by=holder)


# --- finance


def finance(play: Play, first: tuple[str, str] | None, parts: Parts | None) -> None:
    """On Monday the bank buys without recourse and the factor advances with recourse."""
    when = play.desk.wait(FINANCE_DAY, 9 * 60 + 30)
    play.tell.act("Cash before maturity", when)
    if play.first is not None and first is not None:
        piece, holder = first
        _finance(play, play.first, piece, holder, BANK)
    if play.second is not None and parts is not None:
        parts.bank_deal = _finance(play, play.second, parts.bank, play.second.supplier, BANK)
        parts.factor_deal = _finance(play, play.second, parts.factor, play.second.supplier, FACTOR)


def _finance(play: Play, claim: Claim, piece: str, holder: str, financier: str) -> str:
    """Application, offer, acceptance, money against piece; the deal's id."""
    desk = play.desk
    deal = desk.do(holder, Apply(piece_id=piece, financiers=(financier,))).ids[0]
    desk.do(financier, _offer(claim, deal, holder, financier))
    row = desk.stage.record("receivables", "deal", deal)
    net = int(row["net_cash_minor"])
    how = "with recourse" if financier == FACTOR else "without recourse"
    face = money(int(row["amount_minor"]), claim.currency)
    play.tell.say(
        f"{play.name(financier)} offers {play.name(holder)} cash on"
        f" {face}, {how}: net {money(net, claim.currency)},"
        f" all-in {percent(int(row['yearly_cost_ppm']))} a year, {row['days']} days."
    )
    desk.do(holder, AcceptOffer(deal_id=deal))
    attestation = Attestation(
        search_number=f"S-{deal[-6:]}",
        number=f"R-{deal[-6:]}",
        kind=AttestedKind.ASSIGNMENT,
        start_day=FINANCE_DAY,
        end_day="2027-07-06",
    )
    disburse = Disburse(deal_id=deal, money=claim.money, amount_minor=net, attestation=attestation)
    desk.do(financier, disburse)
    play.tell.say(
        f"{play.name(holder)} has seen that and accepts. Money and piece change hands in one step."
    )
    return deal


def _offer(claim: Claim, deal: str, holder: str, financier: str) -> Offer:
    """The bank's terms, or the factor's."""
    recourse = financier == FACTOR
    fee = Fee(
        name="handling",
        payer=holder,
        payee=financier,
        basis=FeeBasis.FACE,
        rate_ppm=2_000 if recourse else 1_000,
        when=FeeTime.MATURITY if recourse else FeeTime.UPFRONT,
    )
    method = InterestMethod.ARREARS_ON_ADVANCE if recourse else InterestMethod.UPFRONT_ON_FACE
    return Offer(
        deal_id=deal,
        recourse=recourse,
        advance_ppm=800_000 if recourse else 1_000_000,
        method=method,
        rate_ppm=60_000 if recourse else 43_500,
        day_count=DayCount.ACT_360,
        fees=(fee,),
        money=claim.money,
        valid_until=FINANCE_DAY,
        disburse_by=FINANCE_DAY,
        fingerprints=(claim.paper.fingerprint,),
    )


def twice(play: Play) -> None:
    """The factor tries to finance the same invoice directly, typed in another way."""
    claim = play.first
    if claim is None:
        return
    play.tell.act("The same invoice a second time", play.desk.clock())
    typed = full_width(claim.paper.invoice.number)
    again = replace(
        claim.paper.invoice,
        number=typed,
        fingerprint=fingerprint(claim.paper.invoice.seller_number, typed),
    )
    play.tell.say(
        f"Somebody shows {play.name(FACTOR)} an invoice {typed} and asks for money on it."
    )
    disclosure, document = play.desk.commit(FACTOR, again)
    register = play.desk.registering(disclosure, document, Purpose.DIRECT_FINANCE, claim.face_minor)
    play.tell.refused(play.desk.refused(FACTOR, register))
    play.tell.say(
        "It is the invoice that the bank has paid on. The answer does not say who has it."
    )
