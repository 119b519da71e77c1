"""The source tree as the house tests see it: files, layers, applications, syntax trees."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from tallystick.ledger.app import App

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "tallystick"
APPS = SRC / "apps"

PURE_LAYERS = ("values", "ledger", "apps")
"""Layers whose result may depend on nothing but their arguments."""


def name_of(path: Path) -> str:
    """Path of a file as the tests print it, from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def is_test(path: Path) -> bool:
    """Whether a file belongs to a test suite, an application's own included."""
    return "tests" in path.relative_to(ROOT).parts


@cache
def python_files(*parts: str) -> tuple[Path, ...]:
    """All Python files below some folders of the repository, in order; without one, all."""
    tops = [ROOT / part for part in parts] or [ROOT]
    found = [path for top in tops for path in ([top] if top.is_file() else top.rglob("*.py"))]
    return tuple(sorted(path for path in found if not _is_left_out(path)))


def _is_left_out(path: Path) -> bool:
    relative = path.relative_to(ROOT)
    hidden = any(part.startswith(".") for part in relative.parts)
    is_generated = relative.name.endswith("_pb2.py")
    return hidden or is_generated or relative.is_relative_to("tools/templates")


@cache
def source_files() -> tuple[Path, ...]:
    """The package without the applications' tests."""
    return tuple(path for path in python_files("src") if not is_test(path))


@cache
def pure_files() -> tuple[Path, ...]:
    """Files of `values`, `ledger` and `apps`, without tests."""
    return tuple(path for path in source_files() if layer_of(path) in PURE_LAYERS)


@cache
def suite_files() -> tuple[Path, ...]:
    """All Python files of all test suites."""
    return tuple(path for path in python_files("src", "tests", "native") if is_test(path))


def layer_of(path: Path) -> str:
    """First folder or module below the package: `ledger`, `errors`, `__init__`."""
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def module_of(path: Path) -> str:
    """Dotted name under which a file is imported."""
    base = ROOT / "src" if path.is_relative_to(ROOT / "src") else ROOT
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def text(path: Path) -> str:
    """Content of a file."""
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """Syntax tree of a file."""
    return ast.parse(text(path), filename=name_of(path))


def at(path: Path, node: ast.AST) -> str:
    """`src/tallystick/ledger/app.py:12`, to be found by an editor."""
    return f"{name_of(path)}:{getattr(node, 'lineno', 1)}"


def imports(path: Path) -> Iterator[tuple[ast.AST, str]]:
    """Every import of a file with the full dotted name; `from a import b` gives `a.b`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            yield from ((node, f"{base}.{alias.name}") for alias in node.names)


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module_of(path).split(".")
    up = node.level - (path.name == "__init__.py")
    return ".".join([*package[: len(package) - up], *([node.module] if node.module else [])])


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, methods and inner ones included."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def classes(path: Path) -> Iterator[ast.ClassDef]:
    """Every class of a file."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef))


def last_name(node: ast.expr) -> str:
    """`x` of `x`, `a.x`, `x(…)` and `a.x[…]`; empty for anything else."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def app_names() -> tuple[str, ...]:
    """Names of the applications: one folder each."""
    return tuple(sorted(path.parent.name for path in APPS.glob("*/__init__.py")))


def app_files(name: str, *modules: str) -> tuple[Path, ...]:
    """Files of some modules of an application, whether a module is one file or a package."""
    folder = APPS / name
    return tuple(
        path
        for module in modules
        for path in ([folder / f"{module}.py"] if (folder / f"{module}.py").exists() else [])
        + sorted((folder / module).rglob("*.py"))
    )


def app(name: str) -> App:
    """The `APP` that an application's folder exports."""
    return cast("App", loaded(f"tallystick.apps.{name}").APP)


def loaded(module: str) -> ModuleType:
    """A module of the package, imported."""
    return importlib.import_module(module)
