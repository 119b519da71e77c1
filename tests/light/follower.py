"""CometBFT's own light client, run against addresses that are to be followed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallystick.engine.cometbft.install import install
from tallystick.engine.cometbft.light.blocks import LightBlock
from tallystick.network.ports import free_ports


@dataclass
class Follower:
    """A running `cometbft light`."""

    port: int
    log: Path

    def verified(self, height: int, seconds: float = 60) -> dict[str, Any]:
        """The commit of a height, once the light client has verified it."""
        end, said = time.monotonic() + seconds, "nothing"
        while time.monotonic() < end:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                connection.request("GET", f"/commit?height={height}")
                answer = json.loads(connection.getresponse().read())
                if "result" in answer:
                    return dict(answer["result"]["signed_header"])
                said = str(answer["error"])
            except (OSError, http.client.HTTPException) as problem:
                said = str(problem)
            finally:
                connection.close()
            time.sleep(0.1)
        raise TimeoutError(f"block {height} was not verified: {said}\n{self.log.read_text()}")


@contextmanager
def following(
    folder: Path, trusted: LightBlock, *, primary: str, witnesses: Sequence[str]
) -> Iterator[Follower]:
    """Run it from a trusted block on; it is killed at the end."""
    (port,) = free_ports(1)
    folder.mkdir()
    log = folder / "log"
    words = [
        *("light", trusted.header.chain_id, "-p", primary, "-w", ",".join(witnesses)),
        *("--height", str(trusted.height), "--hash", trusted.header.hash.hex()),
        *("--home-dir", str(folder / "home"), "--laddr", f"tcp://127.0.0.1:{port}"),
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [install(), *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            yield Follower(port, log)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
