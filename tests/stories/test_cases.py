"""Every case file of the repository comes out as it is written."""

import re
import shutil
from pathlib import Path

import pytest

from tallystick.ledger.receipt import Outcome
from tallystick.testing.cases import Told, find_cases, run_file
from tallystick.testing.cast import CAST
from tallystick.testing.imports import PUBLISHED, TWINS

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "examples", ROOT / "src" / "tallystick" / "apps")
CASES = find_cases([folder for folder in FOLDERS if folder.is_dir()])
NAMES = [str(case.relative_to(ROOT)) for case in CASES]
WORKED = (
    "1-split",
    "2-registry",
    "3-import",
    "4-discount",
    "5-pays-60-percent",
    "6-grace-and-late-interest",
    "7-recourse",
    "9-calendar-and-term",
)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_case(case: Path) -> None:
    told = run_file(case)
    assert told
    for step in told:
        assert not names_a_stranger(step), f"{case}:{step.line.number}: {step.sentence}"


def test_the_worked_cases_are_there() -> None:
    worked = [case.stem for case in CASES if case.parent == ROOT / "examples" / "worked"]
    assert worked == list(WORKED)


def test_twins_stand_in_for_the_published_invoices(tmp_path: Path) -> None:
    """The same case in a repository that has nothing beside it."""
    home = tmp_path / "checkout"
    case = home / "examples" / "worked" / "3-import.case"
    case.parent.mkdir(parents=True)
    shutil.copy(ROOT / "examples" / "worked" / "3-import.case", case)
    shutil.copytree(ROOT / TWINS, home / TWINS)
    (home / "pyproject.toml").touch()
    told = [step.sentence for step in run_file(case)]
    assert told[0] == (
        "10 files of twins of our own writing: the published invoices are absent"
    )


def test_it_says_which_invoices_it_ran_on(capsys: pytest.CaptureFixture[str]) -> None:
    case = ROOT / "examples" / "worked" / "3-import.case"
    told = run_file(case)[0].sentence
    with capsys.disabled():
        print(f"\nworked case 3: {told}")
    assert told.startswith("10 files of the published") is (ROOT.parent / PUBLISHED).is_dir()


def names_a_stranger(step: Told) -> bool:
    """Whether a refusal names a member that the transaction itself did not name."""
    if step.receipt is None or step.receipt.outcome is Outcome.ACCEPTED:
        return False
    said = set(re.findall(r"[A-Za-z0-9-]+", step.sentence))
    asked = set(re.findall(r"[A-Za-z0-9-]+", step.line.text))
    return bool((said & set(CAST)) - asked)
