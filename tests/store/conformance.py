"""What every state store and every block log must do, whatever its body; later ones too."""

import threading
from collections.abc import Callable

import pytest

from tallystick.errors import EntryTooLarge, NoSuchBlock, OutOfOrder, StoreClosed
from tallystick.store.base import BlockLog, StateReader, StateStore
from tallystick.store.entry import BODY_BYTES_MAX

GENESIS = bytes(range(32))
Pairs = list[tuple[bytes, bytes]]


class StateStoreConformance:
    """Asks a fixture `store` for an empty store."""

    def test_is_empty_at_height_0(self, store: StateStore) -> None:
        assert store.height() == 0
        assert store.get(b"a") is None
        assert store.side_get(b"a") is None
        assert list(store.scan(b"")) == []

    def test_applies_a_block_whole(self, store: StateStore) -> None:
        store.apply(1, {b"a": b"1", b"b": b"2"}, {b"s": b"3"})
        store.apply(2, {b"a": None, b"b": b"4", b"never there": None}, {b"s": None, b"t": b"5"})
        assert store.height() == 2
        assert store.get(b"a") is None
        assert store.get(b"b") == b"4"
        assert store.side_get(b"s") is None
        assert store.side_get(b"t") == b"5"

    def test_keeps_empty_and_large_values(self, store: StateStore) -> None:
        large = bytes(range(256)) * 4096
        store.apply(1, {b"": b"empty key", b"e": b"", b"l": large}, {})
        assert store.get(b"") == b"empty key"
        assert store.get(b"e") == b""
        assert store.get(b"l") == large

    def test_the_side_is_another_namespace(self, store: StateStore) -> None:
        store.apply(1, {b"k": b"state"}, {b"k": b"side", b"j": b"side too"})
        assert store.get(b"k") == b"state"
        assert store.get(b"j") is None
        assert store.side_get(b"k") == b"side"
        assert list(store.scan(b"")) == [(b"k", b"state")]
        assert list(store.side_scan(b"")) == [(b"j", b"side too"), (b"k", b"side")]
        assert list(store.side_scan(b"k", limit=1)) == [(b"k", b"side")]

    @pytest.mark.parametrize(
        ("prefix", "start", "limit", "expected"),
        (
            (b"", None, None, [b"", b"a", b"a\x00", b"ab", b"b\xff", b"b\xff\xff", b"c"]),
            (b"a", None, None, [b"a", b"a\x00", b"ab"]),
            (b"a", b"a\x00", None, [b"a\x00", b"ab"]),
            (b"a", b"", None, [b"a", b"a\x00", b"ab"]),
            (b"a", b"b", None, []),
            (b"b\xff", None, None, [b"b\xff", b"b\xff\xff"]),
            (b"b\xff\xff", None, None, [b"b\xff\xff"]),
            (b"", None, 2, [b"", b"a"]),
            (b"", b"b", 1, [b"b\xff"]),
            (b"a", None, 0, []),
            (b"a", None, 99, [b"a", b"a\x00", b"ab"]),
            (b"d", None, None, []),
        ),
    )
    def test_scans_a_prefix_in_key_order(
        self,
        store: StateStore,
        prefix: bytes,
        start: bytes | None,
        limit: int | None,
        expected: list[bytes],
    ) -> None:
        keys = [b"c", b"b\xff\xff", b"b\xff", b"ab", b"a\x00", b"a", b""]
        store.apply(1, {key: b"v" + key for key in keys}, {})
        assert list(store.scan(prefix, start, limit)) == [(key, b"v" + key) for key in expected]
        reader = store.snapshot()
        assert list(reader.scan(prefix, start, limit)) == [(key, b"v" + key) for key in expected]

    def test_scans_more_than_fits_in_one_step(self, store: StateStore) -> None:
        keys = [b"%05d" % number for number in range(1000)]
        store.apply(1, dict.fromkeys(keys, b"1"), {})
        store.apply(2, dict.fromkeys(keys[100:900]), {})
        expected = keys[:100] + keys[900:]
        assert [key for key, _ in store.scan(b"")] == expected
        assert [key for key, _ in store.snapshot().scan(b"0", limit=150)] == expected[:150]
        store.apply(3, dict.fromkeys(keys[900:910]), {})
        assert [key for key, _ in store.scan(b"")] == keys[:100] + keys[910:]

    def test_gets_many_at_once(self, store: StateStore) -> None:
        store.apply(1, {b"%d" % at: b"v%d" % at for at in range(9)}, {b"7": b"side", b"x": b"side"})
        store.apply(2, {b"3": None}, {})
        assert store.get_many([]) == []
        assert store.get_many([b"7", b"x", b"3", b"", b"1", b"7"]) == [
            b"v7", None, None, None, b"v1", b"v7"
        ]  # fmt: skip

    def test_goes_on_while_it_is_being_made_durable(self, store: StateStore) -> None:
        for height in range(1, 20):
            store.apply(height, {b"k": b"%d" % height}, {})
            store.checkpoint_soon()
        assert store.get(b"k") == b"19"
        store.checkpoint()
        store.checkpoint_soon()
        assert (store.height(), store.get(b"k")) == (19, b"19")

    def test_heights_follow_one_another(self, store: StateStore) -> None:
        store.apply(1, {b"a": b"1"}, {})
        for height in (0, 1, 3):
            with pytest.raises(OutOfOrder):
                store.apply(height, {b"a": b"2"}, {b"a": b"2"})
        assert store.height() == 1
        assert store.get(b"a") == b"1"
        assert store.side_get(b"a") is None

    def test_starts_from_a_genesis_or_a_snapshot(self, store: StateStore) -> None:
        store.apply(0, {b"genesis": b"1"}, {})
        assert store.height() == 0
        store.apply(500, {b"a": b"2"}, {})
        store.apply(501, {b"a": b"3"}, {})
        assert (store.height(), store.get(b"genesis"), store.get(b"a")) == (501, b"1", b"3")

    def test_is_filled_anew_at_once_or_not_at_all(self, store: StateStore) -> None:
        store.apply(0, {b"a": b"genesis", b"z": b"genesis"}, {b"s": b"0"})
        before = store.snapshot()
        told: list[int] = []
        batches = [
            (
                {b"k%d" % at: b"%d" % at for at in range(first, first + 300)},
                {b"side": b"%d" % first},
            )
            for first in (0, 300)
        ]
        store.refill(900, batches, lambda: told.append(store.height()))
        assert told == [0]
        assert store.height() == 900
        assert store.get(b"a") is None
        assert len(list(store.scan(b""))) == 600
        assert list(store.side_scan(b"")) == [(b"side", b"300")]
        assert before.get(b"a") == b"genesis"
        store.apply(901, {b"k1": None}, {})
        store.refill(5, [({b"other": b"1"}, {})], lambda: None)
        assert (store.height(), list(store.scan(b""))) == (5, [(b"other", b"1")])
        assert list(store.side_scan(b"")) == []
        assert store.snapshot().height() == 5

    def test_a_reader_stays_at_its_height(self, store: StateStore) -> None:
        readers: list[StateReader] = []
        seen: list[tuple[Pairs, Pairs]] = []
        for height in range(1, 9):
            changes = {b"k%d" % (height % 3): b"%d" % height, b"k%d" % ((height + 1) % 3): None}
            store.apply(height, changes, {b"s": b"%d" % height if height % 4 else None})
            readers.append(store.snapshot())
            seen.append((list(store.scan(b"")), list(store.side_scan(b""))))
        for height, (reader, (state, side)) in enumerate(zip(readers, seen, strict=True), start=1):
            assert reader.height() == height
            assert list(reader.scan(b"")) == state
            assert list(reader.side_scan(b"")) == side
            assert [reader.get(b"k%d" % n) for n in range(3)] == [
                dict(state).get(b"k%d" % n) for n in range(3)
            ]
            assert reader.side_get(b"s") == dict(side).get(b"s")

    def test_closing_readers_in_any_order_harms_no_other(self, store: StateStore) -> None:
        store.apply(1, {b"a": b"1", b"b": b"1"}, {})
        first, twin = store.snapshot(), store.snapshot()
        store.apply(2, {b"a": b"2", b"b": None}, {})
        second = store.snapshot()
        store.apply(3, {b"a": None}, {})
        first.close()
        first.close()
        store.apply(4, {b"c": b"4"}, {})
        assert list(twin.scan(b"")) == [(b"a", b"1"), (b"b", b"1")]
        assert list(second.scan(b"")) == [(b"a", b"2")]
        twin.close()
        store.apply(5, {}, {})
        assert list(second.scan(b"")) == [(b"a", b"2")]
        assert list(store.scan(b"")) == [(b"c", b"4")]

    def test_a_scan_shows_the_state_it_was_asked_of(self, store: StateStore) -> None:
        keys = [b"%04d" % number for number in range(600)]
        store.apply(1, dict.fromkeys(keys, b"1"), {})
        scan = store.scan(b"")
        first = next(scan)
        store.apply(2, {**dict.fromkeys(keys[::2]), b"new": b"2"}, {})
        store.apply(3, dict.fromkeys(keys, b"3"), {})
        assert [first, *scan] == [(key, b"1") for key in keys]

    def test_readers_never_stop_the_writer(self, store: StateStore) -> None:
        """Each of three readers must see one value under all keys, while the writer goes on."""
        keys = [b"%03d" % number for number in range(300)]
        store.apply(1, dict.fromkeys(keys, b"1"), {})
        done, seen = threading.Event(), set[bytes]()

        def read() -> None:
            while not done.is_set():
                reader = store.snapshot()
                values = {value for _, value in reader.scan(b"")} | {reader.get(b"000") or b""}
                seen.add(b" ".join(sorted(values)))
                reader.close()

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for height in range(2, 40):
            store.apply(height, dict.fromkeys(keys, b"%d" % height), {})
        done.set()
        for thread in threads:
            thread.join()
        assert seen <= {b"%d" % height for height in range(1, 40)}
        assert seen

    def test_says_when_it_is_closed(self, store: StateStore) -> None:
        store.apply(1, {b"a": b"1"}, {})
        reader = store.snapshot()
        reader.close()
        for read in (reader.get, reader.side_get):
            with pytest.raises(StoreClosed):
                read(b"a")
        for scan in (reader.scan, reader.side_scan):
            with pytest.raises(StoreClosed):
                list(scan(b""))
        store.checkpoint()
        store.close()
        store.close()
        calls: list[Callable[[], object]] = [
            lambda: store.get(b"a"),
            lambda: store.side_get(b"a"),
            lambda: list(store.scan(b"")),
            lambda: list(store.side_scan(b"")),
            lambda: store.apply(2, {}, {}),
            store.snapshot,
            store.checkpoint,
            store.checkpoint_soon,
            lambda: store.get_many([b"a"]),
        ]
        for call in calls:
            with pytest.raises(StoreClosed):
                call()


