"""Names of the applications, without importing them: `tally --help` must be quick."""

from __future__ import annotations

import ast
from pathlib import Path

import tallystick


def glance() -> dict[str, str]:
    """Name and first line of every application, read from the source of `tallystick.apps`."""
    folder = Path(str(tallystick.__file__)).parent / "apps"
    return {name: _first_line(folder / name / "__init__.py") for name in _names(folder)}


def _names(folder: Path) -> tuple[str, ...]:
    """What `NAMES = (…)` lists, in order."""
    for node in _parsed(folder / "__init__.py").body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NAMES":
            return tuple(ast.literal_eval(node.value))
    return ()


def _first_line(path: Path) -> str:
    """First line of a package's docstring."""
    return (ast.get_docstring(_parsed(path)) or path.parent.name).splitlines()[0]


def _parsed(path: Path) -> ast.Module:
    """The syntax of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))
