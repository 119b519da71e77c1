"""How a network begins on one machine: every node's keys, then one genesis that names them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tallystick.engine.cometbft.home import genesis_file
from tallystick.errors import NodeError
from tallystick.ledger.genesis import AppVersion, Genesis, check_genesis, genesis_to_json
from tallystick.ledger.rules import Rules
from tallystick.ledger.system import Validator
from tallystick.network.dwelling import Identity, prepare, put_genesis
from tallystick.node import TIMERS_PER_BLOCK, Beginning, shipped
from tallystick.values.codec import encode

POWER = 10
"""Power of each validator of a trial: all alike, and room for one that begins with less."""

Begin = Callable[[tuple[Validator, ...]], Beginning]
"""What the genesis says, told who its validators are."""


def validators_for(members: Sequence[str], identities: Sequence[Identity]) -> tuple[Validator, ...]:
    """A validator of equal power for each node, run by a member each; members may run several."""
    if not members:
        raise NodeError("a network needs a member that runs its validators")
    return tuple(
        Validator(public_key=identity.validator_key, member=members[at % len(members)], power=POWER)
        for at, identity in enumerate(identities)
    )


def genesis_of(beginning: Beginning, time_ms: int) -> Genesis:
    """The genesis of a consortium's chain: no node of it signs headers by itself."""
    apps, _ = shipped()
    genesis = Genesis(
        format=1,
        name=beginning.name,
        time_ms=time_ms,
        opens_at_ms=beginning.opens_at_ms,
        trial=beginning.trial,
        demo=beginning.demo,
        horizon_ms=beginning.horizon_ms,
        timers_per_block=TIMERS_PER_BLOCK,
        budget=beginning.budget,
        apps=tuple(AppVersion(app=app.name, version=app.version) for app in apps),
        records=tuple(encode(record) for record in beginning.records),
    )
    check_genesis(genesis)
    genesis_file(genesis)
    return genesis


def genesis_json(genesis: Genesis) -> bytes:
    """The genesis as the file that every node has."""
    apps, _ = shipped()
    return genesis_to_json(genesis, Rules(apps).record_types)


def hold_ceremony(
    folders: Sequence[Path],
    members: Sequence[str],
    begin: Begin,
    *,
    time_ms: int,
    passphrase: str | None = None,
) -> tuple[Genesis, tuple[Identity, ...]]:
    """Make each folder's keys and give all of them the same genesis."""
    identities = tuple(prepare(folder, passphrase=passphrase) for folder in folders)
    genesis = genesis_of(begin(validators_for(members, identities)), time_ms)
    raw = genesis_json(genesis)
    for folder in folders:
        put_genesis(folder, raw)
    return genesis, identities
