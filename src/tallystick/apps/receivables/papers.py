"""The registered invoices that an undertaking or a transfer stands on."""

from collections.abc import Sequence

from tallystick.apps.documents.interface import (
    Purpose,
    Reason,
    RegistrationStatus,
    attach,
    cancel,
    mark_financed,
    mark_paid,
    registration,
    require_same_fingerprint,
    require_usable,
    watch,
)
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import Fingerprint
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require

__all__ = ["Purpose", "Reason"]


def require_distinct(ids: Sequence[str]) -> None:
    """Refuse papers named twice."""
    require(len(set(ids)) == len(ids), Refusal.REGISTRATION_TWICE)


def require_papers(
    ctx: Context, ids: Sequence[str], *, member: str, purpose: Purpose, currency: str
) -> int:
    """Refuse papers that cannot be used; what they cover together, in minor units."""
    covered = 0
    for registration_id in ids:
        paper = require_usable(
            ctx, registration_id, member=member, purpose=purpose, currency=currency
        )
        covered += paper.amount_minor
    return covered


def still_covered(ctx: Context, ids: Sequence[str]) -> int:
    """What papers that were put under a draft cover by now, less what is disputed of them."""
    papers = [registration(ctx, registration_id) for registration_id in ids]
    return sum(paper.amount_minor - paper.disputed_minor for paper in papers)


def require_fingerprints(
    ctx: Context, ids: Sequence[str], fingerprints: Sequence[Fingerprint]
) -> None:
    """Refuse unless the signer read the same invoices that were registered."""
    require(len(ids) == len(fingerprints), Refusal.FINGERPRINTS_MISSING, needed=len(ids))
    for registration_id, read in zip(ids, fingerprints, strict=True):
        require_same_fingerprint(ctx, registration_id, strict=read.strict, relaxed=read.relaxed)


def put_under(ctx: Context, ids: Sequence[str], subject: str) -> None:
    """Let a record stand on papers; their owner acts."""
    for registration_id in ids:
        attach(ctx, registration_id, subject=subject)


def set_free(ctx: Context, ids: Sequence[str], subject: str, reason: Reason) -> None:
    """Cancel the papers that a record stood on, where it did."""
    for registration_id in ids:
        if registration(ctx, registration_id).subject == subject:
            cancel(ctx, registration_id, subject=subject, reason=reason)


def note_financed(ctx: Context, ids: Sequence[str], subject: str, financier: str) -> None:
    """Mark the papers of a record as financed."""
    for registration_id in ids:
        mark_financed(ctx, registration_id, subject=subject, financier=financier)


def rely_on(ctx: Context, ids: Sequence[str], holder: str) -> None:
    """Have a new holder told when an invoice behind its claim is disputed.

    Who gets a piece back, by return, buy-back or recourse, has held it before and is still told.
    """
    for registration_id in ids:
        watch(ctx, registration_id, holder)


def note_paid(ctx: Context, ids: Sequence[str], subject: str) -> None:
    """Mark the papers of a record as paid by the debtor, unless recourse freed them before."""
    for registration_id in ids:
        if registration(ctx, registration_id).status is not RegistrationStatus.CANC:
            mark_paid(ctx, registration_id, subject=subject)
