"""Refusals are public and permanent: one number each, raised by a rule, seen in a test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tallystick.ledger.refusal import RefusalCode
from tests.house.tree import (
    APPS,
    SRC,
    app,
    app_files,
    app_names,
    at,
    loaded,
    name_of,
    python_files,
    text,
    tree,
)

OWNERS = (*app_names(), "ledger")


def codes(owner: str) -> type[RefusalCode]:
    """The enum of refusals of an application, or of the ledger."""
    if owner == "ledger":
        return cast("type[RefusalCode]", loaded("tallystick.ledger.refusals").Refusal)
    return app(owner).refusals


def home(owner: str) -> Path:
    """Folder of an application, or of the ledger."""
    return SRC / "ledger" if owner == "ledger" else APPS / owner


def named(paths: Iterator[Path]) -> set[str]:
    """Names that stand after `Refusal.` in some files."""
    return {
        node.attr
        for path in paths
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id.endswith("Refusal")
    }


@pytest.mark.parametrize("owner", OWNERS)
def test_numbers_are_given_once(owner: str) -> None:
    """A number means one thing for ever; two names for it would be one name too many."""
    members = codes(owner).__members__
    numbers = [code.number for code in members.values()]
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) >= 1


@pytest.mark.parametrize("owner", OWNERS)
def test_every_refusal_is_raised(owner: str) -> None:
    """A refusal that no rule raises promises what nobody keeps, unless its text says `Retired`."""
    parts = "src" if owner == "ledger" else name_of(home(owner))  # the gateway refuses for it too
    source = (
        path
        for path in python_files(parts)
        if "tests" not in path.parts and path.stem != "refusals"
    )
    raised = named(source)
    silent = [each for each in codes(owner).__members__ if each not in raised]
    assert [each for each in silent if each not in retired(owner)] == []


def retired(owner: str) -> set[str]:
    """Refusals whose text begins with `Retired`: they keep their number and are raised no more."""
    return set(
        re.findall(r"^    (\w+) = .*\n    \"\"\"Retired", refusals_text(owner), re.MULTILINE)
    )


def refusals_text(owner: str) -> str:
    """Source of `refusals.py`."""
    return text(home(owner) / "refusals.py")


@pytest.mark.parametrize("owner", OWNERS)
def test_every_refusal_is_seen_in_a_test(owner: str) -> None:
    """By name in Python, or as `! app NUMBER NAME` in a case file, the application's or another."""
    folders = [home(owner) / "tests", SRC.parents[1] / "tests", SRC.parents[1] / "examples", APPS]
    seen = {
        word
        for folder in folders
        for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.case")])
        if "house" not in path.parts and ("tests" in path.parts or "examples" in path.parts)
        for word in re.findall(r"[A-Z][A-Z0-9_]+", text(path))
    }
    unseen = [each for each in codes(owner).__members__ if each not in seen]
    assert [each for each in unseen if each not in retired(owner)] == []


@pytest.mark.parametrize("owner", OWNERS)
def test_every_refusal_says_when(owner: str) -> None:
    """A text under each, as under a field: the reference page and the console show it."""
    path = home(owner) / "refusals.py"
    bare = [
        at(path, node)
        for cls in tree(path).body
        if isinstance(cls, ast.ClassDef)
        for node, after in zip(cls.body, [*cls.body[1:], None], strict=True)
        if isinstance(node, ast.Assign)
        and not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
    ]
    assert bare == []


@pytest.mark.parametrize("name", app_names())
def test_rules_refuse_with_a_code(name: str) -> None:
    """Only `require` and `need` refuse, with values by name; a rule raises nothing itself."""
    files = app_files(name, "contract", "interface")
    bare = [at(path, n) for path in files for n in ast.walk(tree(path)) if isinstance(n, ast.Raise)]
    assert bare == []
