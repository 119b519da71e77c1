"""Whether CometBFT can listen where the settings say, asked before it is started.

It would end at once, again and again, and whoever listens there would be taken for it.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterable
from contextlib import closing

from tallystick.errors import PortTaken
from tallystick.settings import EngineSettings, is_unix, split_address

PATIENCE_SECONDS = 2.0
"""How long an address may still be held by a process that was killed a moment ago."""
PAUSE_SECONDS = 0.05


def check_doors(settings: EngineSettings) -> None:
    """`PortTaken` when somebody listens at an address of CometBFT's."""
    addresses = (settings.p2p, settings.rpc, settings.metrics)
    end = time.monotonic() + PATIENCE_SECONDS
    taken = list(_taken(each for each in addresses if each and not is_unix(each)))
    while taken:
        if time.monotonic() >= end:
            raise PortTaken(taken[0])
        time.sleep(PAUSE_SECONDS)
        taken = list(_taken(taken))


def _taken(addresses: Iterable[str]) -> Iterable[str]:
    """Those at which somebody listens; what is wrong otherwise CometBFT will say itself."""
    for address in addresses:
        host, port = split_address(address)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            continue
        for family, kind, protocol, _, where in found[:1]:
            with closing(socket.socket(family, kind, protocol)) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind(where)
                except OSError as problem:
                    if problem.errno == errno.EADDRINUSE:
                        yield address


__all__ = ["check_doors"]
