"""What a run answered, as text to be kept: a later release that answers otherwise is seen.

    accepted receivables split ids=pc-…,pc-… changes=5f1c…
      refused receivables split receivables 27 piece_id=pc-…
    state 9b0d…

A line for each transaction, in order, a fork's lines indented by its depth; the state root last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tallystick.ledger.receipt import Receipt
from tallystick.testing.cases import CaseRun, Told


def golden_of(run: CaseRun) -> str:
    """The golden text of a case that was run."""
    lines = [
        "  " * told.depth + receipt_line(told.receipt, *asked(told))
        for told in run.told
        if told.receipt is not None
    ]
    return golden_text(lines, run.world.chain.state.root())


def golden_text(lines: Iterable[str], state_root: bytes) -> str:
    """Lines of receipts, and the state root."""
    return "".join(f"{line}\n" for line in [*lines, f"state {state_root.hex()}"])


def receipt_line(receipt: Receipt, *what: str) -> str:
    """Outcome, what was asked, code and values of a refusal, ids made, hash of the changes."""
    parts = [receipt.outcome.value, *what]
    if receipt.app is not None:
        parts += [receipt.app, str(receipt.code)]
        parts += [f"{value.name}={value.value}" for value in receipt.values]
    if receipt.ids:
        parts.append("ids=" + ",".join(receipt.ids))
    if receipt.changes_hash is not None:
        parts.append("changes=" + receipt.changes_hash.hex())
    return " ".join(parts)


def asked(told: Told) -> Sequence[str]:
    """Application and message of a `tally [--as WHO] APP MESSAGE …` line."""
    words = told.line.words
    first = 3 if words[1:2] == ("--as",) else 1
    return words[first : first + 2]
