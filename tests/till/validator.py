"""A data folder of a till that a real CometBFT orders, with one validator."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec

from tallystick.client.keys import KeyStore
from tallystick.engine.cometbft.home import HOME, validator_key
from tallystick.engine.cometbft.install import install
from tallystick.engine.folder import GENESIS, KEYS, PASSPHRASE, write_private
from tallystick.ledger.genesis import BUDGET, HORIZON_MS, AppVersion, Genesis, genesis_to_json
from tallystick.ledger.rules import Rules
from tallystick.ledger.system import CONSENSUS, Consensus, Validator
from tallystick.network.ports import free_ports
from tallystick.settings import FILE, EngineSettings, Settings
from tallystick.testing.world import private_key
from tallystick.values.codec import encode
from tests.till import APP
from tests.till.people import NAMES
from tests.till.process import PARTIES
from tests.till.records import Purse

SECRET = "till"


def engine_settings(**changes: Any) -> EngineSettings:
    """Settings of a validator that is alone, on ports that nobody has."""
    (p2p,) = free_ports(1)
    said: dict[str, Any] = {
        "kind": "cometbft",
        "p2p": f"127.0.0.1:{p2p}",
        "timeout_commit_ms": 20,
        "binary": str(install()),
    }
    return EngineSettings(**(said | changes))


def make_validator(folder: Path, **changes: Any) -> Settings:
    """Make a data folder whose parties have money."""
    folder.mkdir()
    validator = Validator(public_key=validator_key(folder / HOME), member="A", power=10)
    consensus = Consensus(
        name=CONSENSUS,
        block_bytes=4_194_304,
        block_transactions=2_000,
        evidence_blocks=100_000,
        evidence_ms=172_800_000,
    )
    purses = (Purse(party=each, currency="CNY", amount_minor=10**10) for each in PARTIES)
    genesis = Genesis(
        format=1,
        name="till",
        time_ms=time.time_ns() // 1_000_000,
        trial=True,
        horizon_ms=HORIZON_MS,
        timers_per_block=100,
        budget=BUDGET,
        apps=(AppVersion(app=APP.name, version=1),),
        records=tuple(encode(each) for each in (consensus, validator, *purses)),
    )
    write_private(folder / GENESIS, genesis_to_json(genesis, Rules([APP]).record_types))
    write_private(folder / PASSPHRASE, SECRET.encode())
    keys = KeyStore(folder / KEYS, SECRET)
    for name in NAMES:
        keys.create(name, private_key(name))
    settings = Settings(engine=engine_settings(**changes))
    write_private(folder / FILE, msgspec.toml.encode(settings))
    return settings
