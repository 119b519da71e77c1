"""Orders of authorities, as the tests need them."""

from tallystick.apps.cash.tests.network import CNY
from tallystick.apps.members.interface import Scope
from tallystick.apps.members.messages import Freeze, Suspend
from tallystick.testing.world import World

COMPLIANCE = "supervisor.compliance"


def freeze(world: World, party: str, *, hours: int = 1_000) -> None:
    """Freeze a party's account of central bank money for a time."""
    world.accepts(
        COMPLIANCE,
        Freeze(
            scope=Scope.CASH_ACCOUNT,
            subject=f"{CNY}/{party}",
            member=party,
            order_id="SPC 2026/118",
            expires_at_ms=world.ledger_ms + hours * 3_600_000,
            reason="court ruling",
        ),
    )


def suspend(world: World, party: str) -> None:
    """Suspend a member."""
    world.accepts(
        COMPLIANCE,
        Suspend(
            member=party,
            order_id="CBIRC 2026/41",
            expires_at_ms=world.ledger_ms + 1_000 * 3_600_000,
            reason="books not filed",
        ),
    )
