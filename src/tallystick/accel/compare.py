"""Comparing what two bodies give."""

from collections.abc import Callable
from typing import TypeVar

from tallystick.accel.errors import AccelProblem, BodiesDiffer

__all__ = ["same", "same_calls"]

T = TypeVar("T")


def same(call: str, one: T, other: T) -> T:
    """The result of a call, when both gave the same; `BodiesDiffer` otherwise."""
    if one != other:
        raise BodiesDiffer(call, one, other)
    return one


def same_calls(call: str, one: Callable[[], T], other: Callable[[], T]) -> T:
    """Call both and compare. What both raise alike is raised."""
    found, problem = _outcome(one)
    others_found, others_problem = _outcome(other)
    same(call, _said(problem), _said(others_problem))
    if problem is not None:
        raise problem
    return same(call, found[0], others_found[0])


def _outcome(call: Callable[[], T]) -> tuple[list[T], AccelProblem | None]:
    """What a call gives, or what it raises on purpose."""
    try:
        return [call()], None
    except AccelProblem as problem:
        return [], problem


def _said(problem: AccelProblem | None) -> str:
    """A problem as text: two are alike when they are of one kind and say the same."""
    return "" if problem is None else f"{type(problem).__name__}: {problem}"
