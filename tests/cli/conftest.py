"""Runs `tally` as people do, in this process; a node of its own for those who need one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tallystick.cli.main import run
from tallystick.node import Node


@dataclass(frozen=True)
class Ran:
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


class Tally:
    """`tally` with options that stand before every command."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *before: str) -> None:
        self._capsys = capsys
        self._before = before

    def __call__(self, *words: str, code: int = 0) -> Ran:
        """Run a command line; it must end with this code."""
        self._capsys.readouterr()
        found = run([*self._before, *words])
        told = self._capsys.readouterr()
        assert found == code, (found, words, told.out, told.err)
        return Ran(found, told.out, told.err)

    def line(self, text: str, code: int = 0) -> Ran:
        """The same for a line whose words have no spaces."""
        return self(*text.split(), code=code)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer has set must not reach the tests."""
    for name in (
        *("TALLY_NODE", "TALLY_AS", "TALLY_KEYS", "TALLY_PASSPHRASE_FILE", "TALLY_LANG"),
        *("LC_ALL", "LANG", "COLUMNS"),
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def tally(capsys: pytest.CaptureFixture[str]) -> Tally:
    """`tally` without a node."""
    return Tally(capsys)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a trial with the cast of the case files."""
    made = tmp_path_factory.mktemp("node") / "d"
    assert run(["init", str(made)]) == 0
    return made


@pytest.fixture(scope="session")
def running(folder: Path) -> Iterator[Node]:
    """A node over it, for all tests that talk to one."""
    with Node.open(folder) as node:
        yield node


@pytest.fixture
def desk(running: Node, capsys: pytest.CaptureFixture[str]) -> Tally:
    """`tally` at the desk of that node."""
    return Tally(capsys, "--node", running.address)
