"""What the routes are made over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

from tallystick.api.watched import Watched
from tallystick.catalogue import Catalogue
from tallystick.engine.base import Engine
from tallystick.engine.cometbft.light.serving import LightService
from tallystick.gateway.submit import Gateway
from tallystick.ledger.execute import Ledger

T = TypeVar("T")


@dataclass(frozen=True)
class Service:
    """A node as one of its doors shows it."""

    engine: Engine
    """Orders, and is read from."""
    gateway: Gateway
    """Takes transactions."""
    ledger: Ledger
    """Rules, genesis, authority."""
    catalogue: Catalogue
    """What the applications say of themselves."""
    readers: Executor
    """Threads that read state, so that a long search holds up nobody."""
    writers: Executor
    """The threads that admit transactions."""
    verify: Callable[[bytes, bytes, bytes], bool]
    """Checks a signature: (key, message, signature)."""
    wall_ms: Callable[[], int]
    """The machine's clock, for read tokens."""
    clock_trouble: Callable[[], str]
    """What is wrong with the machine's clock; empty when nothing is."""
    patience_seconds: int
    """How long a client may take to send a request."""
    watched: Watched
    """What gauges, health and readiness are read from."""
    is_trusted: bool
    """Whether a read without a token sees all: on the node's own socket alone."""
    light: LightService | None = None
    """Light blocks of a consortium's engine; None under the embedded one."""

    async def read(self, act: Callable[[], T]) -> T:
        """Do something that reads state on a thread for readers."""
        return await asyncio.get_running_loop().run_in_executor(self.readers, act)
