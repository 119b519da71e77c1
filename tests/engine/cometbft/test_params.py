"""Validators and parameters: what a block's records say to the engine."""

from __future__ import annotations

from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.params import (
    consensus_params,
    ordered_max,
    param_updates,
    validator_updates,
    validators_of,
)
from tallystick.ledger.app import Record, key_bytes
from tallystick.ledger.system import ORDERED_MAX, Validator
from tallystick.testing.world import public_key
from tallystick.values.codec import replace
from tests.engine.cometbft.stand import CONSENSUS_RECORD, VALIDATOR, Stand
from tests.till.desk import genesis
from tests.till.records import Purse

NEW = Validator(public_key=public_key("validator-2"), member="B", power=7)


def changed(*pairs: tuple[Record, Record | None]) -> list[tuple[bytes, int]]:
    """Updates for changed records: the record, and what it is after the block."""
    records = {key_bytes(record): after for record, after in pairs}
    updates = validator_updates(records, Stand().chain.state)
    return [(each.pub_key.ed25519, each.power) for each in updates]


def test_who_comes_who_goes_and_whose_power_changes_is_told() -> None:
    assert changed() == []
    assert changed((NEW, NEW)) == [(NEW.public_key, 7)]
    assert changed((VALIDATOR, None)) == [(VALIDATOR.public_key, 0)]
    more = replace(VALIDATOR, power=11)
    assert changed((VALIDATOR, more)) == [(VALIDATOR.public_key, 11)]
    both = sorted([(NEW.public_key, 7), (VALIDATOR.public_key, 0)])
    assert changed((VALIDATOR, None), (NEW, NEW)) == both


def test_what_changes_nothing_for_the_engine_is_not_told() -> None:
    purse = Purse(party="A")
    assert changed((purse, purse), (purse, None)) == []
    assert changed((VALIDATOR, VALIDATOR)) == []


def test_who_came_and_went_within_a_block_was_never_there() -> None:
    """CometBFT ends when it is to remove a validator that it does not have."""
    assert changed((NEW, None)) == []


def test_parameters_are_told_whole() -> None:
    told = consensus_params(replace(CONSENSUS_RECORD, evidence_ms=1_500))
    assert told.block == abci.BlockParams(max_bytes=4_194_304, max_gas=-1)
    assert told.evidence.max_age_duration == abci.Duration(seconds=1, nanos=500_000_000)
    assert told.evidence.max_age_num_blocks == 100_000
    assert 0 < told.evidence.max_bytes <= told.block.max_bytes
    assert list(told.validator.pub_key_types) == ["ed25519"]
    assert told.version.app == 1


def test_parameters_are_told_when_they_changed() -> None:
    key = key_bytes(CONSENSUS_RECORD)
    assert param_updates({}) is None
    assert param_updates({key: None}) is None
    assert param_updates({key: CONSENSUS_RECORD}) == consensus_params(CONSENSUS_RECORD)


def test_what_a_state_says() -> None:
    state = Stand().chain.state
    assert validators_of(state) == {VALIDATOR.public_key: 10}
    assert ordered_max(state) == 1_000
    alone = Stand(begins=genesis()).chain.state
    assert validators_of(alone) == {}
    assert ordered_max(alone) == ORDERED_MAX
