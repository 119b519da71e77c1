"""Golden receipts beside a case file: what a release answered, so that a change is seen.

`split.case.golden` has a line for each transaction, in order, and the state root at the end::

    accepted receivables split ids=pc-…,pc-… changes=5f1c…
      refused receivables split receivables 27 piece_id=pc-…
    state 9b0d…

A fork's lines are indented by its depth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.ledger.receipt import Receipt
from tallystick.testing.cases import CaseProblem, CaseRun, Told, read_case


@dataclass(frozen=True)
class Played:
    """A case that came out as it is written."""

    told: Sequence[Told]
    """Its steps."""
    state_root: bytes
    """Root of the state at its end."""

    @property
    def transactions(self) -> int:
        """How many transactions were sent, those in forks included."""
        return sum(1 for each in self.told if each.receipt is not None)

    def golden(self) -> str:
        """Its golden receipts."""
        lines = [_line(each, each.receipt) for each in self.told if each.receipt is not None]
        return "".join(f"{line}\n" for line in [*lines, f"state {self.state_root.hex()}"])


def play(path: Path, tell: Callable[[Told], None] | None = None) -> Played:
    """Run a case file; CaseProblem names the line that does not come out."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CaseProblem(str(path), "is not UTF-8 text") from None
    except OSError as problem:
        raise CaseProblem(str(path), f"cannot be read: {problem.strerror}") from None
    run = CaseRun(read_case(str(path), text), tell)
    return Played(run.run(), run.world.chain.state.root())


def golden_path(case: Path) -> Path:
    """Where the golden receipts of a case lie."""
    return case.with_name(case.name + ".golden")


def write_golden(case: Path, played: Played) -> bool:
    """Write the golden receipts; False when they were the same already."""
    path, text = golden_path(case), played.golden()
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


def check_golden(case: Path, played: Played) -> None:
    """Raise CaseProblem at the first line that differs from the golden receipts."""
    path = golden_path(case)
    if not path.exists():
        raise CaseProblem(str(path), "there is none; `tally cases --golden` writes it")
    kept = path.read_text(encoding="utf-8").splitlines()
    now = played.golden().splitlines()
    for number in range(max(len(kept), len(now))):
        old = kept[number] if number < len(kept) else "nothing"
        new = now[number] if number < len(now) else "nothing"
        if old != new:
            raise CaseProblem(f"{path}:{number + 1}", f"was: {old.strip()}\n    is: {new.strip()}")


def _line(told: Told, receipt: Receipt) -> str:
    """One transaction."""
    parts = [receipt.outcome.value, *_what(told.line.words)]
    if receipt.app is not None:
        parts += [receipt.app, str(receipt.code)]
        parts += [f"{value.name}={value.value}" for value in receipt.values]
    if receipt.ids:
        parts.append("ids=" + ",".join(receipt.ids))
    if receipt.changes_hash is not None:
        parts.append("changes=" + receipt.changes_hash.hex())
    return "  " * told.depth + " ".join(parts)


def _what(words: Sequence[str]) -> tuple[str, ...]:
    """Application and message of a `tally [--as WHO] APP MESSAGE …` line."""
    first = 3 if words[1:2] == ("--as",) else 1
    return tuple(words[first : first + 2])
