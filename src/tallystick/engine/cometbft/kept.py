"""Snapshots on disk: `DATA/snapshots/HEIGHT/`, one file for the manifest and one for each chunk.

Each file ends with a checksum. A folder is written under another name and renamed when all of it is
durable: what has a plain number for a name is whole.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tallystick.engine.cometbft.manifest import FORMAT, Manifest, name_of, read_manifest
from tallystick.engine.cometbft.seam import SnapshotInfo
from tallystick.store.disk import OsDisk, explain
from tallystick.store.entry import CHECKSUM_BYTES, checksum
from tallystick.values.errors import CodecError

log = logging.getLogger(__name__)

MANIFEST = "manifest"
"""Name of the manifest's file."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot that this node has whole."""

    folder: Path
    """Where it lies."""
    metadata: bytes
    """Its manifest, encoded."""
    manifest: Manifest
    """Its manifest."""

    @property
    def info(self) -> SnapshotInfo:
        """What other nodes are told of it."""
        return SnapshotInfo(
            height=self.manifest.base.height,
            format=FORMAT,
            chunks=self.manifest.chunks,
            hash=name_of(self.metadata),
            metadata=self.metadata,
        )

    def chunk(self, index: int) -> bytes | None:
        """A chunk; None when there is none, or its file changed."""
        return read_checked(chunk_path(self.folder, index))

    def chunks(self) -> Iterator[bytes | None]:
        """All chunks in order."""
        return map(self.chunk, range(self.manifest.chunks))


def chunk_path(folder: Path, index: int) -> Path:
    """Path of a chunk's file."""
    return folder / f"{index:06d}"


def write_checked(path: Path, data: bytes) -> None:
    """Write a file with its checksum, durably but for its name."""
    try:
        with path.open("wb") as out:
            out.write(data)
            out.write(checksum(data))
            out.flush()
            os.fsync(out.fileno())
    except OSError as problem:
        raise explain(problem, "write", str(path)) from problem


def read_checked(path: Path) -> bytes | None:
    """What was written; None when the file is missing or its bytes are others."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise explain(problem, "read", str(path)) from problem
    body = data[:-CHECKSUM_BYTES]
    return body if data[-CHECKSUM_BYTES:] == checksum(body) else None


def fresh_folder(path: Path) -> Path:
    """An empty folder, whatever was there."""
    try:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700, parents=True)
    except OSError as problem:
        raise explain(problem, "make", str(path)) from problem
    return path


def settle(written: Path, height: int) -> Path:
    """Give a folder that was written to its end its final name, durably."""
    final = written.parent / str(height)
    disk = OsDisk()
    try:
        disk.sync_folder(str(written))
        shutil.rmtree(final, ignore_errors=True)
        written.rename(final)
        disk.sync_folder(str(written.parent))
    except OSError as problem:
        raise explain(problem, "rename", str(written)) from problem
    return final


def find_kept(folder: Path, chain_id: str) -> list[Kept]:
    """Snapshots of a chain in a folder, newest first. Nothing is changed."""
    paths = list(folder.iterdir()) if folder.is_dir() else []
    opened = [open_kept(path, chain_id) for path in paths if path.name.isdecimal()]
    found = [kept for kept in opened if kept is not None]
    return sorted(found, key=lambda kept: kept.manifest.base.height, reverse=True)


def open_kept(path: Path, chain_id: str) -> Kept | None:
    """A snapshot in its folder; None when it is not whole, or of another chain."""
    metadata = read_checked(path / MANIFEST)
    try:
        manifest = read_manifest(metadata or b"")
    except CodecError as problem:
        log.warning("snapshot %s cannot be read and is not used: %s", path.name, problem)
        return None
    if manifest.chain_id != chain_id or str(manifest.base.height) != path.name:
        log.warning("snapshot %s is of chain %s: not used", path.name, manifest.chain_id)
        return None
    return Kept(path, metadata or b"", manifest)
