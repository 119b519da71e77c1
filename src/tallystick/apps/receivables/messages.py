"""What can be asked of receivables, and what the ledger does in time."""

from typing import Annotated

from msgspec import Meta

from tallystick.apps.receivables.terms import (
    AlertKind,
    Attestation,
    BankingDays,
    ClaimId,
    DealId,
    Fees,
    Fingerprints,
    Hops,
    InterestMethod,
    Moneys,
    Part,
    PieceId,
    Pieces,
    PpmPerDay,
    Registrations,
    TransferId,
    UndertakingId,
    Warnings,
)
from tallystick.ledger.app import Message, message, timer
from tallystick.values.rates import DayCount
from tallystick.values.units import (
    Count,
    Currency,
    Day,
    Label,
    Minor,
    MoneyId,
    PartyId,
    Ppm,
    ShortText,
)

DRAFT = "receivables.draft"
"""Licence verb of who may draft undertakings, as debtor or supplier."""
UNDERTAKE = "receivables.undertake"
"""Licence verb of who may promise to pay."""
TRADE = "receivables.trade"
"""Licence verb of who may hold pieces, cut them, pass them on and ask for money on them."""
FINANCE = "receivables.finance"
"""Licence verb of who may give money on pieces."""

# --- Opening


@message(verb=DRAFT, limit_by="amount_minor", one_person=True)
class Draft(Message, tag="receivables.draft.1"):
    """Draft an undertaking, as its supplier or its debtor; the other answers.

    What is left out is taken from the parameters of governance and kept in the undertaking.
    """

    debtor: PartyId
    """Who is to pay, e.g. `D1`."""
    supplier: PartyId
    """Who is to be the first holder, e.g. `S1`."""
    amount_minor: Minor
    """Face, in minor units of the currency, e.g. 100000000 for 1,000,000.00."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    due_day: Day
    """Nominal due date, e.g. `2026-10-01`; paid on the next banking day if it is none."""
    registrations: Registrations
    """Invoices registered by the supplier for an opening; together at least the face."""
    fingerprints: Fingerprints = ()
    """The debtor's own reading of each invoice, when the debtor drafts; else may be empty."""
    moneys: Moneys = ()
    """Moneys in which it may be paid; empty: every issuer's money of the currency."""
    calendar_id: Label | None = None
    """Calendar of its banking days, e.g. `cn`; None: the network's."""
    invoice_due_day: Day | None = None
    """Latest due date that the invoices state; None when they state none."""
    late_ppm_per_day: PpmPerDay | None = None
    """Late interest a day, in parts per million, e.g. 500; None: not agreed."""
    grace_banking_days: BankingDays | None = None
    """Banking days of grace, e.g. 3; None: by parameter."""
    transfer_cutoff_days: BankingDays | None = None
    """Banking days before payment at whose end transfers end, e.g. 3; None: by parameter."""
    min_piece_minor: Minor | None = None
    """Smallest piece, in minor units, e.g. 1; None: by parameter."""
    hops_max: Hops | None = None
    """How often a piece may be passed on; None: by parameter."""
    pieces_max: Pieces | None = None
    """In how many pieces it may be; None: by parameter."""
    no_assignment: bool = False
    """Whether the contract forbids assignment: then both must have seen the warning."""
    supplier_consent: bool = False
    """Whether the supplier consents to a due date later than the invoice's."""


@message(verb=UNDERTAKE, limit_by="undertaking_id.amount_minor")
class Confirm(Message, tag="receivables.confirm.1"):
    """As its debtor, promise to pay what the supplier drafted."""

    undertaking_id: UndertakingId
    """The draft."""
    fingerprints: Fingerprints
    """The debtor's own reading of each invoice, in the order of the registrations."""
    clears: Warnings = ()
    """Warnings that the debtor has seen."""


@message(verb=TRADE, limit_by="undertaking_id.amount_minor", one_person=True)
class Accept(Message, tag="receivables.accept.1"):
    """As its supplier, accept what the debtor drafted."""

    undertaking_id: UndertakingId
    """The draft."""
    clears: Warnings = ()
    """Warnings that the supplier has seen."""


@message(verb=None, duty=True, one_person=True)
class Reject(Message, tag="receivables.reject.1"):
    """Refuse what the other drafted."""

    undertaking_id: UndertakingId
    """The draft."""
    reason: ShortText = ""
    """Why, for the other to read; may be empty."""


@message(verb=None, duty=True, one_person=True)
class Cancel(Message, tag="receivables.cancel.1"):
    """Take back a draft of one's own before it is answered."""

    undertaking_id: UndertakingId
    """The draft."""


@timer()
class LapseDraft(Message, tag="receivables.lapse_draft.1"):
    """A draft was not answered in time: silence lapses, it never accepts."""

    undertaking_id: UndertakingId
    """The draft."""


@timer()
class ReviewDates(Message, tag="receivables.review_dates.1"):
    """Look again at dates that lay beyond the published calendar."""

    undertaking_id: UndertakingId
    """Undertaking with provisional dates."""


