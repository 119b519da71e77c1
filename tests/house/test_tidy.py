"""What does not belong in the tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import (
    ROOT,
    at,
    functions,
    imports,
    is_test,
    last_name,
    module_of,
    name_of,
    python_files,
    source_files,
    suite_files,
    text,
    tree,
)

CATCHES_ALL = {"src/tallystick/ledger/execute.py"}
"""An unexpected exception inside a rule is caught in one place: it becomes a FAULT receipt."""

# Written with [..] so that they do not find themselves.
MARKS = re.compile(r"\b(?:T[O]DO|F[I]XME|H[A]CK)\b|#.*\bX[X]X\b")
PRETENCES = re.compile(r"pragma: n[o] cover|N[o]tImplementedError")
HOSTS = re.compile(
    r"(?<![\w.])/(?:r[o]ot|h[o]me|U[s]ers|w[o]rk|t[m]p/ts)/"
    r"|p[y]pi\.org|python[h]osted\.|registry\.n[p]mjs|crates\.[i]o/api"
)

TEXT_SUFFIXES = {".py", ".toml", ".md", ".lock", ".sh", ".case", ".json", ".txt", ".xml", ".html"}
TEXT_NAMES = {"Makefile", "run", ".gitignore"}


def text_files() -> list[Path]:
    """Every text file that a clone would have."""
    return [
        path
        for path in sorted(ROOT.rglob("*"))
        if path.is_file()
        and (path.suffix in TEXT_SUFFIXES or path.name in TEXT_NAMES)
        and not any(
            part.startswith(".") and part not in {".ci", ".gitignore"}
            for part in path.relative_to(ROOT).parts
        )
    ]


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_no_assert(path: Path) -> None:
    """`assert` vanishes under -O and has no code: rules use `require`, our own bugs `ensure`."""
    assert [at(path, n) for n in ast.walk(tree(path)) if isinstance(n, ast.Assert)] == []


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_catch_all_in_one_place(path: Path) -> None:
    """Who catches everything hides our bugs; only `execute.py` may, and turns them into FAULT.

    Tidying up and letting it through (`raise` at the end) hides nothing.
    """
    broad = [
        at(path, node)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or _names(node.type) & {"Exception", "BaseException"})
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
    ]
    assert broad == [] or name_of(path) in CATCHES_ALL


def _names(node: ast.expr) -> set[str]:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {last_name(part) for part in parts}


@pytest.mark.parametrize("path", python_files(), ids=name_of)
def test_no_marks_of_unfinished_work(path: Path) -> None:
    """What is left to do is an issue, not a comment that ages."""
    assert MARKS.findall(text(path)) == []


@pytest.mark.parametrize("path", python_files(), ids=name_of)
def test_nothing_pretends(path: Path) -> None:
    """No way around the coverage gate, and no face without a body."""
    assert PRETENCES.findall(text(path)) == []


def test_no_machine_path_or_host() -> None:
    """The tree names no machine of ours and no registry: a clone works anywhere."""
    found = [
        f"{name_of(path)}:{number} {match.group()}"
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (match := HOSTS.search(line))
    ]
    assert found == []


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_modules_are_named_by_the_flow(path: Path) -> None:
    """A name of which one must be told what it holds says nothing."""
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "core", "misc", "lib"}


def test_no_dead_file() -> None:
    """Every module is imported by another file, or is an entry point."""
    used = {name for path in python_files("src", "tests", "tools") for name in _used_by(path)}
    dead = [
        name_of(path)
        for path in source_files()
        if not path.stem.startswith("__") and module_of(path) not in used
    ]
    assert [name for name in dead if name != "src/tallystick/cli/main.py"] == []


def _used_by(path: Path) -> Iterator[str]:
    """Modules a file imports: `a.b.c` may be module `a.b.c`, or a name in module `a.b`."""
    for _, name in imports(path):
        yield name
        yield name.rpartition(".")[0]
    yield from _named_by(path)


def _named_by(path: Path) -> Iterator[str]:
    """Modules that are loaded when they are needed: `"a.b:name"`, `f"{HERE}.b:name"`."""
    constants = {
        node.targets[0].id: node.value.value
        for node in tree(path).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    for node in ast.walk(tree(path)):
        match node:
            case ast.JoinedStr(
                values=[ast.FormattedValue(value=ast.Name(id=name)), ast.Constant(value=str(rest))]
            ):
                yield f"{constants.get(name, '')}{rest}".partition(":")[0]
            case ast.Constant(value=str(text)) if text.startswith("tallystick."):
                yield text.partition(":")[0]


@pytest.mark.parametrize("path", suite_files(), ids=name_of)
def test_every_test_is_collected(path: Path) -> None:
    """A test in a file of another name, or a class that pytest does not see, never runs."""
    has_tests = any(node.name.startswith("test_") for node in functions(path))
    if has_tests and not path.name.startswith("test_"):
        assert _is_run_by_another(path), "a suite that no test file runs"
    hidden = [
        at(path, inner)
        for node in tree(path).body
        if isinstance(node, ast.ClassDef) and path.name.startswith("test_")
        if not node.name.startswith("Test")
        for inner in node.body
        if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test_")
    ]
    assert hidden == []


def _is_run_by_another(path: Path) -> bool:
    """Whether a conformance suite is imported by a file that pytest collects."""
    return any(
        name.startswith(module_of(path))
        for other in suite_files()
        if other.name.startswith("test_")
        for _, name in imports(other)
    )


@pytest.mark.parametrize("path", suite_files(), ids=name_of)
def test_no_test_is_named_twice(path: Path) -> None:
    """The second function of a name replaces the first, which then never runs."""
    inner = [node.body for node in tree(path).body if isinstance(node, ast.ClassDef)]
    for body in [tree(path).body, *inner]:
        names = [node.name for node in body if isinstance(node, ast.FunctionDef)]
        assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", suite_files(), ids=name_of)
def test_no_test_is_skipped_or_patched(path: Path) -> None:
    """Tests use the seams, so nothing is patched; and what cannot run here is not a test."""
    banned = {"skip", "skipif", "xfail", "importorskip", "skipTest"}
    found = [
        f"{at(path, node)} {node.attr}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and (
            (node.attr in banned and last_name(node.value) in {"pytest", "mark"})
            or (node.attr == "setattr" and last_name(node.value) == "monkeypatch")
        )
    ]
    found += [
        f"{at(path, node)} {name}" for node, name in imports(path) if name.startswith("unittest")
    ]
    assert found == []


def test_make_help_names_every_target() -> None:
    """`make` alone says what there is; targets are three letters to a few words, all phony."""
    makefile = text(ROOT / "Makefile")
    told = set(re.findall(r"^([a-z-]+):.*## (?:use|work|prove): ", makefile, re.MULTILINE))
    phony = set(next(re.finditer(r"^\.PHONY: (.*)$", makefile, re.MULTILINE))[1].split())
    parts = {"check-types", "check-house", "test-beside", "test-fast", "test-stateful"}
    assert phony - told == {"help", "test-consortium"} | parts


def test_only_source_is_in_the_package() -> None:
    """A folder of the package without `__init__.py` is forgotten by the build and the linters."""
    without = {
        name_of(path.parent)
        for path in source_files()
        if not (path.parent / "__init__.py").exists() and not is_test(path)
    }
    assert without == set()
