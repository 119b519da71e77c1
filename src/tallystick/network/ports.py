"""Ports of this machine that nobody has."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from tallystick.errors import NodeError

FIRST, END = 20_000, 32_000
"""Below those that Linux gives to outgoing connections: such a port could be lost again at once."""
HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """So many different ports that may be listened at now."""
    with ExitStack() as held:
        found: list[int] = []
        for port in random.sample(range(FIRST, END), END - FIRST):
            if len(found) == count:
                return found
            try:
                held.enter_context(_bound(port))
            except OSError:
                continue
            found.append(port)
    raise NodeError(f"this machine has no {count} free ports from {FIRST} to {END}")


def is_free(port: int) -> bool:
    """Whether a port may be listened at now."""
    try:
        with _bound(port):
            return True
    except OSError:
        return False


@contextmanager
def _bound(port: int) -> Iterator[None]:
    """Hold a port; one that only waits for late packets counts as free, as for any server."""
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        yield
