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
from tallystick.demo.play import Claim, Lot, Parts, Play
from tallystick.demo.spelling import full_width
from tallystick.demo.tell import money, percent
from tallystick.formats.fingerprint import fingerprint
from tallystick.formats.ubl_document import Invoice
from tallystick.values.codec import replace
from tallystick.values.money import format_minor
from tallystick.values.rates import DayCount

FINANCE_DAY = "2026-07-06"
"""The Monday after: three of the 97 days have passed."""


def pass_first(play: Play, claim: Claim) -> Lot:
    """Cut the first claim and pass a part down two tiers: the piece to be financed."""
    play.tell.act("Down the chain, to the cent", play.desk.clock())
    whole = Lot(claim.piece_id, claim.supplier, claim.face_minor)
    hops = _smaller(play, claim, whole)
    if not hops:
        play.tell.unplayed("no invoice of a sub-supplier, so nothing can be passed on in payment.")
        return _cut(play, claim, whole, (claim.face_minor * 225 // 1000,))[0]
    size = hops[0].payable_minor
    part = (claim.face_minor - size) * 4 // 9
    lot = _pass(play, claim, _cut(play, claim, whole, (size, size + part))[0], hops[0])
    further = _smaller(play, claim, lot)
    if not further:
        return lot
    lot = _cut(play, claim, lot, (further[0].payable_minor,))[0]
    return _pass(play, claim, lot, further[0])


def _smaller(play: Play, claim: Claim, lot: Lot) -> list[Invoice]:
    """Invoices to the holder of a piece that a part of it can settle, the largest first."""
    hops = play.hops(lot.holder, claim.currency)
    return [hop for hop in hops if hop.payable_minor < lot.size_minor]


def _cut(play: Play, claim: Claim, lot: Lot, places: tuple[int, ...]) -> tuple[Lot, ...]:
    """Cut a piece at the given places."""
    parts = tuple(b - a for a, b in pairwise((0, *places, lot.size_minor)))
    done = play.desk.do(lot.holder, Split(piece_id=lot.piece_id, parts_minor=parts))
    told = " + ".join(format_minor(part, claim.currency) for part in parts)
    whole = money(lot.size_minor, claim.currency)
    play.tell.say(f"{play.name(lot.holder)} cuts {whole} = {told}.")
    return tuple(Lot(made, lot.holder, part) for made, part in zip(done.ids, parts, strict=True))


def _pass(play: Play, claim: Claim, lot: Lot, hop: Invoice) -> Lot:
    """Pass a piece to a sub-supplier who registers its own invoice."""
    receiver = play.seller(hop)
    paper = play.desk.register(receiver, hop, Purpose.SETTLEMENT, lot.size_minor)
    passing = Pass(piece_id=lot.piece_id, to=receiver, registrations=(paper.registration_id,))
    transfer = play.desk.do(lot.holder, passing).ids[0]
    play.desk.do(receiver, AcceptPass(transfer_id=transfer))
    play.settled.add(hop.number)
    amount = money(lot.size_minor, claim.currency)
    play.tell.say(
        f"{play.name(lot.holder)} passes {amount} to {play.name(receiver)} for"
        f" its invoice {hop.number}; {play.name(receiver)} accepts."
    )
    return Lot(lot.piece_id, receiver, lot.size_minor)


def pass_second(play: Play, claim: Claim) -> Parts:
    """Cut the second claim in three, and pass the last part down as far as invoices go."""
    first = claim.face_minor * 4 // 10 + 1
    second = max(1, claim.face_minor // 3 - 4)
    whole = Lot(claim.piece_id, claim.supplier, claim.face_minor)
    bank, factor, kept = _cut(play, claim, whole, (first, first + second))
    for _ in range(2):
        hops = play.hops(kept.holder, claim.currency)
        fitting = [hop for hop in hops if hop.payable_minor >= kept.size_minor]
        if not fitting:
            break
        kept = _pass(play, claim, kept, fitting[-1])
    return Parts(bank=bank, factor=factor, kept=kept)


# --- finance


def finance(play: Play, first: Lot | None, parts: Parts | None) -> None:
    """On Monday the bank buys without recourse and the factor advances with recourse."""
    when = play.desk.wait(FINANCE_DAY, 9 * 60 + 30)
    play.tell.act("Cash before maturity", when)
    if play.first is not None and first is not None:
        _finance(play, play.first, first, BANK)
    if play.second is not None and parts is not None:
        parts.bank_deal = _finance(play, play.second, parts.bank, BANK)
        parts.factor_deal = _finance(play, play.second, parts.factor, FACTOR)


def _finance(play: Play, claim: Claim, lot: Lot, financier: str) -> str:
    """Application, offer, acceptance, money against piece; the deal's id."""
    desk, holder = play.desk, lot.holder
    deal = desk.do(holder, Apply(piece_id=lot.piece_id, financiers=(financier,))).ids[0]
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
