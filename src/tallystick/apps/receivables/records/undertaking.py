"""What a debtor promises, and when it is to be paid."""

from typing import Annotated

from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import (
    BankingDays,
    Hops,
    Moneys,
    Pieces,
    PpmPerDay,
    Registrations,
    UndertakingId,
    UndertakingStatus,
    Warnings,
)
from tallystick.ledger.app import Record, record
from tallystick.ledger.view import SeenBy
from tallystick.values.units import (
    AtMs,
    Count,
    Currency,
    Day,
    Label,
    Minor,
    PartyId,
    Ppm,
    ShortText,
)

UNDERTAKING_MOVES = {
    None: (UndertakingStatus.PROPOSED,),
    UndertakingStatus.PROPOSED: (
        UndertakingStatus.OPEN,
        UndertakingStatus.CANCELLED,
        UndertakingStatus.REJECTED,
        UndertakingStatus.EXPIRED,
    ),
    UndertakingStatus.OPEN: (UndertakingStatus.DUE,),
    UndertakingStatus.DUE: (
        UndertakingStatus.PART_PAID,
        UndertakingStatus.PAID,
        UndertakingStatus.OVERDUE,
    ),
    UndertakingStatus.PART_PAID: (UndertakingStatus.PAID, UndertakingStatus.OVERDUE),
    UndertakingStatus.OVERDUE: (UndertakingStatus.PAID, UndertakingStatus.DEFAULTED),
    UndertakingStatus.DEFAULTED: (UndertakingStatus.PAID, UndertakingStatus.WRITTEN_OFF),
}


@record(
    key=("undertaking_id",),
    missing=Refusal.NO_SUCH_UNDERTAKING,
    moves=UNDERTAKING_MOVES,
    lists=(("debtor", "status", "payment_day"), ("supplier", "status"), ("status", "currency")),
    seen_by=("debtor", "supplier"),
)
class Undertaking(Record, tag="receivables.undertaking.1"):
    """A debtor's promise to pay whoever is holder of record at the cut-off of one day.

    Registration here is notice to the debtor (Civil Code 546); against holders other than the first
    supplier the debtor waives defences and set-off (548, 549).
    """

    undertaking_id: UndertakingId
    """Id of the undertaking."""
    debtor: PartyId
    """Who owes, e.g. `D1`."""
    supplier: PartyId
    """First holder, who sold goods to the debtor, e.g. `S1`."""
    drafted_by: PartyId
    """Which of the two drafted it; the other answers."""
    amount_minor: Minor
    """Face, in minor units of the currency, e.g. 100000000 for 1,000,000.00."""
    currency: Currency
    """Currency of the face, e.g. `CNY`."""
    moneys: Moneys = ()
    """Moneys in which it may be paid; empty: every issuer's money of the currency."""
    due_day: Day
    """Nominal due date, e.g. `2026-10-01`."""
    payment_day: Day
    """Due date rolled to a banking day, e.g. `2026-10-08`; interest runs to and from it."""
    provisional: bool = False
    """Whether a date of it lies beyond the published calendar and is still to be rolled."""
    grace_end_day: Day
    """Last day of grace: paid whole by then, no late interest is owed."""
    calendar_id: Label
    """Calendar of its banking days, e.g. `cn`."""
    invoice_due_day: Day | None = None
    """Latest due date that the invoices state; None when they state none."""
    registrations: Registrations
    """Registered invoices that it pays."""
    late_ppm_per_day: PpmPerDay
    """Late interest a day, in parts per million of unpaid principal, e.g. 500."""
    lpr_ppm: Ppm
    """One-year loan prime rate when it was drafted, e.g. 30000 for 3 %."""
    grace_banking_days: BankingDays
    """Banking days of grace after the payment date, e.g. 3."""
    transfer_cutoff_days: BankingDays
    """Banking days before the payment date at whose end transfers end, e.g. 3."""
    min_piece_minor: Minor
    """Smallest piece, in minor units, e.g. 1."""
    hops_max: Hops
    """How often a piece may be passed on."""
    pieces_max: Pieces
    """In how many pieces it may be."""
    no_assignment: bool = False
    """Whether the contract forbids assignment (Civil Code 545): a warning."""
    supplier_consent: bool = False
    """Whether the supplier consents to a due date later than the invoice's."""
    is_extended: bool = False
    """Whether the due date is later than the invoice's; counted for the supervisor."""
    warnings: Warnings = ()
    """Warnings not yet cleared."""
    cleared: Warnings = ()
    """Warnings that somebody has named and signed."""
    status: UndertakingStatus
    """Where it stands."""
    answer: ShortText = ""
    """What the other said who refused it; empty otherwise."""
    lapses_at_ms: AtMs
    """When a draft without an answer lapses."""
    opened_day: Day | None = None
    """Day on which it was opened; None before."""
    due_at_ms: AtMs
    """Payment date, 00:00."""
    transfer_cutoff_at_ms: AtMs
    """When transfers, splits and offers end."""
    payment_cutoff_at_ms: AtMs
    """When the shares of what is held are fixed, e.g. 17:00 of the payment date."""
    overdue_at_ms: AtMs
    """End of the payment date."""
    default_at_ms: AtMs
    """End of grace."""
    pieces_count: Annotated[Count, SeenBy()] = 0
    """Pieces that are not split further."""
    held_minor: Minor = 0
    """Cash held for it and not paid out yet, in minor units."""
    paid_minor: Minor = 0
    """Principal paid, in minor units."""
    late_paid_minor: Minor = 0
    """Late interest paid, in minor units."""
    late_owed_minor: Minor = 0
    """Late interest counted at the last payment and not paid, in minor units; within grace it is
    not demanded yet."""
    written_off_minor: Minor = 0
    """Principal that holders have given up, in minor units."""
    cut_off: bool = False
    """Whether the shares of what was held at the payment cut-off have been fixed."""
    cascades: Count = 0
    """How many payments have been shared out."""
    is_running: bool = False
    """Whether a payment is being shared out over several blocks."""
    tellings: Annotated[Count, SeenBy()] = 0
    """How many times a moved date is being told to holders at this moment, e.g. 1; while it is not
    0, pieces may still state the date before."""

    @property
    def left_minor(self) -> int:
        """Principal that is still owed."""
        return self.amount_minor - self.paid_minor - self.written_off_minor


@record(
    key=("debtor", "currency", "payment_day", "undertaking_id"),
    lists=(("debtor", "payment_day"),),
    seen_by=("debtor",),
)
class Payable(Record, tag="receivables.payable.1"):
    """An open undertaking in the debtor's book, by the day on which it is paid."""

    debtor: PartyId
    """Who owes, e.g. `D1`."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    payment_day: Day
    """Due date rolled to a banking day."""
    undertaking_id: UndertakingId
    """The undertaking."""
