"""What a node tells about its engine: from the engine, from the archive, or CometBFT's own no."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from tallystick.client.light import verify_export
from tallystick.engine.base import Busy
from tallystick.engine.cometbft.light.archive import LightArchive
from tallystick.engine.cometbft.light.export import Trusted
from tallystick.engine.cometbft.light.keeping import Archiver, Keeper
from tallystick.engine.cometbft.light.rpcform import light_block
from tallystick.engine.cometbft.light.serving import LightService
from tallystick.engine.cometbft.rpc import RpcRefused, RpcUnavailable
from tallystick.errors import NoSuchBlock
from tallystick.ledger.proof import ReceiptProof, RecordProof, receipt_proof, record_proof, seal_of
from tests.light.forge import CHAIN_ID, signers
from tests.light.proofs import RECORDS, TREE, VERSION, archive_of, entry, sealed_chain
from tests.light.test_export import NOW
from tests.light.test_keeping import Engine, log_of

WHO = signers(1, 2, 3, 4, 5)
BLOCKS = sealed_chain([WHO] * 9, 6)
PRUNED = 4
"""The engine has forgotten what is below."""
UNWRITTEN = (
    "Internal error: could not find consensus params for height #{height}:"
    " value retrieved from db is empty"
)
"""What CometBFT 0.38 says in the moment in which a block is applied."""


class Comet:
    """An engine that has pruned, or is away."""

    def __init__(self) -> None:
        self.is_away = False
        self.writing = 0
        self.calls: list[tuple[str, dict[str, str]]] = []

    def call(self, method: str, **parameters: str) -> dict[str, Any]:
        if self.is_away:
            raise RpcUnavailable("connection refused")
        self.calls.append((method, parameters))
        height = int(parameters.get("height", "9"))
        if self.writing:
            self.writing -= 1
            raise RpcRefused(-32603, UNWRITTEN.format(height=height))
        if height < PRUNED:
            raise RpcRefused(-32603, f"Internal error: height {height} is not available")
        if height > len(BLOCKS):
            raise RpcRefused(-32603, "height 99 must be less than or equal to the current height 9")
        return {"method": method, **parameters}


@pytest.fixture
def comet() -> Comet:
    return Comet()


def service_of(archive: LightArchive, comet: Comet) -> LightService:
    fetching = Archiver(archive, Engine(BLOCKS), log_of(BLOCKS), CHAIN_ID)
    return LightService(archive, Keeper(fetching, archive, lambda _: None), comet)


@pytest.fixture
def service(comet: Comet) -> LightService:
    return service_of(archive_of(BLOCKS), comet)


def test_the_engine_is_asked_with_what_was_given(service: LightService, comet: Comet) -> None:
    told = service.answer("validators", {"height": '"5"', "page": "1", "per_page": "100"})
    assert told["result"] == {"method": "validators", "height": "5", "page": "1", "per_page": "100"}
    assert service.answer("status", {})["result"] == {"method": "status"}
    assert told["jsonrpc"] == "2.0"
    assert [method for method, _ in comet.calls] == ["validators", "status"]


@pytest.mark.parametrize("is_away", (False, True))
def test_what_the_engine_forgot_comes_from_the_archive(
    service: LightService, comet: Comet, *, is_away: bool
) -> None:
    comet.is_away = is_away
    commit = service.answer("commit", {"height": "2"})["result"]
    pages = [
        service.answer("validators", {"height": "2", "page": page, "per_page": "3"})["result"]
        for page in ("1", "2")
    ]
    listed = [each for page in pages for each in page["validators"]]
    assert light_block(commit, listed) == BLOCKS[1]


def test_the_engines_no_is_told_as_it_was(service: LightService, comet: Comet) -> None:
    no = service.answer("consensus_params", {"height": "2"})["error"]
    assert "height 2 is not available" in no["data"]
    no = service.answer("commit", {"height": "99"})["error"]
    assert "must be less than or equal to" in no["data"]
    comet.is_away = True
    assert "the engine is away" in service.answer("status", {})["error"]["data"]
    for wrong in ({"height": "x"}, {"hash": "1"}, {"height": "-1"}, {"height": "9" * 30}):
        assert service.answer("commit", wrong)["error"]["code"] == -32602


@pytest.mark.parametrize("given", ({}, {"height": "9"}, {"height": "10"}))
def test_parameters_are_asked_for_again_while_the_engine_writes_them_down(
    service: LightService, comet: Comet, given: dict[str, str]
) -> None:
    comet.writing = 2
    told = service.answer("consensus_params", given)
    assert "could not find" not in str(told)
    assert len(comet.calls) == 3


def test_parameters_that_are_gone_or_do_not_come_are_refused(
    service: LightService, comet: Comet
) -> None:
    comet.writing = 100
    assert "for height #4" in service.answer("consensus_params", {"height": "4"})["error"]["data"]
    assert len(comet.calls) == 1
    assert "for height #9" in service.answer("consensus_params", {})["error"]["data"]
    assert 2 < len(comet.calls) < 20


def record_of(height: int) -> RecordProof:
    key = b"key 3"
    answer = TREE.prove(VERSION, sha256(key).digest())
    return record_proof(key, RECORDS[key], answer, seal_of(entry(height)))


def receipt_of(height: int) -> ReceiptProof:
    return receipt_proof(entry(height), 2)


def test_a_proof_is_sealed_by_the_next_header(service: LightService) -> None:
    for proof in (record_of(6), receipt_of(6)):
        export = service.export(proof, 2)
        assert [block.height for block in export.blocks] == [2, 7]
        proven = verify_export(export, Trusted.of(BLOCKS[1]), NOW)
        assert proven.height == 6
    assert [block.height for block in service.export(record_of(6)).blocks] == [1, 7]
    with pytest.raises(NoSuchBlock):
        service.export(record_of(6), 50)


def test_a_block_that_changed_nothing_seals_the_claim_itself(comet: Comet) -> None:
    """Nobody needs to wait for the heartbeat: the state was the same one block before."""
    waiting = service_of(archive_of(BLOCKS[:7]), comet)
    assert waiting.export(record_of(7)).block.height == 6


def test_a_block_that_is_not_signed_yet_is_waited_for_in_vain(comet: Comet) -> None:
    waiting = service_of(archive_of(BLOCKS[:6]), comet)
    waiting.wait_seconds = 0.05
    with pytest.raises(Busy, match="not signed block 7 yet"):
        waiting.export(receipt_of(6))
