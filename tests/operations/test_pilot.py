"""A pilot's data moves to a consortium: its state is the genesis, and business goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tallystick.apps import APPS, AUTHORITY
from tallystick.apps.cash.messages import Transfer
from tallystick.apps.cash.records import Balance, Held
from tallystick.apps.founding import DEFAULT_CONSENSUS
from tallystick.apps.governance.messages import Propose
from tallystick.apps.governance.records import POWER_SHIFT, ActivateRules, PowerShift
from tallystick.apps.receivables.records import Piece
from tallystick.cli.main import run
from tallystick.cli.pilot_file import Next, figures_of_genesis, figures_of_pilot, genesis_after
from tallystick.cli.proposal_file import (
    Proposal,
    assemble,
    check_proposal,
    going_on,
    read_proposal,
    versions,
    write_proposal,
)
from tallystick.engine.cometbft.install import install
from tallystick.engine.folder import BLOCKS, GENESIS, LOCK
from tallystick.errors import (
    AuditFailed,
    DataFolderInUse,
    FormatError,
    NodeError,
    ReleaseTooOld,
)
from tallystick.ledger.app import Record
from tallystick.ledger.genesis import Genesis, genesis_to_json
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.rules import Rules
from tallystick.ledger.system import (
    CLOCK,
    Activation,
    Clock,
    Consensus,
    PendingTimer,
    UsedMinute,
    Validator,
)
from tallystick.network.ports import free_ports
from tallystick.node import Node
from tallystick.operations.pilot import (
    Pilot,
    read_folder,
    read_pilot,
    records_of,
    root_of,
    write_pilot,
)
from tallystick.store.disk import OsDisk
from tallystick.testing.cases import CaseRun, read_case
from tallystick.testing.cast import cast_world, node
from tallystick.testing.world import World
from tallystick.values.codec import encode, encode_key

DAY_MS = 86_400_000
STORY = """
$ tally --as CB.maker+checker cash mint --to bank-a --money CNY@CB --amount 1,000,000.00
$ tally --as CB.maker+checker cash mint --to D1 --money CNY@CB --amount 60,000.00
invoice inv S1 -> D1 INV-001 2026-06-30 100,000.00 CNY
$ tally --as S1.maker+checker documents commit --disclosure inv
  as doc
$ tally --as S1.maker+checker documents register --document doc --disclosure inv \\
    --purpose opening --amount 100,000.00 --currency CNY
  as reg
$ tally --as S1.maker+checker receivables draft --debtor D1 --supplier S1 \\
    --amount 100,000.00 --currency CNY --due-day 2026-10-01 --registrations reg
  as und
$ tally --as D1.maker+checker receivables confirm --undertaking und --disclosure inv
  as p
$ tally --as S1.maker+checker receivables split --piece p --parts 60,000.00 40,000.00
  as big small
$ tally --as S1.maker+checker receivables apply --piece big --financiers bank-a
  as deal
$ tally --as bank-a.maker+checker receivables offer --deal deal --disclosure inv \\
    --recourse no --advance-ppm 1000000 --method upfront_on_face --rate-ppm 4.35% \\
    --day-count act/360 --money CNY@CB --valid-until 2026-07-03 --disburse-by 2026-07-06
$ tally --as D1.maker+checker cash hold --money CNY@CB --amount 600.00 --beneficiary S2 \\
    --expires '2026-07-10 12:00' --purpose deposit
"""
"""A deal is offered, a debt is due in October, a deposit ends in a week."""


def play(text: str = STORY) -> World:
    """What a case leaves behind."""
    run = CaseRun(read_case("pilot", text))
    run.run()
    return run.world


def settle(world: World, folder: Path) -> Path:
    """A stopped node's data folder with what a world has done."""
    types = world.ledger.rules.record_types
    (folder / BLOCKS).mkdir(parents=True)
    (folder / GENESIS).write_bytes(genesis_to_json(world.genesis, types))
    for name, content in world.disk.files().items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def pilot_world() -> World:
    return play()