# --- Pieces


@message(verb=TRADE, limit_by="piece_id.amount_minor", one_person=True)
class Split(Message, tag="receivables.split.1"):
    """Cut a piece into parts, from its lowest cent up."""

    piece_id: PieceId
    """Piece that is cut."""
    parts_minor: Annotated[tuple[Minor, ...], Meta(max_length=100)]
    """Length of each part, in minor units; together exactly the piece."""


@message(verb=TRADE, limit_by="piece_id.amount_minor", one_person=True)
class Pass(Message, tag="receivables.pass.1"):
    """Offer a piece to another member in settlement of its invoices."""

    piece_id: PieceId
    """Piece that is passed on."""
    to: PartyId
    """Who is to hold it, e.g. `S2`."""
    registrations: Registrations = ()
    """The receiver's invoices, registered for settlement; together at least the piece."""
    reason: ShortText = ""
    """Why a former holder is to hold it again; empty when it is no loop."""


@message(verb=TRADE, limit_by="transfer_id.amount_minor", one_person=True)
class AcceptPass(Message, tag="receivables.accept_pass.1"):
    """Accept a piece that was passed on; it costs nothing."""

    transfer_id: TransferId
    """The transfer."""


@message(verb=None, duty=True, one_person=True)
class RefusePass(Message, tag="receivables.refuse_pass.1"):
    """Refuse a piece that was passed on."""

    transfer_id: TransferId
    """The transfer."""
    reason: ShortText = ""
    """Why, for the sender to read; may be empty."""


@message(verb=None, duty=True, one_person=True)
class WithdrawPass(Message, tag="receivables.withdraw_pass.1"):
    """Take back a piece that was passed on and not yet accepted."""

    transfer_id: TransferId
    """The transfer."""


@message(verb=None, duty=True, one_person=True)
class AskReturn(Message, tag="receivables.ask_return.1"):
    """Ask for a piece back that was passed on in error."""

    transfer_id: TransferId
    """The transfer, accepted not long ago."""
    error: ShortText
    """What was wrong, e.g. `meant for S3`."""


@message(verb=TRADE, limit_by="transfer_id.amount_minor", one_person=True)
class ReturnPass(Message, tag="receivables.return_pass.1"):
    """Give back a piece that was passed on in error; it is no hop and no loop."""

    transfer_id: TransferId
    """The transfer."""


@timer()
class LapsePass(Message, tag="receivables.lapse_pass.1"):
    """A transfer was not answered in time."""

    transfer_id: TransferId
    """The transfer."""


# --- Finance


@message(verb=TRADE, limit_by="piece_id.amount_minor", one_person=True)
class Apply(Message, tag="receivables.apply.1"):
    """Ask one or several financiers for money on a whole piece; none learns of the others."""

    piece_id: PieceId
    """Piece to finance."""
    financiers: Annotated[tuple[PartyId, ...], Meta(min_length=1, max_length=10)]
    """Who is asked, e.g. `bank-a`."""


@message(verb=FINANCE, limit_by="deal_id.amount_minor")
class Offer(Message, tag="receivables.offer.1"):
    """Offer money on a piece; it binds until the day it is valid."""

    deal_id: DealId
    """The application."""
    recourse: bool
    """Whether the assignor answers for the debtor's default."""
    advance_ppm: Part
    """Part of the face that is advanced, e.g. 800000 for 80 %."""
    method: InterestMethod
    """When interest is paid, and on what."""
    rate_ppm: Ppm
    """Interest a year, e.g. 43500 for 4.35 %."""
    day_count: DayCount
    """How days are counted, e.g. `act/360`."""
    fees: Fees = ()
    """Every fee, with payer, payee and basis; empty: none."""
    money: MoneyId
    """Money that is paid, e.g. `CNY@central-bank`."""
    valid_until: Day
    """Last day on which it can be accepted."""
    disburse_by: Day
    """Last day on which the money moves; after it the deal is unwound."""
    value_day: Day | None = None
    """Day for which cash and cost are shown; no money moves before it. None: today."""
    buy_back: bool = True
    """Whether the assignor may buy the piece back, at the deal's own rate."""
    fingerprints: Fingerprints
    """The financier's own reading of each invoice behind the undertaking, in order."""


@message(verb=None, duty=True)
class Decline(Message, tag="receivables.decline.1"):
    """As financier, decline an application."""

    deal_id: DealId
    """The application."""


@message(verb=TRADE, limit_by="deal_id.amount_minor", one_person=True)
class AcceptOffer(Message, tag="receivables.accept_offer.1"):
    """Accept one offer; other applications and offers on the piece lapse.

    The piece is reserved: that is the mandate by which the financier takes it against the money.
    """

    deal_id: DealId
    """The offer."""


@message(verb=None, duty=True, one_person=True)
class Withdraw(Message, tag="receivables.withdraw.1"):
    """Withdraw an application, answered or not, before an offer is accepted."""

    deal_id: DealId
    """The application."""


