"""The same block gives the same root on every machine: nothing in the rules may differ by run.

The ledger's results depend on their arguments alone: no clock, chance, outside world, float,
state of the process, or order of a set.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.house.tree import at, functions, last_name, layer_of, name_of, pure_files, tree

BANNED_CALLS = {
    "open", "print", "input", "eval", "exec", "compile", "__import__", "breakpoint",  # outside
    "id", "hash",   # differ by process, and by PYTHONHASHSEED
    "float", "complex", "round",  # floats
    "globals", "locals",
}  # fmt: skip

CLOCKS = {"now", "today", "utcnow", "fromtimestamp", "time"}
BANNED_ATTRIBUTES = {
    "utcnow", "fromtimestamp", "time_ns", "perf_counter", "monotonic",  # clocks
    "environ", "getenv", "urandom", "getrandbits", "token_bytes",
    "as_integer_ratio", "is_integer", "total_seconds", "timestamp",  # floats by another door
}  # fmt: skip

UNICODE_METHODS = {"strip", "lstrip", "rstrip", "isspace"}  # without an argument

ORDER_DOES_NOT_MATTER = {
    "sorted", "set", "frozenset", "any", "all", "sum", "len", "min", "max", "bool", "isinstance",
}  # fmt: skip
ORDER_MATTERS = {"tuple", "list", "enumerate", "zip", "map", "filter", "iter", "next", "reversed",
                 "join", "dict", "fromkeys", "extend", "chain", "from_iterable"}  # fmt: skip
SET_TYPES = {"set", "frozenset", "Set", "AbstractSet", "MutableSet", "FrozenSet", "KeysView"}
SET_METHODS = {"union", "intersection", "difference", "symmetric_difference"}
MUTATORS = {
    "append", "add", "update", "pop", "popitem", "clear", "setdefault", "remove", "discard",
    "extend", "insert", "sort", "reverse",
}  # fmt: skip


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_no_call_that_differs_by_run(path: Path) -> None:
    """Names that bring in the outside world, the process or a float."""
    found = [
        f"{at(path, node)} {node.func.id}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in BANNED_CALLS
    ]
    found += [
        f"{at(path, node)} .{node.attr}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        if node.attr in BANNED_ATTRIBUTES
        or (node.attr in CLOCKS and last_name(node.value) in {"datetime", "date", "time"})
    ]
    assert found == []


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_no_table_of_unicode(path: Path) -> None:
    """What counts as blank, as a digit or as a capital may change with a release of Python."""
    found = [
        f"{at(path, node)} .{node.func.attr}()"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in UNICODE_METHODS
        and not node.args
    ]
    assert found == []


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_no_float(path: Path) -> None:
    """No literal, annotation or true division: money is whole minor units, rates are whole ppm."""
    found = [
        at(path, node)
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
        or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
        or (isinstance(node, ast.Name) and node.id in {"float", "complex", "Decimal", "Fraction"})
    ]
    assert found == []


@pytest.mark.parametrize(
    "path", [path for path in pure_files() if layer_of(path) == "apps"], ids=name_of
)
def test_apps_divide_by_name(path: Path) -> None:
    """Every division says its rounding: `div_floor`, `div_half_up`, `div_exact`, never `//`."""
    found = [
        at(path, node)
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.FloorDiv))
        or (isinstance(node, ast.Call) and last_name(node.func) == "divmod")
    ]
    assert found == []


@cache
def set_fields() -> frozenset[str]:
    """Names of fields and properties that are declared as sets anywhere in the pure layers."""
    names: set[str] = set()
    for path in pure_files():
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ClassDef):
                continue
            for inner in node.body:
                if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
                    if last_name(inner.annotation) in SET_TYPES:
                        names.add(inner.target.id)
                elif isinstance(inner, ast.FunctionDef) and inner.returns is not None:
                    if last_name(inner.returns) in SET_TYPES:
                        names.add(inner.name)
    return frozenset(names)


def unordered_names(scope: ast.AST) -> frozenset[str]:
    """Variables and parameters of a function that hold a set."""
    names: set[str] = set()
    for _ in range(2):  # twice, so that `b = a` after `a = set()` is found in any order
        for node in ast.walk(scope):
            if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
                target = node if isinstance(node, ast.arg) else node.target
                if last_name(node.annotation) in SET_TYPES:
                    names.add(target.arg if isinstance(target, ast.arg) else last_name(target))
            elif isinstance(node, ast.Assign) and is_unordered(node.value, frozenset(names)):
                names.update(last_name(target) for target in node.targets)
    return frozenset(names) - {""}


def is_unordered(node: ast.expr, names: frozenset[str]) -> bool:
    """Whether an expression is a set, as far as can be told without running it."""
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Name(id=name):
            return name in names
        case ast.Attribute(attr=name):
            return name in set_fields()
        case ast.Call(func=ast.Name(id=name)):
            return name in {"set", "frozenset"}
        case ast.Call(func=ast.Attribute(value=value, attr=name)):
            return name in SET_METHODS and is_unordered(value, names)
        case ast.BinOp(left=left, right=right, op=ast.BitOr() | ast.BitAnd() | ast.Sub()):
            return is_unordered(left, names) or is_unordered(right, names)
        case ast.IfExp(body=body, orelse=orelse):
            return is_unordered(body, names) or is_unordered(orelse, names)
    return False


def unordered_walks(scope: ast.AST, names: frozenset[str]) -> Iterator[ast.AST]:
    """Places where the order of a set would decide the result."""
    harmless: set[int] = set()
    for node in ast.walk(scope):
        if isinstance(node, ast.Call) and last_name(node.func) in ORDER_DOES_NOT_MATTER:
            harmless.update(id(argument) for argument in node.args)
    for node in ast.walk(scope):
        match node:
            case ast.For(iter=source) if is_unordered(source, names):
                yield node
            case ast.ListComp() | ast.DictComp() | ast.GeneratorExp() if id(node) not in harmless:
                if any(is_unordered(part.iter, names) for part in node.generators):
                    yield node
            case ast.Call(func=func, args=args) if last_name(func) in ORDER_MATTERS:
                if any(is_unordered(argument, names) for argument in args):
                    yield node
            case ast.Call(func=ast.Attribute(value=value, attr="pop")):
                if is_unordered(value, names):
                    yield node
            case ast.Starred(value=value) if is_unordered(value, names):
                yield node


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_no_set_is_walked_in_its_own_order(path: Path) -> None:
    """The order of a set depends on PYTHONHASHSEED: sort it, or keep a tuple or a dict."""
    scopes: list[ast.AST] = [*functions(path), tree(path)]
    found = {
        at(path, n) for scope in scopes for n in unordered_walks(scope, unordered_names(scope))
    }
    assert sorted(found) == []


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_no_state_in_the_module(path: Path) -> None:
    """What one call leaves behind the next one would read: tables of a module never change."""
    tables = {
        last_name(target)
        for node in tree(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }
    found = [at(path, n) for n in ast.walk(tree(path)) if isinstance(n, ast.Global)]
    for scope in functions(path):
        own = {n.arg for n in ast.walk(scope) if isinstance(n, ast.arg)} | {
            n.id
            for n in ast.walk(scope)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        found += [at(path, node) for node in mutations(scope, tables - own)]
    assert found == []


def mutations(scope: ast.AST, tables: set[str]) -> Iterator[ast.AST]:
    """Places that change one of the named tables."""
    for node in ast.walk(scope):
        match node:
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                if name in tables:
                    yield node
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)):
                if name in tables and attr in MUTATORS:
                    yield node


BAD = """
def walk(names: set[str], other: dict[str, int]) -> list[str]:
    mine = set(names)
    for name in mine: other[name] = 1
    first = mine.pop()
    return [n for n in names | {"x"}] + list(mine) + sorted(mine) + [*names]
"""


def test_the_set_finder_finds_them() -> None:
    """The finder itself: five of the uses above depend on order, `sorted` does not."""
    scope = ast.parse(BAD).body[0]
    assert len(list(unordered_walks(scope, unordered_names(scope)))) == 5


def test_the_state_finder_finds_it() -> None:
    """The finder itself: a table written to by subscript and by method."""
    scope = ast.parse("def f():\n    TABLE['a'] = 1\n    TABLE.update(b=2)\n    return TABLE['a']")
    assert len(list(mutations(scope, {"TABLE"}))) == 2
