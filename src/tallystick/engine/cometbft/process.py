"""CometBFT as a child of the node: started, watched, started again, and never left behind."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tallystick.engine.cometbft import leash

log = logging.getLogger(__name__)

BACKOFF_SECONDS = 0.25
"""First pause before it is started again; it doubles each time."""
BACKOFF_SECONDS_MAX = 10.0
STEADY_SECONDS = 30.0
"""A child that lived so long is started again without a long pause."""
PATIENCE_SECONDS = 10.0
"""How long it may take to end when asked to; then it is killed."""
LOG_BYTES_MAX = 64 * 1024 * 1024
"""A log larger than this is put aside."""
TAIL_BYTES = 4_096
READ_BYTES_MAX = 1_048_576
READS_MAX = 128
"""Reads of the log at a time: more than it may have bytes."""


class Child:
    """A program that runs as long as it is wanted; a thread of its own starts and waits for it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log_path: Path,
        folder: Path,
        began: Callable[[], None] = lambda: None,
        sockets: Sequence[Path] = (),
    ) -> None:
        """`command` begins with the program's path; `began` is called after every start.

        `sockets` are those that it listens at: what a killed one left is removed before a start.
        """
        self._command = list(command)
        self._folder = folder
        self._log_path = log_path
        self._began = began
        self._sockets = tuple(sockets)
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="engine-child")
        self._stopping = threading.Event()
        self._cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
        self.starts = 0
        """How often it was started."""
        self.ending = ""
        """How it ended last, in words; empty before the first time."""
        self._read_to = 0
        self._is_amid_a_line = False

    @property
    def pid(self) -> int | None:
        """Its process id; None while it does not run."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def start(self) -> None:
        """Begin; it is started again whenever it ends."""
        self._read_to = self._log_path.stat().st_size if self._log_path.exists() else 0
        self._thread.start()

    def stop(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Ask it to end, kill it when it does not, and wait; a second time does nothing."""
        self._stopping.set()
        if self._thread.ident is None:
            return
        self._signal(signal.SIGTERM)
        self._thread.join(patience_seconds)
        while self._thread.is_alive():
            self._signal(signal.SIGKILL)
            self._thread.join(0.5)

    def kill(self) -> None:
        """End it at once; it is started again."""
        self._signal(signal.SIGKILL)

    def new_lines(self) -> Iterator[str]:
        """Whole lines that it has said since this was asked last; one too long for us is left out.

        A peer can have it write as much as it likes: that must not hide what comes after, the rest
        of a long line must not pass for a line of its own, and the log must not fill the disk.
        """
        for _ in range(READS_MAX):
            before = self._read_to
            yield from self._read_on()
            if self._read_to == before:
                break
        self._shorten()

    def _read_on(self) -> list[str]:
        """The next whole lines of the log."""
        try:
            with self._log_path.open("rb") as kept:
                if kept.seek(0, os.SEEK_END) < self._read_to:
                    self._read_to, self._is_amid_a_line = 0, False
                kept.seek(self._read_to)
                told = kept.read(READ_BYTES_MAX)
        except OSError:
            return []
        whole, line_end, rest = told.rpartition(b"\n")
        if not line_end and len(rest) == READ_BYTES_MAX:
            self._read_to += len(rest)
            self._is_amid_a_line = True
            return []
        self._read_to += len(whole) + len(line_end)
        if line_end and self._is_amid_a_line:
            _, _, whole = whole.partition(b"\n")
            self._is_amid_a_line = False
        return [line.decode("utf-8", "replace") for line in whole.split(b"\n") if line]

    def _shorten(self) -> None:
        """Put a log that has grown too large aside while it is written; what is read may go.

        CometBFT appends, so that it goes on at the beginning of the emptied file.
        """
        try:
            size = self._log_path.stat().st_size
            if size <= LOG_BYTES_MAX:
                return
            shutil.copyfile(self._log_path, _aside(self._log_path))
            os.truncate(self._log_path, 0)
        except OSError as problem:
            log.warning("%s cannot be put aside: %s", self._log_path, problem)
            return
        self._read_to, self._is_amid_a_line = 0, False

    def _signal(self, number: signal.Signals) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(number)

    def _run(self) -> None:
        """Start it, wait for its end, and again; the system's leash follows this thread.

        The child may run wherever the node could when it was opened: it takes that from this
        thread.
        """
        if self._cores:
            os.sched_setaffinity(0, self._cores)
        pause = BACKOFF_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                code = self._once()
            except OSError as problem:
                self.ending = f"{self._command[0]} cannot be started: {problem}"
            else:
                name = Path(self._command[0]).name
                self.ending = f"{name} ended with {_told(code)}{self._last_words()}"
            if self._stopping.is_set():
                return
            log.warning("%s", self.ending)
            if time.monotonic() - began > STEADY_SECONDS:
                pause = BACKOFF_SECONDS
            self._stopping.wait(pause)
            pause = min(pause * 2, BACKOFF_SECONDS_MAX)

    def _once(self) -> int:
        """One life of the child; its exit code."""
        _put_aside(self._log_path)
        for each in self._sockets:
            each.unlink(missing_ok=True)
        leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *self._command]
        with open(self._log_path, "ab", opener=_private) as out:
            process = subprocess.Popen(
                leashed,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self._folder,
                start_new_session=True,
                umask=0o077,
            )
        self._process = process
        if self._stopping.is_set():  # it was asked for before there was anything to stop
            process.terminate()
        self.starts += 1
        self._began()
        return process.wait()

    def _last_words(self) -> str:
        """The last line of its log, for people."""
        try:
            with self._log_path.open("rb") as kept:
                kept.seek(max(0, kept.seek(0, os.SEEK_END) - TAIL_BYTES))
                lines = kept.read().decode("utf-8", "replace").strip().splitlines()
        except OSError:
            return ""
        return f"; its last words: {lines[-1][:300]}" if lines else ""


def _private(path: str, flags: int) -> int:
    """Open a file that others may not read if it is made."""
    return os.open(path, flags, 0o600)


def _aside(path: Path) -> Path:
    """Where the log before this one is."""
    return path.with_name(path.name + ".1")


def _put_aside(path: Path) -> None:
    """Keep one old log beside a new one, once it has grown large."""
    try:
        if path.stat().st_size > LOG_BYTES_MAX:
            path.replace(_aside(path))
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _told(code: int) -> str:
    """An exit code or a signal, for people."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
