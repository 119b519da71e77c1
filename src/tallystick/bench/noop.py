"""An application that does nothing, as fast as it can: what the engine alone is able to do.

`python -m tallystick.bench.noop DATA` serves it to a CometBFT of its own until it is terminated.
"""

from __future__ import annotations

import hashlib
import signal
import sys
import threading
from pathlib import Path

import msgspec

from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.home import ABCI_SOCKET, HOME
from tallystick.engine.cometbft.install import find_binary
from tallystick.engine.cometbft.params import APP_VERSION
from tallystick.engine.cometbft.process import Child
from tallystick.engine.cometbft.server import AbciServer

_OVERHEAD_BYTES = 8
"""What one bundle takes beside its own bytes in a proposal, at most."""


class NoopApplication:
    """Takes every bundle, remembers none, and counts the transactions in them."""

    def __init__(self) -> None:
        """Begin before the first block."""
        self.problem: BaseException | None = None
        self._height = 0
        self._count = 0
        self._hash = bytes(32)

    def fail(self, problem: BaseException) -> None:
        """Stop."""
        self.problem = problem

    def execute_ahead(self) -> None:
        """Nothing is executed."""

    def echo(self, request: abci.RequestEcho) -> abci.ResponseEcho:
        """Say the same."""
        return abci.ResponseEcho(message=request.message)

    def flush(self, request: abci.RequestFlush) -> abci.ResponseFlush:
        """Say that all before was answered."""
        return abci.ResponseFlush()

    def info(self, request: abci.RequestInfo) -> abci.ResponseInfo:
        """Say after which block it stands, and in `data` how many transactions there were."""
        return abci.ResponseInfo(
            data=str(self._count),
            app_version=APP_VERSION,
            last_block_height=self._height,
            last_block_app_hash=self._hash if self._height else b"",
        )

    def query(self, request: abci.RequestQuery) -> abci.ResponseQuery:
        """Let every peer in."""
        return abci.ResponseQuery()

    def check_tx(self, request: abci.RequestCheckTx) -> abci.ResponseCheckTx:
        """Take it."""
        return abci.ResponseCheckTx()

    def init_chain(self, request: abci.RequestInitChain) -> abci.ResponseInitChain:
        """Begin."""
        return abci.ResponseInitChain()

    def prepare_proposal(
        self, request: abci.RequestPrepareProposal
    ) -> abci.ResponsePrepareProposal:
        """Take what fits, in order."""
        chosen, left = [], request.max_tx_bytes
        for raw in request.txs:
            left -= len(raw) + _OVERHEAD_BYTES
            if left < 0:
                break
            chosen.append(raw)
        return abci.ResponsePrepareProposal(txs=chosen)

    def process_proposal(
        self, request: abci.RequestProcessProposal
    ) -> abci.ResponseProcessProposal:
        """Vote for it."""
        return abci.ResponseProcessProposal(status=abci.ResponseProcessProposal.ACCEPT)

    def extend_vote(self, request: abci.RequestExtendVote) -> abci.ResponseExtendVote:
        """Add nothing."""
        return abci.ResponseExtendVote()

    def verify_vote_extension(
        self, request: abci.RequestVerifyVoteExtension
    ) -> abci.ResponseVerifyVoteExtension:
        """Accept."""
        return abci.ResponseVerifyVoteExtension(status=abci.ResponseVerifyVoteExtension.ACCEPT)

    def finalize_block(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
        """Hash what is there, so that the app hash moves as a ledger's does."""
        self._height = request.height
        for raw in request.txs:
            self._hash = hashlib.sha256(self._hash + raw).digest()
            self._count += len(msgspec.msgpack.decode(raw)[2])
        results = [abci.ExecTxResult() for _ in request.txs]
        return abci.ResponseFinalizeBlock(tx_results=results, app_hash=self._hash)

    def commit(self, request: abci.RequestCommit) -> abci.ResponseCommit:
        """Keep nothing."""
        return abci.ResponseCommit()

    def list_snapshots(self, request: abci.RequestListSnapshots) -> abci.ResponseListSnapshots:
        """There are none."""
        return abci.ResponseListSnapshots()


def serve(data: Path) -> None:
    """Serve a data folder's CometBFT until SIGTERM."""
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    # Same methods, nothing behind them: the server asks for no more than these.
    application: object = NoopApplication()
    server = AbciServer(application, data / ABCI_SOCKET)  # type: ignore[arg-type]
    server.start()
    command = [str(find_binary()), "start", "--home", str(data / HOME)]
    command += ["--proxy_app", f"unix://{data / ABCI_SOCKET}"]
    child = Child(command, log_path=data / HOME / "cometbft.log", folder=data)
    child.start()
    ending.wait()
    child.stop()
    server.stop()


if __name__ == "__main__":
    serve(Path(sys.argv[1]).resolve())
