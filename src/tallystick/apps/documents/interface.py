"""The least that other applications may do with registrations.

A registration carries one record of another application, its `subject`: an undertaking, a deal, a
pass. Only who names that subject may change it, and the debtor's payment never frees it.
"""

from tallystick.apps.documents import registry
from tallystick.apps.documents.records import (
    WATCHERS_MAX,
    Purpose,
    Reason,
    Registration,
    RegistrationStatus,
)
from tallystick.apps.documents.refusals import Refusal
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import ensure, require
from tallystick.ledger.view import Reader
from tallystick.values.codec import replace

__all__ = [
    "WATCHERS_MAX",
    "Purpose",
    "Reason",
    "Registration",
    "RegistrationStatus",
    "attach",
    "cancel",
    "mark_financed",
    "mark_paid",
    "registration",
    "require_same_fingerprint",
    "require_usable",
    "told_of_disputes",
    "watch",
]


def registration(reader: Reader, registration_id: str) -> Registration:
    """A registration; NO_SUCH_REGISTRATION if there is none that may be read."""
    return reader.get(Registration, registration_id)


def require_usable(
    ctx: Context, registration_id: str, *, member: str, purpose: Purpose, currency: str
) -> Registration:
    """The registration, if a record may be built on it: it is the member's, alive and unused."""
    found = ctx.get(Registration, registration_id)
    told = {"registration_id": registration_id}
    require(found.owner == member, Refusal.NOT_OWNER, id=registration_id)
    require(found.status is not RegistrationStatus.PNDG, Refusal.STILL_PENDING, **told)
    require(found.status is not RegistrationStatus.CANC, Refusal.CANCELLED, **told)
    require(found.status is not RegistrationStatus.FNCD, Refusal.ALREADY_FINANCED, **told)
    require(found.subject is None, Refusal.IN_USE, **told)
    require(found.purpose is purpose, Refusal.OTHER_PURPOSE, **told)
    require(found.currency == currency, Refusal.OTHER_CURRENCY, currency=currency)
    require(found.disputed_minor == 0, Refusal.DISPUTED, **told)
    return found


def require_same_fingerprint(
    ctx: Context, registration_id: str, *, strict: bytes, relaxed: bytes
) -> None:
    """Refuse unless the signer computed the fingerprint that was registered."""
    found = ctx.get(Registration, registration_id)
    require(
        found.strict == strict and found.relaxed == relaxed,
        Refusal.OTHER_FINGERPRINT,
        id=registration_id,
    )


def attach(ctx: Context, registration_id: str, *, subject: str) -> None:
    """Let a record stand on a registration that `require_usable` let through.

    Its owner must act in this transaction.
    """
    found = ctx.get(Registration, registration_id)
    require(found.owner in ctx.acting, Refusal.NOT_OWNER, id=registration_id)
    require(found.subject is None, Refusal.IN_USE, registration_id=registration_id)
    ensure(found.status is RegistrationStatus.REGU, "only a live registration carries a record")
    ctx.save(replace(found, subject=subject))


def mark_financed(ctx: Context, registration_id: str, *, subject: str, financier: str) -> None:
    """What stands on the registration is financed (REGU → FNCD); again: one financier more."""
    registry.finance(ctx, _carrying(ctx, registration_id, subject), financier)


def mark_paid(ctx: Context, registration_id: str, *, subject: str) -> None:
    """The debtor paid what stands on the registration: it frees nothing.

    Credit notes that come later dispute unpaid registrations before it.
    """
    ctx.save(replace(_carrying(ctx, registration_id, subject), is_paid=True))


def cancel(ctx: Context, registration_id: str, *, subject: str, reason: Reason) -> None:
    """Free the amount of a registration for good.

    The record that stood on it was rejected, lapsed or was cancelled before opening, or the
    supplier repaid and the claim lives (OBSA).
    """
    registry.free(ctx, _carrying(ctx, registration_id, subject), reason)


def watch(ctx: Context, registration_id: str, party: str) -> None:
    """Have a party that relies on a registration told when it is disputed.

    Once is enough; beyond `WATCHERS_MAX` parties of one registration, further ones are not noted.
    """
    registry.watch(ctx, registration_id, party)


def told_of_disputes(reader: Reader, registration_id: str) -> tuple[str, ...]:
    """Who is told when a registration is disputed: its owner, its financiers, its watchers."""
    return registry.told_of(reader, registration(reader, registration_id))


def _carrying(ctx: Context, registration_id: str, subject: str) -> Registration:
    """The registration, which must carry that record."""
    found = ctx.get(Registration, registration_id)
    ensure(found.subject == subject, "the registration carries another record")
    return found
