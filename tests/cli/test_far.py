"""`tally` over the network: mutual TLS, and only what the officer's member may see."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.cli.main import run
from tallystick.node import Node
from tallystick.settings import Listen, Settings
from tests.cli.conftest import Tally


@pytest.fixture
def far(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Tally]:
    """A node that listens at a port, and a desk elsewhere."""
    folder = tmp_path / "d"
    assert run(["init", str(folder)]) == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with Node.open(folder, settings=Settings(listen=Listen(address=address))):
        where = ("--tls", str(folder / "tls"), "--keys", str(folder / "keys"))
        yield Tally(capsys, "--node", f"https://{address}", *where)


def test_messages_and_reads(far: Tally) -> None:
    assert "pilot-" in far("status").out
    mint = "--as CB.maker+checker cash mint --money CNY@CB --to S1 --amount 5.00"
    assert "accepted" in far.line(mint).out
    assert "5.00" in far.line("--as S1 cash balances --party S1").out
    assert "nothing" in far.line("--as T1 cash balances --party S1").out
    told = far.line("cash balances --party S1", code=3).out
    assert "ledger 24 NOT_A_READER" in told
    hold = "--as S1.maker+checker cash hold --money CNY@CB --amount 2.00 --json"
    made = far.line(hold).json["ids"][0]
    # The currency is that of the hold, which its owner may read.
    release = f"--as S1.maker+checker cash release --hold {made} --amount 1.00"
    assert "accepted" in far.line(release).out


def test_without_certificates_nobody_answers(far: Tally, tmp_path: Path) -> None:
    assert "cannot be used" in far("--tls", str(tmp_path), "status", code=41).err
