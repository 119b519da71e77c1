"""Stands between CometBFT and the application, and ends both at an agreed moment.

A node's setting `engine.binary` names the script that `wrapper` writes; it runs this module in the
place of CometBFT. With an order in DATA/order (`commit after`: once the application has answered
Commit, before CometBFT hears of it) the real CometBFT is given a socket of the proxy's. Without one
it simply becomes the real CometBFT.
"""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

from tallystick.engine.cometbft import abci_pb2 as pb
from tallystick.engine.cometbft.home import ABCI_SOCKET
from tests.house.tree import ROOT

ORDER = "order"
DONE = "order.done"
PROXY_SOCKET = "proxy.sock"
CHUNK = 65_536


def wrapper(folder: Path, binary: Path) -> Path:
    """Write the script that stands for CometBFT."""
    path = folder / "engine.sh"
    lines = (
        "#!/bin/sh",
        f'if [ "$1" = version ] || [ ! -f {ORDER} ]; then exec {binary} "$@"; fi',
        f'PYTHONPATH={ROOT} exec {sys.executable} -m tests.consortium.proxy {binary} "$@"',
    )
    path.write_text("\n".join(lines) + "\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class Frames:
    """Cuts a stream into messages."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now."""
        self._kept += data
        found = []
        while (cut := self._first()) is not None:
            start, end = cut
            found.append(self._kept[start:end])
            self._kept = self._kept[end:]
        return found

    def _first(self) -> tuple[int, int] | None:
        length = shift = 0
        for place, byte in enumerate(self._kept[:10]):
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                end = place + 1 + length
                return (place + 1, end) if end <= len(self._kept) else None
        return None


class Connection:
    """One connection of CometBFT, and ours to the application."""

    def __init__(self, engine: socket.socket, order: tuple[str, str]) -> None:
        self._engine = engine
        self._application = socket.socket(socket.AF_UNIX)
        self._application.connect(ABCI_SOCKET)
        self._call, self._when = order
        for source, target, is_request in (
            (self._engine, self._application, True),
            (self._application, self._engine, False),
        ):
            threading.Thread(
                target=self._pump, args=(source, target, is_request), daemon=True
            ).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        """Pass everything on, until the moment comes."""
        frames = Frames()
        kind = pb.Request if is_request else pb.Response
        while data := source.recv(CHUNK):
            for frame in frames.feed(data):
                name = kind.FromString(frame).WhichOneof("value")
                if name == self._call and is_request == (self._when == "before"):
                    end_all(f"{self._when} {name}")
            target.sendall(data)


def end_all(what: str) -> None:
    """The application dies, and the engine with it."""
    Path(DONE).write_text(what)
    Path(ORDER).unlink(missing_ok=True)
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def main(binary: str, *arguments: str) -> int:
    """Run the real CometBFT behind a proxy."""
    call, when = Path(ORDER).read_text().split()
    Path(PROXY_SOCKET).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(PROXY_SOCKET)
        listener.listen()
        engine = subprocess.Popen(
            [binary, *arguments, "--proxy_app", f"unix://{PROXY_SOCKET}"],
            stdin=subprocess.DEVNULL,
        )
        threading.Thread(target=accept, args=(listener, (call, when)), daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: engine.terminate())
        return engine.wait()


def accept(listener: socket.socket, order: tuple[str, str]) -> None:
    """Take CometBFT's four connections."""
    while True:
        Connection(listener.accept()[0], order)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
