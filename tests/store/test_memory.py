"""The memory store keeps what somebody can see, and no more."""

import pytest

from tallystick.store.memory import MemoryStore
from tests.store.conformance import StateStoreConformance


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class TestMemoryStore(StateStoreConformance):
    """The conformance suite."""


def versions(store: MemoryStore) -> int:
    """How many versions are kept."""
    return sum(len(kept) for kept in store._shared.state._versions.values())


def test_old_versions_go_with_their_last_reader(store: MemoryStore) -> None:
    store.apply(1, {b"a": b"1", b"b": b"1"}, {})
    reader = store.snapshot()
    for height in range(2, 10):
        store.apply(height, {b"a": b"%d" % height, b"b": None}, {})
    assert reader.get(b"b") == b"1"
    assert versions(store) > 2
    reader.close()
    store.apply(10, {b"c": b"1"}, {})
    assert versions(store) == 2
    assert [key for key, _ in store.scan(b"")] == [b"a", b"c"]


def test_deleting_what_never_was_keeps_nothing_for_long(store: MemoryStore) -> None:
    reader = store.snapshot()
    store.apply(1, {b"never": None}, {})
    store.apply(2, {b"never": None}, {})
    assert list(reader.scan(b"")) == list(store.scan(b"")) == []
    reader.close()
    late = store.snapshot()
    store.apply(3, {b"other": None}, {})
    late.close()
    store.apply(4, {}, {})
    assert versions(store) == 0


def test_a_dropped_scan_keeps_nothing(store: MemoryStore) -> None:
    store.apply(1, {b"a": b"1"}, {})
    next(store.scan(b""))
    store.scan(b"")
    store.apply(2, {b"a": b"2"}, {})
    assert versions(store) == 1


def test_a_dropped_reader_keeps_nothing(store: MemoryStore) -> None:
    store.apply(1, {b"a": b"1"}, {})
    late = store.snapshot().scan(b"")
    store.apply(2, {b"a": b"2"}, {})
    assert list(late) == [(b"a", b"1")]
    del late
    store.apply(3, {b"a": b"3"}, {})
    assert versions(store) == 1


def test_a_copy_goes_its_own_way(store: MemoryStore) -> None:
    store.apply(7, {b"a": b"1"}, {b"s": b"1"})
    copy = store.copy()
    store.apply(8, {b"a": b"2"}, {})
    copy.apply(8, {b"b": b"3"}, {})
    assert list(store.scan(b"")) == [(b"a", b"2")]
    assert list(copy.scan(b"")) == [(b"a", b"1"), (b"b", b"3")]
    assert list(copy.side_scan(b"")) == [(b"s", b"1")]
