"""Who may name whom, where import-linter (pyproject.toml) cannot say it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.house.tree import (
    APPS,
    ROOT,
    app_names,
    at,
    imports,
    layer_of,
    name_of,
    pure_files,
    source_files,
    tree,
)

STDLIB_OF_PURE_LAYERS = frozenset(
    {
        "__future__", "abc", "bisect", "collections", "contextlib", "dataclasses", "enum",
        "functools", "hashlib", "heapq", "inspect", "itertools", "keyword", "operator", "re",
        "string", "struct", "types", "typing", "typing_extensions",
    }
)  # fmt: skip
"""What cannot bring in a clock, chance, the outside world or a float."""

EXTRA_STDLIB = {
    "values": frozenset({"datetime"}),  # date arithmetic; `now` and `today` are banned elsewhere
    "ledger": frozenset({"logging"}),  # the traceback of a FAULT goes to the node's log
}

HOME_OF = {
    "ed25519_zebra": {"accel"},
    "tallystick_native": {"accel", "store"},
    "rocksdict": {"store"},
    "lxml": {"formats"},
    "litestar": {"api", "node"},
    "uvicorn": {"api", "node"},
    "click": {"cli", "demo", "testing"},
}
"""One seam per outside thing: which parts may import it."""

OURS_IF_BUILT = frozenset({"tallystick_native"})
"""The crate in `native/`: nothing needs it, and `make native` puts it beside the package."""

MAY_NAME_APPS = frozenset({"apps", "node", "formats", "cli", "demo", "bench"})
MAY_TAKE_THE_LIST = MAY_NAME_APPS | {"testing", "audit", "operations"}


def outside(path: Path) -> Iterator[tuple[ast.AST, str]]:
    """Imports of a file that are not ours: top-level name each."""
    for node, name in imports(path):
        top = name.split(".")[0]
        if top != "tallystick":
            yield node, top


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_pure_layers_use_a_short_list(path: Path) -> None:
    """`values`, `ledger`, `apps`: the harmless part of the standard library and msgspec."""
    allowed = STDLIB_OF_PURE_LAYERS | EXTRA_STDLIB.get(layer_of(path), frozenset()) | {"msgspec"}
    if path == APPS / "__init__.py":
        allowed |= {"importlib"}  # the list of applications loads them by name
    assert [f"{at(path, n)} {top}" for n, top in outside(path) if top not in allowed] == []


@pytest.mark.parametrize(
    "path", [path for path in source_files() if layer_of(path) == "values"], ids=name_of
)
def test_values_import_nothing_of_ours(path: Path) -> None:
    """Money, rates and time mean the same whatever stands on them."""
    ours = [
        f"{at(path, node)} {name}"
        for node, name in imports(path)
        if name.startswith("tallystick") and not name.startswith("tallystick.values")
    ]
    assert ours == []


@pytest.mark.parametrize(
    "path", [path for path in pure_files() if layer_of(path) == "apps"], ids=name_of
)
def test_apps_meet_only_at_interfaces(path: Path) -> None:
    """An application calls the least another one offers: `interface.py`, nothing else.

    `import tallystick.apps.members` alone takes nothing from it: it only says what is read first.
    """
    own = f"tallystick.apps.{path.parts[path.parts.index('apps') + 1]}"
    strangers = [
        f"{at(path, node)} {name}"
        for node, name in imports(path)
        if name.startswith("tallystick.apps.")
        and not f"{name}.".startswith(f"{own}.")
        and name.split(".")[3:4] != ["interface"]
        and not (isinstance(node, ast.Import) and name.count(".") == 2)
    ]
    is_list = path.name == "__init__.py" and path.parent.name == "apps"
    assert is_list or strangers == []


@pytest.mark.parametrize(
    "path", [path for path in source_files() if layer_of(path) not in MAY_NAME_APPS], ids=name_of
)
def test_no_app_is_named_by_the_platform(path: Path) -> None:
    """The platform is handed its applications, so that one more is one line (`apps/__init__.py`).

    `testing`, `audit` and `operations` take the list `APPS` and what founds a network. Neither an
    import nor a text names an application.
    """
    named = [
        f"{at(path, node)} {name}"
        for node, name in imports(path)
        if name.startswith("tallystick.apps") and not _takes_the_list(path, name)
    ]
    known = app_names()
    named += [
        f"{at(path, node)} {node.value!r}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and " " not in node.value
        and node.value.split(".")[0] in known
        and "." in node.value
    ]
    assert named == []


def _takes_the_list(path: Path, name: str) -> bool:
    """`APPS`, `AUTHORITY` and `founding` of `tallystick.apps`, but no application in it."""
    return layer_of(path) in MAY_TAKE_THE_LIST and name.split(".")[2] not in app_names()


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_outside_things_have_one_home(path: Path) -> None:
    """A library is met at one seam, so that it can be replaced there."""
    astray = [
        f"{at(path, node)} {top}"
        for node, top in outside(path)
        if layer_of(path) not in HOME_OF.get(top, {layer_of(path)})
    ]
    assert astray == []


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_every_dependency_is_declared(path: Path) -> None:
    """What the package imports is in `dependencies`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {_plain(line) for line in project["dependencies"]}
    unknown = [
        f"{at(path, node)} {top}"
        for node, top in outside(path)
        if top not in sys.stdlib_module_names
        and top not in OURS_IF_BUILT
        and not {_plain(name) for name in packages_distributions().get(top, [])} & declared
    ]
    assert unknown == []


def _plain(requirement: str) -> str:
    """`py_ed25519-zebra>=1` → `py-ed25519-zebra`."""
    name = re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0]
    return name.lower().replace("_", "-")
