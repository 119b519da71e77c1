"""A small chain of real CometBFT nodes over its own example application, on this machine.

The example application changes validators by transactions `val=ed25519!KEY!POWER`.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tallystick.engine.cometbft.install import install
from tallystick.engine.cometbft.light.blocks import LightBlock
from tallystick.engine.cometbft.light.rpcform import light_block
from tallystick.network.ports import free_ports

START_SECONDS = 60
FAST = {
    "timeout_commit": '"50ms"',
    "skip_timeout_commit": "true",
    "addr_book_strict": "false",
    "allow_duplicate_ip": "true",
    "pex": "false",
    "indexer": '"null"',
    "proxy_app": '"kvstore"',
    "log_level": '"error"',
}


@dataclass
class Node:
    """One CometBFT process."""

    home: Path
    rpc: int
    p2p: int
    process: subprocess.Popen[bytes] | None = None
    log: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.rpc}"

    @property
    def key(self) -> str:
        """Its validator key, base64."""
        kept = json.loads((self.home / "config/priv_validator_key.json").read_text())
        return str(kept["pub_key"]["value"])

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of an RPC method."""
        connection = http.client.HTTPConnection("127.0.0.1", self.rpc, timeout=10)
        try:
            connection.request("GET", f"/{method}?{urlencode(parameters)}")
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "error" in answer:
            raise ValueError(answer["error"]["data"])
        return answer["result"]

    def height(self) -> int:
        return int(self.call("status")["sync_info"]["latest_block_height"])

    def wait(self, height: int, seconds: float = START_SECONDS) -> None:
        """Wait for a block."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if self.height() >= height:
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.05)
        raise TimeoutError(f"no block {height} at {self.url}")

    def set_power(self, key: str, power: int) -> None:
        """Change a validator; of power 0 there is none."""
        self.call("broadcast_tx_sync", tx=f'"val=ed25519!{key}!{power}"')

    def light_block(self, height: int) -> LightBlock:
        """A light block as the node has it."""
        validators = self.call("validators", height=height, per_page=100)["validators"]
        return light_block(self.call("commit", height=height), validators)

    def start(self) -> None:
        log = (self.home / "log").open("ab")
        self.log.append(log)
        self.process = subprocess.Popen(
            [install(), "start", "--home", str(self.home)],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
        for log in self.log:
            log.close()
        self.log.clear()


@contextmanager
def kvstore_chain(folder: Path, validators: int = 1, others: int = 0) -> Iterator[list[Node]]:
    """Start validators, and nodes without a vote; all are killed at the end."""
    count = validators + others
    subprocess.run(
        [install(), "testnet", "--v", str(validators), "--n", str(others), "--o", str(folder)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    ports = free_ports(2 * count)
    nodes = [
        Node(folder / f"node{i}", rpc=ports[2 * i], p2p=ports[2 * i + 1]) for i in range(count)
    ]
    peers = ",".join(f"{_node_id(each.home)}@127.0.0.1:{each.p2p}" for each in nodes)
    try:
        for node in nodes:
            _configure(node, peers)
            node.start()
        for node in nodes:
            node.wait(2)
        yield nodes
    finally:
        for node in nodes:
            node.stop()


def _node_id(home: Path) -> str:
    told = subprocess.run(
        [install(), "show-node-id", "--home", str(home)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return told.stdout.strip()


def _configure(node: Node, peers: str) -> None:
    path = node.home / "config/config.toml"
    text = path.read_text()
    rpc, _, p2p = text.partition("[p2p]")
    rpc = re.sub(r"(?m)^laddr = .*$", f'laddr = "tcp://127.0.0.1:{node.rpc}"', rpc)
    p2p = re.sub(r"(?m)^laddr = .*$", f'laddr = "tcp://127.0.0.1:{node.p2p}"', p2p, count=1)
    text = f"{rpc}[p2p]{p2p}"
    for name, value in (FAST | {"persistent_peers": f'"{peers}"'}).items():
        text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    path.write_text(text)


def made_up_key(number: int) -> str:
    """The key of a validator that runs nowhere, base64."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    secret = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    return base64.b64encode(secret.public_key().public_bytes_raw()).decode()
