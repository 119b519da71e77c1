"""The real disk: plain system calls, no buffer of ours between a write and the system."""

import errno
import fcntl
import os
from pathlib import Path

from tallystick.errors import DataFolderInUse, DiskFailed, DiskFull, StoreError

_sync_data = getattr(os, "fdatasync", os.fsync)  # systems without fdatasync flush everything


class OsFile:
    """An open file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def write(self, offset: int, data: bytes) -> None:
        """Write all of the data at an offset."""
        written = os.pwrite(self._open(), data, offset)
        while written < len(data):  # the system may take a part; the next call says why
            written += os.pwrite(self._open(), data[written:], offset + written)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes at an offset; fewer than asked only at the end of the file."""
        data = os.pread(self._open(), length, offset)
        if len(data) == length or not data:
            return data
        parts = [data]
        while data:
            offset, length = offset + len(data), length - len(data)
            data = os.pread(self._open(), length, offset)
            parts.append(data)
        return b"".join(parts)

    def size(self) -> int:
        """Length in bytes."""
        return os.fstat(self._open()).st_size

    def truncate(self, size: int) -> None:
        """Cut the file to a length."""
        os.ftruncate(self._open(), size)

    def sync(self) -> None:
        """Return when all that was written to this file is durable."""
        _sync_data(self._open())

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _open(self) -> int:
        if self._descriptor is None:
            raise OSError(errno.EBADF, "the file is closed")
        return self._descriptor


class OsLock:
    """A lock file held by this process; the system lets go of it when the process ends."""

    def __init__(self, file: OsFile) -> None:
        self._file = file

    def release(self) -> None:
        """Let others have it; a second time does nothing."""
        self._file.close()


class OsDisk:
    """The file system."""

    def open(self, path: str, *, create: bool = False, write: bool = False) -> OsFile:
        """Open a file; FileNotFoundError when there is none and `create` is not asked for."""
        flags = os.O_RDWR if write or create else os.O_RDONLY
        return OsFile(os.open(path, flags | (os.O_CREAT if create else 0), 0o600))

    def list(self, folder: str) -> tuple[str, ...]:
        """Names in a folder, sorted; empty when there is no such folder."""
        try:
            return tuple(sorted(entry.name for entry in Path(folder).iterdir()))
        except FileNotFoundError:
            return ()

    def mkdir(self, folder: str) -> None:
        """Make a folder and the missing ones above it, durably; nothing when it is there."""
        path = Path(folder)
        missing = [above for above in (path, *path.parents) if not above.exists()]
        for above in reversed(missing):
            above.mkdir(mode=0o700, exist_ok=True)
            self.sync_folder(str(above.parent))

    def sync_folder(self, folder: str) -> None:
        """Return when the names in a folder are durable."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, path: str) -> None:
        """Remove a file, nothing when there is none; durable after `sync_folder`, not before."""
        Path(path).unlink(missing_ok=True)

    def lock(self, path: str) -> OsLock:
        """Hold a lock file until released or the process ends; `DataFolderInUse` when held."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        file = OsFile(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            holder = file.read(0, 20).decode("ascii", "replace").strip()
            file.close()
            raise DataFolderInUse(str(Path(path).parent), holder) from held
        file.truncate(0)
        file.write(0, f"{os.getpid()}\n".encode("ascii"))
        return OsLock(file)


def explain(problem: OSError, action: str, path: str) -> StoreError:
    """The operating error that an OSError of the disk stands for."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(path)
    return DiskFailed(action, path, problem.strerror or str(problem))
