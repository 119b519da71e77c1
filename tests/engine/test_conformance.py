"""The embedded engine does what every engine does."""

from __future__ import annotations

from contextlib import AbstractContextManager

from tests.engine.conformance import Bench, EngineConformance
from tests.till.desk import Desk


class TestEmbedded(EngineConformance):
    """The embedded engine."""

    def made(self) -> AbstractContextManager[Bench]:
        """Over a simulated disk."""
        return Desk()
