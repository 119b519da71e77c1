"""What messages and records refer to by `KeyOf`: the records that a block is likely to need.

Who executes a block may have them read from the store all at once. It is a guess and decides
nothing: what was not guessed is read when a rule asks for it, and what was is read for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from tallystick.ledger.app import Record
from tallystick.values.units import KeyOf

if TYPE_CHECKING:
    from tallystick.ledger.keys import Keys

LISTED_MAX = 8
"""Most records of one list that are looked for."""


class Reference(NamedTuple):
    """A field that holds the key of a record, or a list of such keys."""

    field: str
    """Name of the field."""
    name: str
    """Name of the record."""
    is_list: bool
    """Whether it is a list."""


References = Mapping[type[Any], tuple[Reference, ...]]
"""Fields that refer to records, of each message and record that has some."""


def references_of(struct: type[Any], by_class: Mapping[str, type[Record]]) -> tuple[Reference, ...]:
    """Fields of a message or record that refer to records whose key is one field."""
    hints = get_type_hints(struct, include_extras=True)
    found = []
    for field in struct.__struct_fields__:
        for mark, is_list in _marks(hints[field], is_list=False):
            kept = by_class.get(mark.record)
            if kept is not None and len(kept.spec.key) == 1:
                found.append(Reference(field, kept.spec.name, is_list))
    return tuple(found)


def _marks(hint: Any, *, is_list: bool) -> Iterator[tuple[KeyOf, bool]]:
    """The marks of a type and of what it is made of, each with whether it is in a list."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        yield from ((mark, is_list) for mark in parts[1:] if isinstance(mark, KeyOf))
        parts = parts[:1]
    for part in parts:
        yield from _marks(part, is_list=is_list or origin is tuple)


def referred(holders: Iterable[Any], references: References, keys: Keys) -> dict[bytes, str]:
    """Keys of the records that these messages or records refer to, each with its name."""
    found: dict[bytes, str] = {}
    for holder in holders:
        for field, name, is_list in references.get(type(holder), ()):
            value = getattr(holder, field)
            for each in value[:LISTED_MAX] if is_list else () if value is None else (value,):
                found[keys[name][(each,)]] = name
    return found
