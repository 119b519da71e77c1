"""The embedded engine does what every engine does, and a few things of its own."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from tests.engine.conformance import Bench, EngineConformance, Signer
from tests.till.desk import MINUTE_MS, OPENS_MS, Desk
from tests.till.messages import Fill


class TestEmbedded(EngineConformance):
    """The embedded engine."""

    def made(self, folder: Path) -> AbstractContextManager[Bench]:
        """Over a simulated disk."""
        return Desk()

    def signer(self, bench: Bench) -> Signer:
        """The desk."""
        assert isinstance(bench, Desk)
        return bench

    def pass_time(self, bench: Bench, ms: int) -> None:
        """Move the clock that it goes by."""
        assert isinstance(bench, Desk)
        bench.wind_clock(ms)


def test_strangers_are_answered_outside_the_chain() -> None:
    with Desk() as desk:
        raw = desk.signed(("A", Fill(currency="CNY", amount_minor=1)), keys=["B.clerk"])
        height = desk.engine.standing().height
        assert desk.offer(raw)[0].height is None
        assert desk.engine.standing().height == height


def test_ledger_time_is_the_clocks() -> None:
    with Desk() as desk:
        desk.wind_clock(MINUTE_MS)
        assert desk.engine.now_ms() == OPENS_MS + MINUTE_MS
        desk.wind_clock(-10 * MINUTE_MS)
        assert desk.engine.now_ms() >= OPENS_MS
