"""What the ledger's records say to CometBFT: validators and consensus parameters; and the genesis.

CometBFT's genesis file and ours must say the same, or a node would vote in a chain that is not its
own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import msgspec

from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.errors import NodeError
from tallystick.ledger.app import Record
from tallystick.ledger.execute import Ledger
from tallystick.ledger.state import State
from tallystick.ledger.system import CONSENSUS, ORDERED_MAX, Consensus, Validator
from tallystick.values.codec import decode_key, encode_key

APP_VERSION = 1
"""Format of bundles and blocks, as CometBFT's headers tell it."""
EVIDENCE_BYTES = 1_048_576
"""Most bytes of evidence in a block: the least that a block may have, so that it always fits."""
NO_GAS_LIMIT = -1
KEY_TYPE = "ed25519"
"""The one kind of key that validators sign with."""


def timestamp_ms(time: abci.Timestamp) -> int:
    """Milliseconds of a time; what is finer is cut off."""
    return (time.seconds * 1_000_000_000 + time.nanos) // 1_000_000


def consensus_params(consensus: Consensus) -> abci.ConsensusParams:
    """All that a record says to CometBFT, every field of each section.

    A field left out would be set to zero.
    """
    seconds, left_ms = divmod(consensus.evidence_ms, 1_000)
    return abci.ConsensusParams(
        block=abci.BlockParams(max_bytes=consensus.block_bytes, max_gas=NO_GAS_LIMIT),
        evidence=abci.EvidenceParams(
            max_age_num_blocks=consensus.evidence_blocks,
            max_age_duration=abci.Duration(seconds=seconds, nanos=left_ms * 1_000_000),
            max_bytes=EVIDENCE_BYTES,
        ),
        validator=abci.ValidatorParams(pub_key_types=[KEY_TYPE]),
        version=abci.VersionParams(app=APP_VERSION),
    )


def consensus_of(state: State) -> Consensus | None:
    """The engine's parameters in a state; None where there are none."""
    name = Consensus.spec.name
    return cast(Consensus | None, state.load(name, encode_key(name, CONSENSUS)))


def ordered_max(state: State) -> int:
    """Most transactions in the bundles of one block."""
    found = consensus_of(state)
    return ORDERED_MAX if found is None else found.block_transactions


def validators_of(state: State) -> dict[bytes, int]:
    """Power of each validator in a state, by its key."""
    name = Validator.spec.name
    found = [cast(Validator, each) for _, each in state.scan(name, encode_key(name), None)]
    return {each.public_key: each.power for each in found}


def validator_updates(
    records: Mapping[bytes, Record | None], before: State
) -> list[abci.ValidatorUpdate]:
    """What a block's changed records say of validators, by key, over the state before it.

    Power 0 stands for one that is gone. Of one that came and went within the block nothing is said:
    CometBFT ends when it is to remove a validator that it does not have.
    """
    name = Validator.spec.name
    prefix = encode_key(name)
    updates = []
    for key, record in sorted(records.items()):
        if key.startswith(prefix):
            power, had = _power(record), _power(before.load(name, key))
            if power != had:
                updates.append(_update(cast(bytes, decode_key(key)[1]), power))
    return updates


def _power(record: Record | None) -> int:
    """Power that a record gives; 0 where there is none."""
    return record.power if isinstance(record, Validator) else 0


def param_updates(records: Mapping[bytes, Record | None]) -> abci.ConsensusParams | None:
    """What a block's changed records say of the engine's parameters; None when nothing."""
    changed = records.get(encode_key(Consensus.spec.name, CONSENSUS))
    return consensus_params(changed) if isinstance(changed, Consensus) else None


def _update(public_key: bytes, power: int) -> abci.ValidatorUpdate:
    """One validator's power."""
    return abci.ValidatorUpdate(pub_key=abci.PublicKey(ed25519=public_key), power=power)


# --- the genesis


class AppState(msgspec.Struct, forbid_unknown_fields=True):
    """What CometBFT's genesis file says to the application."""

    genesis: str
    """Hash of our genesis, in hex."""


def app_state(ledger: Ledger) -> bytes:
    """`app_state` of CometBFT's genesis file for this chain."""
    return msgspec.json.encode(AppState(genesis=ledger.genesis.hash.hex()))


def check_genesis(request: abci.RequestInitChain, ledger: Ledger, state: State) -> None:
    """`NodeError` says in what CometBFT's genesis file is not that of our chain."""
    for what, ours, theirs in _said(request, ledger, state):
        if ours != theirs:
            raise NodeError(
                f"the engine's genesis file is not that of chain {ledger.chain_id}:"
                f" it says {what} {theirs}, our genesis {ours}"
            )


def _said(
    request: abci.RequestInitChain, ledger: Ledger, state: State
) -> Iterable[tuple[str, object, object]]:
    """What both files say: name, ours, theirs."""
    yield "chain_id", ledger.chain_id, request.chain_id
    yield "app_state.genesis", ledger.genesis.hash.hex(), _genesis_hash(request.app_state_bytes)
    yield "initial_height", 1, request.initial_height
    yield "genesis_time", ledger.genesis.time_ms, timestamp_ms(request.time)
    yield "validators", _told(validators_of(state)), _told(_validators_in(request))
    consensus = consensus_of(state)
    if consensus is None:
        yield "consensus_params", "has no record of them", "something"
        return
    ours, theirs = consensus_params(consensus), request.consensus_params
    for name in ("block", "evidence", "validator", "version"):
        yield f"consensus_params.{name}", str(getattr(ours, name)), str(getattr(theirs, name))
    enabled = theirs.abci.vote_extensions_enable_height
    yield "consensus_params.abci.vote_extensions_enable_height", 0, enabled


def _genesis_hash(raw: bytes) -> str:
    """What the genesis file says is our genesis' hash; what it says instead if it is not that."""
    try:
        return msgspec.json.decode(raw, type=AppState).genesis
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ascii(raw[:100])


def _validators_in(request: abci.RequestInitChain) -> dict[bytes, int]:
    """Validators that the genesis file names; a key of another kind counts as an empty one."""
    return {each.pub_key.ed25519: each.power for each in request.validators}


def _told(validators: Mapping[bytes, int]) -> str:
    """Validators for people to read."""
    return ", ".join(
        f"{key.hex()[:16]}… power {power}" for key, power in sorted(validators.items())
    )
