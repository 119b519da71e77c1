"""What only the source says: docs under fields, and the refusals that a rule can raise.

A rule's refusals are found by following its calls: `require(…, Refusal.X)`, `need(…, Refusal.X)`,
`raise Refused(Refusal.X, …)`, `ctx.get(Record, …)` (the record's `missing`), and the functions of
our own that it calls, also by a table of rules or a partial, in the order of the source.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property, partial
from itertools import pairwise
from typing import Any

from tallystick.ledger.app import Record
from tallystick.ledger.refusal import RefusalCode

OURS = "tallystick."


class Source:
    """The syntax tree of a module, with what is asked of it."""

    def __init__(self, module: str) -> None:
        """Parse a module that is imported."""
        self.module = sys.modules[module]
        self.tree = ast.parse(inspect.getsource(self.module))

    @classmethod
    def of(cls, thing: type[Any] | Callable[..., Any]) -> Source:
        """Source of the module where a class or function is defined."""
        return _source(thing.__module__)

    def attribute_docs(self, class_name: str) -> dict[str, str]:
        """The docstring under each attribute of a class."""
        node = self._classes.get(class_name)
        return {} if node is None else _docs_under(node.body)

    @cached_property
    def _classes(self) -> dict[str, ast.ClassDef]:
        """Every class of the module, the first of a name."""
        found: dict[str, ast.ClassDef] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, node)
        return found

    @cached_property
    def definitions(self) -> dict[str, list[ast.FunctionDef]]:
        """Every function and method of the module, by name."""
        found: dict[str, list[ast.FunctionDef]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, []).append(node)
        return found

    def function(self, name: str) -> ast.FunctionDef | None:
        """A function at the top of the module."""
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node
        return None


@cache
def _source(module: str) -> Source:
    """Each module is parsed once."""
    return Source(module)


def _docs_under(body: list[ast.stmt]) -> dict[str, str]:
    """Attribute → docstring that follows it."""
    docs: dict[str, str] = {}
    for node, after in pairwise(body):
        if not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)):
            continue
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]  # type: ignore[assignment]
        if isinstance(target, ast.Name) and isinstance(after.value.value, str):
            docs[target.id] = " ".join(inspect.cleandoc(after.value.value).split())
    return docs


def refusals_of(rule: Callable[..., Any]) -> list[RefusalCode]:
    """Refusals that a rule can raise, in the order of the source, each once."""
    found: dict[RefusalCode, None] = {}
    _follow(rule, found, set())
    return list(found)


def _follow(
    rule: Callable[..., Any], found: dict[RefusalCode, None], seen: set[tuple[str, str]]
) -> None:
    """Collect the refusals of a function and of those it calls."""
    rule = inspect.unwrap(rule)
    place = (rule.__module__, rule.__qualname__)
    if place in seen or not _is_ours(rule):
        return
    seen.add(place)
    for part in _parts(rule):
        if isinstance(part, RefusalCode):
            found.setdefault(part)
        else:
            _follow(part, found, seen)


@cache
def _parts(rule: Callable[..., Any]) -> tuple[RefusalCode | Callable[..., Any], ...]:
    """Refusals that a function names and functions that it calls, in the order of its source."""
    source = Source.of(rule)
    node = _definition(source, rule)
    if node is None:
        return ()
    scope = vars(source.module)
    found: list[RefusalCode | Callable[..., Any]] = []
    for part in _in_order(node):
        if isinstance(part, ast.Call):
            found += _call(part, scope)
        elif isinstance(part, ast.Attribute):
            value = _resolve(part, scope)
            if isinstance(value, RefusalCode):
                found.append(value)
    return tuple(found)


def _is_ours(rule: Any) -> bool:
    """Whether a function belongs to an application's code, not to the ledger's or to a library."""
    module = str(rule.__module__)
    platform = (OURS + "ledger", OURS + "values", OURS + "accel")
    return inspect.isfunction(rule) and not module.startswith(platform) and "msgspec" not in module


def _definition(source: Source, rule: Callable[..., Any]) -> ast.AST | None:
    """The syntax of a function or method."""
    for node in source.definitions.get(rule.__name__, ()):
        first = min([node.lineno, *[decorator.lineno for decorator in node.decorator_list]])
        if first <= _line(rule) <= (node.end_lineno or 0):
            return node
    return None


def _line(rule: Callable[..., Any]) -> int:
    """First line of a function."""
    return rule.__code__.co_firstlineno


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """Everything inside a node, in the order of evaluation: arguments before their call."""
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)
        yield child


def _call(call: ast.Call, scope: dict[str, Any]) -> Iterator[RefusalCode | Callable[..., Any]]:
    """What a call may refuse by itself, and the functions that it calls or is handed."""
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr == "get" and call.args:
        kept = _resolve(call.args[0], scope)
        if inspect.isclass(kept) and issubclass(kept, Record) and kept.spec.missing is not None:
            yield kept.spec.missing
        return
    for named in (function, *call.args, *[keyword.value for keyword in call.keywords]):
        yield from _functions(_resolve(named, scope))


def _functions(value: Any) -> Iterator[Callable[..., Any]]:
    """The functions that a value stands for: itself, of a partial, or of a table of rules."""
    if inspect.ismethod(value) or isinstance(value, partial):
        yield from _functions(value.__func__ if inspect.ismethod(value) else value.func)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _functions(each)
    elif inspect.isfunction(value):
        yield value


def _resolve(node: ast.AST, scope: dict[str, Any]) -> Any:
    """The value of a name or of a dotted name, as the module sees it; None when it is local."""
    if isinstance(node, ast.Name):
        return scope.get(node.id)
    if isinstance(node, ast.Subscript):
        return _resolve(node.value, scope)
    if isinstance(node, ast.Attribute):
        owner = _resolve(node.value, scope)
        return None if owner is None else getattr(owner, node.attr, None)
    return None
