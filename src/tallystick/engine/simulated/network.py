"""The scheduler: who speaks to whom, who proposes, what is decided, and who stops when.

First comes the safety phase, in which anything may happen to anybody; then all is healed, nothing
more is broken, and the network must come to rest with every transaction decided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from tallystick.engine.cometbft import abci_pb2 as pb
from tallystick.engine.cometbft.bundle import encode_bundle, encode_tick
from tallystick.engine.simulated.block import NS_PER_MS, Block, timestamp
from tallystick.engine.simulated.joining import Joining
from tallystick.engine.simulated.judge import Judge
from tallystick.engine.simulated.peer import Crashed, Peer, When
from tallystick.engine.simulated.powers import has_quorum, proposer, proto_size
from tallystick.engine.simulated.trace import Broken, Trace, require
from tallystick.engine.simulated.weather import Load, Open, Weather

REST_STEPS_MAX = 4_000
"""Steps after which a healed network must have come to rest."""
IDLE_BLOCKS = 2
"""Blocks made at the end with nothing left to order."""
AT_LEAST_EXPIRED_MS = 660_000
"""After so long everything that clients sent has expired."""
SKEW_MS_MAX = 600_000
"""A clock is ten minutes off at most."""


STOPPED = (
    *("finalize_block", "commit", "process_proposal", "prepare_proposal", "info", "init_chain"),
    *("offer_snapshot", "apply_snapshot_chunk"),
)
"""Calls around which a peer may stop."""


class Network:
    """Peers, what is decided, and what goes wrong."""

    def __init__(
        self, peers: Sequence[Peer], judge: Judge, load: Load, *, seed: int, trace: Trace
    ) -> None:
        """All peers are off; the first peer is the one that may lie."""
        self.peers = list(peers)
        self.chance = Random(f"network/{seed}")
        self.weather = Weather.drawn(self.chance)
        self.decided: list[Block] = []
        self.now_ms = judge.ledger.genesis.time_ms
        self._judge = judge
        self._load = load
        self._trace = trace
        self._round = 0
        self._locked: Block | None = None
        self._island: frozenset[str] = frozenset()
        self._open: list[Open] = []
        self._sent: list[bytes] = []
        self._is_calm = False
        for peer in self.peers:
            peer.skew_ms = self.chance.choice((0, 0, 0, self._some_skew()))

    def _some_skew(self) -> int:
        return self.chance.randrange(-SKEW_MS_MAX, SKEW_MS_MAX)

    # --- a run

    def run(self) -> None:
        """The safety phase, then the liveness phase."""
        for peer in self.peers:
            peer.start()
        for _ in range(self.weather.steps):
            self._safety_step()
        self._heal()
        self._come_to_rest()

    def _safety_step(self) -> None:
        """Something happens."""
        chance = self.chance
        self.now_ms += chance.choice((1, 50, 100, 700))
        if chance.random() < 0.005:
            self.now_ms += chance.choice((60_000, 600_000))
        if chance.random() < self.weather.crash:
            self._crash_one()
        if chance.random() < self.weather.split:
            self._split()
        act: Callable[[], None] = chance.choices(
            (self._send, self._gossip, self._work, self._vote, self._start_one, self._look),
            (4, 5, 14, 6, 4, 1),
        )[0]
        act()

    # --- harm

    def _crash_one(self) -> None:
        """Somebody stops: now, around a call, or at an operation of the disk."""
        chance = self.chance
        up = [peer for peer in self.peers if peer.is_up]
        if len(self.peers) - len(up) >= self.weather.down_max or not up:
            return
        peer = chance.choice(up)
        power = chance.random() >= self.weather.power
        kind = chance.randrange(9)
        if kind == 0:
            self._lose_data(peer)
        elif kind < 3:
            peer.crash(power=power)
        elif kind < 5:
            peer.doom_at_disk(chance.randrange(1, 8), power=power)
        else:
            peer.doom(chance.choice(STOPPED), chance.choice((When.BEFORE, When.AFTER)), power=power)

    def _lose_data(self, peer: Peer) -> None:
        """A peer gets an older copy of its data, or begins anew, perhaps with a snapshot.

        The second peer is the archive: it keeps all blocks for who begins anew, so it may not.
        """
        peer.go_back()
        if self.chance.random() < 0.5 and peer is not self.peers[1]:
            self._trace.note(f"{peer.name} joins anew")
            peer.begin_anew()
            peer.joining = Joining(
                peer,
                lambda: [each for each in self.peers if each is not peer and each.is_up],
                judge=self._judge,
                chance=self.chance,
                trace=self._trace,
            ).run

    def _start_one(self) -> None:
        """Somebody who is down comes back."""
        down = [peer for peer in self.peers if not peer.is_up]
        if down:
            peer = self.chance.choice(down)
            if self.chance.random() < 4 * self.weather.crash:
                peer.machine.stop_after(self.chance.randrange(1, 4))
            peer.start()

    def _split(self) -> None:
        """Some peers are cut off, or all are together again."""
        if self._island:
            self._island = frozenset()
            self._trace.note("all are connected")
            return
        cut = self.chance.sample(self.peers, self.chance.randrange(1, len(self.peers)))
        self._island = frozenset(peer.name for peer in cut)
        self._trace.note(f"cut off: {' '.join(sorted(self._island))}")

    def _side(self, peer: Peer) -> bool:
        """On which side of the cut a peer is."""
        return peer.name in self._island

    # --- clients

    def _send(self) -> None:
        """A client sends something new, or again what it has no answer for."""
        chance = self.chance
        self._forget_answered()
        waiting = self._open
        if len(self._sent) < self.weather.transactions and not self._is_calm:
            for _ in range(chance.randrange(1, 4)):
                self._sign()
        if not waiting:
            return
        some = chance.sample(waiting, min(len(waiting), chance.randrange(1, 5)))
        for each in some:
            each.attempts += 1
        bundle = encode_bundle(max(each.attempts for each in some), [each.raw for each in some])
        for peer in chance.sample(self.peers, chance.randrange(1, 3)):
            if peer.is_up and peer.task is None:
                self._trace.note(f"{peer.name} is sent {len(some)}")
                peer.offer(bundle)

    def _sign(self) -> None:
        """A new transaction."""
        raw = self._load.transaction(self.chance, self._judge.ledger_ms or self.now_ms)
        if raw is None:
            return
        made = self._judge.ledger.codec.decode(raw)
        self._open.append(Open(raw, made.id, made.body.expires_at_ms))
        self._sent.append(raw)

    def _forget_answered(self) -> None:
        """What is decided, or expired by a block's time, needs nobody any more."""
        judge = self._judge
        self._open = [
            each
            for each in self._open
            if each.id not in judge.final
            and each.id not in judge.turned_away
            and each.expires_at_ms > judge.ledger_ms
        ]

    def _gossip(self) -> None:
        """What one has, another gets; at times somebody asks for a block, or sends rubbish."""
        chance = self.chance
        idle = [peer for peer in self.peers if peer.is_up and peer.task is None]
        if not idle:
            return
        to = chance.choice(idle)
        others = [peer for peer in idle if peer is not to and self._side(peer) == self._side(to)]
        if others:
            known = tuple(chance.choice(others).mempool)
            for bundle in chance.sample(known, min(len(known), 4)):
                if to.is_up:
                    to.offer(bundle)
        if to.is_up and chance.random() < 0.1:
            to.offer(encode_tick(to.comet.kept.state_height + chance.randrange(4)))
        if to.is_up and chance.random() < 0.1:
            rubbish = chance.randbytes(chance.randrange(40))
            require(not to.offer(rubbish), "rubbish is taken into the mempool")

    # --- consensus

    def _vote(self) -> None:
        """One round at the next height, among those who can take part."""
        height = len(self.decided) + 1
        side = self.chance.choice((True, False)) if self._island else False
        ready = [
            peer
            for peer in self.peers
            if peer.is_up
            and peer.task is None
            and peer.comet.kept.state_height == height - 1
            and self._side(peer) == side
        ]
        if not ready:
            return
        powers = ready[0].comet.kept.powers[height]
        if not has_quorum(powers, [peer.key for peer in ready]):
            return
        turn, self._round = self._round, self._round + 1
        speaker = next((p for p in ready if p.key == proposer(powers, height + turn)), None)
        if speaker is None:
            self._trace.note(f"round {turn} of {height}: the proposer does not speak")
            return
        self._ballot(speaker, ready, height)

    def _ballot(self, speaker: Peer, ready: Sequence[Peer], height: int) -> None:
        """The proposal goes round and is voted on."""
        proposals = self._proposals(speaker, ready, height)
        if not proposals:
            return
        votes: dict[bytes, list[Peer]] = {block.hash: [] for block, _ in proposals}
        for peer in ready:
            block, is_legal = self.chance.choice(proposals)
            if not peer.is_up:
                continue
            if self._says_yes(peer, block, is_legal):
                votes[block.hash].append(peer)
        powers = self._powers(height)
        for block, _ in proposals:
            keys = [peer.key for peer in votes[block.hash]]
            if not has_quorum(powers, [*keys, speaker.key] if len(proposals) > 1 else keys):
                continue
            self._locked = block
            if self._is_calm or self.chance.random() >= self.weather.lost:
                self._decide(block, votes[block.hash])
            else:
                self._trace.note(f"the votes for {block.hash.hex()[:8]} are lost")
            return

    def _powers(self, height: int) -> dict[bytes, int]:
        """Who votes at a height, from any peer that knows."""
        for peer in self.peers:
            if height in peer.comet.kept.powers:
                return dict(peer.comet.kept.powers[height])
        raise Broken(f"nobody knows who votes at {height}")

    def _proposals(
        self, speaker: Peer, ready: Sequence[Peer], height: int
    ) -> list[tuple[Block, bool | None]]:
        """What the proposer proposes; with each whether votes for it are due, None: either way."""
        if self._locked is not None:
            return [(self._locked, True)]
        time_ns = self._block_time(ready, height)
        is_bad = speaker is self.peers[0] and self.chance.random() < self.weather.harm
        if is_bad and not self._is_calm:
            return self._bad_proposals(speaker, height, time_ns)
        try:
            bundles = self._prepare(speaker, height, time_ns)
        except Crashed:
            return []
        return [(self._block(speaker, height, time_ns, bundles), True)]

    def _bad_proposals(
        self, speaker: Peer, height: int, time_ns: int
    ) -> list[tuple[Block, bool | None]]:
        """Rubbish, or two different blocks for two halves of the network."""
        first = self._load.harm(self.chance, self._sent, self._judge.ledger_ms or self.now_ms)
        made: list[tuple[Block, bool | None]] = [
            (self._block(speaker, height, time_ns, first.bundles), first.is_legal)
        ]
        self._trace.note(f"{speaker.name} proposes {first.name}")
        if self.chance.random() < 0.4:
            self._trace.note(f"{speaker.name} proposes twice")
            fair = tuple(speaker.mempool)[:2]
            twin = self._block(speaker, height, time_ns + NS_PER_MS, fair)
            made.append((twin, None))
        return made

    def _block(self, speaker: Peer, height: int, time_ns: int, bundles: Sequence[bytes]) -> Block:
        """A block after the last one."""
        previous = self.decided[-1].hash if self.decided else b""
        app_hash = speaker.comet.kept.app_hash
        return Block(height, time_ns, speaker.key, app_hash, previous, tuple(bundles))

    def _block_time(self, ready: Sequence[Peer], height: int) -> int:
        """The median of the clocks of those who voted, and later than the last block's."""
        if height == 1:
            return self._judge.ledger.genesis.time_ms * NS_PER_MS
        clocks = sorted(self.now_ms + peer.skew_ms for peer in ready)
        median = clocks[len(clocks) // 2] * NS_PER_MS + self.chance.randrange(NS_PER_MS)
        return max(median, self.decided[-1].time_ns + NS_PER_MS)

    def _prepare(self, speaker: Peer, height: int, time_ns: int) -> tuple[bytes, ...]:
        """Have an honest proposer choose: whole bundles of those offered, and not too many."""
        waiting = tuple(speaker.mempool)
        kept = speaker.comet.kept
        most = kept.params[height].data_bytes(len(kept.powers[height]))
        if self.chance.random() < 0.2 and waiting:
            most = min(most, proto_size(self.chance.sample(waiting, 1)) + 1)
        before = standing(speaker)
        reply = speaker.call(
            "prepare_proposal",
            pb.RequestPrepareProposal(
                max_tx_bytes=most, txs=waiting, height=height, time=timestamp(time_ns)
            ),
        )
        chosen = tuple(reply.txs)
        require(standing(speaker) == before, "PrepareProposal changed the state")
        require(proto_size(chosen) <= most, "a proposal is larger than it may be")
        require(set(chosen) <= set(waiting), "a proposer made up a bundle")
        require(len(set(chosen)) == len(chosen), "a proposer takes a bundle twice")
        return chosen

    def _says_yes(self, peer: Peer, block: Block, is_legal: bool | None) -> bool:
        """Ask a peer whether to vote for a block; what is proposed in earnest is accepted."""
        before = standing(peer)
        try:
            reply = peer.call("process_proposal", block.process())
        except Crashed:
            return False
        require(reply.status in (reply.ACCEPT, reply.REJECT), "neither yes nor no")
        require(standing(peer) == before, "ProcessProposal changed the state")
        is_yes = bool(reply.status == reply.ACCEPT)
        require(is_legal is None or is_yes == is_legal, f"{peer.name} says {is_yes} to {is_legal}")
        return is_yes

    def _decide(self, block: Block, voters: Sequence[Peer]) -> None:
        """A block is decided; those who voted have it."""
        self.decided.append(block)
        self._locked, self._round = None, 0
        self._trace.note(
            f"decided {block.height} {block.hash.hex()[:8]}: {len(block.bundles)} bundles"
        )
        for peer in voters:
            peer.comet.kept.voted[block.height] = block

    # --- work

    def _work(self) -> None:
        """Somebody goes on with a task, or takes the next block."""
        up = [peer for peer in self.peers if peer.is_up]
        for peer in self.chance.sample(up, min(len(up), 3)):
            for _ in range(self.chance.randrange(1, 7)):
                if peer.is_up:
                    self._work_at(peer)

    def _work_at(self, peer: Peer) -> None:
        """One step."""
        if peer.task is None:
            block = self._next_block(peer)
            if block is not None:
                peer.begin(block)
        peer.step()

    def _next_block(self, peer: Peer) -> Block | None:
        """The next decided block, if this peer or one it can reach has it."""
        height = peer.comet.kept.state_height + 1
        if height > len(self.decided):
            return None
        for other in self.peers:
            if other is not peer and not (other.is_up and self._side(other) == self._side(peer)):
                continue
            kept = other.comet.kept
            if height in kept.blocks or height in kept.voted:
                return self.decided[height - 1]
        return None

    def _look(self) -> None:
        """Somebody asks a node how far it is, and may make a copy of its data."""
        peer = self.chance.choice(self.peers)
        if not peer.is_up or peer.task is not None:
            return
        if self.chance.random() < 0.5:
            peer.machine.back_up()
        try:
            info = peer.call("info", pb.RequestInfo())
        except Crashed:
            return
        kept = peer.comet.kept
        self._judge.informed(info, least=kept.state_height, most=kept.state_height)

    # --- rest

    def _heal(self) -> None:
        """From now on nothing is broken any more."""
        self._trace.note("all is healed")
        self._is_calm, self._island = True, frozenset()
        for peer in self.peers:
            peer.skew_ms = 0
            peer.heal()
            if not peer.is_up:
                peer.start()

    def _come_to_rest(self) -> None:
        """Every open transaction is decided, then all stand at the same block."""
        for _ in range(REST_STEPS_MAX):
            self.now_ms += 700
            for peer in self.peers:
                require(peer.is_up, f"{peer.name} stops with nothing broken")
                self._work_at(peer)
            self._forget_answered()
            if self._open:
                self._send()
                self._gossip()
                self._vote()
            elif self._is_level():
                break
        else:
            raise Broken(f"no rest: {len(self._open)} transactions wait")
        self._make_idle_blocks()

    def _is_level(self) -> bool:
        """Whether all have done all that was decided."""
        heights = {peer.comet.kept.state_height for peer in self.peers}
        return heights == {len(self.decided)} and all(peer.task is None for peer in self.peers)

    def _make_idle_blocks(self) -> None:
        """A few blocks later what was turned away has expired too: the mempools are empty."""
        self.now_ms += AT_LEAST_EXPIRED_MS
        for _ in range(IDLE_BLOCKS):
            goal = len(self.decided) + 1
            for _ in range(REST_STEPS_MAX):
                if len(self.decided) == goal and self._is_level():
                    break
                if len(self.decided) < goal:
                    self._vote()
                for peer in self.peers:
                    self._work_at(peer)
            else:
                raise Broken("no block is made any more")
        for peer in self.peers:
            require(not peer.mempool, f"{peer.name} still has bundles in its mempool")


def standing(peer: Peer) -> tuple[int, bytes, int]:
    """What may not change but by a commit; of a peer that is down nothing."""
    if not peer.is_up:
        return 0, b"", 0
    state = peer.chain.state
    return state.tip.height, peer.chain.app_hash(), state.tree_version
