"""Restoring a backup: what is checked before anything of it may run.

The ledger must not be newer than the engine, and a validator must not sign what it may have signed
before: its memory of that is never taken from a backup, but set above everything that the network
has seen.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from tallystick.engine.cometbft.home import HOME
from tallystick.engine.folder import BLOCKS, STATE, read_genesis
from tallystick.errors import BadBackup
from tallystick.ledger.app import App
from tallystick.operations.backup.blockstore import Unreadable, engine_height
from tallystick.operations.backup.folder import PART, SIGNED
from tallystick.operations.backup.manifest import (
    FORMAT,
    MANIFEST_BYTES_MAX,
    NAME,
    SECRETS,
    Kept,
    Manifest,
    Signed,
)
from tallystick.operations.backup.sealing import unseal
from tallystick.operations.backup.write import EXPORT
from tallystick.store.check import ProblemKind, check
from tallystick.store.disk import OsDisk

CHUNK_BYTES = 1024 * 1024
EVERY_ROUND = 2**31 - 1
"""No round of a block is later."""
SECOND_VOTE = 3
"""The last thing signed in a round."""


@dataclass(frozen=True)
class Wish:
    """How a backup is to be restored."""

    signed: Signed | None = None
    """Nothing up to this may be signed again; None when nobody has said."""
    passphrase: str | None = None
    """Opens the keys in it; None leaves them out."""
    only_keys: bool = False
    """Leave all blocks to the network: genesis, settings and keys alone."""
    accepts_loss: bool = False
    """For a chain of one node: go on from the backup although later blocks are lost."""


def signed_up_to(height: int, round_: int | None = None) -> Signed:
    """Everything of a block, or of its rounds up to one."""
    return Signed(height=height, round=EVERY_ROUND if round_ is None else round_, step=SECOND_VOTE)


def restore(file: Path, data: Path, apps: Sequence[App], wish: Wish) -> Manifest:
    """Unpack a backup into a folder that is not there yet; `BadBackup` says why not.

    The folder appears whole or not at all.
    """
    if data.exists() and any(data.iterdir()):
        raise BadBackup(str(data), "the folder is there already: restore into a new one")
    part = data.with_name(data.name + PART)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True)
    try:
        manifest = unpack(file, part)
        if wish.only_keys:
            for name in (BLOCKS, STATE, f"{HOME}/data"):
                shutil.rmtree(part / name, ignore_errors=True)
        _check_genesis(part, apps, manifest)
        _check_heights(part, apps, manifest, wish)
        _open_secrets(part, wish)
        _set_floor(part, manifest, wish)
        _make_durable(part)
        part.rename(data)
        OsDisk().sync_folder(str(data.parent))
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def unpack(file: Path, folder: Path) -> Manifest:
    """Unpack every file of a backup and compare it with the manifest."""
    seen: dict[str, tuple[int, str]] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(file, mode="r|") as archive:
            for member in archive:
                if manifest is not None:
                    raise BadBackup(str(file), f"{member.name} comes after the manifest")
                source = archive.extractfile(member) if member.isreg() else None
                if source is None:
                    raise BadBackup(str(file), f"{member.name} is no file")
                if member.name == NAME:
                    manifest = _manifest(file, source.read(MANIFEST_BYTES_MAX))
                elif member.name in seen:
                    raise BadBackup(str(file), f"{member.name} is there twice")
                else:
                    seen[member.name] = _unpack_one(file, source, folder, member.name)
    except (tarfile.TarError, EOFError) as problem:
        raise BadBackup(str(file), f"it cannot be read: {problem}") from None
    except OSError as problem:
        raise BadBackup(str(file), problem.strerror or str(problem)) from None
    if manifest is None:
        raise BadBackup(str(file), "it is cut off: there is no manifest at its end")
    _compare(file, manifest.files, seen)
    return manifest


def _unpack_one(file: Path, source: IO[bytes], folder: Path, name: str) -> tuple[int, str]:
    """One file, for its owner alone; its length and checksum."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise BadBackup(str(file), f"{name} would lie outside of the folder")
    target = folder / path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            out.write(chunk)
    return size, digest.hexdigest()


def _manifest(file: Path, raw: bytes) -> Manifest:
    """What the backup says of itself."""
    try:
        found = msgspec.json.decode(raw, type=Manifest)
    except msgspec.DecodeError as problem:
        raise BadBackup(str(file), f"its manifest cannot be read: {problem}") from None
    if found.format != FORMAT:
        raise BadBackup(str(file), f"its format is {found.format}: another release made it")
    return found


