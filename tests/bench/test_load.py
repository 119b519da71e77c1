"""How load is offered, and what is counted of its answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.bench.cast import Cast, beginning
from tallystick.bench.figures import histogram
from tallystick.bench.load import Answered, Measured, Pace, packed, repacked, run, send
from tallystick.bench.network import Signer
from tallystick.bench.paging import read_pages, write_pages
from tallystick.node import Node, init


def test_percentiles() -> None:
    """The latency that so many percent of the transactions stay below, whatever the batches."""
    answers = [Answered(n / 100, n / 1000, 1, 0) for n in range(100)]
    measured = Measured(seconds=2.0, answers=answers)
    assert measured.per_s == 50
    assert measured.percentile_ms(50) == 50
    assert measured.percentile_ms(99) == 99
    slow = Measured(seconds=1.0, answers=[Answered(0.1, 0.001, 98, 0), Answered(0.9, 1.0, 1, 1)])
    assert (slow.accepted, slow.refused) == (99, 1)
    assert (slow.percentile_ms(97), slow.percentile_ms(98)) == (1, 1000)


def test_what_is_plotted() -> None:
    """Transactions a second, by latency, and the longest time without an answer."""
    answers = [Answered(0.5, 0.0005, 10, 0), Answered(1.75, 0.012, 5, 1), Answered(2.0, 9.0, 1, 0)]
    measured = Measured(seconds=2.5, answers=answers)
    assert measured.over_time() == [10, 6]
    counts = histogram(measured)
    assert (counts[0], counts[4], counts[-1], sum(counts)) == (10, 6, 1, 17)
    assert measured.longest_silence_ms() == 1250


def test_pages(tmp_path: Path) -> None:
    """Transactions travel in pages, through files, and may be packed anew."""
    raws = [bytes([n]) * (n + 1) for n in range(7)]
    pages = list(packed(raws, 3))
    assert [page.count for page in pages] == [3, 3, 1]
    write_pages(tmp_path / "0", [raws[:2], [], raws[2:4]])
    write_pages(tmp_path / "1", [raws[4:]])
    read = list(read_pages([tmp_path / "0", tmp_path / "1"]))
    assert [page.count for page in read] == [2, 2, 3]
    assert list(repacked(read, 3)) == pages


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    init(tmp_path, beginning(Cast(payers=64)))
    with Node.open(tmp_path) as running:
        yield running


def test_load_that_is_late_counts_as_late(node: Node) -> None:
    """More than one connection can carry: what waits for it was due before."""
    raws = [b"no transaction"] * 40
    closed = run([node.address], raws, 5.0, Pace(stream=1, flying=1))
    assert (closed.accepted, closed.refused, closed.ran_out) == (0, 40, True)
    pace = Pace(stream=1, flying=1, per_s=1_000_000)
    late = run([node.address], raws, 5.0, pace)
    assert late.refused == 40
    assert late.percentile_ms(50) > 3 * closed.percentile_ms(50)


def test_load_ends_in_time(node: Node) -> None:
    """What is due later than the end is not sent."""
    pages = packed([b"no transaction"] * 1_000, 10)
    measured = send([node.address], pages, 0.2, Pace(stream=10, flying=2, per_s=1_000))
    assert measured.refused == 210
    assert not measured.ran_out


def test_what_the_consortium_sends_is_good(tmp_path: Path) -> None:
    """Its signer's transactions are of one chain, each with a reference of its own."""
    raws = Signer("bench-00000000", 0).transfers(3)
    assert len(set(raws)) == 3
