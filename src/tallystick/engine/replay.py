"""Another engine's blocks again, through the path that the embedded engine takes.

The same blocks give the same receipts and roots whichever engine ordered them; this is how that is
checked on the blocks of a real network.
"""

from __future__ import annotations

from collections.abc import Iterable

from tallystick.engine.chain import Chain
from tallystick.errors import Halted
from tallystick.ledger.block import Entry


def replay(entries: Iterable[Entry], chain: Chain) -> int:
    """Execute and commit blocks on a chain at its genesis; how many there were.

    `Halted` names the first block whose receipts, changes or roots come out differently. The names
    of blocks may differ: each engine has its own.
    """
    count = 0
    for entry in entries:
        height = entry.header.height
        transactions = [chain.ledger.codec.decode(raw) for raw in entry.transactions]
        candidate = chain.ledger.execute(chain.state, entry.header.time_ms, transactions)
        chain.commit(candidate)
        made = chain.entry(height)
        for what in ("receipts", "changes", "own_changes", "receipts_root", "state_root"):
            if getattr(made, what) != getattr(entry, what):
                raise Halted(height, f"replayed through the embedded engine, its {what} differ")
        count += 1
    return count
