"""Golden receipts of the examples: what this release answers is what was written down."""

from __future__ import annotations

from pathlib import Path

from tallystick.cli.golden import check_golden, play

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_examples_give_their_golden_receipts() -> None:
    """`make golden` writes them anew and shows what changed."""
    for golden in sorted(EXAMPLES.rglob("*.case.golden")):
        case = golden.with_name(golden.name.removesuffix(".golden"))
        check_golden(case, play(case))


def test_every_worked_case_has_golden_receipts() -> None:
    cases = {path.name for path in (EXAMPLES / "worked").glob("*.case")}
    kept = {path.stem for path in (EXAMPLES / "worked").glob("*.case.golden")}
    assert cases == kept


def test_a_case_gives_the_same_receipts_twice(tmp_path: Path) -> None:
    case = EXAMPLES / "worked" / "1-split.case"
    first, second = play(case), play(case)
    assert first.golden() == second.golden()
    assert first.transactions > 5
    assert len(first.golden().splitlines()[-1]) == len("state ") + 64
