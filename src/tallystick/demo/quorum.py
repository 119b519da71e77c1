"""The story's stage over a consortium: every institution uses the gateway of its own node."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.demo.nodestage import NodeStage
from tallystick.demo.stage import Outcome, Row
from tallystick.ledger.app import Message


class QuorumStage:
    """Several nodes of one chain. Who runs none is taken in by the next one in turn."""

    def __init__(self, nodes: Sequence[NodeStage], founders: Sequence[str]) -> None:
        """Play on these nodes, each run by the founder in the same place."""
        self._nodes = tuple(nodes)
        self._homes = {party: number for number, party in enumerate(founders)}
        self._height = 0

    @property
    def height(self) -> int:
        """Newest block of which an answer told."""
        return self._height

    @property
    def homes(self) -> dict[str, int]:
        """Institution → number of the node whose gateway it uses, from 0."""
        return dict(self._homes)

    def _home(self, party: str) -> NodeStage:
        """The node of an institution."""
        number = self._homes.setdefault(party, len(self._homes) % len(self._nodes))
        return self._nodes[number]

    def _reader(self) -> NodeStage:
        """The first node, once it has all that was answered."""
        first = self._nodes[0]
        if first.height < self._height:
            first.wait_for(self._height)
        return first

    def send(self, calls: Sequence[tuple[str, Message]]) -> Outcome:
        """Have calls signed, and decided through the gateway of the first caller's node."""
        node = self._home(calls[0][0].partition(".")[0])
        outcome = node.send(calls)
        self._height = max(self._height, node.height)
        return outcome

    def rows(self, app: str, query: str, **arguments: str) -> list[Row]:
        """What a query answers."""
        return self._reader().rows(app, query, **arguments)

    def records(self, app: str, record: str, **where: str) -> list[Row]:
        """Records of a kind that fit."""
        return self._reader().records(app, record, **where)

    def record(self, app: str, record: str, *key: str) -> Row:
        """One record."""
        return self._reader().record(app, record, *key)

    def now_ms(self) -> int:
        """Ledger time."""
        return self._reader().now_ms()

    def settle(self) -> None:
        """Wait until everything that is due has happened."""
        self._reader().settle()

    def public_key(self, officer: str) -> bytes:
        """Public key of an officer; its key is made when there is none yet."""
        return self._nodes[0].public_key(officer)
