"""Where a joining node fetches its snapshot, and what it is set to."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tallystick.api import tls
from tallystick.apps.founding import DEFAULT_CONSENSUS
from tallystick.errors import SettingsError
from tallystick.node.joining import TRUSTING_SECONDS, Joiner
from tallystick.settings import FILE, EngineSettings, load
from tallystick.values.codec import encode, replace
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
