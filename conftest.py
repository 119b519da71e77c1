"""What every test runs under.

Hypothesis finds the same examples each time, on a busy machine too; with
`--hypothesis-profile=explore` it looks for what is not known yet. `--pairs FOLDER` notes every
(message, refusal) pair that the ledger raised; `python -m tools.pairs FOLDER` then says which pairs
of the catalogue no test has raised.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "house",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", settings.get_profile("house"), derandomize=False)
settings.load_profile("house")

# Whatever is installed, nodes of tests keep their state in RocksDB unless a run says otherwise
# (`make test-native` does): what a test breaks on disk, it breaks by its files.
os.environ.setdefault("TALLY_STORE", "rocksdb")

# Ctrl-C is tried on real processes. A shell ignores it for what runs in the background, and they
# would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LEDGER_LOG = "tallystick.ledger.execute"


class Pairs(logging.Handler):
    """Hears the ledger say `receivables.split.1 refused: receivables NOT_HOLDER`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(logging.DEBUG)
        self.folder = folder
        self.seen: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what was said, once."""
        if " refused: " in str(record.msg):
            self.seen.add(record.getMessage())

    def write(self) -> None:
        """One file for each process that ran tests."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"{line}\n" for line in sorted(self.seen))
        (self.folder / f"{os.getpid()}.txt").write_text(lines, encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--pairs`."""
    parser.addoption("--pairs", type=Path, metavar="FOLDER", help="note every refusal raised")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to listen."""
    if folder := config.getoption("--pairs"):
        listener = Pairs(folder)
        logging.getLogger(LEDGER_LOG).addHandler(listener)
        logging.getLogger(LEDGER_LOG).setLevel(logging.DEBUG)
        config.add_cleanup(listener.write)


def pytest_collection_finish() -> None:
    """What was collected stays: the cyclic collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
