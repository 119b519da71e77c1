"""Size is a limit, so that every function and file can be read in one go."""

import ast
from pathlib import Path

import pytest

from tests.house.tree import at, functions, is_test, name_of, python_files, text

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
COLUMNS_MAX = 100
PARAMETERS_MAX = 5


@pytest.mark.parametrize("path", python_files(), ids=name_of)
def test_functions_fit_a_screen(path: Path) -> None:
    """A rule that does not fit 70 lines is two rules. Decorators are not counted."""
    long = [
        f"{at(path, node)} {node.name}: {lines} lines"
        for node in functions(path)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert long == []


@pytest.mark.parametrize("path", python_files(), ids=name_of)
def test_files_stay_small(path: Path) -> None:
    """A file of 500 lines still has one subject; CONTRIBUTING says when it is split."""
    assert len(text(path).splitlines()) <= FILE_LINES_MAX


@pytest.mark.parametrize("path", python_files(), ids=name_of)
def test_lines_fit_100_columns(path: Path) -> None:
    """Two files fit side by side. The formatter holds it for code; this holds it for text too."""
    wide = [
        number
        for number, line in enumerate(text(path).splitlines(), start=1)
        if len(line) > COLUMNS_MAX
    ]
    assert wide == []


@pytest.mark.parametrize("path", [p for p in python_files() if not is_test(p)], ids=name_of)
def test_functions_ask_for_little(path: Path) -> None:
    """At most five things must be given or stand by position; options have names and defaults."""
    greedy = [
        f"{at(path, node)} {node.name}: {count}"
        for node in functions(path)
        if (count := asked_for(node.args)) > PARAMETERS_MAX
    ]
    assert greedy == []


def asked_for(arguments: ast.arguments) -> int:
    """Parameters but `self`, and but keywords that have a default."""
    positional = [*arguments.posonlyargs, *arguments.args]
    own = positional[:1] and positional[0].arg in {"self", "cls", "mcls"}
    required = [default for default in arguments.kw_defaults if default is None]
    return len(positional) - bool(own) + len(required)
