"""A real node with the usual cast, reached through its Unix socket with the bytes of a client."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tallystick.apps import APPS, AUTHORITY
from tallystick.apps.cash.messages import Mint
from tallystick.apps.founding import first_records, supervised
from tallystick.client.client import Client
from tallystick.gateway.reply import Outcome, Reply
from tallystick.ledger.app import App, Message
from tallystick.ledger.refusal import RefusalCode
from tallystick.ledger.system import UsedMinute
from tallystick.ledger.transaction import Body, Call, assemble
from tallystick.ledger.view import View
from tallystick.node import Beginning, Node, init
from tallystick.testing.cast import CALENDAR, CAST, founder
from tallystick.testing.world import OPENS, ZONE_MINUTES, sign, split_who
from tallystick.values.codec import encode, encode_key
from tallystick.values.time import at
from tests.hostile.buggy import APP as BUGGY

ALL: tuple[App, ...] = (*APPS, BUGGY)
"""What the nodes of these tests run: the shipped applications, and one with bugs."""
EXPIRY_MS = 5 * 60_000
CNY = "CNY@CB"
OWN_KEY = encode_key(UsedMinute.spec.name)
"""Begins the key of every list of used references: what a refusal may leave behind."""


@dataclass
class Made:
    """What came of a transaction, as `testing.world.Result` shows it."""

    reply: Reply
    """What the node answered."""
    ids: tuple[str, ...] = field(init=False)
    """Ids made."""

    def __post_init__(self) -> None:
        self.ids = self.reply.ids

    @property
    def id(self) -> str:
        """The first id made."""
        return self.ids[0]


def founded(folder: Path) -> None:
    """Make a data folder: the cast of the tests, on a trial clock that opens on 3 July 2026."""
    now_ms = at(*OPENS, ZONE_MINUTES)
    founders = [founder(party, *told) for party, told in CAST.items()]
    records = first_records(ALL, supervised(founders, CALENDAR), now_ms)
    init(
        folder,
        Beginning(name="hostile", records=records, opens_at_ms=now_ms, trial=True),
        apps=ALL,
    )


def opened(folder: Path, **options: Any) -> Node:
    """A node over the folder, not started."""
    return Node.open(folder, apps=ALL, authority=AUTHORITY, **options)


class Net:
    """A node that runs, and what these tests do to it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.client = Client(node.address, patience_seconds=20)
        self.chain_id = node.ledger.chain_id
        self.name_references()

    def name_references(self) -> None:
        """References are numbered; each run has its own."""
        self._run = secrets.token_hex(4)
        self._references = count(1)

    # --- bytes

    def body(self, *calls: tuple[str, Message], **changes: Any) -> bytes:
        """A transaction's encoded body; `changes` are fields said otherwise."""
        made = tuple(Call[Any](party=split_who(who)[0], message=asked) for who, asked in calls)
        fields: dict[str, Any] = {
            "chain_id": self.chain_id,
            "sender": made[0].party,
            "reference": f"{self._run}-{next(self._references)}",
            "expires_at_ms": self.now_ms + EXPIRY_MS,
            "calls": made,
        }
        return encode(Body[Any](**(fields | changes)))

    def signed(
        self, *calls: tuple[str, Message], keys: Sequence[str] = (), **changes: Any
    ) -> bytes:
        """A transaction signed by the officers that the calls name, or by `keys`."""
        body = self.body(*calls, **changes)
        named = [f"{p}.{o}" for p, officers in (split_who(w) for w, _ in calls) for o in officers]
        return assemble(body, [sign(key, body) for key in dict.fromkeys(keys or named)])

    # --- what happens

    @property
    def now_ms(self) -> int:
        """Ledger time."""
        return self.client.status().ledger_ms

    def standing(self) -> tuple[int, bytes]:
        """Height and state root."""
        status = self.client.status()
        return status.height, status.state_root

    def accepts(self, who: str, message: Message) -> Made:
        """Send a message that must be accepted."""
        reply = self.client.submit(self.signed((who, message)))
        assert reply.outcome is Outcome.ACCEPTED, reply
        return Made(reply)

    def view(self) -> View:
        """State after the last block."""
        return self.node.engine.view()

    def lives(self) -> None:
        """The node still takes a good transaction."""
        assert self.client.status().trouble == ""
        self.accepts("CB.maker+checker", Mint(to="D3", money=CNY, amount_minor=1))

    # --- what must not

    def turned_away(self, raw: bytes, outcome: Outcome, code: RefusalCode | None = None) -> Reply:
        """Bytes that come to no block: another height and root are not reached."""
        before = self.standing()
        reply = self.client.submit(raw)
        self._is(reply, outcome, code)
        assert reply.height is None
        assert self.standing() == before
        return reply

    def refused(self, raw: bytes, code: RefusalCode) -> Reply:
        """A transaction in a block that changes nothing but the list of used references."""
        reply = self.client.submit(raw)
        self._is(reply, Outcome.REFUSED, code)
        assert reply.height is not None
        entry = self.node.engine.entry(reply.height)
        assert entry.changes == ((),) * len(entry.receipts)
        assert [key.startswith(OWN_KEY) for key, _ in entry.own_changes] == [True]
        assert self.client.submit(raw).height == reply.height
        return reply

    def refuses(self, who: str, message: Message, code: RefusalCode) -> Reply:
        """A message that is refused in a block."""
        return self.refused(self.signed((who, message)), code)

    @staticmethod
    def _is(reply: Reply, outcome: Outcome, code: RefusalCode | None) -> None:
        said = (reply.outcome, reply.app, reply.code)
        wanted = (outcome, code.app if code else None, code.number if code else 0)
        assert said == wanted, reply