@pytest.fixture(scope="module")
def folder(pilot_world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return settle(pilot_world, tmp_path_factory.mktemp("pilot") / "d")


@pytest.fixture(scope="module")
def pilot(folder: Path) -> Pilot:
    return read_folder(folder, APPS, AUTHORITY)


NODES = (node("bank-a", 10), node("CB", 10), node("SUP", 10))


def founded(pilot: Pilot, *, later_ms: int = 3 * DAY_MS, **changes: Any) -> Genesis:
    said: dict[str, Any] = {
        "name": "trade",
        "time_ms": pilot.time_ms + later_ms,
        "horizon_ms": pilot.horizon_ms,
        "validators": NODES,
        "consensus": DEFAULT_CONSENSUS,
    }
    return genesis_after(pilot, Next(**(said | changes)))


def carried(world: World) -> dict[bytes, bytes]:
    """Records of a world that are not bound to one chain."""
    bound = [encode_key(each.spec.name) for each in (UsedMinute, Validator, Consensus)]
    return {
        key: raw
        for key, raw in world.store.scan(b"")
        if not any(key.startswith(name) for name in bound)
    }


# --- everything travels


def test_the_consortium_begins_where_the_pilot_stopped(pilot_world: World, pilot: Pilot) -> None:
    new = World.begun(APPS, AUTHORITY, founded(pilot))
    assert carried(new) == carried(pilot_world)
    view = new.view()
    assert list(view.scan(Validator)) == sorted(NODES, key=lambda each: each.public_key)
    assert (len(list(view.scan(Held))), len(list(view.scan(Piece)))) == (1, 3)
    assert new.genesis.chain_id.startswith("trade-")
    assert new.genesis.node_key is None
    assert new.ledger_ms == pilot_world.chain.ledger_ms + 3 * DAY_MS
    assert list(view.scan(UsedMinute)) == []


def test_pending_timers_run_as_they_would_have(pilot_world: World, pilot: Pilot) -> None:
    old, new = pilot_world.copy(), World.begun(APPS, AUTHORITY, founded(pilot))
    assert new.ledger.next_wake_ms(new.chain.state) is not None
    for day in ("2026-07-10", "2026-07-11", "2026-10-08", "2026-12-31"):
        for world in (old, new):
            world.passes(to=(day, 12 * 60))
        assert carried(old) == carried(new)
    assert list(new.view().scan(Held)) == []
    left = {each.timer_id for each in new.view().scan(PendingTimer)}
    assert left == {each.timer_id for each in old.view().scan(PendingTimer)}


def test_what_the_pilot_signed_is_worth_nothing_and_its_references_are_free(
    pilot_world: World, pilot: Pilot
) -> None:
    old = pilot_world.copy()
    pay = Transfer(to="S1", money="CNY@CB", amount_minor=100)
    reference = "order-17"
    old.send(("bank-a.maker+checker", pay), reference=reference)
    again = old.send(("bank-a.maker+checker", pay), reference=reference).receipt
    assert again.outcome.value == "reused"
    signed = old.signed(("bank-a.maker+checker", pay))
    new = World.begun(APPS, AUTHORITY, founded(pilot, later_ms=0))
    with pytest.raises(Refused) as no:
        new.ledger.check_expiry(new.ledger.codec.decode(signed), new.ledger_ms)
    assert no.value.code is Refusal.WRONG_CHAIN
    before = new.view().get(Balance, "bank-a", "CNY@CB").available_minor
    done = new.send(("bank-a.maker+checker", pay), reference=reference)
    assert done.receipt.outcome.value == "accepted"
    assert new.view().get(Balance, "bank-a", "CNY@CB").available_minor == before - 100


def test_the_figures_that_people_compare(pilot_world: World, pilot: Pilot) -> None:
    told = figures_of_pilot(pilot)
    assert told.circulation == {"CNY@CB": "1,060,000.00"}
    assert told.records == len(carried(pilot_world))
    assert pilot.state_root == pilot_world.chain.state.root().hex()
    genesis = founded(pilot)
    assert genesis == founded(pilot)
    begun, new = figures_of_genesis(genesis), World.begun(APPS, AUTHORITY, genesis)
    assert begun.state_root == new.chain.state.root().hex()
    assert begun.records == told.records + len(NODES) + 1
    assert begun.lines()[1] == "in circulation: 1,060,000.00 CNY@CB"


def test_a_trial_keeps_its_clock(tmp_path: Path) -> None:
    world = cast_world(trial=True)
    ahead = encode(Clock(name=CLOCK, offset_ms=5 * DAY_MS, trial=True))
    begun = replace(world.genesis, records=(*world.genesis.records, ahead))
    world = World.begun(APPS, AUTHORITY, begun)
    world.passes(days=1)
    pilot = read_folder(settle(world, tmp_path / "d"), APPS, AUTHORITY)
    genesis = founded(pilot, later_ms=60_000)
    assert genesis.trial
    assert genesis.opens_at_ms == genesis.time_ms + 5 * DAY_MS
    assert World.begun(APPS, AUTHORITY, genesis).offset_ms == 5 * DAY_MS


def test_a_consortium_leaves_its_nodes_behind_and_rules_to_come_keep_their_distance(
    tmp_path: Path,
) -> None:
    world = cast_world(validators={"bank-a": 7, "bank-b": 7})
    shift = PowerShift(name=POWER_SHIFT, height=1, power_before=14, power_moved=1)
    rules = (
        Activation(app="cash", version=0, next_version=1, from_height=2),
        Activation(app="receivables", version=0, next_version=1, from_height=9),
    )
    records = (*world.genesis.records, *map(encode, (shift, *rules)))
    world = World.begun(APPS, AUTHORITY, replace(world.genesis, records=records))
    for _ in range(3):
        world.now_ms += 1
        world.chain.next_block(world.now_ms, [], force=True)
    pilot = read_folder(settle(world, tmp_path / "d"), APPS, AUTHORITY)
    assert pilot.height == 3
    new = World.begun(APPS, AUTHORITY, founded(pilot, validators=NODES[:1])).view()
    assert list(new.scan(Validator)) == [NODES[0]]
    assert new.get(Consensus, "consensus") == DEFAULT_CONSENSUS
    assert list(new.scan(PowerShift)) == []
    assert new.get(Activation, "cash") == Activation(app="cash", version=1)
    assert new.get(Activation, "receivables") == replace(rules[1], from_height=6)


# --- refused


def test_a_folder_in_use(folder: Path) -> None:
    held = OsDisk().lock(str(folder / LOCK))
    try:
        with pytest.raises(DataFolderInUse):
            read_folder(folder, APPS, AUTHORITY)
    finally:
        held.release()


def test_a_damaged_block(pilot_world: World, tmp_path: Path) -> None:
    folder = settle(pilot_world, tmp_path / "d")
    (log,) = [path for path in (folder / BLOCKS).iterdir() if path.name != "tip"]
    raw = bytearray(log.read_bytes())
    raw[len(raw) // 2] ^= 1
    log.write_bytes(raw)
    with pytest.raises(AuditFailed, match="block"):
        read_folder(folder, APPS, AUTHORITY)


def test_rules_that_this_release_does_not_have(tmp_path: Path) -> None:
    world = cast_world()
    coming = encode(Activation(app="cash", version=1, next_version=9, from_height=10_000))
    begun = replace(world.genesis, records=(*world.genesis.records, coming))
    folder = settle(World.begun(APPS, AUTHORITY, begun), tmp_path / "d")
    with pytest.raises(ReleaseTooOld, match="cash"):
        read_folder(folder, APPS, AUTHORITY)


def test_an_open_vote_that_names_a_block(tmp_path: Path) -> None:
    world = cast_world()
    rules = ActivateRules(app="cash", version=2, from_height=10_000)
    world.accepts("bank-a.maker+checker", Propose(action=rules, reason="next"))
    with pytest.raises(NodeError, match="names block 10000"):
        read_folder(settle(world, tmp_path / "d"), APPS, AUTHORITY)


def changed(pilot: Pilot, tag: str, **fields: Any) -> Pilot:
    """An export of which somebody changed one record."""
    records = [dict(each) for each in pilot.records]
    next(each for each in records if each["type"] == tag).update(fields)
    return replace(pilot, records=tuple(records))


def mistakes(pilot: Pilot) -> Iterator[tuple[Pilot, type[Exception], str]]:
    """Exports that nobody may begin with."""
    yield changed(pilot, "cash.balance.1", available_minor="1"), FormatError, "do not have the root"
    yield changed(pilot, "cash.balance.1", available_minor=1), FormatError, "available_minor"
    yield changed(pilot, "cash.balance.1", type="cash.balance.9"), FormatError, "taken over"
    yield changed(pilot, "ledger.activation.1", version=9), ReleaseTooOld, "version 9"
    used = {"type": "ledger.used_minute.1", "minute": 1, "count": 1, "running_hash": "00" * 32}
    yield replace(pilot, records=(*pilot.records, used)), FormatError, "old chain alone"
    twice = replace(pilot, records=(*pilot.records, pilot.records[0]))
    yield twice, FormatError, "twice"


def test_an_export_that_was_changed(pilot: Pilot) -> None:
    for wrong, error, told in mistakes(pilot):
        with pytest.raises(error, match=told):
            records_of(wrong, APPS)


def test_an_export_without_a_clock(pilot: Pilot, tmp_path: Path) -> None:
    kept = [each for each in records_of(pilot, APPS) if not isinstance(each, Clock)]
    plain = tuple(each for each in pilot.records if each["type"] != "ledger.clock.1")
    with pytest.raises(FormatError, match="no clock"):
        records_of(replace(pilot, records=plain, root=root_of(kept).hex()), APPS)
    path = tmp_path / "pilot.json"
    for raw in (b"{}", b"\xff", b"[]"):
        path.write_bytes(raw)
        with pytest.raises(FormatError, match="no export"):
            read_pilot(path)
    with pytest.raises(FormatError, match="cannot be read"):
        read_pilot(tmp_path)


def test_a_beginning_that_does_not_fit(pilot: Pilot) -> None:
    with pytest.raises(FormatError, match="before the last block"):
        founded(pilot, later_ms=-1)
    with pytest.raises(FormatError, match="NOT_A_MEMBER"):
        founded(pilot, validators=(node("nobody", 10),))


# --- the proposal


def proposed(pilot: Pilot, **changes: Any) -> Proposal:
    said: dict[str, Any] = {
        "name": "trade",
        "apps": versions(),
        "time_ms": pilot.time_ms,
        "validators": {"bank-a": 10, "CB": 10},
        "founding": None,
        "pilot": pilot,
    }
    return Proposal(**(said | changes))


def test_a_proposal_carries_the_pilot(pilot: Pilot, tmp_path: Path) -> None:
    write_pilot(tmp_path / "pilot.json", pilot)
    assert (tmp_path / "pilot.json").stat().st_mode & 0o777 == 0o600
    proposal = going_on(proposed(read_pilot(tmp_path / "pilot.json")), pilot)
    check_proposal(proposal)
    write_proposal(tmp_path / "proposal.json", proposal)
    read = read_proposal(tmp_path / "proposal.json")
    assert (read, read.hash) == (proposal, proposal.hash)
    assert read.awaited == ("bank-a", "CB")
    assert read.officers_of("bank-a") == ()
    with pytest.raises(FormatError, match="nothing to join"):
        read.officers_of("S1")
    with pytest.raises(FormatError, match="still missing: bank-a, CB"):
        assemble(read, ())
    with pytest.raises(FormatError, match="its clock is not that of the pilot"):
        check_proposal(replace(read, trial=True, opens_at_ms=read.time_ms))
    plain = json.loads((tmp_path / "proposal.json").read_bytes())
    (tmp_path / "neither.json").write_text(json.dumps(plain | {"pilot": None}))
    with pytest.raises(FormatError, match="founded by its members"):
        read_proposal(tmp_path / "neither.json")


def test_every_record_of_the_export_can_be_read(pilot: Pilot) -> None:
    tags = {each["type"] for each in pilot.records}
    assert {"cash.balance.1", "ledger.timer.1", "receivables.piece.1"} <= tags
    types: tuple[type[Record], ...] = Rules(APPS).record_types
    assert len(types) > len(tags)
    assert msgspec.json.decode(msgspec.json.encode(pilot), type=Pilot) == pilot


# --- typed


def test_from_a_node_to_a_validator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`tally` alone: a pilot of one node goes on under a CometBFT of one validator."""
    install()
    (p2p,) = free_ports(1)

    def tally(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        found = run(["--json", *words])
        told = capsys.readouterr()
        assert found == code, told.out + told.err
        return json.loads(told.out) if code == 0 else told.err

    old, new, file = tmp_path / "old", tmp_path / "new", str(tmp_path / "pilot.json")
    proposal, joined = str(tmp_path / "proposal.json"), str(tmp_path / "CB.join.json")
    signs = ("--keys", str(old / "keys"), "--as", "CB.maker+checker")
    mint = ("cash", "mint", "--money", "CNY@CB", "--to", "bank-a", "--amount", "1,000.00")
    tally("init", str(old))
    with Node.open(old) as running:
        tally("--node", running.address, *signs, *mint)
        assert "in use" in tally("genesis", "export", str(old), "--out", file, code=23)
    exported = tally("genesis", "export", str(old), "--out", file)
    assert exported["circulation"] == {"CNY@CB": "1,000.00"}
    tally("genesis", "export", str(old), "--out", file, code=30)

    named = ("--name", "trade", "--validator", "CB", "--out", proposal)
    tally("consortium", "propose", "--from", file, *named, "--trial", code=2)
    tally("consortium", "propose", *named, code=2)
    begun = tally("consortium", "propose", "--from", file, *named, "--horizon-hours", "12")
    assert begun["state_root"] == exported["state_root"]
    said = ("--member", "CB", "--expect", begun["hash"], "--address", f"127.0.0.1:{p2p}")
    where = ("--p2p", f"127.0.0.1:{p2p}", "--metrics", "", "--data", str(new), "--out", joined)
    tally("consortium", "join", proposal, *said, *where)
    told = tally("consortium", "start", proposal, joined, "--data", str(new))
    assert told["circulation"] == exported["circulation"]
    words = ("consortium", "start", proposal, joined, "--data", str(new), "--no-run")
    assert run([*words, "--expect", told["hash"]]) == 0
    assert tally("genesis", "show", str(new))["state_root"] == told["state_root"]
    with Node.open(new) as running:
        tally("--node", running.address, *signs, *mint)
        (balance,) = tally("--node", running.address, "cash", "balances", "--party", "bank-a")
        assert balance["available_minor"] == "200000"
