"""Making a backup: of a stopped folder or of a running node, without stopping it.

Of a running node the ledger's part is taken first and the engine's second: the engine stores a
block before the ledger executes it, so the ledger in the backup is never ahead of the engine.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from tallystick.engine.cometbft.home import HOME
from tallystick.engine.folder import BLOCKS, GENESIS, LOCK, SNAPSHOTS, STATE, read_genesis
from tallystick.errors import BadBackup, DataFolderInUse, StoreError
from tallystick.ledger.app import App
from tallystick.ledger.genesis import Genesis
from tallystick.operations.backup import folder as parts
from tallystick.operations.backup.blockstore import Unreadable, engine_height
from tallystick.operations.backup.folder import SIGNED, STAGE, Staged
from tallystick.operations.backup.manifest import FORMAT, NAME, SECRETS, Kept, Manifest, Signed
from tallystick.operations.backup.sealing import seal
from tallystick.store.disk import OsDisk
from tallystick.store.entry import Tip, encode_tip
from tallystick.store.kinds import read_state
from tallystick.store.scan import TIP_NAME, damage, scan, segment_path

BACKUP, EXPORT = "backup", "export"
CHUNK_BYTES = 1024 * 1024
TRIES = 5
"""How often what changes is taken until its files belong together."""

Progress = Callable[[int, int], None]
"""Called with the bytes written so far and the bytes there are."""


@dataclass(frozen=True)
class Made:
    """A backup that was made."""

    manifest: Manifest
    """What it says of itself."""
    size: int
    """Length of the file, in bytes."""


def back_up(
    data: Path,
    out: Path,
    apps: Sequence[App],
    *,
    passphrase: str | None = None,
    only_blocks: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> Made:
    """Write a backup; with a passphrase the keys are in it, sealed. Never over another file.

    `only_blocks` makes an export: genesis and blocks alone, for an audit elsewhere.
    """
    genesis = read_genesis(data, apps)
    with _stage(data) as stage, _holder(data) as node:
        staged = _ledger_part(data, stage)
        height, staged = _whole_blocks(stage, genesis, staged)
        reached = None
        if not only_blocks and (data / HOME).is_dir():
            with parts.held_still(None if node is None else parts.engine_of(node)):
                staged += parts.stage_engine(data, stage)
                signed = _signed(data)
            reached = _engine_height(stage)
        else:
            signed = _signed(data)
        if only_blocks:
            staged = [each for each in staged if _is_ledger(each.name)]
        manifest = Manifest(
            format=FORMAT,
            what=EXPORT if only_blocks else BACKUP,
            chain_id=genesis.chain_id,
            genesis_hash=genesis.hash.hex(),
            release=version("tallystick"),
            made_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            engine="cometbft" if (data / HOME).is_dir() else "embedded",
            height=height,
            engine_height=reached,
            signed=signed,
            has_secrets=passphrase is not None,
            files=(),
        )
        secrets = None if passphrase is None else _sealed(data, passphrase)
        manifest = _write(out, staged, manifest, secrets, progress)
    return Made(manifest, out.stat().st_size)


@contextmanager
def _stage(data: Path) -> Iterator[Path]:
    """A folder beside the data, gone afterwards; what an earlier backup left is removed."""
    stage = data / STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o700)
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def _holder(data: Path) -> Iterator[int | None]:
    """The process of the node that runs over the folder; None when none does, and none can then."""
    with ExitStack() as stack:
        try:
            lock = OsDisk().lock(str(data / LOCK))
            stack.callback(lock.release)
        except DataFolderInUse as held:
            yield int(held.holder) if held.holder.isdigit() else None
        else:
            yield None


def _ledger_part(data: Path, stage: Path) -> list[Staged]:
    """Genesis, settings, blocks; and the state, where blocks are no more that would make it.

    A running node may prune blocks and write its outbox anew meanwhile: then it is taken again.
    """
    for _ in range(TRIES):
        try:
            found = _taken(data, stage)
        except FileNotFoundError:
            found = None
        if found is not None:
            return found
        shutil.rmtree(stage)
        stage.mkdir(mode=0o700)
    raise BadBackup(str(data), "its files change faster than they can be taken")


def _taken(data: Path, stage: Path) -> list[Staged] | None:
    """One try; None when the state does not reach the first block.

    The state goes first: it must not be ahead of the blocks. Nor may it end before they begin,
    which it can when blocks are pruned just then.
    """
    small = parts.stage_small(data, stage)
    if not any((data / BLOCKS).glob("*.base")):
        return [*small, *parts.stage_blocks(data, stage)]
    state, reached = _state_part(data, stage)
    blocks = parts.stage_blocks(data, stage)
    if reached < _begins_above(stage):
        return None
    return [*small, *state, *parts.stage_snapshots(data, stage), *blocks]


def _begins_above(stage: Path) -> int:
    """Height of the block before the first one in the staged log."""
    return scan(OsDisk(), str(stage / BLOCKS), bytes(32), deep=False).start.height


def _state_part(data: Path, stage: Path) -> tuple[list[Staged], int]:
    """The state store and its height; it writes on while its files are taken."""
    problem: StoreError | None = None
    for _ in range(TRIES):
        shutil.rmtree(stage / STATE, ignore_errors=True)
        staged = parts.stage_state(data, stage)
        try:
            with closing(read_state(stage / STATE)) as store:
                return staged, store.height()
        except StoreError as again:
            problem = again
    raise BadBackup(str(data / STATE), f"it cannot be taken while the node runs: {problem}")


def _whole_blocks(stage: Path, genesis: Genesis, staged: list[Staged]) -> tuple[int, list[Staged]]:
    """The staged blocks without a last one that was just being written, and a tip of their own.

    Every byte is read: damage is found now, not when the backup is needed.
    """
    found = scan(OsDisk(), str(stage / BLOCKS), genesis.hash, deep=True)
    lost = damage(OsDisk(), found)
    if lost is not None:
        raise BadBackup(BLOCKS, str(lost))
    last = f"{BLOCKS}/{Path(segment_path(BLOCKS, found.segment)).name}"
    kept = [
        Staged(each.name, each.path, found.end) if each.name == last else each
        for each in staged
        if not (each.name.endswith(".log") and each.name.startswith(f"{BLOCKS}/"))
        or each.name <= last
    ]
    if found.height:
        tip = stage / BLOCKS / TIP_NAME
        tip.write_bytes(encode_tip(Tip(found.height, found.last_hash)))
        kept.append(Staged(f"{BLOCKS}/{TIP_NAME}", tip, tip.stat().st_size))
    return found.height, kept


def _engine_height(stage: Path) -> int | None:
    """Last block of CometBFT's store."""
    try:
        return engine_height(stage)
    except Unreadable as problem:
        raise BadBackup(f"{HOME}/data/blockstore.db", str(problem)) from None


