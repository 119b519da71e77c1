"""Whether the fields of a record are shown to read back: their bytes, decoded, are they again.

What a field may hold is told by a `Field`; `ledger/readable.py` makes them from types and says why
that shows anything. Only values that are not the very same objects as those compared with are
looked at, for there are some twenty others in a transaction. Each check is one function without
calls between.
"""

from collections.abc import Callable
from itertools import compress
from operator import is_not
from typing import Any, Literal, NamedTuple

from msgspec.structs import astuple

__all__ = ["AllShown", "Field", "fields_shown"]

Shown = Callable[[Any], bool]
"""Whether a value is shown to read back; if not, it may do so all the same."""

AllShown = Callable[[tuple[Any, ...], tuple[Any, ...]], bool]
"""Whether all values are shown that are not the very same as others: (the values, the others)."""


class Field(NamedTuple):
    """What a field may hold. Its default and, where `or_none`, None always count as shown."""

    sort: Literal["whole", "exactly", "bytes", "text", "tuple", "struct", "other"]
    """What `first` and `second` mean."""
    first: Any
    """The least of a whole number or of a length of bytes; the type of what is `exactly` of it, or
    of a struct; texts that are known; the `Field` of a tuple's items; else a check."""
    second: Any
    """The most of a whole number or of a length of bytes; what looks at a text that is not known;
    the least and most items of a tuple; the `Field` of each part of a struct."""
    default: Any
    """What is left out of the bytes."""
    or_none: bool
    """Whether it may hold None."""


def fields_shown(fields: tuple[Field, ...]) -> AllShown:
    """What looks at the values of these fields; it raises what a check of a field raises."""
    checks = tuple(enumerate(map(_check, fields)))

    def all_shown(values: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
        """Whether each value is shown or is the very same as the other in its place."""
        for at, is_shown in compress(checks, map(is_not, values, others)):
            if not is_shown(values[at]):
                return False
        return True

    return all_shown


def _check(field: Field) -> Shown:
    """The check of one field."""
    is_shown = _checks(field.sort, field.first, field.second, field.default)
    return (lambda value: value is None or is_shown(value)) if field.or_none else is_shown


def _checks(sort: str, first: Any, second: Any, default: Any) -> Shown:
    """The check of one field, None aside."""
    match sort:
        case "whole":
            return lambda value: (
                value is default or (type(value) is int and first <= value <= second)
            )
        case "exactly":
            return lambda value: type(value) is first or value is default
        case "bytes":
            return lambda value: (
                value is default or (type(value) is bytes and first <= len(value) <= second)
            )
        case "text":
            return lambda value: (
                value is default or (type(value) is str and (value in first or second(value)))
            )
        case "tuple":
            return _tuple(_check(first), second, default)
        case "struct":
            return _struct(first, tuple(map(_check, second)), default)
    return lambda value: value is default or bool(first(value))


def _tuple(is_shown: Shown, lengths: tuple[int, int], default: Any) -> Shown:
    """A tuple of an allowed length, of items that are shown."""
    least, most = lengths
    return lambda value: (
        value is default
        or (type(value) is tuple and least <= len(value) <= most and all(map(is_shown, value)))
    )


def _struct(made: type[Any], checks: tuple[Shown, ...], default: Any) -> Shown:
    """A struct whose parts are all shown."""

    def is_shown(value: Any) -> bool:
        """Whether each part is."""
        if type(value) is not made:
            return value is default
        for part_is_shown, part in zip(checks, astuple(value), strict=True):
            if not part_is_shown(part):
                return False
        return True

    return is_shown
