"""Golden receipts beside a case file: what a release answered, so that a change is seen.

`split.case.golden` holds the text of `tallystick.testing.golden`: a line for each transaction, in
order, and the state root at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tallystick.testing.case_file import CaseProblem, read_file
from tallystick.testing.cases import CaseRun, Told
from tallystick.testing.golden import golden_of


@dataclass(frozen=True)
class Played:
    """A case that came out as it is written."""

    run: CaseRun
    """Its run."""

    @property
    def transactions(self) -> int:
        """How many transactions were sent, those in forks included."""
        return sum(1 for each in self.run.told if each.receipt is not None)

    def golden(self) -> str:
        """Its golden receipts."""
        return golden_of(self.run)


def play(path: Path, tell: Callable[[Told], None] | None = None) -> Played:
    """Run a case file; CaseProblem names the line that does not come out."""
    run = CaseRun(read_file(path), tell)
    run.run()
    return Played(run)


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
