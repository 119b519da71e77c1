"""PostgreSQL under the same payments: a cluster of its own in a folder, and pgbench as its load."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallystick.errors import NodeError

HOME = Path("/usr/lib/postgresql")
"""Where Debian keeps each version's programs."""
USERS = ("postgres", "nobody")
"""Who runs the cluster when the bench is run by root, which PostgreSQL refuses."""
START_SECONDS = 60.0
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "max_connections": "100",
}
"""Durable as it comes; memory, log and pauses as one would set them for such a load."""
TABLES = """
CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
CREATE TABLE transfer (id bigserial PRIMARY KEY, source int NOT NULL, target int NOT NULL,
    amount bigint NOT NULL, at timestamptz NOT NULL DEFAULT now());
INSERT INTO account SELECT n, 1000000000000 FROM generate_series(1, {accounts}) AS n;
VACUUM ANALYZE account;
"""
# Accounts are locked in the order of their numbers, so that no two payments wait for each other.
TRANSFER = r"""
\set one random(1, {accounts} - 1)
\set step random(1, {accounts} - :one)
\set other :one + :step
\set amount random(1, 9) * (2 * random(0, 1) - 1)
BEGIN;
UPDATE account SET balance = balance - :amount WHERE id = :one;
UPDATE account SET balance = balance + :amount WHERE id = :other;
INSERT INTO transfer (source, target, amount) VALUES (:one, :other, :amount);
COMMIT;
"""
TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Postgres:
    """A cluster that runs."""

    folder: Path
    """Its socket, and what it is given to read."""
    programs: Path
    """Where its programs are."""
    user: str | None
    """Who runs it; None: whoever runs the bench."""

    def version(self) -> str:
        """Its version, e.g. `15.14`."""
        told = self._run([str(self.programs / "postgres"), "--version"])
        return told.split()[2]

    def prepare(self, accounts: int) -> None:
        """Make the tables anew."""
        self._sql("DROP TABLE IF EXISTS account, transfer")
        self._sql(TABLES.format(accounts=accounts), alone=False)

    def per_s(self, accounts: int, clients: int, seconds: float) -> float:
        """Payments a second with so many clients; none may fail."""
        script = self.folder / "transfer.sql"
        script.write_text(TRANSFER.format(accounts=accounts), encoding="utf-8")
        script.chmod(0o644)
        self._sql("CHECKPOINT")
        told = self._run(
            [
                "pgbench", "-h", str(self.folder), "-U", "bench", "-M", "prepared", "-n",
                "-c", str(clients), "-j", str(min(clients, os.cpu_count() or 1)),
                "-T", str(max(1, round(seconds))), "-f", str(script), "postgres",
            ]
        )  # fmt: skip
        failed = FAILED.search(told)
        if failed is not None and int(failed[1]):
            raise NodeError(f"{failed[1]} transactions of pgbench failed")
        found = TPS.search(told)
        if found is None:
            raise NodeError(f"pgbench told no figure: {told[-300:]}")
        return float(found[1])

    def _sql(self, text: str, *, alone: bool = True) -> None:
        """Run statements."""
        base = ["psql", "-q", "-h", str(self.folder), "-U", "bench", "-v", "ON_ERROR_STOP=1"]
        if alone:
            self._run([*base, "-c", text, "postgres"])
            return
        script = self.folder / "statements.sql"
        script.write_text(text, encoding="utf-8")
        script.chmod(0o644)
        self._run([*base, "-f", str(script), "postgres"])

    def _run(self, command: Sequence[str]) -> str:
        """Run one of its programs; what it printed."""
        return _run(command, self.user)


@contextmanager
def running(folder: Path) -> Iterator[Postgres]:
    """A new cluster in a folder, run by a user without powers; ended in the end."""
    programs, user = programs_folder(), unprivileged()
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(folder, user)
        shutil.chown(data, user)
    _run(
        [str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "bench",
         "--no-locale", "-E", "UTF8"],
        user,
    )  # fmt: skip
    options = {**SETTINGS, "unix_socket_directories": str(folder)}
    command = [str(programs / "postgres"), "-D", str(data)]
    command += [f"--{name}={value}" for name, value in options.items()]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, user=user, cwd="/")
        made = Postgres(folder, programs, user)
        try:
            _wait_for(made, server)
            yield made
        finally:
            server.terminate()
            server.wait()


def _wait_for(made: Postgres, server: subprocess.Popen[bytes]) -> None:
    """Wait until it answers."""
    ready = [str(made.programs / "pg_isready"), "-q", "-h", str(made.folder)]
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        if subprocess.run(ready, check=False).returncode == 0:
            return
        time.sleep(0.1)
    said = (made.folder / "log").read_text(encoding="utf-8", errors="replace")
    raise NodeError(f"PostgreSQL does not start: {said[-300:]}")


def programs_folder() -> Path:
    """Where the newest version's programs are; `NodeError` says how to get them."""
    found = sorted(HOME.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which("initdb")
    if path is None or shutil.which("pgbench") is None:
        raise NodeError("PostgreSQL is not here: apt-get install postgresql (make bench-peer does)")
    return Path(path).resolve().parent


def unprivileged() -> str | None:
    """Who runs the cluster; None for whoever runs the bench, unless that is root."""
    if os.geteuid() != 0:
        return None
    for name in USERS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise NodeError("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")


def _run(command: Sequence[str], user: str | None) -> str:
    """Run a program as a user; what it printed. `NodeError` when it failed, with its words."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, user=user, cwd="/")
    if done.returncode:
        raise NodeError(f"{Path(command[0]).name}: {done.stderr.strip()[-300:]}")
    return done.stdout
