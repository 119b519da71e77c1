"""The other end of the socket: what CometBFT does there, and what it never would."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.application import Application
from tallystick.engine.cometbft.frames import FrameReader, frame
from tallystick.engine.cometbft.server import AbciServer

PATIENCE_SECONDS = 60


@contextmanager
def serving(application: Application, path: Path, **options: Any) -> Iterator[AbciServer]:
    """An application at a socket."""
    server = AbciServer(application, path, **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Caller:
    """One connection."""

    def __init__(self, path: Path) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE_SECONDS)
        self.sock.connect(str(path))
        self._reader = FrameReader()
        self._answers: deque[bytes] = deque()

    def __enter__(self) -> Caller:
        """Use it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.sock.close()

    def ask(self, **request: Any) -> abci.Response:
        """One question, and its answer."""
        self.send(**request)
        return self.read()

    def send(self, **request: Any) -> None:
        """One question."""
        self.sock.sendall(framed(**request))

    def read(self) -> abci.Response:
        """The next answer; `EOFError` when there will be none."""
        while not self._answers:
            data = self.sock.recv(262_144)
            if not data:
                raise EOFError
            self._answers.extend(self._reader.feed(data))
        return abci.Response.FromString(self._answers.popleft())

    def is_closed(self) -> bool:
        """Whether the other side hangs up without another answer."""
        try:
            self.read()
        except (EOFError, ConnectionError):
            return True
        return False


def framed(**request: Any) -> bytes:
    """A request as it travels."""
    return frame(abci.Request(**request).SerializeToString())


def echo(text: object) -> dict[str, Any]:
    """A question whose answer can be told from others."""
    return {"echo": abci.RequestEcho(message=str(text))}
