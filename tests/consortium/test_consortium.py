"""Four institutions begin a network, each by its own commands in its own folder, and it lives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tallystick.cli.main import run
from tallystick.client.client import Client
from tallystick.engine.cometbft.install import install
from tallystick.errors import ClientError
from tallystick.network.ports import free_ports

MEMBERS = ("bank-a", "bank-b", "cb", "sup")
KINDS = ("bank", "bank", "central_bank", "supervisor")
TALLY = (sys.executable, "-m", "tallystick.cli")
START_SECONDS = 90


Tally = Callable[..., Any]


@pytest.fixture
def tally(capsys: pytest.CaptureFixture[str]) -> Tally:
    """Runs a command line in a folder; its answer."""

    def typed(*words: str, cwd: Path) -> Any:
        with chdir(cwd):
            capsys.readouterr()
            code = run(["--json", "consortium", *words])
            told = capsys.readouterr()
        assert code == 0, told.out + told.err
        return json.loads(told.out)

    return typed


@contextmanager
def institutions(machines: dict[str, Path], *words: str) -> Iterator[dict[str, Client]]:
    """Every member starts its node; all are gone at the end, in order if they can be."""
    nodes = {}
    try:
        for member, machine in machines.items():
            with (machine / "log").open("wb") as log:
                nodes[member] = subprocess.Popen(
                    [*TALLY, "consortium", "start", *words],
                    cwd=machine,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        yield {
            member: Client(f"unix:{machine / '.tally' / 'api.sock'}", patience_seconds=0)
            for member, machine in machines.items()
        }
        for node in nodes.values():
            node.send_signal(signal.SIGTERM)
        assert {node.wait(timeout=60) for node in nodes.values()} == {0}
    finally:
        for node in nodes.values():
            with suppress(ProcessLookupError):
                os.killpg(node.pid, signal.SIGKILL)
            node.wait()


def height(client: Client) -> int:
    """Last block of a node; 0 while it does not answer."""
    try:
        return client.status().height
    except ClientError:
        return 0


def test_from_proposal_to_blocks(tmp_path: Path, tally: Tally) -> None:
    """What is passed round are files; keys stay where they were made."""
    install()
    machines = {member: tmp_path / member for member in MEMBERS}
    for machine in machines.values():
        machine.mkdir()
    officers = 'officers = { a = ["maker"], b = ["checker"], c = ["admin"] }\n'
    (machines["cb"] / "founding.toml").write_text(
        "".join(
            f'[[members]]\nid = "{member}"\nkind = "{kind}"\n{officers}'
            for member, kind in zip(MEMBERS, KINDS, strict=True)
        )
    )
    voters = [word for member in MEMBERS for word in ("--validator", member)]
    words = ("propose", "founding.toml", "--name", "trade", *voters)
    proposed = tally(*words, cwd=machines["cb"])
    mail = {"proposal.json": (machines["cb"] / "proposal.json").read_bytes()}
    ports = iter(free_ports(3 * len(MEMBERS)))
    for member, machine in machines.items():
        (machine / "proposal.json").write_bytes(mail["proposal.json"])
        p2p, rpc, metrics = (f"127.0.0.1:{next(ports)}" for _ in range(3))
        where = ("--address", p2p, "--p2p", p2p, "--rpc", rpc, "--metrics", metrics)
        said = ("--member", member, "--expect", proposed["hash"], *where)
        tally("join", "proposal.json", *said, cwd=machine)
        mail[f"{member}.join.json"] = (machine / f"{member}.join.json").read_bytes()
    seen = set()
    for machine in machines.values():
        for name, raw in mail.items():
            (machine / name).write_bytes(raw)
        seen.add(tally("start", *sorted(mail, reverse=True), cwd=machine)["hash"])
    (genesis,) = seen
    with institutions(machines, *mail, "--expect", genesis) as clients:
        end = time.monotonic() + START_SECONDS
        while min(map(height, clients.values())) < 2:
            logs = {member: (machine / "log").read_text() for member, machine in machines.items()}
            assert time.monotonic() < end, logs
            time.sleep(0.2)
        roots = {client.status().state_root for client in clients.values()}
        assert len(roots) == 1
        assert {client.status().genesis_hash.hex() for client in clients.values()} == {genesis}
        for client in clients.values():
            client.close()
