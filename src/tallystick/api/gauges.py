"""Figures of a node for Prometheus, read when they are asked for. They name no party and no amount.

Names are stable: `tally_`, what it is, its unit last. Instants are Unix timestamps, so that the one
who asks computes ages by its own clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import version
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from tallystick.api.service import Service
from tallystick.api.watched import Reading
from tallystick.engine.timing import Timing

PREFIX = "tally_"


def page(service: Service) -> bytes:
    """All figures as Prometheus reads them; on a thread for readers. The engine's own come last."""
    registry = CollectorRegistry(auto_describe=False)
    engine_page = service.watched.engine_metrics()
    registry.register(NodeCollector(service, is_engine_read=engine_page is not None))
    return generate_latest(registry) + (engine_page or b"")


class NodeCollector(Collector):
    """Reads the figures of one node."""

    def __init__(self, service: Service, *, is_engine_read: bool) -> None:
        """Read this node."""
        self._service = service
        self._is_engine_read = is_engine_read

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: they are read when they are asked for."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The figures now."""
        yield self._build()
        yield from self._of_blocks()
        yield from self._of_work()
        yield from self._of_disk()
        if self._service.watched.engine_page:
            yield _gauge(
                "engine_metrics_up",
                "1 when CometBFT's own figures are on this page",
                int(self._is_engine_read),
            )
        yield from _families(
            reading for read in self._service.watched.readings for reading in read()
        )

    def _build(self) -> Metric:
        """Which release runs which chain."""
        found = GaugeMetricFamily(
            PREFIX + "build_info",
            "Always 1; its labels name release, chain and engine",
            labels=["release", "chain_id", "engine"],
        )
        service = self._service
        labels = [version("tallystick"), service.ledger.chain_id, service.watched.kind]
        found.add_metric(labels, 1)
        return found

    def _of_blocks(self) -> Iterator[Metric]:
        """Where the chain is, and what keeps it."""
        standing = self._service.engine.standing()
        yield _gauge("height", "Height of the last committed block", standing.height)
        yield _gauge(
            "block_timestamp_seconds",
            "Time of the last committed block, Unix time",
            standing.block_ms / 1000,
        )
        yield _gauge(
            "ledger_timestamp_seconds",
            "Ledger time of the last committed block, Unix time",
            standing.ledger_ms / 1000,
        )
        yield _gauge("trouble", "1 while no block can be made", int(bool(standing.trouble)))
        yield _gauge(
            "clock_trouble",
            "1 while the machine's clock is not believed",
            int(bool(self._service.clock_trouble())),
        )
        yield _counter("blocks", "Blocks committed since the start", standing.blocks)

    def _of_work(self) -> Iterator[Metric]:
        """What came of transactions, what waits where, and how long the work takes."""
        service, watched = self._service, self._service.watched
        decided = CounterMetricFamily(
            PREFIX + "transactions",
            "Transactions decided since the start, by outcome",
            labels=["outcome"],
        )
        for outcome, count in watched.outcomes.read().items():
            decided.add_metric([outcome], count)
        yield decided
        yield _gauge(
            "answers_waiting",
            "Transactions handed in here that have no answer yet",
            service.gateway.waiting(),
        )
        yield _gauge(
            "admitting_transactions",
            "Transactions that are being decoded and verified",
            service.gateway.room.transactions,
        )
        yield _gauge("admitting_bytes", "Their bytes", service.gateway.room.bytes)
        standing = service.engine.standing()
        yield _gauge("queued_transactions", "Transactions that wait for a block", standing.queued)
        yield _gauge(
            "blocks_ahead", "Blocks that were executed and are not durable yet", standing.ahead
        )
        yield _counter(
            "signatures_verified",
            "Signatures verified since the start",
            watched.verdicts.signatures,
        )
        yield _counter(
            "verdict_cache_hits",
            "Transactions whose signatures were known to be good already",
            watched.verdicts.hits,
        )
        yield _histogram("execution_seconds", "Time to execute a block", watched.chain.executed)
        yield _histogram("commit_seconds", "Time to make a block durable", watched.chain.committed)

    def _of_disk(self) -> Iterator[Metric]:
        """What is kept, what room is left, and until when certificates are good."""
        watched, state = self._service.watched, self._service.watched.chain.state
        yield _gauge("log_bytes", "Size of the block log", watched.log_bytes())
        yield _gauge("disk_free_bytes", "Room left on the disk of the data", watched.free_bytes())
        yield _gauge("state_records", "Records in the state", state.size())
        memory = state.tree.memory()
        if memory is not None:
            yield _gauge("tree_bytes", "Memory that the state tree takes", memory[0])
            yield _gauge("tree_idle_bytes", "What of it is free for new versions", memory[1])
        yield _gauge(
            "used_references",
            "References that are used up and have not expired",
            state.used_count(),
        )
        open_files = watched.open_files()
        if open_files is not None:
            yield _gauge("open_files", "Files and sockets that the process has open", open_files)
        found = GaugeMetricFamily(
            PREFIX + "certificate_expiry_timestamp_seconds",
            "Until when a certificate of the door is good, Unix time",
            labels=["certificate"],
        )
        for name, until in watched.certificates().items():
            found.add_metric([name], until.timestamp())
        yield found


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(PREFIX + name, text, value=value)


def _histogram(name: str, text: str, timing: Timing) -> Metric:
    """Durations, each bucket with all that are shorter."""
    timed = timing.read()
    bounds = [*(str(bound) for bound in timing.bounds_s), "+Inf"]
    buckets = list(zip(bounds, map(float, accumulate(timed.counts)), strict=True))
    return HistogramMetricFamily(PREFIX + name, text, buckets=buckets, sum_value=timed.total_s)


def _families(readings: Iterable[Reading]) -> Iterator[Metric]:
    """Readings of one name together, in the order in which the names come."""
    found: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
    for reading in readings:
        if reading.name not in found:
            family = CounterMetricFamily if reading.is_count else GaugeMetricFamily
            names = [name for name, _ in reading.labels]
            found[reading.name] = family(PREFIX + reading.name, reading.text, labels=names)
        found[reading.name].add_metric([value for _, value in reading.labels], reading.value)
    yield from found.values()
