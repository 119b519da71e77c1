"""Every public thing says what it is; every field says its meaning, unit, example, and when None.

ruff (rule family D) asks for the docstrings of modules, classes and functions; the text under a
field it does not know.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import at, classes, last_name, layer_of, name_of, source_files, tree

STRUCT_BASES = {"Struct", "Message", "Record"}
DATACLASS_LAYERS = {"values", "ledger", "apps", "catalogue.py", "catalogue", "store", "engine"}
TEXT_LENGTH_MIN = 4


def described_classes(path: Path) -> Iterator[ast.ClassDef]:
    """Structs everywhere, and public dataclasses of the layers that others build on."""
    for node in classes(path):
        is_struct = bool({last_name(base) for base in node.bases} & STRUCT_BASES)
        is_dataclass = "dataclass" in {last_name(mark) for mark in node.decorator_list}
        if is_struct or (is_dataclass and layer_of(path) in DATACLASS_LAYERS):
            if not node.name.startswith("_"):
                yield node


def bare_fields(node: ast.ClassDef) -> Iterator[ast.AnnAssign]:
    """Fields of a class without a text under them."""
    for field, following in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(field, ast.AnnAssign) or last_name(field.annotation) == "ClassVar":
            continue
        if isinstance(field.target, ast.Name) and field.target.id.startswith("_"):
            continue
        match following:
            case ast.Expr(value=ast.Constant(value=str(text))) if len(text) >= TEXT_LENGTH_MIN:
                continue
        yield field


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_every_field_is_described(path: Path) -> None:
    """CLI help, API documents, forms and reference pages are made of these texts."""
    bare = [
        f"{at(path, field)} {node.name}.{ast.unparse(field.target)}"
        for node in described_classes(path)
        for field in bare_fields(node)
    ]
    assert bare == []


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_no_docstring_is_a_licence(path: Path) -> None:
    """The first line of a file says what it is for; licence and author are in LICENSE and git."""
    said = (ast.get_docstring(tree(path)) or "").lower()
    assert said
    assert not any(word in said for word in ("copyright", "licensed under", "author:"))


def test_the_field_finder_finds_it() -> None:
    """The finder itself: one field has its text, one has none, one is not a field."""
    node = ast.parse('class A(Struct):\n    x: int\n    """Meaning of x."""\n    y: int\n').body[0]
    assert isinstance(node, ast.ClassDef)
    assert [ast.unparse(field.target) for field in bare_fields(node)] == ["y"]
