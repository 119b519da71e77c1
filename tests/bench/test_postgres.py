"""What is understood of pgbench, and what is said where PostgreSQL is not as it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.bench.postgres import SETTINGS, TRANSFER, Postgres
from tallystick.errors import NodeError

TOLD = """\
pgbench (15.18)
number of failed transactions: {failed} (0.000%)
latency average = 2.420 ms
tps = 6612.345678 (without initial connection time)
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of stand-ins that only print, in front of all other programs."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    stand_in(tmp_path / "psql", "")
    stand_in(tmp_path / "postgres", "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n")
    return tmp_path


def stand_in(path: Path, said: str, code: int = 0) -> None:
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{said}END\necho 'no room' >&2\nexit {code}\n")
    path.chmod(0o755)


def test_the_figure_is_found(programs: Path) -> None:
    stand_in(programs / "pgbench", TOLD.format(failed=0))
    cluster = Postgres(programs, programs, None)
    assert cluster.per_s(64, 16, 1.0) == pytest.approx(6612.345678)
    assert cluster.version() == "15.18"


def test_a_payment_that_failed_spoils_the_figure(programs: Path) -> None:
    stand_in(programs / "pgbench", TOLD.format(failed=3))
    with pytest.raises(NodeError, match="3 transactions of pgbench failed"):
        Postgres(programs, programs, None).per_s(64, 16, 1.0)


def test_its_own_words_are_passed_on(programs: Path) -> None:
    stand_in(programs / "pgbench", "", code=1)
    with pytest.raises(NodeError, match="pgbench: no room"):
        Postgres(programs, programs, None).per_s(64, 16, 1.0)


def test_it_is_as_durable_as_we_are() -> None:
    """What is compared: two updates and an insert, on disk when they are answered."""
    assert (SETTINGS["fsync"], SETTINGS["synchronous_commit"]) == ("on", "on")
    assert (TRANSFER.count("UPDATE"), TRANSFER.count("INSERT"), TRANSFER.count("COMMIT")) == (
        2,
        1,
        1,
    )