def _signed(data: Path) -> Signed | None:
    """What the validator signed last."""
    try:
        return read_signed((data / SIGNED).read_bytes(), SIGNED)
    except FileNotFoundError:
        return None


def read_signed(raw: bytes, name: str) -> Signed:
    """What a file of CometBFT's says that a validator signed last."""
    try:
        found = msgspec.json.decode(raw, type=dict[str, str | int])
        return msgspec.convert(
            {each: int(found.get(each, 0)) for each in ("height", "round", "step")}, Signed
        )
    except (msgspec.MsgspecError, ValueError) as problem:
        raise BadBackup(name, f"it cannot be read: {problem}") from None


def _is_ledger(name: str) -> bool:
    """Whether a file belongs into an export."""
    return name == GENESIS or name.startswith((f"{BLOCKS}/", f"{STATE}/", f"{SNAPSHOTS}/"))


def _sealed(data: Path, passphrase: str) -> bytes:
    """The keys as one sealed file."""
    found = {
        path.relative_to(data).as_posix(): path.read_bytes() for path in parts.secret_files(data)
    }
    return seal(found, passphrase)


# --- the file


def _write(
    out: Path,
    staged: list[Staged],
    manifest: Manifest,
    secrets: bytes | None,
    progress: Progress,
) -> Manifest:
    """Write the archive; the file appears whole or not at all."""
    if out.exists():
        raise BadBackup(str(out), "there is a file already")
    part = out.with_name(out.name + parts.PART)
    total, done = sum(each.size for each in staged), 0
    kept: list[Kept] = []
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w|", format=tarfile.PAX_FORMAT) as archive:
                for each in staged:
                    kept.append(_add_file(archive, each))
                    done += each.size
                    progress(done, total)
                if secrets is not None:
                    kept.append(_add_bytes(archive, SECRETS, secrets))
                manifest = msgspec.structs.replace(manifest, files=tuple(kept))
                told = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
                _add_bytes(archive, NAME, told)
            raw.flush()
            os.fsync(raw.fileno())
        part.rename(out)
        OsDisk().sync_folder(str(out.parent))
    except OSError as problem:
        raise BadBackup(str(out), problem.strerror or str(problem)) from None
    finally:
        part.unlink(missing_ok=True)
    return manifest


class _Counted(io.RawIOBase):
    """Reads so many bytes of a file, and keeps their checksum."""

    def __init__(self, file: io.BufferedReader, size: int) -> None:
        """Read from the beginning."""
        self._file = file
        self._left = size
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        self._left -= len(data)
        self.digest.update(data)
        return data


def _add_file(archive: tarfile.TarFile, staged: Staged) -> Kept:
    """Put a file in."""
    info = _info(staged.name, staged.size)
    with staged.path.open("rb") as file:
        counted = _Counted(file, staged.size)
        archive.addfile(info, counted)
    return Kept(name=staged.name, size=staged.size, sha256=counted.digest.hexdigest())


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> Kept:
    """Put bytes in."""
    archive.addfile(_info(name, len(data)), io.BytesIO(data))
    return Kept(name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def _info(name: str, size: int) -> tarfile.TarInfo:
    """The head of a member: for its owner alone."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info
