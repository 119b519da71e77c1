"""Calls in every order that CometBFT's grammar allows, at one application alone."""

from __future__ import annotations

from random import Random

import pytest

from tallystick.engine.cometbft import abci_pb2 as pb
from tallystick.engine.cometbft.application import Application
from tallystick.engine.cometbft.bundle import encode_bundle
from tallystick.engine.simulated.block import Block, timestamp
from tallystick.engine.simulated.grammar import Grammar, height_sentence
from tallystick.engine.simulated.trace import Broken
from tests.sim.load import TillLoad
from tests.sim.machine import SimulatedMachine
from tests.sim.runs import KEYS, founding, make_application, till_ledger

HEIGHTS = 12
SENTENCES = 20


class Alone:
    """One application, and the calls that it is given."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(f"grammar/{seed}")
        self.ledger = till_ledger()
        self.machine = SimulatedMachine(self.ledger, f"grammar/{seed}")
        self.machine.keep = 0
        self.load = TillLoad(self.ledger, KEYS)
        self.sent: list[bytes] = []
        self.height = 0
        self.time_ns = self.ledger.genesis.time_ms * 1_000_000
        self.answers: list[bytes] = []
        self.begin()

    def begin(self) -> None:
        """A process starts: info, and the genesis if the application asks for it."""
        self.grammar = Grammar()
        self.app: Application = make_application(
            self.machine, self.machine.start(), lambda told: None
        )
        self.grammar.called("info")
        info = self.app.info(pb.RequestInfo())
        assert info.last_block_height == self.height
        if not info.last_block_height:
            self.grammar.called("init_chain")
            self.app.init_chain(founding(self.ledger)[0].request)

    def block(self) -> Block:
        """Something to decide."""
        now_ms = self.time_ns // 1_000_000
        self.sent += [self.load.transaction(self.chance, now_ms) for _ in range(2)]
        bundle = encode_bundle(self.chance.randrange(9), self.chance.sample(self.sent, 2))
        time_ns = self.time_ns + self.chance.randrange(1, 9_000_000_000)
        return Block(self.height + 1, time_ns, b"", b"", b"", (bundle,))

    def play_height(self) -> None:
        """One height, in one of the orders that there are."""
        block = self.block()
        for call in height_sentence(self.chance):
            self.grammar.called(call)
            if call == "prepare_proposal":
                self._prepare(block)
            elif call == "process_proposal":
                self._process(self.chance.choice((block, self.block())))
            elif call == "finalize_block":
                self.answers.append(self._finalize(block))
            else:
                self.app.commit(pb.RequestCommit())
        self.height, self.time_ns = block.height, block.time_ns

    def _prepare(self, block: Block) -> None:
        request = pb.RequestPrepareProposal(
            max_tx_bytes=10**6, txs=block.bundles, height=block.height, time=timestamp(1)
        )
        assert len(self.app.prepare_proposal(request).txs) <= len(block.bundles)

    def _process(self, block: Block) -> None:
        reply = self.app.process_proposal(block.process())
        assert reply.status == reply.ACCEPT
        if self.chance.random() < 0.7:
            self.app.execute_ahead()

    def _finalize(self, block: Block) -> bytes:
        reply = self.app.finalize_block(block.finalize())
        return reply.SerializeToString(deterministic=True)


@pytest.mark.parametrize("seed", range(SENTENCES))
def test_every_order_gives_the_same(seed: int) -> None:
    """What is decided alone decides the answers, whatever was asked before."""
    alone, straight = Alone(seed), Alone(seed)
    blocks = []
    for _ in range(HEIGHTS):
        alone.play_height()
        blocks.append(alone.app.chain.entry(alone.height))
        if alone.chance.random() < 0.2:
            alone.machine.stop(power=alone.chance.random() < 0.5)
            alone.begin()
    chain = straight.app.chain
    for entry in blocks:
        made = [chain.ledger.codec.decode(raw) for raw in entry.transactions]
        candidate = chain.ledger.execute(chain.state, entry.header.time_ms, made)
        chain.commit(candidate, engine_hash=entry.engine_hash)
    assert [chain.entry(entry.header.height) for entry in blocks] == blocks
    assert chain.app_hash() == alone.app.chain.app_hash()


def test_the_grammar_knows_what_may_not_follow() -> None:
    for *before, last in (
        ("finalize_block",),
        ("info", "commit"),
        ("info", "init_chain", "commit"),
        ("info", "init_chain", "finalize_block", "finalize_block"),
        ("info", "finalize_block", "process_proposal"),
        ("info", "init_chain", "init_chain"),
        ("info", "apply_snapshot_chunk"),
    ):
        grammar = Grammar()
        for call in before:
            grammar.called(call)
        with pytest.raises(Broken, match=f"the grammar has no {last}"):
            grammar.called(last)
