"""Which bundles may wait, be proposed, be voted for.

What `judge` and `good` say is a function of the bytes alone (and of the agreed limit of a block),
so that every node votes alike. What `admit` and `choose` say may differ from node to node.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.bundle import BadBundle, Bundle, BundleCache
from tallystick.engine.cometbft.params import ordered_max
from tallystick.engine.verdicts import Verdicts
from tallystick.ledger.app import Message, tag_of
from tallystick.ledger.system import Activation
from tallystick.values.codec import encode_key

TICKS_AHEAD = 2
"""A tick may wait for the next block or for the one after: nobody can fill the queue with them."""

WITNESSES_KEPT = 100_000
"""Bundles of which is remembered what is open in them; those that wait are asked about again
after every block, and decoding them all each time would hold the blocks up."""


class Code(enum.IntEnum):
    """What a node says of a bundle that is to wait; the numbers are permanent."""

    TAKEN = 0
    BAD = 1
    NOT_NOW = 2
    SETTLED = 3
    TOO_MANY = 4


Use = tuple[str, str, int]
"""Sender, reference and expiry of a transaction."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a node says of a bundle that is to wait."""

    code: Code
    """Whether it may, or why not."""
    reason: str = ""
    """In words."""


TAKEN = Check(Code.TAKEN)


class Checks:
    """Looks at bundles for one chain: `admit` on one thread, the rest on the executing one."""

    def __init__(self, chain: Chain, verdicts: Verdicts, bundles: BundleCache) -> None:
        """Look at the chain's committed state."""
        self._chain = chain
        self._verdicts = verdicts
        self._bundles = bundles
        self.most = ordered_max(chain.state)
        """Most transactions in the bundles of the next block."""
        self.early = early_messages(chain)
        """Messages of rules that are not in force in the next block, and which version is."""
        self._witnesses: dict[bytes, tuple[str, str, int, int]] = {}

    def refresh(self) -> None:
        """Read again what the next block goes by; after a block or a snapshot."""
        self.most = ordered_max(self._chain.state)
        self.early = early_messages(self._chain)

    # --- functions of the bytes

    def good(self, raw: bytes) -> Bundle:
        """The bundle of some bytes, all its signatures good; else `BadBundle`.

        A message whose rules are not in force yet is one that this release cannot read: a node of
        the release before cannot, and all must find the same while members install the new one.
        """
        bundle = self._bundles.read(raw)
        if self.early and (name := _early_name(bundle, self.early)):
            raise BadBundle(f"a transaction asks for {name} before its rules are in force")
        if not bundle.is_verified:
            bad = [key for key in self._verdicts.bad_keys(bundle.transactions) if key is not None]
            if bad:
                raise BadBundle(f"a signature of key {bad[0].hex()} is bad")
            bundle.is_verified = True
        return bundle

    def judge(self, raws: Iterable[bytes]) -> str:
        """Why no correct node can have proposed this; empty when one can."""
        count = 0
        for place, raw in enumerate(raws):
            try:
                count += len(self.good(raw).transactions)
            except BadBundle as problem:
                return f"bundle {place}: {problem}"
        return "" if count <= self.most else f"{count} transactions: at most {self.most} may be"

    # --- this node's own view

    def admit(self, raw: bytes, *, is_new: bool) -> Check:
        """Whether a bundle may wait; one that waits is asked about again after every block."""
        digest = hashlib.sha256(raw).digest()
        if not is_new and self._is_witnessed(digest):
            return TAKEN
        try:
            bundle = self.good(raw) if is_new else self._bundles.read(raw)
        except BadBundle as problem:
            return Check(Code.BAD, str(problem))
        height = self._chain.state.tip.height
        if bundle.is_tick and not height < bundle.note <= height + TICKS_AHEAD:
            return Check(Code.NOT_NOW, f"a tick for block {bundle.note} after block {height}")
        if len(bundle.transactions) > self.most:
            return Check(Code.TOO_MANY, f"a block takes at most {self.most} transactions")
        if not bundle.is_tick:
            witness = self._open_one(bundle)
            if witness is None:
                return Check(Code.SETTLED, "every transaction of it is decided or has expired")
            self._keep_witness(digest, (*witness, len(bundle.transactions)))
        return TAKEN

    def choose(self, raws: Sequence[bytes], bytes_max: int, height: int) -> list[bytes]:
        """Whole bundles for a proposal, in order; what does not fit or has no use is left."""
        chosen: list[bytes] = []
        bytes_left, count_left = bytes_max, self.most
        for raw in raws:
            size = proto_size(raw)
            if size > bytes_left:
                continue
            try:
                bundle = self.good(raw)
            except BadBundle:
                continue
            has_use = bundle.note == height if bundle.is_tick else self._open_one(bundle)
            if has_use and len(bundle.transactions) <= count_left:
                chosen.append(raw)
                bytes_left -= size
                count_left -= len(bundle.transactions)
        return chosen

    def _open_one(self, bundle: Bundle) -> Use | None:
        """The first transaction of a bundle of which something may still come; None if of none."""
        for transaction in bundle.transactions:
            body = transaction.body
            if not self._is_settled(body.sender, body.reference, body.expires_at_ms):
                return body.sender, body.reference, body.expires_at_ms
        return None

    def _is_settled(self, sender: str, reference: str, expires_at_ms: int) -> bool:
        """Whether a transaction has expired or its reference is used up."""
        now_ms = self._chain.ledger_ms
        if expires_at_ms <= now_ms:
            return True
        return self._chain.state.used_by(sender, reference, now_ms) is not None

    def _is_witnessed(self, digest: bytes) -> bool:
        """Whether what was open in a bundle last time still is; then it need not be decoded."""
        witness = self._witnesses.get(digest)
        return (
            witness is not None and witness[3] <= self.most and not self._is_settled(*witness[:3])
        )

    def _keep_witness(self, digest: bytes, witness: tuple[str, str, int, int]) -> None:
        """Remember what is open in a bundle; the oldest goes when there are too many."""
        self._witnesses[digest] = witness
        if len(self._witnesses) > WITNESSES_KEPT:
            del self._witnesses[next(iter(self._witnesses))]


def early_messages(chain: Chain) -> Mapping[type[Message], int]:
    """Messages of rules that are not in force in the next block, and which version is."""
    state, rules = chain.state, chain.ledger.rules
    height, name = state.tip.height + 1, Activation.spec.name
    versions = {
        kept.app: kept.at(height)
        for _, kept in state.scan(name, encode_key(name), None)
        if isinstance(kept, Activation)
    }
    in_force = {each: versions.get(rules.app_of[each].name, 0) for each in rules.sent}
    return {each: version for each, version in in_force.items() if each.spec.since > version}


def _early_name(bundle: Bundle, early: Container[type[Message]]) -> str:
    """Tag of a message in a bundle that comes too early; empty when there is none."""
    for transaction in bundle.transactions:
        for call in transaction.body.calls:
            if type(call.message) in early:
                return tag_of(type(call.message))
    return ""


def proto_size(raw: bytes) -> int:
    """Bytes that a bundle takes in a block: protobuf writes a tag and the length before it."""
    size, length = 2 + len(raw), len(raw)
    while length > 0x7F:
        size += 1
        length >>= 7
    return size
