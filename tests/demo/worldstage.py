"""The story's stage over a world in memory, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tallystick.apps import APPS
from tallystick.catalogue import Catalogue
from tallystick.demo.stage import Outcome, Row
from tallystick.ledger.app import Message
from tallystick.ledger.receipt import Outcome as Decided
from tallystick.testing.world import World, public_key
from tallystick.values.codec import to_json
from tallystick.wording import Wording, values_in_words


class WorldStage:
    """Sends to a world, and reads it as the node's own socket would."""

    def __init__(self, world: World) -> None:
        """Play on a world."""
        self.world = world
        self.catalogue = Catalogue(APPS)

    def send(self, calls: Sequence[tuple[str, Message]]) -> Outcome:
        """One transaction."""
        receipt = self.world.send(*calls).receipt
        accepted = receipt.outcome is Decided.ACCEPTED
        values = values_in_words({value.name: value.value for value in receipt.values})
        sentence = "accepted"
        if not accepted:
            sentence = self.catalogue.sentence(str(receipt.app), receipt.code, values)
        return Outcome(accepted, receipt.ids, sentence)

    def rows(self, app: str, query: str, **arguments: str) -> list[Row]:
        """A query's answer."""
        info = self.catalogue.query(app, query)
        assert info is not None, query
        words = [w for name, value in arguments.items() for w in ("--" + name, value)]
        found = info.call(self.world.view(), **Wording().query(info, words))
        return [plain(each) for each in (found if info.many else [found])]

    def records(self, app: str, record: str, **where: str) -> list[Row]:
        """Records that fit."""
        info = self.catalogue.record(app, record)
        assert info is not None, record
        found = [plain(each) for each in self.world.view().scan(info.type)]
        return [row for row in found if all(row[name] == value for name, value in where.items())]

    def record(self, app: str, record: str, *key: str) -> Row:
        """One record."""
        info = self.catalogue.record(app, record)
        assert info is not None, record
        return plain(self.world.view().get(info.type, *key))

    def now_ms(self) -> int:
        """Ledger time."""
        return self.world.ledger_ms

    def settle(self) -> None:
        """Run what is due."""
        self.world.passes()

    def public_key(self, officer: str) -> bytes:
        """Key derived from the name."""
        return public_key(officer)


def plain(found: Any) -> Row:
    """JSON form."""
    row: Row = json.loads(to_json(found))
    return row
