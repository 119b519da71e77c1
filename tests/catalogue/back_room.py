"""Rules of the shop that are kept elsewhere."""

from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tests.catalogue import shop


def decide(ctx: Context) -> None:
    """Refuse by another module's code."""
    require(bool(ctx.party), shop.Refusal.UNKNOWN)