@message(verb=FINANCE, limit_by="amount_minor")
class Disburse(Message, tag="receivables.disburse.1"):
    """As financier, pay and take the piece, in one step."""

    deal_id: DealId
    """The accepted offer."""
    money: MoneyId
    """Money that is paid: the offer's."""
    amount_minor: Minor
    """Net cash of today, in minor units, e.g. 22221937 for 222,219.37."""
    attestation: Attestation
    """What was registered and searched before."""
    clears: Warnings = ()
    """Warnings that the financier has seen."""


@message(verb=TRADE, limit_by="amount_minor", one_person=True)
class BuyBack(Message, tag="receivables.buy_back.1"):
    """As assignor, buy the piece back before the transfer cut-off, at the deal's own rate."""

    deal_id: DealId
    """The deal."""
    money: MoneyId
    """Money that is paid; one that the undertaking accepts."""
    amount_minor: Minor
    """Price of today, in minor units, e.g. 22320562 for 223,205.62."""


@timer()
class LapseDeal(Message, tag="receivables.lapse_deal.1"):
    """An application, an offer or an accepted deal has come to its last moment."""

    deal_id: DealId
    """The deal."""


# --- Payment


@message(verb=None, limit_by="amount_minor", duty=True)
class Fund(Message, tag="receivables.fund.1"):
    """As debtor, have cash held for one undertaking, any time before its payment cut-off."""

    undertaking_id: UndertakingId
    """Undertaking that it is for."""
    money: MoneyId
    """Money that is held; one that the undertaking accepts."""
    amount_minor: Minor
    """How much, in minor units."""


@message(verb=None, limit_by="amount_minor", duty=True)
class Pay(Message, tag="receivables.pay.1"):
    """As debtor, pay after the payment cut-off; what is paid is shared out at once.

    A payment that names no undertaking goes to the earliest due, then pro rata (Civil Code 560).
    """

    undertaking_id: UndertakingId | None = None
    """Undertaking that is paid; None: the debtor's earliest due of this currency."""
    money: MoneyId
    """Money that is paid; one that the undertaking accepts."""
    amount_minor: Minor
    """How much, in minor units."""


@timer()
class ReachDue(Message, tag="receivables.reach_due.1"):
    """The payment date has come."""

    undertaking_id: UndertakingId
    """The undertaking."""


@timer()
class CutOffPayment(Message, tag="receivables.cut_off_payment.1"):
    """The payment cut-off has come: the shares of what is held are fixed."""

    undertaking_id: UndertakingId
    """The undertaking."""


@timer()
class PayLegs(Message, tag="receivables.pay_legs.1"):
    """Pay the next shares of a payment, in order of the cents."""

    undertaking_id: UndertakingId
    """The undertaking."""
    number: Count
    """Number of the payment."""


@timer()
class PayWithheld(Message, tag="receivables.pay_withheld.1"):
    """Pay what an order on a piece kept back, if the order has ended."""

    undertaking_id: UndertakingId
    """The undertaking."""
    number: Count
    """Number of the payment."""
    start_minor: Minor
    """First cent of the piece."""


@timer()
class MarkOverdue(Message, tag="receivables.mark_overdue.1"):
    """The payment date has ended."""

    undertaking_id: UndertakingId
    """The undertaking."""


@timer()
class MarkDefaulted(Message, tag="receivables.mark_defaulted.1"):
    """Grace has ended."""

    undertaking_id: UndertakingId
    """The undertaking."""


@timer()
class TellHolders(Message, tag="receivables.tell_holders.1"):
    """Tell the next holders of an undertaking's pieces what has happened to it."""

    undertaking_id: UndertakingId
    """The undertaking."""
    kind: AlertKind
    """What has happened."""
    start_minor: Minor
    """First cent of the next piece."""


# --- Recourse


@message(verb=None, duty=True)
class NotifyRecourse(Message, tag="receivables.notify_recourse.1"):
    """As financier with recourse, claim on the assignor once the debtor has defaulted."""

    deal_id: DealId
    """The deal."""


@message(verb=None, limit_by="amount_minor", duty=True)
class RepayRecourse(Message, tag="receivables.repay_recourse.1"):
    """As assignor, meet a recourse claim; the unpaid rest of the piece comes back."""

    claim_id: ClaimId
    """The claim."""
    money: MoneyId
    """Money that is paid; one that the undertaking accepts."""
    amount_minor: Minor
    """The claim of today, in minor units, e.g. 2148192 for 21,481.92."""


@message(verb=None, limit_by="piece_id.amount_minor")
class WriteOff(Message, tag="receivables.write_off.1"):
    """As holder, give up what a defaulted debtor still owes on a piece."""

    piece_id: PieceId
    """The piece."""


@timer()
class FailRecourse(Message, tag="receivables.fail_recourse.1"):
    """A recourse claim was not met in time."""

    claim_id: ClaimId
    """The claim."""
