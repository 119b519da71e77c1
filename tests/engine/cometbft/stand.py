"""A till ordered by an engine: its application, without a socket, and the requests to it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from tallystick.engine.base import Committed
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.application import Application
from tallystick.engine.cometbft.bundle import BundleCache, encode_bundle
from tallystick.engine.cometbft.params import app_state, consensus_params
from tallystick.engine.verdicts import Verdicts
from tallystick.ledger.app import App, Message
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import Genesis
from tallystick.ledger.system import CONSENSUS, Consensus, Validator
from tallystick.ledger.transaction import Body, Call, assemble
from tallystick.store.base import StateStore
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.testing.disk import SimulatedDisk
from tallystick.testing.world import chosen_body, public_key, sign
from tallystick.values.codec import encode
from tests.till import APP
from tests.till.desk import MINUTE_MS, OPENS_MS, genesis
from tests.till.people import PEOPLE, People

CONSENSUS_RECORD = Consensus(
    name=CONSENSUS,
    block_bytes=4_194_304,
    block_transactions=1_000,
    evidence_blocks=100_000,
    evidence_ms=172_800_000,
)
VALIDATOR = Validator(public_key=public_key("validator-1"), member="A", power=10)
BYTES_MAX = 4_000_000


def till_genesis(*validators: Validator, **changes: Any) -> Genesis:
    """How the till begins under CometBFT."""
    records = (CONSENSUS_RECORD, *(validators or (VALIDATOR,)))
    said = {"node_key": None, "records": tuple(encode(record) for record in records)}
    return genesis(**(said | changes))


class Stand:
    """One node's application."""

    def __init__(
        self,
        *,
        begins: Genesis | None = None,
        disk: SimulatedDisk | None = None,
        store: StateStore | None = None,
        references: int = 0,
        app: App = APP,
        people: People = PEOPLE,
        **options: Any,
    ) -> None:
        """Open the chain, with this release's till or another's."""
        self.genesis = begins or till_genesis()
        self.ledger = Ledger([app], people, self.genesis)
        self.disk = disk or SimulatedDisk()
        self.log = FileLog.open(self.disk, "blocks", self.genesis.hash)
        self.chain = Chain(self.ledger, self.log, store or MemoryStore(), body=chosen_body())
        self.verdicts = Verdicts(chosen_body().open_batch)
        self.bundles = BundleCache(self.ledger)
        self.published: list[Committed] = []
        self.halted: list[BaseException] = []
        self.application = Application(
            self.chain,
            self.verdicts,
            bundles=self.bundles,
            published=self.published.append,
            halted=self.halted.append,
            **options,
        )
        self._references = references

    # --- transactions

    def signed(
        self,
        *calls: tuple[str, Message],
        keys: Sequence[str] = (),
        reference: str | None = None,
        expires_at_ms: int | None = None,
        chain_id: str | None = None,
    ) -> bytes:
        """A transaction's bytes: each call by a party, signed by its clerk, or by `keys`."""
        self._references += 1
        body = encode(
            Body[Any](
                chain_id=chain_id or self.ledger.chain_id,
                sender=calls[0][0],
                reference=reference or f"ref-{self._references}",
                expires_at_ms=expires_at_ms or self.chain.ledger_ms + 10 * MINUTE_MS,
                calls=tuple(Call[Any](party=party, message=message) for party, message in calls),
            )
        )
        names = keys or [f"{party}.clerk" for party, _ in calls]
        return assemble(body, [sign(name, body) for name in dict.fromkeys(names)])

    def bundle(self, *calls: tuple[str, Message], note: int = 0) -> bytes:
        """A bundle of transactions of one call each."""
        return encode_bundle(note, [self.signed(call) for call in calls])

    def tampered(self, call: tuple[str, Message]) -> bytes:
        """A bundle in which one signature has one wrong bit."""
        raw = bytearray(self.signed(call))
        raw[-1] ^= 1
        return encode_bundle(0, [self.signed(call), bytes(raw)])

    # --- requests

    def init_chain(self, **changes: Any) -> abci.ResponseInitChain:
        """Begin."""
        return self.application.init_chain(self.beginning(**changes))

    def beginning(self, **changes: Any) -> abci.RequestInitChain:
        """What the engine says at its genesis."""
        said: dict[str, Any] = {
            "time": time_of(self.genesis.time_ms),
            "chain_id": self.genesis.chain_id,
            "consensus_params": consensus_params(CONSENSUS_RECORD),
            "validators": [
                abci.ValidatorUpdate(pub_key=abci.PublicKey(ed25519=VALIDATOR.public_key), power=10)
            ],
            "app_state_bytes": app_state(self.ledger),
            "initial_height": 1,
        }
        return abci.RequestInitChain(**(said | changes))

    def check(self, raw: bytes, *, again: bool = False) -> abci.ResponseCheckTx:
        """Ask whether a bundle may wait."""
        kind = abci.RECHECK if again else abci.NEW
        return self.application.check_tx(abci.RequestCheckTx(tx=raw, type=kind))

    def prepare(self, raws: Sequence[bytes], bytes_max: int = BYTES_MAX) -> list[bytes]:
        """Have the next block's bundles chosen."""
        request = abci.RequestPrepareProposal(
            max_tx_bytes=bytes_max, txs=raws, height=self.next_height
        )
        return list(self.application.prepare_proposal(request).txs)

    def process(self, raws: Sequence[bytes], *, ms: int | None = None) -> bool:
        """Have a proposal judged, and executed ahead when it is accepted."""
        hash_, height, time = self.named(raws, ms)
        request = abci.RequestProcessProposal(txs=raws, hash=hash_, height=height, time=time)
        status = self.application.process_proposal(request).status
        self.application.execute_ahead()
        return status == abci.ResponseProcessProposal.ACCEPT

    def finalize(
        self, raws: Sequence[bytes], *, ms: int | None = None, **changes: Any
    ) -> abci.ResponseFinalizeBlock:
        """Have a decided block executed."""
        hash_, height, time = self.named(raws, ms)
        said: dict[str, Any] = {"txs": raws, "hash": hash_, "height": height, "time": time}
        return self.application.finalize_block(abci.RequestFinalizeBlock(**(said | changes)))

    def commit(self) -> abci.ResponseCommit:
        """Have it made durable."""
        return self.application.commit(abci.RequestCommit())

    def block(self, *raws: bytes, ms: int | None = None, ahead: bool = True) -> Committed:
        """A whole height."""
        if ahead and not self.process(raws, ms=ms):
            raise ValueError("the proposal was rejected")
        self.finalize(raws, ms=ms)
        self.commit()
        return self.published[-1]

    @property
    def next_height(self) -> int:
        """Height of the next block."""
        return self.chain.state.tip.height + 1

    def named(self, raws: Sequence[bytes], ms: int | None) -> tuple[bytes, int, abci.Timestamp]:
        """Hash, height and time of the next block."""
        at_ms = self.chain.state.tip.time_ms if ms is None else ms
        said = encode([self.next_height, at_ms, list(raws)])
        return hashlib.sha256(said).digest(), self.next_height, time_of(at_ms)


def time_of(ms: int) -> abci.Timestamp:
    """A time as the engine tells it, with some nanoseconds that are cut off."""
    seconds, left = divmod(ms, 1_000)
    return abci.Timestamp(seconds=seconds, nanos=left * 1_000_000 + 999_999)


__all__ = ["CONSENSUS_RECORD", "MINUTE_MS", "OPENS_MS", "VALIDATOR", "Stand", "till_genesis"]
