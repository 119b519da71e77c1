"""The story's stage over a running node: everything goes through the public client."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tallystick.catalogue import Catalogue
from tallystick.client.client import Client
from tallystick.client.keys import KeyStore
from tallystick.demo.stage import Outcome, Row, StageProblem
from tallystick.gateway.reply import Outcome as Replied
from tallystick.ledger.app import Message
from tallystick.wording import values_in_words

SETTLE_SECONDS = 30.0
"""How long the node may take to run what is due after the clock was moved."""
LOOK_SECONDS = 0.02


class NodeStage:
    """Sends to a node with officers' own keys, and reads what the node's own socket shows."""

    def __init__(self, client: Client, keys: KeyStore, catalogue: Catalogue) -> None:
        """Play on a node."""
        self._client = client
        self._keys = keys
        self._catalogue = catalogue
        self.height = 0
        """Block of the last answer."""

    def send(self, calls: Sequence[tuple[str, Message]]) -> Outcome:
        """Have calls signed and decided as one transaction."""
        reply = self._client.send(*calls)
        self.height = max(self.height, reply.height or 0)
        if reply.outcome is Replied.ACCEPTED:
            return Outcome(True, reply.ids, "accepted")
        values = values_in_words({value.name: value.value for value in reply.values})
        sentence = self._catalogue.sentence(str(reply.app), reply.code, values)
        return Outcome(False, reply.ids, sentence)

    def rows(self, app: str, query: str, **arguments: str) -> list[Row]:
        """What a query answers."""
        found = self._client.query(app, query, **arguments)
        return found if isinstance(found, list) else [found]

    def records(self, app: str, record: str, **where: str) -> list[Row]:
        """Records of a kind that fit."""
        return list(self._client.find(app, record, **where))

    def record(self, app: str, record: str, *key: str) -> Row:
        """One record."""
        found = self._client.record(app, record, *key)
        if found is None:
            raise StageProblem(f"there is no {app} {record} {' '.join(key)}")
        return found

    def now_ms(self) -> int:
        """Ledger time."""
        return self._client.status().ledger_ms

    def settle(self) -> None:
        """Wait until the node has run everything that is due."""
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            now_ms = self.now_ms()
            first = next(iter(self._client.find("ledger", "timer", limit=1)), None)
            if first is None or int(first["due_at_ms"]) > now_ms:
                return
            time.sleep(LOOK_SECONDS)
        raise StageProblem("the node does not run what is due")

    def wait_for(self, height: int) -> None:
        """Wait until the node has a block, which others may have before it."""
        end = time.monotonic() + SETTLE_SECONDS
        while self._client.status().height < height:
            if time.monotonic() > end:
                raise StageProblem(f"the node does not reach block {height}")
            time.sleep(LOOK_SECONDS)
        self.height = max(self.height, height)

    def public_key(self, officer: str) -> bytes:
        """Public key of an officer; its key is made when there is none yet."""
        if officer in self._keys.names():
            return self._keys.public_key(officer)
        return self._keys.create(officer).public_key
