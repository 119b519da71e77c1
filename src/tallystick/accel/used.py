"""References that are used up, until their minute is over and forgotten: tables of Python.

There may be millions. A reference that is noted anew, which happens when its minute is over, stands
for itself alone: what was noted of it before means nothing any more.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from tallystick.accel.blocks import read_uses

__all__ = ["UsedTable"]

MINUTE_MS: Final = 60_000
FORGOTTEN_MAX: Final = 20_000
"""References of forgotten minutes that are let go of at once; the others wait for the next time."""


class _Used(msgspec.Struct, frozen=True, gc=False):
    """A reference that is used up, under the sender's id, a space, and the reference.

    There may be millions, of which the cyclic collector would look at every tuple.
    """

    minute: int
    """Expiry minute."""
    by: bytes
    """Id of the transaction that used it."""


class UsedTable:
    """References that are used up; one thread notes and forgets, any may ask."""

    __slots__ = ("_minutes", "_over", "_used")

    def __init__(self) -> None:
        """Start with none."""
        self._used: dict[str, _Used] = {}
        self._minutes: dict[int, list[list[str]]] = {}
        self._over: deque[tuple[int, list[str]]] = deque()

    @property
    def count(self) -> int:
        """How many were noted of minutes that are not forgotten."""
        return sum([len(names) for lists in self._minutes.values() for names in lists])

    def note(self, minute: int, encoded: bytes) -> None:
        """Note an encoded list of references that expire within a minute, one not forgotten."""
        uses = read_uses(encoded)
        names = [f"{sender} {reference}" for sender, reference, _ in uses]
        self._minutes.setdefault(minute, []).append(names)
        self._used.update(zip(names, [_Used(minute, by) for _, _, by in uses], strict=True))

    def used_by(self, sender: str, reference: str, now_ms: int) -> bytes | None:
        """Id of the transaction that used a reference, until its minute is over or forgotten."""
        used = self._used.get(f"{sender} {reference}")
        if used is None or (used.minute + 1) * MINUTE_MS <= now_ms:
            return None
        return used.by if used.minute in self._minutes else None

    def used_among(
        self, references: Sequence[tuple[str, str]], now_ms: int
    ) -> dict[tuple[str, str], bytes]:
        """Those of many (sender, reference) that are used, each with what `used_by` says."""
        asked = [(each, self.used_by(*each, now_ms)) for each in references]
        return {each: by for each, by in asked if by is not None}

    def forget(self, minutes: Sequence[int]) -> None:
        """Forget minutes. What was noted of them is let go of some at a time."""
        for minute in minutes:
            self._over.extend((minute, names) for names in self._minutes.pop(minute, ()))
        used, most = self._used, FORGOTTEN_MAX
        while self._over and most > 0:
            minute, names = self._over.popleft()
            most -= len(names)
            for name in names:
                found = used.get(name)
                if found is not None and found.minute == minute:
                    used.pop(name, None)
