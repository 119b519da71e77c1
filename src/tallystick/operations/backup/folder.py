"""What of a data folder belongs into a backup, and how it is held still for a moment.

A backup is made of a stage: a folder beside the data with hard links to files that never change
again, and copies of those that do. The block log only grows, so a link and the length of the
moment are enough. CometBFT's stores change in several files at once: while they are taken, its
process is stopped (SIGSTOP), so that the copy is what a power cut at that instant would leave; both
stores and CometBFT itself are made to come back from that.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tallystick.engine.cometbft.home import HOME
from tallystick.engine.cometbft.snapshots import INCOMING, OUTGOING
from tallystick.engine.folder import (
    BLOCKS,
    GENESIS,
    KEYS,
    NODE_KEY,
    PASSPHRASE,
    SNAPSHOTS,
    STATE,
    TLS,
)
from tallystick.settings import FILE
from tallystick.store.scan import TIP_NAME

STAGE = ".backup"
"""Folder in the data folder in which a backup is staged."""
PART = ".part"
"""What a folder's name ends in while it is being restored."""
SIGNED = f"{HOME}/data/priv_validator_state.json"
STORES = ("blockstore.db", "state.db", "evidence.db")
"""CometBFT's stores. Its write-ahead log is left out: it only repeats the votes of one block."""
FREEZE_SECONDS_MAX = 30
"""After so long the engine is let go on, whatever became of the backup."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that goes into the backup."""

    name: str
    """Path in the data folder, with `/`."""
    path: Path
    """Where its bytes are now."""
    size: int
    """How many of them belong to the backup."""


def leftovers(folder: Path) -> list[Path]:
    """What a backup or restore that was cut off has left behind."""
    found = [folder / STAGE, folder.with_name(folder.name + PART)]
    return [path for path in found if path.exists()]


def plain_files(folder: Path) -> Iterator[Path]:
    """Small files that are copied as they stand."""
    yield from (path for path in (folder / GENESIS, folder / FILE) if path.is_file())
    for name in ("light", "outbox"):
        yield from sorted(path for path in (folder / name).rglob("*") if path.is_file())


def secret_files(folder: Path) -> Iterator[Path]:
    """Keys, and what opens them."""
    config = folder / HOME / "config"
    named = [folder / PASSPHRASE, folder / f"{NODE_KEY}.key"]
    named += [config / "priv_validator_key.json", config / "node_key.json"]
    for name in (KEYS, TLS):
        named += sorted((folder / name).glob("*"))
    yield from (path for path in named if path.is_file())


def stage_small(folder: Path, stage: Path) -> list[Staged]:
    """Settings, genesis, light blocks and what the gateway keeps."""
    return [_copied(folder, path, stage) for path in plain_files(folder)]


def stage_blocks(folder: Path, stage: Path) -> list[Staged]:
    """The block log up to now; the node writes the tip anew."""
    names = sorted(path.name for path in (folder / BLOCKS).glob("*") if path.is_file())
    return [_linked(folder, folder / BLOCKS / name, stage) for name in names if name != TIP_NAME]


def stage_snapshots(folder: Path, stage: Path) -> list[Staged]:
    """Snapshots that are whole: an audit of a log without its beginning starts at one."""
    kept = folder / SNAPSHOTS
    found = sorted(path for path in kept.rglob("*") if path.is_file())
    unfinished = {kept / INCOMING, kept / OUTGOING}
    staged = []
    for path in found:
        if not unfinished & set(path.parents):
            with suppress(FileNotFoundError):  # it was old, and was removed meanwhile
                staged.append(_linked(folder, path, stage))
    return staged


def stage_state(folder: Path, stage: Path) -> list[Staged]:
    """The state store; which of its files belong together is for the caller to try."""
    return _store(folder, folder / STATE, stage)


def stage_engine(folder: Path, stage: Path) -> list[Staged]:
    """CometBFT's stores; it must be stopped or held still."""
    found = []
    for name in STORES:
        found += _store(folder, folder / HOME / "data" / name, stage)
    return found


def _store(folder: Path, store: Path, stage: Path) -> list[Staged]:
    """A store of the LevelDB family, or an LSM tree's: tables linked, the rest copied."""
    found = []
    for path in sorted(store.rglob("*")):
        if path.name.startswith("LOCK") or path.name.startswith("LOG") or not path.is_file():
            continue
        is_table = path.suffix in {".ldb", ".sst"} or path.parent.name == "tables"
        try:
            found.append((_linked if is_table else _copied)(folder, path, stage))
        except FileNotFoundError:
            continue  # compacted away meanwhile
    return found


def _copied(folder: Path, path: Path, stage: Path) -> Staged:
    """A copy of a file."""
    name = path.relative_to(folder)
    target = stage / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    return Staged(name.as_posix(), target, target.stat().st_size)


def _linked(folder: Path, path: Path, stage: Path) -> Staged:
    """A second name for a file, with its length now; a copy where the disk knows no links."""
    name = path.relative_to(folder)
    target = stage / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(path, target)
    except PermissionError:
        return _copied(folder, path, stage)
    return Staged(name.as_posix(), target, target.stat().st_size)


# --- holding the engine still


def engine_of(node: int) -> int | None:
    """The CometBFT that a node runs; None when it runs none, or the system does not tell."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it ended meanwhile
        name, rest = told.partition("(")[2].rpartition(")")[::2]
        if name == "cometbft" and rest.split()[1] == str(node):
            return int(path.parent.name)
    return None


@contextmanager
def held_still(process: int | None) -> Iterator[None]:
    """Stop a process for a moment. If this one is killed meanwhile, another lets it go on."""
    if process is None:
        yield
        return
    rescue = f"sleep {FREEZE_SECONDS_MAX}; kill -CONT {process}"
    guard = subprocess.Popen(["/bin/sh", "-c", rescue], start_new_session=True)
    try:
        os.kill(process, signal.SIGSTOP)
        _wait_until_stopped(process)
        yield
    finally:
        os.kill(process, signal.SIGCONT)
        os.killpg(guard.pid, signal.SIGKILL)
        guard.wait()


def _wait_until_stopped(process: int) -> None:
    """The order reaches every thread of it a little later."""
    for task in Path(f"/proc/{process}/task").glob("*/stat"):
        while is_running(task):
            time.sleep(0.001)


def is_running(stat: Path) -> bool:
    """Whether a thread still does something."""
    try:
        told = stat.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] not in {"T", "t", "Z", "X"}
