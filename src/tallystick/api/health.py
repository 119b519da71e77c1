"""Routes for those who watch the node: does it live, is it ready, and its figures.

They say nothing of parties or business, so they need no read token; over TCP the door asks for a
certificate all the same, and a door for probes alone may be opened beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST

from tallystick.api import gauges
from tallystick.api.service import Service
from tallystick.gateway.wire import JSON

PROBE_SECONDS = 5.0
"""How long the answer of the disk is believed."""
ENGINE_SECONDS = 60.0
"""How long the engine may be away before the process counts as dead: the node starts it again."""
STALL_SECONDS = 60.0
"""How long after it is due a block may take before the node is not ready."""
BEATS = 3
"""Heartbeats that may be missed: others' rounds take time when a validator is down."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    """What, e.g. `disk`."""
    ok: bool
    """Whether it is as it should be."""
    text: str
    """What is wrong, in words; empty when nothing is."""


def routes(service: Service) -> list[Any]:
    """The routes over a node."""
    disk = Disk(service.watched.disk_trouble)
    engine = Lasting(service.watched.engine_trouble)

    @get("/v1/health")
    async def health() -> Response[bytes]:
        """Whether the process does its work: else it should be restarted."""
        return _told(await service.read(lambda: liveness(engine, disk)))

    @get("/v1/ready")
    async def ready() -> Response[bytes]:
        """Whether the node should be sent requests."""
        return _told(await service.read(lambda: readiness(service)))

    @get("/metrics")
    async def metrics() -> Response[bytes]:
        """Figures for Prometheus."""
        page = await service.read(lambda: gauges.page(service))
        return Response(page, media_type=CONTENT_TYPE_LATEST)

    return [health, ready, metrics]


class Disk:
    """Asks whether the disk takes anything, now and then."""

    def __init__(self, ask: Callable[[], str], *, seconds: float = PROBE_SECONDS) -> None:
        """Nothing was asked yet."""
        self._ask = ask
        self._seconds = seconds
        self._until_s = 0.0
        self._trouble = ""

    def trouble(self) -> str:
        """What it said last."""
        now_s = time.monotonic()
        if now_s >= self._until_s:
            self._trouble = self._ask()
            self._until_s = now_s + self._seconds
        return self._trouble


class Lasting:
    """Tells a trouble only when it has lasted."""

    def __init__(self, ask: Callable[[], str], *, seconds: float = ENGINE_SECONDS) -> None:
        """All is well so far."""
        self._ask = ask
        self._seconds = seconds
        self._well_s = time.monotonic()

    def trouble(self) -> str:
        """What is wrong for so long already; empty when nothing is."""
        trouble, now_s = self._ask(), time.monotonic()
        if not trouble:
            self._well_s = now_s
        return trouble if now_s - self._well_s > self._seconds else ""


def liveness(engine: Lasting, disk: Disk) -> list[Check]:
    """A node that answers lives; its engine must come back, and its disk take what it writes."""
    return [_check("engine", engine.trouble()), _check("disk", disk.trouble())]


def readiness(service: Service) -> list[Check]:
    """Whether what is sent here has a good chance of being decided soon."""
    watched = service.watched
    closing = "the node is stopping" if service.gateway.is_closing else ""
    return [
        _check("stopping", closing),
        _check("engine", watched.engine_trouble()),
        _check("blocks", service.engine.standing().trouble or _stalled(service)),
        _check("caught up", watched.sync_trouble()),
    ]


def _stalled(service: Service) -> str:
    """Why blocks do not come although some are due."""
    watched = service.watched
    due_seconds = float(BEATS * watched.heartbeat_seconds)
    if not due_seconds and not service.engine.standing().queued:
        return ""
    quiet_seconds = watched.outcomes.quiet_seconds()
    if quiet_seconds <= due_seconds + STALL_SECONDS:
        return ""
    return f"no block for {quiet_seconds:.0f} s"


def _check(name: str, trouble: str) -> Check:
    return Check(name, not trouble, trouble)


def _told(checks: list[Check]) -> Response[bytes]:
    """200 when all is well, else 503."""
    is_ok = all(check.ok for check in checks)
    body = {"ok": is_ok, "checks": [asdict(check) for check in checks]}
    return Response(msgspec.json.encode(body), status_code=200 if is_ok else 503, media_type=JSON)
