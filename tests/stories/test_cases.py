"""Every case file of the repository comes out as it is written."""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from tallystick.ledger.receipt import Outcome
from tallystick.testing.cases import Step, Told, find_cases, read_case, run_file
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
    asked = dict(said(read_case(str(case), case.read_text(encoding="utf-8")).steps))
    for step in told:
        strangers = named_strangers(step, asked)
        assert not strangers, f"{case}:{step.line.number} names {strangers}: {step.sentence}"


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
    assert told[0] == "10 files of twins of our own writing: the published invoices are absent"


def test_it_says_which_invoices_it_ran_on(capsys: pytest.CaptureFixture[str]) -> None:
    case = ROOT / "examples" / "worked" / "3-import.case"
    told = run_file(case)[0].sentence
    with capsys.disabled():
        print(f"\nworked case 3: {told}")
    assert told.startswith("10 files of the published") is (ROOT.parent / PUBLISHED).is_dir()


def said(steps: Iterable[Step]) -> Iterator[tuple[int, str]]:
    """Line number and words of every step, all calls of a transaction together."""
    for step in steps:
        yield step.line.number, " ".join([step.line.text, *(line.text for line in step.more)])
        yield from said(step.inside)


def named_strangers(step: Told, asked: Mapping[int, str]) -> set[str]:
    """Members that a refusal names and the transaction itself did not."""
    if step.receipt is None or step.receipt.outcome is Outcome.ACCEPTED:
        return set()
    return (words(step.sentence) & set(CAST)) - words(asked[step.line.number])


def words(text: str) -> set[str]:
    """Everything in a text that may be the id of a member; the issuer of a money is none."""
    return set(re.findall(r"(?<![@A-Za-z0-9-])[A-Za-z0-9-]+", text))
