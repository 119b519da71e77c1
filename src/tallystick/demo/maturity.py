"""Last acts: payment in a cascade, and what happens when one debtor pays 60 %."""

from __future__ import annotations

from tallystick.apps.receivables.messages import Fund, NotifyRecourse, Pay, RepayRecourse
from tallystick.demo.cast import BANK, FACTOR
from tallystick.demo.play import Claim, Parts, Play
from tallystick.demo.stage import Row
from tallystick.demo.tell import money
from tallystick.values.money import format_minor

PAYMENT_DAY = "2026-10-08"
"""The first banking day after the National Day holiday."""


def payment(play: Play) -> None:
    """The debtors fund in the morning; at the cut-off every holder is paid."""
    when = play.desk.wait(PAYMENT_DAY, 9 * 60)
    play.tell.act("Payment day: 1 October is a holiday, so 8 October", when)
    for claim in play.claims:
        amount = claim.face_minor * 6 // 10 if claim is play.second else claim.face_minor
        fund = Fund(undertaking_id=claim.undertaking_id, money=claim.money, amount_minor=amount)
        play.desk.do(claim.debtor, fund)
        share = ", 60 % of what it owes" if claim is play.second else ""
        play.tell.say(f"{play.name(claim.debtor)} funds {money(amount, claim.currency)}{share}.")
    play.tell.say(
        f"At the cut-off, {play.desk.wait(PAYMENT_DAY, 17 * 60 + 1)}, the shares are fixed."
    )
    for claim in play.claims:
        _show_legs(play, claim, 1)


def _show_legs(play: Play, claim: Claim, number: int) -> None:
    """Who was paid what in one payment of a claim."""
    legs = [
        row
        for row in play.desk.stage.records(
            "receivables", "leg", undertaking_id=claim.undertaking_id
        )
        if int(row["number"]) == number
    ]
    columns = ("late interest", "principal", "to its supplier")
    sums = [
        sum(int(row[name]) for row in legs)
        for name in ("late_minor", "principal_minor", "released_minor")
    ]
    play.tell.table(
        (f"{play.name(claim.debtor)} pays", *columns),
        [(play.name(row["holder"]), *_leg(row, claim.currency)) for row in legs],
        right=columns,
        last=("together", *(format_minor(each, claim.currency) for each in sums)),
    )


def _leg(row: Row, currency: str) -> tuple[str, str, str]:
    """Amounts of one leg."""
    late, principal, released = (
        format_minor(int(row[name]), currency)
        for name in ("late_minor", "principal_minor", "released_minor")
    )
    return late, principal, released


def shortfall(play: Play, parts: Parts) -> None:
    """One shortfall, three outcomes: the bank bears it, the factor has recourse, a holder waits."""
    claim = play.second
    if claim is None:
        return
    when = play.desk.wait("2026-10-09", 9 * 60)
    play.tell.act("One debtor has paid 60 %", when)
    _status(play, claim)
    play.show_holders(claim)
    when = play.desk.wait("2026-10-13", 9 * 60)
    play.tell.say(f"{when}: three banking days of grace are over.")
    _status(play, claim)
    play.tell.say(f"{play.name(BANK)} bought without recourse, and asks its seller all the same:")
    play.tell.refused(play.desk.refused(BANK, NotifyRecourse(deal_id=parts.bank_deal)))
    claim_id = play.desk.do(FACTOR, NotifyRecourse(deal_id=parts.factor_deal)).ids[0]
    play.tell.say(f"{play.name(FACTOR)} has recourse, and gives notice to {_supplier(play)}.")
    _recourse(play, claim, claim_id, parts)
    play.tell.say(f"{play.name(parts.kept.holder)} keeps its claim on {play.name(claim.debtor)}.")
    _late(play, claim)


def _supplier(play: Play) -> str:
    """Name of the second claim's first holder."""
    return play.name(play.second.supplier) if play.second else ""


def _status(play: Play, claim: Claim) -> None:
    """Tell where the undertaking stands."""
    row = play.desk.stage.record("receivables", "undertaking", claim.undertaking_id)
    left = int(row["amount_minor"]) - int(row["paid_minor"]) - int(row["written_off_minor"])
    status = str(row["status"]).upper().replace("_", " ")
    play.tell.say(f"{play.name(claim.debtor)}: {status}, {money(left, claim.currency)} unpaid.")


def _recourse(play: Play, claim: Claim, claim_id: str, parts: Parts) -> None:
    """The assignor pays the factor's claim and has the rest of the piece back."""
    when = play.desk.wait("2026-10-16", 10 * 60)
    [row] = play.desk.stage.rows("receivables", "claim-today", deal_id=parts.factor_deal)
    amount = int(row["total_minor"])
    repay = RepayRecourse(claim_id=claim_id, money=claim.money, amount_minor=amount)
    play.desk.do(claim.supplier, repay)
    piece = play.desk.stage.record("receivables", "piece", parts.factor.piece_id)
    play.tell.say(
        f"{when}: {_supplier(play)} repays {money(amount, claim.currency)}: advance, interest and"
        f" fee less what the factor got, never the face. The rest of the piece is held by"
        f" {play.name(piece['holder'])} again."
    )
    play.show_holders(claim)


def _late(play: Play, claim: Claim) -> None:
    """The debtor pays a little more, late interest first."""
    when = play.desk.wait("2026-10-26", 10 * 60)
    amount = claim.face_minor // 6
    pay = Pay(undertaking_id=claim.undertaking_id, money=claim.money, amount_minor=amount)
    play.desk.do(claim.debtor, pay)
    play.tell.say(f"{when}: {play.name(claim.debtor)} pays {money(amount, claim.currency)} more.")
    _show_legs(play, claim, 2)
    _status(play, claim)
    play.show_holders(claim)
