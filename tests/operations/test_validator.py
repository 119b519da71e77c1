"""Operating a node over a real CometBFT: what is seen of it, and bringing it back from a backup."""

from __future__ import annotations

import http.client
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tallystick.audit import audit
from tallystick.errors import BadBackup, ReachedHeight
from tallystick.network.ports import free_ports
from tallystick.operations.backup.blockstore import engine_height
from tallystick.operations.backup.folder import SIGNED, engine_of
from tallystick.operations.backup.read import Wish, restore, signed_up_to, unpack
from tallystick.operations.backup.write import back_up, read_signed
from tallystick.operations.doctor.examine import examine, is_well
from tallystick.operations.doctor.finding import Level
from tallystick.operations.doctor.patient import look_at
from tallystick.operations.logs import member_of
from tests.operations import validator
from tests.operations.pages import figures_of, named, names_of
from tests.operations.validator import Validator, running
from tests.till import APP
from tests.till.messages import Fill
from tests.till.people import PEOPLE

PASSPHRASE = "a long one"


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validator]:
    folder = tmp_path_factory.mktemp("member") / "data"
    probes, metrics = free_ports(2)
    chosen = validator.settings(metrics=f"127.0.0.1:{metrics}")
    listen = msgspec.structs.replace(chosen.listen, probes=f"127.0.0.1:{probes}")
    validator.make(folder, msgspec.structs.replace(chosen, listen=listen))
    with running(folder) as found:
        for amount in (1, 2, 3):
            found.client.send(("A.clerk", Fill(currency="CNY", amount_minor=amount)))
        found.wait_until_up()
        yield found


def get(member: Validator, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(member.node.settings.listen.probes, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


# --- what is seen


def test_one_page_has_our_figures_and_the_engines(member: Validator) -> None:
    status, body = get(member, "/metrics")
    assert status == 200
    found = figures_of(body)
    assert found["tally_engine_metrics_up"] == 1
    assert found["tally_engine_up"] == 1
    assert found["tally_halted"] == found["tally_catching_up"] == found["tally_peers"] == 0
    assert found["tally_engine_restarts_total"] == 0
    assert found["tally_bundles_total{answer=taken}"] >= 3
    assert found["tally_transactions_total{outcome=accepted}"] >= 3
    assert found["tally_commit_seconds_count"] >= found["tally_height"] - 1
    assert any(name.startswith("cometbft_consensus_height") for name in found)


OF_THE_NATIVE_BODY = {"tally_tree_bytes", "tally_tree_idle_bytes"}
"""Figures that the Python body does not have."""


def test_every_figure_that_rules_panels_and_pages_name_is_there(member: Validator) -> None:
    _, body = get(member, "/metrics")
    there = names_of(body) | OF_THE_NATIVE_BODY
    assert [(where, name) for where, name in named() if name not in there] == []


def test_a_validator_that_works_is_healthy_and_ready(member: Validator) -> None:
    for path in ("/v1/health", "/v1/ready"):
        status, body = get(member, path)
        assert status == 200, body
        assert json.loads(body)["ok"]


def test_the_doctor_finds_a_validator_well(member: Validator) -> None:
    found = examine(look_at(member.folder, {"till": 1}))
    assert is_well(found), {name: each.said for name, each in found.items()}
    assert found["signing"].said.startswith("missed 0 of the last")
    assert found["heights"].level is found["engine runs"].level is Level.OK
    assert found["engine"].level is found["allow-list"].level is Level.OK
    assert found["for others"].said.startswith("light blocks up to")
    assert "pruning" in found
    assert found["engine ends"].said.endswith("again 0 times since the node began")


def test_the_log_names_the_member_whose_validator_it_is(member: Validator) -> None:
    assert member_of(member.node) == "A"


# --- there and back


def test_backups_of_a_working_validator_are_never_ahead_of_its_engine(
    member: Validator, tmp_path: Path
) -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            member.client.send(("A.clerk", Fill(currency="CNY", amount_minor=1)))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(4):
            made = back_up(member.folder, tmp_path / f"{number}.tar", [APP]).manifest
            assert made.engine_height is not None
            assert made.height <= made.engine_height
            assert made.signed is not None
    finally:
        stop.set()
        worker.join()
    process = engine_of(os.getpid())
    assert process == member.node.engine.child.pid  # type: ignore[union-attr]
    member.wait_until(member.node.height() + 1)
    for number in range(4):
        target = tmp_path / f"r{number}"
        restore(tmp_path / f"{number}.tar", target, [APP], Wish(signed_up_to(10**6)))
        report = audit(target, [APP], PEOPLE)
        assert report.ok, report.problems
        assert report.height <= (engine_height(target) or 0)


def test_a_restored_validator_goes_on_where_the_backup_ends(tmp_path: Path) -> None:
    """Alone it must know exactly what it signed: its old disk tells."""
    old, new, file = tmp_path / "old", tmp_path / "new", tmp_path / "b.tar"
    validator.make(old, validator.settings())
    with running(old) as member:
        for amount in (1, 2, 3):
            member.client.send(("A.clerk", Fill(currency="CNY", amount_minor=amount)))
    made = back_up(old, file, [APP], passphrase=PASSPHRASE).manifest
    with pytest.raises(BadBackup, match="may sign twice"):
        restore(file, new, [APP], Wish(passphrase=PASSPHRASE))
    signed = read_signed((old / SIGNED).read_bytes(), SIGNED)
    assert made.signed == signed
    restore(file, new, [APP], Wish(signed, PASSPHRASE))
    with running(new) as member:
        member.client.send(("A.clerk", Fill(currency="CNY", amount_minor=4)))
        assert member.node.height() > made.height
    report = audit(new, [APP], PEOPLE)
    assert report.ok, report.problems
    assert report.accepted == 4
    assert read_signed((new / SIGNED).read_bytes(), SIGNED) > signed


def test_an_upgrade_by_the_book(tmp_path: Path) -> None:
    """Everybody stops after one block, replays what was exported, and goes on from there."""
    folder, export = tmp_path / "data", tmp_path / "blocks.tar"
    chosen = validator.settings(halt_height=4)
    validator.make(folder, chosen)
    with pytest.raises(ReachedHeight) as stopped, running(folder) as member:
        member.wait_until(4)
    assert stopped.value.exit_code == 37
    assert back_up(folder, export, [APP], only_blocks=True).manifest.height == 4
    unpack(export, tmp_path / "replayed")
    report = audit(tmp_path / "replayed", [APP], PEOPLE)
    assert (report.ok, report.height) == (True, 4)
    assert examine(look_at(folder, {"till": 1}))["halted"].level is Level.OK
    go_on = msgspec.structs.replace(chosen.engine, halt_height=0)
    validator.write_settings(folder, msgspec.structs.replace(chosen, engine=go_on))
    with running(folder) as member:
        member.client.send(("A.clerk", Fill(currency="CNY", amount_minor=1)))
        assert member.node.height() > 4
