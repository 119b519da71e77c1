"""Telling parties what happened."""

from tallystick.apps.receivables.records import Alert
from tallystick.apps.receivables.terms import AlertKind
from tallystick.ledger.context import Context


def tell(
    ctx: Context, kind: AlertKind, *, to: str | None, subject: str, day: str | None = None
) -> None:
    """Leave an alert for a party; None: for supervisors alone."""
    ctx.add(
        Alert(
            alert_id=ctx.new_id("alert"),
            kind=kind,
            to=to,
            subject=subject,
            at_ms=ctx.now_ms,
            day=day,
        )
    )
