"""From which height on blocks are kept, by the engine and in our own log.

Blocks go only when nobody can need them: not while a double signature in them could still be
reported, not above the oldest snapshot kept (who begins at it needs all that follow), not before
their light blocks are archived, and never more than the operator wants. An archive node keeps all.
Pruning never touches what is executed: state and roots do not know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from tallystick.engine.chain import Chain
from tallystick.ledger.system import CONSENSUS, Consensus
from tallystick.values.codec import encode_key

EVERY = 100
"""Blocks between two looks at what may go."""

_CONSENSUS_KEY = encode_key(Consensus.spec.name, CONSENSUS)


@dataclass(frozen=True, slots=True)
class Kept:
    """What else of this node decides which blocks are needed."""

    retain_blocks: int
    """Blocks that the operator wants kept at least; 0 keeps all: an archive."""
    snapshots: Callable[[], Sequence[int]] | None = None
    """Heights of the snapshots kept; None when this node takes none."""
    archived: Callable[[], int] | None = None
    """Height below which all light blocks are archived; None when none are."""


class Retention:
    """Answers the engine's question after each block, on the thread that executes."""

    def __init__(self, chain: Chain, kept: Kept, *, every: int = EVERY) -> None:
        """Keep everything until the first look."""
        self._chain = chain
        self._kept = kept
        self._every = every
        self._retain = 0
        self._aged = 0

    def __call__(self, height: int) -> int:
        """The first height that must be kept after a block; 0 for all."""
        if self._kept.retain_blocks and height % self._every == 0:
            self._retain = max(self._retain, self._look(height))
        return self._retain

    def after_commit(self, height: int) -> None:
        """Prune our own log, as far as whole files go."""
        if height % self._every == 0 and self._retain > self._chain.first_height:
            self._chain.prune(self._retain)

    def _look(self, height: int) -> int:
        """The least of all that must be kept."""
        kept = self._kept
        floors = [height - kept.retain_blocks + 1, self._reportable(height)]
        if kept.snapshots is not None:
            floors.append(min(kept.snapshots(), default=0))
        if kept.archived is not None:
            floors.append(kept.archived())
        return max(0, min(floors))

    def _reportable(self, height: int) -> int:
        """The first block whose validators may still be reported for signing twice."""
        found = self._chain.state.load(Consensus.spec.name, _CONSENSUS_KEY)
        if found is None:
            return height
        record = cast(Consensus, found)
        young_ms = self._chain.state.tip.time_ms - record.evidence_ms
        low, high = max(self._aged, self._chain.first_height), height
        while low < high:  # times never go back
            middle = (low + high) // 2
            if self._chain.entry(middle).header.time_ms < young_ms:
                low = middle + 1
            else:
                high = middle
        self._aged = low
        return min(low, height - record.evidence_blocks + 1)
