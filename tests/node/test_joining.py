"""Where a joining node fetches its snapshot, and what it is set to."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from tallystick.api import tls
from tallystick.apps.founding import DEFAULT_CONSENSUS
from tallystick.engine.cometbft.light.blocks import LightBlock
from tallystick.engine.cometbft.light.rpcform import commit_result, validators_result
from tallystick.engine.cometbft.seam import Signed
from tallystick.errors import SettingsError
from tallystick.node.joining import TRUSTING_SECONDS, Joiner
from tallystick.settings import FILE, EngineSettings, load
from tallystick.values.codec import encode, replace
from tests.light.forge import GENESIS_NS, chain, signers
from tests.till.desk import genesis

TRUST = f"1200:{'ab' * 32}"


def joiner(folder: Path, *servers: str) -> Joiner:
    settings = EngineSettings(state_sync=servers, trust=TRUST)
    return Joiner(folder, settings, genesis())


def test_cometbft_is_given_two_relays_and_what_to_trust(tmp_path: Path) -> None:
    """One member's node is asked twice: CometBFT wants two addresses."""
    made = joiner(tmp_path, f"unix:{tmp_path}/api.sock")
    try:
        joining = made.joining
        assert (joining.height, joining.block_hash) == (1200, "ab" * 32)
        assert joining.period_seconds == TRUSTING_SECONDS
        assert len(set(joining.servers)) == 2
        for server in joining.servers:
            connection = http.client.HTTPConnection(server.removeprefix("http://"), timeout=30)
            connection.request("GET", "/status")
            told = json.loads(connection.getresponse().read())
            connection.close()
            assert "no node answers at unix:" in told["error"]["data"]
    finally:
        made.stop()


def test_trust_lasts_no_longer_than_evidence(tmp_path: Path) -> None:
    settings = EngineSettings(state_sync=(f"unix:{tmp_path}/api.sock",), trust=TRUST)
    records = (encode(replace(DEFAULT_CONSENSUS, evidence_ms=86_400_000)),)
    made = Joiner(tmp_path, settings, replace(genesis(), records=records))
    made.stop()
    assert made.joining.period_seconds == 86_400


def test_a_members_own_certificate_is_shown_to_its_node(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"engine\.state_sync: https://node\.bank-a:7443"):
        joiner(tmp_path, "https://node.bank-a:7443")
    tls.make(tmp_path / "tls" / "node.bank-a", datetime.now(UTC), ("localhost",))
    made = joiner(tmp_path, "https://node.bank-a:7443", f"unix:{tmp_path}/api.sock")
    made.stop()
    assert len(made.joining.servers) == 2


@pytest.mark.parametrize(
    "lines",
    (
        'state_sync = ["https://node.bank-a:7443"]',
        'state_sync = ["http://node.bank-a:7443"]\ntrust = "1:' + "00" * 32 + '"',
        'trust = "0:' + "00" * 32 + '"',
        'trust = "5"',
    ),
)
def test_what_means_nothing_is_said_at_once(tmp_path: Path, lines: str) -> None:
    (tmp_path / FILE).write_text(f"[engine]\n{lines}\n", encoding="utf-8")
    with pytest.raises(SettingsError):
        load(tmp_path, {})


# --- what validators signed of a snapshot's block

APP_HASHES = [bytes([height]) * 32 for height in range(9)]
"""Header 5 has the app hash after block 4."""
NOW_MS = GENESIS_NS // 1_000_000 + 60_000


def blocks(*numbers: int) -> list[LightBlock]:
    """A chain of this name that such validators signed."""
    return chain([signers(*numbers)] * 9, APP_HASHES, genesis().chain_id)


HONEST, LIAR = blocks(1, 2, 3, 4), blocks(11, 12, 13)


@contextmanager
def member(path: Path, told: list[LightBlock]) -> Iterator[str]:
    """A member's node that tells of its engine; its address."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: int(text) for name, [text] in parse_qs(parts.query).items()}
            block = told[asked["height"] - 1]
            if parts.path == "/v1/engine/commit":
                result = commit_result(block)
            else:
                turns = [0] * len(block.validators)
                result = validators_result(block, turns, page=asked["page"], per_page=100)
            body = json.dumps({"jsonrpc": "2.0", "id": -1, "result": result}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingUnixStreamServer(str(path), Door) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"unix:{path}"
        finally:
            server.shutdown()
            thread.join()


def vouching(folder: Path, *servers: str) -> Joiner:
    settings = EngineSettings(state_sync=servers, trust=f"2:{HONEST[1].header.hash.hex()}")
    return Joiner(folder, settings, genesis(), wall=lambda: NOW_MS)


def test_a_blocks_name_and_time_come_from_its_header(tmp_path: Path) -> None:
    with member(tmp_path / "a.sock", HONEST) as address:
        made = vouching(tmp_path, address)
        try:
            for height in (1, 2, 4, 8):
                header = HONEST[height - 1].header
                signed = Signed(header.hash, header.time_ns // 1_000_000)
                assert made.vouch(height, APP_HASHES[height]) == signed
        finally:
            made.stop()


def test_a_member_who_tells_of_another_chain_is_not_believed(tmp_path: Path) -> None:
    """The next one is asked; when all lie or are away, nobody vouches."""
    begun = [*HONEST[:2], *LIAR[2:]]
    with (
        member(tmp_path / "a.sock", LIAR) as liar,
        member(tmp_path / "b.sock", begun) as other,
        member(tmp_path / "c.sock", HONEST) as honest,
    ):
        made = vouching(tmp_path, f"unix:{tmp_path}/nobody.sock", liar, other, honest)
        signed = made.vouch(4, APP_HASHES[4])
        assert signed is not None
        assert signed.name == HONEST[3].header.hash
        made.stop()
        assert made.vouch(4, APP_HASHES[5]) is None, "another app hash"
        alone = vouching(tmp_path, liar, other)
        alone.stop()
        assert alone.vouch(4, APP_HASHES[4]) is None
