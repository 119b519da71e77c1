"""Encoded keys of records, remembered."""

from __future__ import annotations

from enum import EnumType
from typing import Any

from tallystick.ledger.memory import TEXTS, Tables
from tallystick.values.codec import encode_key
from tallystick.values.keys import text_field

KEYS_MAX = 200_000
"""Encoded keys that are remembered: two for each of 100,000 accounts, some 300 bytes each."""


class Keys(Tables):
    """Encoded keys of records by name and key fields: the same few are asked for again and again.

    Only keys of texts, bytes and enum members are remembered, which are equal to nothing of another
    type; 1 is equal to True, and would find the other's key.
    """

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        """Begin with none."""
        super().__init__(keys_max)

    def __missing__(self, name: str) -> dict[Any, Any]:
        """The keys of a name that is new."""
        table: dict[Any, Any] = self.setdefault(name, _KeysOf(name, self))
        return table


class _KeysOf(dict[tuple[Any, ...], bytes]):
    """Encoded keys of records of one name, by key fields."""

    __slots__ = ("_all", "_first", "_name")

    def __init__(self, name: str, everyones: Keys) -> None:
        """Begin with none; all names share a bound."""
        super().__init__()
        self._name, self._all, self._first = name, everyones, encode_key(name)

    def __missing__(self, fields: tuple[Any, ...]) -> bytes:
        """Encode a key that is not remembered."""
        if len(fields) == 1 and type(fields[0]) is str:  # an id: few records hold it, for a while
            made = self._first + text_field(fields[0])
        else:
            made = encode_key(self._name, *fields)
            for field_ in fields:
                kind = type(field_)
                if kind is not str and kind is not bytes and type(kind) is not EnumType:
                    return made
            fields = TEXTS.shared(fields)
        for name, old in self._all.room_for_one():
            self._all[name].pop(old, None)
        self[fields] = made
        return made
