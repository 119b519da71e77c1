"""The filler of quotes itself: what it finds, and that it never guesses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.docs_apps import filled
from tools.docs_quotes import BadQuote, quoted

CODE = '''
LIMIT = 3


@mark
def first() -> int:
    """One."""
    return 1


class Second:
    """Two."""
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with one file of code."""
    (tmp_path / "code.py").write_text(CODE, encoding="utf-8")
    vectors = tmp_path / "tests" / "vectors"
    vectors.mkdir(parents=True)
    (vectors / "formats.json").write_text('{"a": [{"b": "00ff"}], "name": "golden-1"}')
    return tmp_path


def shown(root: Path, mark: str) -> str:
    """What stands in the block after a mark."""
    page = quoted(root, f"before\n\n<!-- {mark} -->\n```text\nold\n```\n\nafter\n")
    assert page.startswith("before\n\n<!-- ")
    assert page.endswith("\n```\n\nafter\n")
    return page.split("```text\n")[1].split("\n```")[0]


def test_functions_come_with_their_decorators(root: Path) -> None:
    assert shown(root, "from: code.py#first").splitlines()[:2] == ["@mark", "def first() -> int:"]
    both = shown(root, "from: code.py#LIMIT, Second").splitlines()
    assert both == ["LIMIT = 3", "", "", "class Second:", '    """Two."""']


def test_a_range_is_from_text_to_text(root: Path) -> None:
    assert shown(root, "from: code.py#@mark..return").splitlines()[-1] == "    return 1"
    assert shown(root, "from: code.py") == CODE.rstrip("\n")


def test_vectors_are_dumped(root: Path) -> None:
    assert shown(root, "vector: a.0.b") == "00000000  00 ff"
    assert shown(root, "vector: name") == "golden-1"


@pytest.mark.parametrize(
    "mark",
    (
        "from: none.py",
        "from: code.py#third",
        "from: code.py#first..nowhere",
        "from: code.py#nowhere..first",
        "vector: b",
        "vector: a.7.b",
        "vector: a",
    ),
)
def test_what_is_not_there_is_said(root: Path, mark: str) -> None:
    with pytest.raises(BadQuote):
        shown(root, mark)


def test_tables_are_filled_and_others_left() -> None:
    page = (
        "x\n<!-- generated: messages -->\nold\n<!-- end -->\n<!-- generated: y -->\n<!-- end -->\n"
    )
    made = filled(page, {"messages": ["| a |", ""]})
    assert made == page.replace("old", "| a |")
