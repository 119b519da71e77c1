"""A state that no rule has looked at, to be shown to invariants."""

from collections.abc import Iterator

from tallystick.ledger.app import Record, key_bytes
from tallystick.ledger.view import View


class Shelf:
    """Records as they are put down."""

    def __init__(self, *records: Record) -> None:
        self.kept = {key_bytes(each): each for each in records}

    def load(self, name: str, key: bytes) -> Record | None:
        return self.kept.get(key)

    def scan(self, name: str, prefix: bytes, start: bytes | None) -> Iterator[tuple[bytes, Record]]:
        for key in sorted(self.kept):
            if key.startswith(prefix):
                yield key, self.kept[key]


def view(*records: Record) -> View:
    """A view of such a state."""
    return View(Shelf(*records), height=1, now_ms=1)
