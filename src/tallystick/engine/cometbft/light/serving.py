"""What a node of a consortium tells about its engine: RPC answers, and proofs with light blocks.

CometBFT's own RPC listens on loopback. What light clients and state sync of other members need is
told again here, in CometBFT's own form: from the engine, or from the archive where the engine has
forgotten it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol

from tallystick.engine.base import Busy
from tallystick.engine.cometbft.light.archive import LightArchive
from tallystick.engine.cometbft.light.export import Export, make_export
from tallystick.engine.cometbft.light.keeping import Keeper
from tallystick.engine.cometbft.light.rpcform import (
    PER_PAGE_MAX,
    commit_result,
    validators_result,
)
from tallystick.engine.cometbft.rpc import RpcRefused, RpcUnavailable
from tallystick.ledger.proof import ReceiptProof, RecordProof

METHODS = {
    "status": (),
    "commit": ("height",),
    "validators": ("height", "page", "per_page"),
    "consensus_params": ("height",),
}
"""Methods that are told again, with their parameters."""
INTERNAL_ERROR = -32603
INVALID_PARAMS = -32602
PER_PAGE = 30
"""Validators of a page unless told otherwise, as in CometBFT."""
WAIT_SECONDS = 5.0
"""How long the block after a proof's is waited for."""
UNWRITTEN = "could not find consensus params"
"""CometBFT says so while it writes those of the next block down (0.38, state/errors.go)."""
AGAIN_SECONDS = 0.1
AGAIN_TIMES = 10
"""How often it is asked again, and after how long."""


class Caller(Protocol):
    """What is asked of CometBFT: `rpc.Rpc`."""

    def call(self, method: str, **parameters: str) -> dict[str, Any]:
        """The result of a method."""


class LightService:
    """Answers about the engine of one node. For any thread."""

    def __init__(self, archive: LightArchive, keeper: Keeper, caller: Caller) -> None:
        """Over the node's archive, the thread that fills it, and its engine."""
        self._archive = archive
        self._keeper = keeper
        self._caller = caller
        self.wait_seconds = WAIT_SECONDS
        """How long the block after a proof's is waited for."""

    def answer(self, method: str, given: Mapping[str, str]) -> dict[str, Any]:
        """A JSON-RPC answer: `result`, or CometBFT's own `error`."""
        unknown = sorted(set(given) - set(METHODS[method]))
        wrong = [name for name in METHODS[method] if name in given and not _number(given[name])]
        if unknown or wrong:
            named = ", ".join([*unknown, *wrong])
            return _error(INVALID_PARAMS, "Invalid params", f"{named}: unknown, or no number")
        parameters = {name: text.strip('"') for name, text in given.items()}
        try:
            return _answer(result=self._asked(method, parameters))
        except RpcRefused as no:
            kept = self._from_archive(method, parameters)
            return _error(no.code, "", no.log) if kept is None else _answer(result=kept)
        except RpcUnavailable as problem:
            kept = self._from_archive(method, parameters)
            if kept is not None:
                return _answer(result=kept)
            return _error(INTERNAL_ERROR, "Internal error", f"the engine is away: {problem}")

    def _asked(self, method: str, given: Mapping[str, str]) -> dict[str, Any]:
        """What the engine says; of a new height's parameters, when it has written them down."""
        height = int(given.get("height", "0"))
        is_new = not height or height >= self._archive.height()
        for _ in range(AGAIN_TIMES):
            try:
                return self._caller.call(method, **given)
            except RpcRefused as no:
                if UNWRITTEN not in no.log or not is_new:
                    raise
                time.sleep(AGAIN_SECONDS)
        return self._caller.call(method, **given)

    def _from_archive(self, method: str, given: Mapping[str, str]) -> dict[str, Any] | None:
        """What the archive has of an old height."""
        height = int(given.get("height", "0"))
        if method not in {"commit", "validators"} or not height:
            return None
        found = self._archive.read(height)
        if found is None:
            return None
        if method == "commit":
            return commit_result(found.block)
        per_page = min(max(int(given.get("per_page", PER_PAGE)), 1), PER_PAGE_MAX)
        page = max(int(given.get("page", "1")), 1)
        return validators_result(found.block, found.turns, page=page, per_page=per_page)

    def export(self, proof: RecordProof | ReceiptProof, trusted: int | None = None) -> Export:
        """A proof with the light blocks for who trusts a height; waits for the block after it.

        `Busy` when that does not come; `NoSuchBlock` when the trusted height is not kept.
        """
        seal = proof.seal
        sealing = self._sealing(seal.header.height, seal.header.app_hash)
        return make_export(proof.claim(), seal, self._archive, sealing=sealing, trusted=trusted)

    def _sealing(self, height: int, app_hash: bytes) -> int:
        """Height of a header that has the app hash after a block.

        That of the next block; or the block's own, when it changed nothing: then the claim held
        after the block before it too, and nobody needs to wait for the next one.
        """
        if self._archive.height() <= height and height > 1 and self._keeper.wait(height, 1.0):
            own = self._archive.get(height)
            if own is not None and own.header.app_hash == app_hash:
                return height
        if not self._keeper.wait(height + 1, self.wait_seconds):
            raise Busy(f"the validators have not signed block {height + 1} yet")
        return height + 1


def _number(text: str) -> bool:
    """Whether it is a whole number, perhaps in quotes, as CometBFT takes it in a URI."""
    plain = text.strip('"')
    return plain.isascii() and plain.isdigit() and len(plain) <= 18


def _answer(**content: Any) -> dict[str, Any]:
    """A JSON-RPC answer to a request without an id."""
    return {"jsonrpc": "2.0", "id": -1, **content}


def _error(code: int, message: str, data: str) -> dict[str, Any]:
    """CometBFT's way to say no."""
    return _answer(error={"code": code, "message": message, "data": data})
