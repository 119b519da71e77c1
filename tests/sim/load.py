"""What clients of a simulated consortium send, and what a bad proposer proposes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from tallystick.engine.cometbft.bundle import encode_bundle, encode_tick
from tallystick.engine.simulated import Harm
from tallystick.ledger.app import Message
from tallystick.ledger.execute import Ledger
from tallystick.ledger.transaction import Body, Call, Signature, assemble
from tallystick.testing.world import sign
from tallystick.values.codec import encode
from tests.sim.council.messages import Limit, Seat
from tests.till.messages import Activate, Fill, Leave, Pay, Wind

PARTIES = ("A", "B", "C")
MINUTE_MS = 60_000
OTHER_CHAIN = "other-00000000"


class TillLoad:
    """Purses, notes that appear later, clocks that are wound, seats that change hands."""

    def __init__(self, ledger: Ledger, keys: Sequence[bytes]) -> None:
        """`keys` are those of the validators; the first four began as such."""
        self.ledger = ledger
        """The rules of the chain."""
        self._keys = keys
        self._count = 0

    def transaction(self, chance: Random, ledger_ms: int) -> bytes:
        """One more signed transaction; some reuse a reference, some are signed by a stranger."""
        self._count += 1
        party = chance.choice(PARTIES)
        reference = f"ref-{self._count - (chance.random() < 0.05)}"
        expires_at_ms = ledger_ms + chance.choice((10_000, MINUTE_MS, 10 * MINUTE_MS))
        signer = "sup.viewer" if chance.random() < 0.05 else f"{party}.clerk"
        message = self._message(chance, party, ledger_ms)
        return self._signed(party, message, reference, expires_at_ms, signers=(signer,))

    def _message(self, chance: Random, party: str, ledger_ms: int) -> Message:
        """Something to ask."""
        kind = chance.randrange(20)
        if kind < 3:
            return Fill(currency="CNY", amount_minor=chance.randrange(1, 1_000))
        if kind < 12:
            return Pay(to=chance.choice(PARTIES), amount_minor=chance.randrange(1, 400))
        if kind < 16:
            at_ms = chance.choice((None, ledger_ms + chance.randrange(1, 2 * MINUTE_MS)))
            return Leave(name="n", number=self._count, at_ms=at_ms)
        if kind == 16:
            return Wind(by_ms=chance.choice((1, 1_000, 2 * MINUTE_MS)))
        if kind == 17:
            return Activate(version=chance.choice((1, 2)), from_height=chance.randrange(1, 30))
        if kind == 18:
            size = chance.choice((1_048_576, 2_000_000))
            return Limit(block_bytes=size, block_transactions=chance.choice((8, 12, 20, 99)))
        seat = chance.randrange(1, len(self._keys))
        power = chance.choice((8, 10, 12)) if seat < 4 else chance.choice((0, 1, 10))
        return Seat(public_key=self._keys[seat], member=f"m{seat}", power=power)

    def _signed(
        self,
        party: str,
        message: Message,
        reference: str,
        expires_at_ms: int,
        *,
        signers: Sequence[str],
        chain_id: str | None = None,
    ) -> bytes:
        """The bytes of a transaction."""
        body = encode(
            Body[Any](
                chain_id=chain_id or self.ledger.chain_id,
                sender=party,
                reference=reference,
                expires_at_ms=expires_at_ms,
                calls=(Call[Any](party=party, message=message),),
            )
        )
        return assemble(body, [sign(each, body) for each in signers])

    def sample(self) -> tuple[str, Message, tuple[str, ...]]:
        """Something that may be signed: the party, the message, the signers."""
        return "A", Pay(to="B", amount_minor=1), ("A.clerk",)

    # --- harm

    def harm(self, chance: Random, seen: Sequence[bytes], ledger_ms: int) -> Harm:
        """A bad proposal."""
        fresh = self.transaction(chance, ledger_ms)
        kinds: Sequence[Callable[[Random, Sequence[bytes], bytes, int], Harm]] = (
            self._rubbish, self._bad_signature, self._other_chain, self._over_limit,
            self._not_canonical, self._duplicates, self._late, self._ticks,
        )  # fmt: skip
        return chance.choice(kinds)(chance, [*seen, fresh], fresh, ledger_ms)

    def _rubbish(self, chance: Random, seen: Sequence[bytes], fresh: bytes, now_ms: int) -> Harm:
        good = encode_bundle(1, [fresh])
        cut = chance.randrange(1, len(good))
        bad = chance.choice((b"", chance.randbytes(20), good[:cut], good + b"\x00"))
        return Harm("rubbish", (good, bad), is_legal=False)

    def _bad_signature(
        self, chance: Random, seen: Sequence[bytes], fresh: bytes, now_ms: int
    ) -> Harm:
        made = self.ledger.codec.decode(fresh)
        first, *others = made.signatures
        wrong = bytes([first.signature[0] ^ 1]) + first.signature[1:]
        bad = Signature(suite=1, public_key=first.public_key, signature=wrong)
        raw = assemble(made.signed.removeprefix(b"tallystick/tx/1"), [bad, *others])
        return Harm("a bad signature", (encode_bundle(1, [fresh, raw]),), is_legal=False)

    def _other_chain(
        self, chance: Random, seen: Sequence[bytes], fresh: bytes, now_ms: int
    ) -> Harm:
        party, message, signers = self.sample()
        raw = self._signed(
            party, message, "x", now_ms + 60_000, signers=signers, chain_id=OTHER_CHAIN
        )
        return Harm("another chain's", (encode_bundle(1, [raw]),), is_legal=False)

    def _over_limit(self, chance: Random, seen: Sequence[bytes], fresh: bytes, now_ms: int) -> Harm:
        bundles = tuple(encode_bundle(note, [fresh] * 17) for note in range(3))
        return Harm("too many transactions", bundles, is_legal=False)

    def _not_canonical(
        self, chance: Random, seen: Sequence[bytes], fresh: bytes, now_ms: int
    ) -> Harm:
        good = encode_bundle(1, [fresh])
        return Harm("not canonical", (good[:1] + b"\xcc\x01" + good[2:],), is_legal=False)

    def _duplicates(self, chance: Random, seen: Sequence[bytes], fresh: bytes, now_ms: int) -> Harm:
        some = [chance.choice(seen) for _ in range(3)]
        again = encode_bundle(chance.randrange(9), some)
        bundles = (again, encode_bundle(99, list(reversed(some))))
        return Harm("duplicates, out of order", bundles, is_legal=True)

    def _late(self, chance: Random, seen: Sequence[bytes], fresh: bytes, now_ms: int) -> Harm:
        party, message, signers = self.sample()
        late, far = (
            self._signed(party, message, f"{at_ms}-{self._count}", at_ms, signers=signers)
            for at_ms in (now_ms - 1, now_ms + 10**9)
        )
        return Harm("expired and far ahead", (encode_bundle(7, [late, far]),), is_legal=True)

    def _ticks(self, chance: Random, seen: Sequence[bytes], fresh: bytes, now_ms: int) -> Harm:
        return Harm("ticks", (encode_tick(1), encode_tick(10**6)), is_legal=True)
