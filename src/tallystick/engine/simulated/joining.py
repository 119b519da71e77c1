"""A peer that begins with a snapshot of others, of whom one may lie: CometBFT's state sync.

    list-snapshots at the others → offer → chunk after chunk → info → the state of a light client

Only the app hash is trusted: it stands in the header of the next block, which validators signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from tallystick.engine.cometbft import abci_pb2 as pb
from tallystick.engine.simulated.comet import Kept
from tallystick.engine.simulated.judge import Judge
from tallystick.engine.simulated.peer import Peer
from tallystick.engine.simulated.trace import Trace, require

HEADERS_AFTER = 2
"""Headers after a snapshot's block that a light client needs to trust it."""
TRIES_MAX = 40
"""So many chunks may come wrong."""


class Joining:
    """Takes one peer to the block of a snapshot."""

    def __init__(
        self,
        peer: Peer,
        others: Callable[[], Sequence[Peer]],
        *,
        judge: Judge,
        chance: Random,
        trace: Trace,
    ) -> None:
        """`others` are those who can be asked now."""
        self._peer = peer
        self._others = others
        self._judge = judge
        self._chance = chance
        self._trace = trace

    def run(self) -> Iterator[str]:
        """Take a snapshot if anybody has one; without one, begin with the first block."""
        while (found := self._newest()) is None:
            if self._peer.chain.state.tip.height == 0:
                self._peer.joining = None
                yield from self._peer.comet.handshake()
                return
            yield "no snapshot yet"  # one was taken over before, and has to be once more
        app_hash = self._judge.app_hashes[found.height]
        yield from self._offered(found, app_hash)
        yield from self._taken(found)
        yield from self._stand(found.height, app_hash)

    def _newest(self) -> pb.Snapshot | None:
        """The newest snapshot whose app hash a light client can know."""
        known = len(self._judge.entries) - HEADERS_AFTER
        found = [
            each
            for other in self._others()
            for each in other.call("list_snapshots", pb.RequestListSnapshots()).snapshots
            if each.height <= known
        ]
        return max(found, key=lambda each: each.height, default=None)

    def _offered(self, snapshot: pb.Snapshot, app_hash: bytes) -> Iterator[str]:
        """Offer it; before that perhaps one that somebody made up."""
        if self._chance.random() < 0.5:
            lie = pb.Snapshot.FromString(snapshot.SerializeToString())
            place = self._chance.randrange(len(lie.metadata))
            lie.metadata = flipped(lie.metadata, place)
            said = self._offer(lie, app_hash)
            self._trace.note(f"{self._peer.name} is offered a lie, and says {said}")
            require(said != pb.ResponseOfferSnapshot.ACCEPT, "a snapshot that was made up is taken")
            yield "lie refused"
        said = self._offer(snapshot, bytes(32))
        require(said != pb.ResponseOfferSnapshot.ACCEPT, "a snapshot is taken for another app hash")
        said = self._offer(snapshot, app_hash)
        require(said == pb.ResponseOfferSnapshot.ACCEPT, f"a snapshot is not taken: {said}")
        yield "snapshot offered"

    def _offer(self, snapshot: pb.Snapshot, app_hash: bytes) -> int:
        """What becomes of an offer."""
        request = pb.RequestOfferSnapshot(snapshot=snapshot, app_hash=app_hash)
        return int(self._peer.call("offer_snapshot", request).result)

    def _taken(self, snapshot: pb.Snapshot) -> Iterator[str]:
        """Fetch the chunks; a wrong one is refused, and asked for again."""
        accept = pb.ResponseApplySnapshotChunk.ACCEPT
        index = tries = 0
        while index < snapshot.chunks:
            tries += 1
            require(tries < TRIES_MAX + snapshot.chunks, "a snapshot's chunks never come right")
            chunk = self._fetched(snapshot, index)
            is_lie = self._chance.random() < 0.3 and bool(chunk)
            if is_lie:
                chunk = flipped(chunk, self._chance.randrange(len(chunk)))
            request = pb.RequestApplySnapshotChunk(index=index, chunk=chunk, sender="liar")
            result = self._peer.call("apply_snapshot_chunk", request).result
            require(not (is_lie and result == accept), "a wrong chunk is taken")
            require(is_lie or not chunk or result == accept, "a good chunk is not taken")
            index += result == accept
            yield "chunk refused" if is_lie else "chunk taken"

    def _fetched(self, snapshot: pb.Snapshot, index: int) -> bytes:
        """A chunk from somebody who has it; empty when nobody has."""
        request = pb.RequestLoadSnapshotChunk(
            height=snapshot.height, format=snapshot.format, chunk=index
        )
        for other in self._others():
            found = bytes(other.call("load_snapshot_chunk", request).chunk)
            if found:
                return found
        return b""

    def _stand(self, height: int, app_hash: bytes) -> Iterator[str]:
        """The application stands at the snapshot; the engine asks a light client for its state."""
        info = self._peer.call("info", pb.RequestInfo())
        require(info.last_block_height == height, "the snapshot's height is not that of Info")
        require(info.last_block_app_hash == app_hash, "the snapshot's app hash is not that of Info")
        comet, kept = self._peer.comet, Kept(state_height=height, app_hash=app_hash)
        for other in self._others():
            theirs = other.comet.kept
            if height + 2 in theirs.powers and height + 1 in theirs.params:
                kept.powers = {at: theirs.powers[at] for at in (height + 1, height + 2)}
                kept.params = {height + 1: theirs.params[height + 1]}
                comet.kept, comet.answered, self._peer.told = kept, height, height
                self._peer.joining = None
                yield "snapshot stands"
                return
        self._peer.crash(power=True)  # nobody can be asked any more: begin again later


def flipped(data: bytes, place: int) -> bytes:
    """The same bytes but for one bit."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
