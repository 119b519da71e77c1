"""`make new-app NAME=…` writes an application that passes every check at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.docs.pages import ROOT
from tools.new_app import APPS, BadName, plain_name, register, write

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.pyc", "build", "dist", "target")
GENERATED = {
    "docs/reference/apps/README.md",
    "docs/reference/apps/trade_credit.md",
    "docs/reference/api.md",
    "docs/reference/cli.md",
    "docs/reference/refusals.md",
}
"""Pages that `make docs` writes for the new application."""

LOOK = """
from tallystick.apps import APPS
from tallystick.catalogue import Catalogue
from tools.pairs import catalogue_pairs, listed_pairs, problems, raised_pairs
from pathlib import Path

found = Catalogue(APPS).app("trade_credit")
assert [message.command for message in found.messages] == ["store", "assign", "withdraw", "deliver"]
assert [query.command for query in found.queries] == ["held", "kept", "receipt"]
wanted, names = catalogue_pairs()
own = {pair for pair in wanted if pair[0].startswith("trade_credit.")}
raised = raised_pairs(Path("pairs"), names)
listed = listed_pairs(Path("src/tallystick/apps"))
listed = {pair: why for pair, why in listed.items() if pair[0].startswith("trade_credit.")}
wrong = [*problems(own, {pair for pair in raised if pair[0].startswith("trade_credit.")}, listed)]
assert own and not wrong, wrong
"""
"""Asks, inside the copy, for what is derived and for what the tests raised."""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree."""
    folder = tmp_path_factory.mktemp("new") / "before"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    run(folder, "-m", "tools.docs", "--root", ".")
    return folder


@pytest.fixture(scope="module")
def copy(before: Path) -> Path:
    """Another copy, with a new application in it."""
    folder = before.with_name("after")
    shutil.copytree(before, folder, ignore=LEFT_OUT)
    said = run(folder, "-m", "tools.new_app", "Trade-Credit", "--register", "--root", ".")
    assert 'added to src/tallystick/apps/__init__.py: "trade_credit",' in said
    return folder


def run(folder: Path, *words: str) -> str:
    """Run Python in the copy, with the copy's own source; what it printed."""
    outside = {
        name: value for name, value in os.environ.items() if not name.startswith(("PY", "COV"))
    }
    environment = outside | {"PYTHONPATH": os.pathsep.join([str(folder / "src"), str(folder)])}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]
    return done.stdout


def texts(folder: Path) -> dict[str, bytes]:
    """Every file of a tree that a clone would have."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not LEFT_OUT("", [*path.relative_to(folder).parts])
    }


def test_nothing_else_is_edited_but_one_line(before: Path, copy: Path) -> None:
    old, after = texts(before), texts(copy)
    own = f"{APPS.as_posix()}/trade_credit/"
    changed = {name for name, text in after.items() if old.get(name) != text}
    listed = f"{APPS.as_posix()}/__init__.py"
    assert {name for name in changed if not name.startswith(own)} - GENERATED == {listed}
    assert after[listed].replace(b'    "trade_credit",\n', b"") == old[listed]
    assert f"{own}tests/trade_credit.case" in after
    assert not any(b"warehouse" in text.lower() for name, text in after.items() if own in name)


def test_its_tests_pass_and_raise_every_refusal(copy: Path) -> None:
    tests = f"{APPS.as_posix()}/trade_credit/tests"
    run(
        copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pairs=pairs",
        "--cov=tallystick.apps.trade_credit", "--cov-report=json", "--cov-fail-under=0",
        "-m", "not stateful", tests,
    )  # fmt: skip
    run(copy, "-c", UNCOVERED)
    run(copy, "-c", LOOK)


UNCOVERED = """
import json
found = json.load(open("coverage.json"))["files"]
own = {name: told for name, told in found.items() if "/trade_credit/" in name}
assert len(own) >= 8, sorted(found)
bare = {n: t["missing_lines"] for n, t in own.items() if t["summary"]["percent_covered"] < 100}
assert not bare, bare
"""
"""Asks whether every line and branch of the new application was run."""


def test_it_has_the_style_of_the_house(copy: Path) -> None:
    folder = f"{APPS.as_posix()}/trade_credit"
    run(copy, "-m", "ruff", "format", "--check", folder)
    run(copy, "-m", "ruff", "check", folder, f"{APPS.as_posix()}/__init__.py")
    run(copy, "-m", "mypy", folder)
    run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/house", "-k", "trade_credit")


def test_commands_and_pages_are_derived(copy: Path) -> None:
    told = run(copy, "-m", "tallystick.cli", "trade_credit", "--help")
    assert "assign" in told
    told = run(copy, "-m", "tallystick.cli", "trade_credit", "assign", "--help")
    assert "--receipt" in told
    assert "NOT_HOLDER" in told
    page = (copy / "docs" / "reference" / "apps" / "trade_credit.md").read_text(encoding="utf-8")
    assert "tally trade_credit assign" in page
    readme = (copy / APPS / "trade_credit" / "README.md").read_text(encoding="utf-8")
    assert "| `Assign`: Pass a receipt to another holder. |" in readme
    told = run(copy, "-m", "tallystick.cli", "cases", f"{APPS.as_posix()}/trade_credit")
    assert "1 cases, 0 failed" in told


# --- names


@pytest.mark.parametrize("text", ("Trade-Credit", "trade_credit", "trade credit", "TradeCredit"))
def test_a_name_is_written_one_way(text: str) -> None:
    assert plain_name(text) == "trade_credit"


@pytest.mark.parametrize(
    "text",
    (
        "", "1st", "a", "-", "naïve", "../up", "a/b", "x" * 25, "class", "json", "ledger", "audit",
        "tests", "founding",
    ),
)  # fmt: skip
def test_no_other_name_will_do(text: str) -> None:
    with pytest.raises(BadName):
        plain_name(text)


def test_what_is_there_is_not_written_over() -> None:
    with pytest.raises(BadName, match="there already"):
        write(ROOT, "cash")
    with pytest.raises(BadName, match="by hand"):
        register(ROOT, "cash")


def test_commands_of_the_platform_are_no_names() -> None:
    """A group of `tally` named like a command would hide it."""
    from tallystick.apps import NAMES
    from tallystick.cli.main import root
    from tools.new_app import TAKEN

    commands = set(root.list_commands(click.Context(root)))
    assert commands >= set(NAMES)
    assert commands - set(NAMES) <= TAKEN
