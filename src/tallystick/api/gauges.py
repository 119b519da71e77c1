"""Gauges of a node, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tallystick.api.service import Service


def register(registry: CollectorRegistry, service: Service) -> None:
    """Have a registry read a node's gauges."""
    registry.register(NodeCollector(service))


class NodeCollector(Collector):
    """Reads the gauges of one node."""

    def __init__(self, service: Service) -> None:
        """Read this node."""
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """The gauges now."""
        standing = self._service.engine.standing()
        gauges = {
            "height": ("Height of the last committed block", standing.height),
            "queue": ("Transactions that wait for a block", standing.queued),
            "waiting": ("Transactions without an answer", self._service.gateway.waiting()),
            "ledger_ms": ("Ledger time of the last block, in ms", standing.ledger_ms),
            "trouble": ("1 while no block can be made", int(bool(standing.trouble))),
        }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"tallystick_{name}", text, value=value)
        counters = {
            "blocks": ("Blocks made since the start", standing.blocks),
            "transactions": ("Transactions decided since the start", standing.transactions),
            "signatures": ("Signatures verified since the start", self._service.gateway.verified()),
        }
        for name, (text, value) in counters.items():
            yield CounterMetricFamily(f"tallystick_{name}", text, value=value)
