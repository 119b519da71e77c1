"""How a chain begins: a file people can read, records each once, a pilot's state taken over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tallystick.ledger.app import Record, key_bytes
from tallystick.ledger.genesis import (
    BUDGET,
    AppVersion,
    Genesis,
    carried_over,
    first_records,
    genesis_from_json,
    genesis_to_json,
    root_of,
)
from tallystick.ledger.system import CONSENSUS, Activation, Clock, Consensus, UsedMinute, Validator
from tallystick.testing.world import World
from tallystick.values.codec import encode, replace
from tallystick.values.errors import CodecError
from tests.ledger.toy.messages import CountUp, Open, Ring
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.records import Counter, Note, Secret

TYPES = toy_world().ledger.rules.record_types


def genesis(*records: Record, **changes: Any) -> Genesis:
    made = Genesis(
        format=1,
        name="pilot",
        time_ms=1_783_000_000_000,
        horizon_ms=86_400_000,
        timers_per_block=100,
        budget=BUDGET,
        node_key=bytes(range(32)),
        apps=(AppVersion(app="toy", version=2),),
        records=tuple(encode(each) for each in records),
    )
    return replace(made, **changes)


def test_the_name_of_the_chain_ends_in_its_hash() -> None:
    one, other = genesis(), genesis(demo=True)
    assert one.chain_id.startswith("pilot-")
    assert one.chain_id == f"pilot-{one.hash.hex()[:8]}"
    assert one.chain_id != other.chain_id


def test_as_a_file_and_back() -> None:
    made = genesis(
        Note(name="n", number=1, due_at_ms=5),
        Secret(party="A", value=7),
        opens_at_ms=1_000,
        trial=True,
    )
    written = genesis_to_json(made, TYPES)
    assert genesis_from_json(written, TYPES) == made
    plain = json.loads(written)
    assert plain["records"][1] == {"type": "toy.secret.1", "party": "A", "value": 7}
    assert plain["node_key"] == bytes(range(32)).hex()


@pytest.mark.parametrize(
    ("data", "told"),
    (
        (b"", "not JSON"),
        (b"[]", "not JSON"),
        (b"nonsense", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"records": 5}', "not JSON"),
        (b'{"records": [5]}', "not JSON"),
        (b'{"a":' * 10_000, "not JSON"),
        (b"{}", "format"),
    ),
)
def test_what_is_no_genesis_file(data: bytes, told: str) -> None:
    with pytest.raises(CodecError, match=told):
        genesis_from_json(data, TYPES)


@pytest.mark.parametrize(
    ("changes", "told"),
    (
        ({"format": 2}, "format"),
        ({"more": 1}, "more"),
        ({"time_ms": -1}, "time_ms"),
        ({"name": "Pilot"}, "name"),
        ({"opens_at_ms": 5}, "only a trial"),
        ({"timers_per_block": 0}, "timers"),
        ({"apps": [["toy", 1], ["toy", 2]]}, "twice"),
        ({"records": [{"type": "toy.unknown.1"}]}, "unknown"),
        ({"records": [{"type": "toy.secret.1"}]}, "party"),
        ({"records": [{"type": "toy.secret.1", "party": ""}]}, "party"),
    ),
)
def test_a_file_that_says_something_else(changes: dict[str, Any], told: str) -> None:
    plain = json.loads(genesis_to_json(genesis(), TYPES)) | changes
    with pytest.raises(CodecError, match=told):
        genesis_from_json(json.dumps(plain).encode(), TYPES)


def test_first_state() -> None:
    note = Note(name="n", number=1)
    made = genesis(note, trial=True, opens_at_ms=genesis().time_ms - 500)
    first = first_records(made, TYPES)
    clock = Clock(name="clock", offset_ms=-500, trial=True)
    rules = Activation(app="toy", version=2)
    assert first == {key_bytes(each): encode(each) for each in (clock, rules, note)}


@pytest.mark.parametrize(
    ("records", "told"),
    (
        ((Note(name="n", number=1), Note(name="n", number=1, now_ms=5)), "twice"),
        ((Clock(name="clock"), Clock(name="clock", offset_ms=1)), "twice"),
        ((UsedMinute(minute=1, count=1, running_hash=bytes(32)),), "another chain"),
    ),
)
def test_records_that_do_not_belong(records: tuple[Record, ...], told: str) -> None:
    with pytest.raises(CodecError, match=told):
        first_records(genesis(*records), TYPES)


def test_records_that_cannot_be_read() -> None:
    for raw in (b"\xc1", encode({"type": "toy.note.1", "number": 1, "name": "n"})):
        with pytest.raises(CodecError):
            first_records(genesis(records=(raw,)), TYPES)
    with pytest.raises(CodecError, match="format"):
        first_records(genesis(format=7), TYPES)


def test_a_consortium_is_made_from_a_pilots_state() -> None:
    pilot = toy_world()
    made = pilot.accepts("A.m", Open(currency="CNY")).id
    pilot.accepts("A.m", CountUp(counter_id=made, by_minor=5))
    pilot.accepts("A.m", Ring(name="noon", at_ms=pilot.ledger_ms + 3_600_000))
    kept = [
        each
        for type_ in pilot.ledger.rules.record_types
        if type_ is not UsedMinute
        for each in pilot.view().scan(type_)
    ]
    consortium: World = toy_world(records=kept)
    assert consortium.ledger.chain_id != pilot.ledger.chain_id
    consortium.accepts("A.m", CountUp(counter_id=made, by_minor=1))
    assert consortium.view().get(Counter, made).amount_minor == 6
    consortium.passes(hours=2)
    assert len(list(consortium.view().scan(Note, "noon"))) == 1
    raw = pilot.signed(("A.m", CountUp(counter_id=made, by_minor=1)))
    assert consortium.offer(raw).receipt is None  # the pilot's transactions cannot be replayed


def test_the_root_of_a_beginning_is_that_of_its_state() -> None:
    world = toy_world()
    assert root_of(world.genesis, TYPES) == world.chain.state.root()


def test_what_another_chain_keeps_of_a_record() -> None:
    """Heights begin anew; references and nodes are the old chain's own."""
    waits = Activation(app="toy", version=1, next_version=2, from_height=12)
    assert carried_over(waits, 10) == replace(waits, from_height=2)
    assert carried_over(waits, 11) == carried_over(waits, 30) == Activation(app="toy", version=2)
    note = Note(name="n", number=1)
    assert carried_over(note, 10) is note
    engine = Consensus(
        name=CONSENSUS,
        block_bytes=4_194_304,
        block_transactions=5_000,
        evidence_blocks=100_000,
        evidence_ms=172_800_000,
    )
    node = Validator(public_key=bytes(32), member="A", power=10)
    for bound in (engine, node, UsedMinute(minute=1, count=1, running_hash=bytes(32))):
        assert carried_over(bound, 10) is None