def _compare(file: Path, files: Sequence[Kept], seen: dict[str, tuple[int, str]]) -> None:
    """Every file that is told is there as it was, and no other."""
    told = {each.name: (each.size, each.sha256) for each in files}
    for name, found in told.items():
        if name not in seen:
            raise BadBackup(str(file), f"{name} is missing")
        if seen[name] != found:
            raise BadBackup(str(file), f"{name} is not what was backed up")
    for name in seen:
        if name not in told:
            raise BadBackup(str(file), f"{name} is not in the manifest")


# --- what must hold before it may run


def _check_genesis(part: Path, apps: Sequence[App], manifest: Manifest) -> None:
    """The genesis is the one that the manifest names."""
    found = read_genesis(part, apps).hash.hex()
    if found != manifest.genesis_hash:
        raise BadBackup("genesis.json", f"it is of chain {found[:8]}…, not {manifest.chain_id}")


def _check_heights(part: Path, apps: Sequence[App], manifest: Manifest, wish: Wish) -> None:
    """The ledger is not ahead of the engine, and nothing published is lost unawares."""
    if manifest.what == EXPORT or wish.only_keys:
        return
    found = check(OsDisk(), str(part / BLOCKS), read_genesis(part, apps).hash)
    for problem in found.problems:
        if problem.kind is ProblemKind.DAMAGE:
            raise BadBackup(BLOCKS, problem.message)
    if manifest.engine == "embedded":
        _check_alone(found.height, wish)
        return
    try:
        reached = engine_height(part)
    except Unreadable as problem:
        raise BadBackup(f"{HOME}/data/blockstore.db", str(problem)) from None
    if reached is None or found.height > reached:
        engine = "is not in it" if reached is None else f"is at block {reached}"
        raise BadBackup(
            BLOCKS,
            f"the ledger is at block {found.height} and the engine {engine}: CometBFT would refuse"
            " to start (app block height too high). Take a backup whose engine is not older, or"
            " leave the blocks to the network: --from-network",
        )


def _check_alone(height: int, wish: Wish) -> None:
    """A chain of one node signs a height once: later blocks must not be made again unawares."""
    if wish.accepts_loss:
        return
    if wish.signed is None:
        raise BadBackup(
            BLOCKS,
            f"the backup ends at block {height}. Say up to which block the chain was published"
            " (--signed-until H): a second block of one height would be signed after it",
        )
    if wish.signed.height > height:
        raise BadBackup(
            BLOCKS,
            f"blocks {height + 1} to {wish.signed.height} are not in the backup. Take a later one;"
            " if there is none, --accept-loss goes on from here: receipts and proofs of the lost"
            " blocks are void, and their senders must be told",
        )


def _open_secrets(part: Path, wish: Wish) -> None:
    """Put the keys in their places."""
    path = part / SECRETS
    if not path.exists():
        if wish.passphrase is not None:
            raise BadBackup(SECRETS, "there are no keys in this backup")
        return
    if wish.passphrase is not None:
        for name, data in unseal(path.read_bytes(), wish.passphrase).items():
            target = part / name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out:
                out.write(data)
    path.unlink()


def _set_floor(part: Path, manifest: Manifest, wish: Wish) -> None:
    """A validator begins with the memory of having signed all that it may have signed."""
    if manifest.engine == "embedded" or manifest.what == EXPORT:
        return
    if wish.signed is None:
        raise BadBackup(
            SIGNED,
            "a validator that forgets what it signed may sign twice. Name the network's height:"
            " --ask ADDRESS of another member's node, or --signed-until H; with the old disk at"
            " hand --signing-state FILE",
        )
    known = manifest.signed or Signed()
    if wish.signed < known:
        raise BadBackup(
            SIGNED,
            f"when the backup was made this validator had signed block {known.height},"
            f" round {known.round}: --signed-until {wish.signed.height} is too low",
        )
    path = part / SIGNED
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    floor = {
        "height": str(wish.signed.height),
        "round": wish.signed.round,
        "step": wish.signed.step,
    }
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(msgspec.json.encode(floor))


def _make_durable(part: Path) -> None:
    """Flush every file, then the folders, before the folder gets its name."""
    for path in part.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    for path in [part, *(each for each in part.rglob("*") if each.is_dir())]:
        OsDisk().sync_folder(str(path))
