"""JSON for programs, plain lines and progress for people."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import click
import msgspec

SHOWN_AFTER_S = 1.0
"""Seconds after which a progress bar is worth showing."""


def print_json(value: Any) -> None:
    """One JSON value, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


class Steps(Protocol):
    """Told how far a long work is."""

    def __call__(self, done: int, total: int, /) -> None:
        """`done` of `total`."""


@contextmanager
def progress(title: str, *, wanted: bool = True) -> Iterator[Steps]:
    """A progress bar on the terminal, only for what takes over a second."""
    if not wanted or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    bar = _Bar(title)
    try:
        yield bar.step
    finally:
        bar.close()


class _Bar:
    """A bar that appears when a second has passed."""

    def __init__(self, title: str) -> None:
        """Begin to count the time."""
        self._title = title
        self._begun = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def step(self, done: int, total: int) -> None:
        """Show how far the work is."""
        if self._bar is None and time.monotonic() - self._begun >= SHOWN_AFTER_S:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(
                console=Console(stderr=True),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=total)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
