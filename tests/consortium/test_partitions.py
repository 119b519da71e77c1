"""Validators that are silent for a while: the others go on, or wait, and nothing splits."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.consortium.till_net import TillNet, TillNode, running, still

SILENT_SECONDS = 2.5


@contextmanager
def silent(nodes: Sequence[TillNode]) -> Iterator[None]:
    """Their engines hear and say nothing; others take them for slow."""
    engines = [pid for node in nodes if (pid := node.engine_pid) is not None]
    assert len(engines) == len(nodes)
    for pid in engines:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in engines:
            os.kill(pid, signal.SIGCONT)


def heights(nodes: Sequence[TillNode]) -> list[int]:
    return [node.height() for node in nodes]


def is_paid(net: TillNet, node: int) -> bool:
    return net.pay(node)[0].outcome.value == "accepted"


def test_silence(tmp_path: Path) -> None:
    """One of four is not needed; without two nothing is decided; together they go on."""
    with running(tmp_path, heartbeat_seconds=1) as net:
        with silent(net.nodes[3:]):
            assert is_paid(net, 0)
        net.wait_live(net.nodes)
        with silent(net.nodes[2:]):
            before = still(lambda: heights(net.nodes))  # what was decided before is executed
            time.sleep(SILENT_SECONDS)
            assert heights(net.nodes) == before
        assert is_paid(net, 3)
        assert is_paid(net, 1)
        net.wait_live(net.nodes)
        net.stop()
        assert min(len(log) for log in net.histories()) > max(before)
