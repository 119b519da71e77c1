"""CometBFT's folder: the real program reads the keys, settings and genesis that we write."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import time
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tallystick.engine.cometbft.home import (
    Joining,
    address_of,
    genesis_file,
    node_id,
    validator_key,
    write_home,
)
from tallystick.engine.cometbft.install import install
from tallystick.errors import BadKeyFile, NodeError, SettingsError
from tallystick.ledger.genesis import BUDGET, HORIZON_MS, Genesis
from tallystick.ledger.system import CONSENSUS, Consensus, Validator
from tallystick.network.ports import free_ports
from tallystick.settings import EngineSettings
from tallystick.values.codec import encode, replace

PARAMETERS = Consensus(
    name=CONSENSUS,
    block_bytes=4_194_304,
    block_transactions=5_000,
    evidence_blocks=100_000,
    evidence_ms=172_800_000,
)


def genesis_with(*keys: bytes) -> Genesis:
    """A chain whose validators have these keys."""
    validators = [Validator(public_key=key, member="bank-a", power=10) for key in keys]
    return Genesis(
        format=1,
        name="pilot",
        time_ms=1_767_225_600_042,
        horizon_ms=HORIZON_MS,
        timers_per_block=1,
        budget=BUDGET,
        apps=(),
        records=tuple(encode(each) for each in (PARAMETERS, *validators)),
    )


@contextlib.contextmanager
def running(home: Path, *words: str) -> Any:
    """CometBFT over a home, gone with its group at the end."""
    with (home / "log").open("wb") as log:
        child = subprocess.Popen(
            [install(), "start", "--home", home, *words],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield child
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def ask(port: int, route: str, home: Path) -> Any:
    """What CometBFT answers, once it does."""
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{route}", timeout=30) as answer:
                return json.load(answer)["result"]
        except OSError:
            assert time.monotonic() < end, (home / "log").read_text()
            time.sleep(0.1)


def test_the_real_program_runs_on_it(tmp_path: Path) -> None:
    """Alone, over its own example application, it makes blocks of our chain."""
    home = tmp_path / "engine"
    key = validator_key(home)
    genesis = genesis_with(key)
    p2p, rpc, metrics = free_ports(3)
    settings = EngineSettings(
        p2p=f"127.0.0.1:{p2p}",
        rpc=f"127.0.0.1:{rpc}",
        metrics=f"127.0.0.1:{metrics}",
        allow=("ab" * 20,),
        heartbeat_seconds=1,
    )
    write_home(home, genesis, settings, socket=Path("abci.sock"), moniker="bank-a")
    told = subprocess.run(
        [install(), "show-node-id", "--home", home], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == node_id(home)
    config = tomllib.loads((home / "config" / "config.toml").read_text())
    assert config["proxy_app"] == "unix://abci.sock"
    with running(home, "--proxy_app", "kvstore"):
        status = ask(rpc, "status", home)
        assert status["node_info"]["network"] == genesis.chain_id
        assert status["node_info"]["moniker"] == "bank-a"
        assert status["node_info"]["other"]["tx_index"] == "off"
        assert status["validator_info"]["address"] == address_of(key).upper()
        first = ask(rpc, "genesis", home)["genesis"]
        assert first["genesis_time"] == "2026-01-01T00:00:00.042Z"
        assert first["app_state"] == {"genesis": genesis.hash.hex()}
        params = ask(rpc, "consensus_params?height=1", home)["consensus_params"]
        assert params["block"] == {"max_bytes": "4194304", "max_gas": "-1"}
        assert params["evidence"]["max_age_duration"] == "172800000000000"
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=30) as page:
            assert b"cometbft_consensus_height" in page.read()
        end = time.monotonic() + 60
        while int(ask(rpc, "status", home)["sync_info"]["latest_block_height"]) < 2:
            assert time.monotonic() < end, (home / "log").read_text()
            time.sleep(0.2)
        block = ask(rpc, "block?height=1", home)["block"]
        assert block["header"]["time"] == "2026-01-01T00:00:00.042Z"


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    home = tmp_path / "engine"
    assert validator_key(home) == validator_key(home)
    assert node_id(home) == node_id(home)
    for path in (home / "config").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(each.name for each in (home / "config").iterdir()) == [
        "node_key.json",
        "priv_validator_key.json",
    ]
    assert json.loads((home / "data" / "priv_validator_state.json").read_text()) == {
        "height": "0",
        "round": 0,
        "step": 0,
    }


@pytest.mark.parametrize(
    ("change", "text"),
    (
        (lambda _: "no JSON", "not a key"),
        (lambda _: "[]", "not an object"),
        (lambda d: json.dumps(d | {"address": "00"}), "address is not that of its key"),
        (lambda d: json.dumps(d | {"priv_key": {}}), "priv_key is missing"),
        (lambda d: json.dumps(d | {"pub_key": d["priv_key"]}), "pub_key is not an Ed25519 key"),
        (
            lambda d: json.dumps(d | {"pub_key": d["pub_key"] | {"value": "A" * 43 + "="}}),
            "halves do not belong together",
        ),
    ),
)
def test_a_file_that_is_no_key(tmp_path: Path, change: Any, text: str) -> None:
    validator_key(tmp_path)
    path = tmp_path / "config" / "priv_validator_key.json"
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(BadKeyFile, match=text):
        validator_key(tmp_path)


def test_who_forgot_what_it_signed_does_not_vote(tmp_path: Path) -> None:
    """A state file lost beside blocks could make a validator sign twice."""
    genesis = genesis_with(validator_key(tmp_path))
    signed = tmp_path / "data" / "priv_validator_state.json"
    signed.unlink()
    write_home(tmp_path, genesis, EngineSettings(), socket=Path("abci.sock"))
    assert signed.exists()
    signed.unlink()
    (tmp_path / "data" / "blockstore.db").mkdir()
    with pytest.raises(NodeError, match="could sign twice"):
        write_home(tmp_path, genesis, EngineSettings(), socket=Path("abci.sock"))


def test_a_genesis_without_validators_is_of_another_engine(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="names no validators"):
        genesis_file(genesis_with())
    long = replace(genesis_with(b"\x01" * 32), name="a" * 40)
    assert json.loads(genesis_file(long))["chain_id"] == long.chain_id


def test_a_folder_that_is_too_deep_is_told_at_once(tmp_path: Path) -> None:
    deep = Path("/") / ("a" * 60) / ("b" * 60)
    with pytest.raises(SettingsError, match="nearer to the root"):
        write_home(tmp_path, genesis_with(b"\x01" * 32), EngineSettings(), socket=deep)
    assert not (tmp_path / "config").exists()


def test_settings_reach_the_engine(tmp_path: Path) -> None:
    """Peers and allow-list; addresses of one machine are taken, those of a network checked."""
    one, two = "aa" * 20, "bb" * 20
    settings = EngineSettings(
        peers=(f"{one}@bank-a.example:26656",),
        allow=(one, two),
        external="bank-b.example:26656",
        timeout_commit_ms=250,
    )
    joining = Joining(servers=("http://a", "http://b"), height=7, block_hash="00" * 32)
    genesis = genesis_with(b"\x01" * 32)
    write_home(tmp_path, genesis, settings, socket=Path("/d/abci.sock"), joining=joining)
    config = tomllib.loads((tmp_path / "config" / "config.toml").read_text())
    assert config["proxy_app"] == "unix:///d/abci.sock"
    assert config["rpc"]["laddr"] == "unix://rpc.sock"
    assert config["filter_peers"] is True
    assert config["p2p"]["pex"] is False
    assert config["p2p"]["addr_book_strict"] is True
    assert config["p2p"]["persistent_peers"] == f"{one}@bank-a.example:26656"
    assert config["p2p"]["unconditional_peer_ids"] == f"{one},{two}"
    assert config["consensus"]["timeout_commit"] == "250ms"
    assert config["instrumentation"]["prometheus"] is False
    assert config["statesync"]["rpc_servers"] == "http://a,http://b"
    near = EngineSettings(p2p="127.0.0.1:1")
    write_home(tmp_path, genesis, near, socket=Path("abci.sock"))
    config = tomllib.loads((tmp_path / "config" / "config.toml").read_text())
    assert config["p2p"]["addr_book_strict"] is False
    assert config["statesync"] == {"enable": False}
