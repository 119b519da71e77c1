"""Four connections at once, as CometBFT has them: what one is told never tears."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.bundle import encode_bundle
from tallystick.ledger.app import key_bytes
from tallystick.store.rocks import RocksStore
from tests.engine.cometbft.caller import Caller, serving
from tests.engine.cometbft.stand import OPENS_MS, Stand
from tests.till.messages import Fill, Pay
from tests.till.records import Purse

BLOCKS = 60


def test_questions_and_blocks_at_once(tmp_path: Path) -> None:
    """Heights and app hashes fit, records come with their proofs, and nothing is answered wrong."""
    store = RocksStore(str(tmp_path / "state"))
    stand = Stand(store=store)
    told: list[tuple[int, bytes]] = []
    waits: list[bytes] = []
    done = threading.Event()
    wrong: list[str] = []

    def asking(ask: Callable[[Caller], str]) -> threading.Thread:
        def work() -> None:
            with Caller(server.path) as caller:
                while not done.is_set():
                    said = ask(caller)
                    if said:
                        wrong.append(said)

        return threading.Thread(target=work)

    def standing(caller: Caller) -> str:
        found = caller.ask(info=abci.RequestInfo()).info
        told.append((found.last_block_height, found.last_block_app_hash))
        return ""

    def record(caller: Caller) -> str:
        request = abci.RequestQuery(path="/state", data=key_bytes(Purse(party="A")), prove=True)
        found = caller.ask(query=request).query
        return "" if found.code in (0, 4) else found.log

    def checks(caller: Caller) -> str:
        codes = set()
        for raw in waits[-20:]:
            for kind in (abci.NEW, abci.RECHECK):
                asked = abci.RequestCheckTx(tx=raw, type=kind)
                answer = caller.ask(check_tx=asked)
                codes.add(answer.check_tx.code if answer.HasField("check_tx") else -1)
        return "" if codes <= {0, 3} else f"codes {codes}"

    with serving(stand.application, tmp_path / "s") as server:
        threads = [asking(ask) for ask in (standing, record, checks, checks)]
        for thread in threads:
            thread.start()
        try:
            order(stand, server.path, waits)
        finally:
            done.set()
            for thread in threads:
                thread.join()
    assert wrong == []
    assert not stand.halted
    assert stand.chain.state.tip.height == BLOCKS
    assert stand.application.reused == BLOCKS
    hashes = {entry.header.height: entry.header.app_hash for entry in stand.chain.entries(1)}
    assert len(told) > BLOCKS
    assert {height: hash_ for height, hash_ in told if height} == {
        height: hashes[height] for height, _ in told if height
    }
    store.close()


def order(stand: Stand, path: Path, waits: list[bytes]) -> None:
    """Be the consensus connection."""
    with Caller(path) as caller:
        for number in range(BLOCKS):
            calls = [
                ("A", Fill(currency="CNY", amount_minor=1)),
                ("B", Pay(to="A", amount_minor=1)),
            ]
            raw = encode_bundle(number, [stand.signed(call) for call in calls * 5])
            waits.append(raw)
            hash_, height, time = stand.named([raw], OPENS_MS + number)
            said: dict[str, Any] = {"txs": [raw], "hash": hash_, "height": height, "time": time}
            caller.ask(process_proposal=abci.RequestProcessProposal(**said))
            caller.ask(finalize_block=abci.RequestFinalizeBlock(**said))
            caller.ask(commit=abci.RequestCommit())
