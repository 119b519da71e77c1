"""What is looked at when somebody asks how the node is: gauges, health, readiness."""

from __future__ import annotations

import http.client
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509

from tallystick.engine.base import Answer, Answers, Committed
from tallystick.engine.chain import Chain
from tallystick.engine.folder import BLOCKS, TLS
from tallystick.engine.verdicts import Verdicts
from tallystick.ledger.receipt import Outcome

PAGE_BYTES_MAX = 8 * 1024 * 1024
"""Largest page of the engine's own metrics."""
PAGE_SECONDS = 2.0
"""How long the engine has to answer with its page."""
PROBE = ".probe"
"""A file that is written and flushed to see whether the disk takes anything."""
EXPIRED = "expired"
NOT_HERE = "not_here"
"""Committed in a block that this node does not have: what became of it, it cannot tell."""


class Outcomes:
    """Counts what became of transactions; a listener of the engine."""

    def __init__(self) -> None:
        """Nothing was decided since the start."""
        self._counts: Counter[str] = Counter()
        self._last_s = time.monotonic()

    def __call__(self, committed: Committed) -> None:
        """Count a block's answers; on the engine's thread."""
        self._last_s = time.monotonic()
        answers = committed.answers
        others = (
            answers.unhappened()
            if isinstance(answers, Answers)
            else [each for each in answers if each.outcome is not Outcome.ACCEPTED]
        )
        self._counts[Outcome.ACCEPTED.value] += len(answers) - len(others)
        for answer in others:
            self._counts[_outcome(answer)] += 1

    def read(self) -> dict[str, int]:
        """How many were accepted, refused, and so on, each of them named."""
        names = [*(outcome.value for outcome in Outcome), EXPIRED, NOT_HERE]
        return {name: self._counts[name] for name in names}

    def quiet_seconds(self) -> float:
        """How long ago the last block came; since the start when there was none."""
        return time.monotonic() - self._last_s


def _outcome(answer: Answer) -> str:
    """What became of a transaction, in a word."""
    if answer.outcome is not None:
        return answer.outcome.value
    return EXPIRED if answer.height is None else NOT_HERE


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure that a part of the node gives beside those that every node has."""

    name: str
    """Its name without `tally_`, unit last, e.g. `peers`."""
    text: str
    """What it tells, in one sentence."""
    value: float
    """The figure."""
    labels: tuple[tuple[str, str], ...] = ()
    """What it is of, e.g. `(("stage", "outbox"),)`; readings of one name have the same labels."""
    is_count: bool = False
    """Whether it only grows, from 0 at the start."""


@dataclass(frozen=True)
class Watched:
    """The parts of a node that its gauges are read from."""

    folder: Path
    """Data folder."""
    chain: Chain
    """Height, state, how long blocks took."""
    verdicts: Verdicts
    """Signatures verified, and known before."""
    kind: str = "embedded"
    """Who orders: `embedded` or `cometbft`."""
    outcomes: Outcomes = field(default_factory=Outcomes)
    """What became of transactions."""
    readings: Sequence[Callable[[], Iterable[Reading]]] = ()
    """Figures of parts that not every node has."""
    heartbeat_seconds: int = 0
    """How long after a block the next comes at the latest; 0 when none need come."""
    engine_trouble: Callable[[], str] = lambda: ""
    """Why the engine beside us does not run or is not connected; empty when it is."""
    sync_trouble: Callable[[], str] = lambda: ""
    """Why the node is behind the network; empty when it is not."""
    engine_page: str = ""
    """HOST:PORT of CometBFT's own metrics, which are put on the same page; empty for none."""

    def log_bytes(self) -> int:
        """Size of the block log on disk."""
        return sum(_size(path) for path in (self.folder / BLOCKS).glob("*.log"))

    def free_bytes(self) -> int:
        """Space left on the disk of the data folder."""
        return shutil.disk_usage(self.folder).free

    def open_files(self) -> int | None:
        """Files and sockets that this process has open; None where the system does not tell."""
        try:
            return len(list(Path("/proc/self/fd").iterdir()))
        except OSError:
            return None

    def certificates(self) -> dict[str, datetime]:
        """Until when each certificate of the door is good."""
        found = {}
        for path in sorted((self.folder / TLS).glob("*.pem")):
            until = good_until(path)
            if until is not None:
                found[path.stem] = until
        return found

    def disk_trouble(self) -> str:
        """Why nothing can be written to the data folder; empty when something can."""
        path = self.folder / PROBE
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(file, "wb", buffering=0) as out:
                out.write(b"x")
                os.fsync(out.fileno())
        except OSError as problem:
            return problem.strerror or str(problem)
        return ""

    def engine_metrics(self) -> bytes | None:
        """CometBFT's own page of metrics; None when there is none, or it does not answer."""
        if not self.engine_page:
            return None
        connection = http.client.HTTPConnection(self.engine_page, timeout=PAGE_SECONDS)
        try:
            connection.request("GET", "/metrics", headers={"Accept": "text/plain;version=0.0.4"})
            answer = connection.getresponse()
            page = answer.read(PAGE_BYTES_MAX + 1)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return page if answer.status == 200 and len(page) <= PAGE_BYTES_MAX else None


def good_until(path: Path) -> datetime | None:
    """Until when a certificate in a file is good; None when the file holds none."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None


def _size(path: Path) -> int:
    """Size of a file that may be pruned meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