class BlockLogConformance:
    """Asks a fixture `open_log` for a function that opens one log, each time it is called."""

    def test_is_empty_at_height_0(self, open_log: Callable[[], BlockLog]) -> None:
        log = open_log()
        assert log.height() == 0
        assert list(log.entries(1)) == []
        with pytest.raises(NoSuchBlock):
            log.read(0)

    def test_gives_back_what_was_appended(self, open_log: Callable[[], BlockLog]) -> None:
        bodies = [b"", b"one", bytes(range(256)) * 20, b"tallyb\x00\x01" * 9, b"last"]
        log = open_log()
        assert [log.append(body) for body in bodies] == [1, 2, 3, 4, 5]
        for opened in (log, open_log()):
            assert opened.height() == 5
            assert [opened.read(height) for height in range(1, 6)] == bodies
            assert list(opened.entries(0)) == list(enumerate(bodies, start=1))
            assert list(opened.entries(4)) == [(4, bodies[3]), (5, b"last")]
            assert list(opened.entries(6)) == []
            for height in (-1, 0, 6):
                with pytest.raises(NoSuchBlock):
                    opened.read(height)

    def test_entries_end_where_the_log_ended_when_asked(
        self, open_log: Callable[[], BlockLog]
    ) -> None:
        log = open_log()
        log.append(b"one")
        entries = log.entries(1)
        log.append(b"two")
        assert list(entries) == [(1, b"one")]

    def test_goes_on_after_it_was_closed(self, open_log: Callable[[], BlockLog]) -> None:
        for height in range(1, 12):
            log = open_log()
            assert log.append(b"block %d" % height) == height
            log.close()
            log.close()
            with pytest.raises(StoreClosed):
                log.append(b"too late")
        assert [body for _, body in open_log().entries(1)] == [
            b"block %d" % height for height in range(1, 12)
        ]

    def test_refuses_a_body_that_is_too_large(self, open_log: Callable[[], BlockLog]) -> None:
        log = open_log()
        with pytest.raises(EntryTooLarge):
            log.append(bytes(BODY_BYTES_MAX + 1))
        assert log.append(b"small") == 1
