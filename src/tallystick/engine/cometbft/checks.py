"""Which bundles may wait, be proposed, be voted for.

What `judge` and `good` say is a function of the bytes alone (and of the agreed limit of a block),
so that every node votes alike. What `admit` and `choose` say may differ from node to node: they
keep out what has no use, and what nobody is authorised to do over the committed state, which costs
its maker nothing. Nothing is lost by a no of theirs. The node that took a transaction from a client
sends it again until it is answered (ADR 0013), itself proposes it in its turn, and CometBFT keeps
no memory of what was refused.
"""

from __future__ import annotations

import enum
import hashlib
import threading
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.authority_glance import AuthorityGlance
from tallystick.engine.cometbft.bundle import BadBundle, Bundle, BundleCache
from tallystick.engine.cometbft.params import ordered_max
from tallystick.engine.cometbft.trials import Trials
from tallystick.engine.cometbft.turns import Offer, Turns
from tallystick.engine.verdicts import Verdicts
from tallystick.ledger.app import Message, Record, tag_of
from tallystick.ledger.refusal import Refused
from tallystick.ledger.system import Activation
from tallystick.values.codec import encode_key

TICKS_AHEAD = 2
"""A tick may wait for the next block or for the one after: nobody can fill the queue with them."""

WITNESSES_KEPT = 100_000
"""Bundles of which is remembered what is open in them; those that wait are asked about again
after every block, and decoding them all each time would hold the blocks up."""

LOOKS_MAX = 8
"""Open transactions of a bundle of which one must be authorised. A node bundles those alone that
were when it took them; in a bundle of others the first ones tell."""

READ_AHEAD = 4
"""Bundles of so many blocks are read for one proposal, so that every sender has a turn."""


class Code(enum.IntEnum):
    """What a node says of a bundle that is to wait; the numbers are permanent."""

    TAKEN = 0
    BAD = 1
    NOT_NOW = 2
    SETTLED = 3
    TOO_MANY = 4
    UNAUTHORISED = 5


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
        self.glance = AuthorityGlance(chain)
        """What the committed state authorises; for any thread."""
        self._chain = chain
        self._verdicts = verdicts
        self._bundles = bundles
        self.most = ordered_max(chain.state)
        """Most transactions in the bundles of the next block."""
        self.early = early_messages(chain)
        """Messages of rules that are not in force in the next block, and which version is."""
        self._witnesses: dict[bytes, tuple[str, str, int, int]] = {}
        self._witnessing = threading.Lock()
        self._trials = Trials()

    def refresh(self, changed: Mapping[bytes, Record | None] | None = None) -> None:
        """Read again what the next block goes by; after a block that changed these records.

        None after a snapshot: everything may be another.
        """
        self.glance.refresh(changed)
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
            batch = bundle.batch or self._verdicts.open([each.raw for each in bundle.transactions])
            for bad_key in self._verdicts.bad_keys(batch, bundle.transactions).values():
                raise BadBundle(f"a signature of key {bad_key.hex()} is bad")
            bundle.is_verified, bundle.batch = True, None
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
        return TAKEN if bundle.is_tick else self._admit(bundle, digest, is_new=is_new)

    def _admit(self, bundle: Bundle, digest: bytes, *, is_new: bool) -> Check:
        """Whether a bundle of transactions may wait."""
        use = self._use_of(bundle)
        if isinstance(use, Check):
            size, height = len(bundle.raw), self._chain.state.tip.height
            is_doubtful = use.code is Code.UNAUTHORISED
            if is_doubtful and self._trials.may_wait(digest, size, height, is_new=is_new):
                return TAKEN
            return use
        self._trials.end(digest)
        self._keep_witness(digest, (*use, len(bundle.transactions)))
        return TAKEN

    def choose(self, raws: Sequence[bytes], bytes_max: int, height: int) -> list[bytes]:
        """Whole bundles for a proposal, the senders in turn; what has no use is left."""
        turns = Turns()
        bytes_left, count_left = READ_AHEAD * bytes_max, READ_AHEAD * self.most
        for raw in raws:
            size = proto_size(raw)
            if size > bytes_max:
                continue
            try:
                bundle = self.good(raw)
            except BadBundle:
                continue
            sender = self._sender(bundle, height)
            if sender is not None:
                turns.add(sender, Offer(raw, size, len(bundle.transactions)))
            bytes_left -= size
            count_left -= len(bundle.transactions)
            if bytes_left <= 0 or count_left <= 0:
                break
        return turns.take(bytes_max, self.most)

    def _sender(self, bundle: Bundle, height: int) -> str | None:
        """Whose turn a bundle takes in the block of a height; None when it has no use there."""
        if bundle.is_tick:
            return "" if bundle.note == height else None
        use = self._use_of(bundle)
        if isinstance(use, Check):
            with self._witnessing:  # it may have been authorised when it came: look again
                self._witnesses.pop(hashlib.sha256(bundle.raw).digest(), None)
            return None
        return use[0]

    def _use_of(self, bundle: Bundle) -> Use | Check:
        """The first transaction that may still be done and is authorised; why not, if none is."""
        looks = 0
        no: Refused | None = None
        for transaction in bundle.transactions:
            body = transaction.body
            if self._is_settled(body.sender, body.reference, body.expires_at_ms):
                continue
            no = self.glance.refused(transaction)
            if no is None:
                return body.sender, body.reference, body.expires_at_ms
            looks += 1
            if looks == LOOKS_MAX:
                break
        if no is None:
            return Check(Code.SETTLED, "every transaction of it is decided or has expired")
        return Check(Code.UNAUTHORISED, f"nobody may do it: {no.code.app} {no.code.name}")

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
        with self._witnessing:
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
