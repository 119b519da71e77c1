"""The native tree beside the Python one: long random histories, threads, and memory."""

import gc
import random
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256

import pytest

from tallystick.accel import (
    EMPTY_VERSION,
    Existence,
    NonExistence,
    Path,
    StateTree,
    Tree,
    UnknownVersion,
    WrongPart,
)
from tallystick.accel.both_tree import BothTrees
from tallystick.accel.errors import WrongLength
from tallystick.accel.native_tree import NativeTree
from tests.accel.conformance_tree import proof_holds, some_records
from tests.accel.vectors import Change, hash_of

BATCHES = 400
"""Batches of a random history; on average 250 changes each."""


class History:
    """One random history, told to two trees: versions that branch, are kept a while and dropped."""

    def __init__(self, seed: str, one: StateTree, other: StateTree) -> None:
        self.draw = random.Random(seed)
        self.trees = (one, other)
        self.versions: list[tuple[int, int]] = [(EMPTY_VERSION, EMPTY_VERSION)]
        self.dropped: list[tuple[int, int]] = []
        self.keys = [self._key() for _ in range(4000)]
        self.operations = 0

    def _key(self) -> bytes:
        """A key hash; some share many of their first bits."""
        key = self.draw.randbytes(32)
        if self.draw.random() < 0.3:
            shared = self.draw.choice((1, 2, 8, 31))
            key = sha256(bytes((self.draw.randrange(4), shared))).digest()[:shared] + key[shared:]
        return key

    def changes(self) -> list[Change]:
        """A batch of one change, some, or many; a share of them deletes."""
        draw = self.draw
        count = draw.choice((0, 1, 1, 2, 3, 10, 30, 33, 100, 500, 1500))
        few = draw.sample(self.keys, draw.choice((1, 5, 60, len(self.keys))))
        deleted = draw.choice((0.0, 0.1, 0.5, 1.0))
        self.operations += count
        return [
            (draw.choice(few), None if draw.random() < deleted else draw.randbytes(32))
            for _ in range(count)
        ]

    def step(self) -> None:
        """One batch on any of the last versions; sometimes versions go, in any order."""
        draw = self.draw
        base = draw.choice(self.versions[-6:])
        changes = self.changes()
        made = [
            tree.apply(version, changes) for tree, version in zip(self.trees, base, strict=True)
        ]
        self.versions.append((made[0], made[1]))
        while len(self.versions) > draw.choice((5, 20, 60)):
            gone = self.versions.pop(draw.randrange(1, len(self.versions)))
            for tree, version in zip(self.trees, gone, strict=True):
                tree.drop(version)

    def same(self, ask: Callable[[StateTree, int], object]) -> None:
        """Ask both trees about one of their versions."""
        one, other = self.draw.choice(self.versions)
        assert ask(self.trees[0], one) == ask(self.trees[1], other)

    def compare(self) -> None:
        """Newest root and size; of any version root, a record, a proof; now and then its parts."""
        one, other = self.versions[-1]
        assert self.trees[0].root(one) == self.trees[1].root(other)
        assert self.trees[0].size(one) == self.trees[1].size(other)
        self.same(lambda tree, version: tree.root(version))
        for key in (*self.draw.sample(self.keys, 2), self.draw.randbytes(32)):
            self.same(lambda tree, version: tree.get(version, key))  # noqa: B023
            self.same(lambda tree, version: tree.prove(version, key))  # noqa: B023
        bits = self.draw.choice((0, 1, 3, 7, 9))
        self.same(lambda tree, version: tree.parts(version, bits))


@pytest.mark.parametrize("seed", ("one", "two", "three"))
def test_long_random_histories_are_the_same_in_both_bodies(seed: str) -> None:
    history = History(seed, NativeTree(), Tree())
    for _ in range(BATCHES):
        history.step()
        history.compare()
    assert history.operations > BATCHES * 100
    for tree in history.trees:
        with pytest.raises(UnknownVersion):
            tree.root(99_999)


def test_large_batches_are_shared_out_to_threads_and_give_the_same() -> None:
    """From 65,536 changes on; into the empty tree, over one leaf, and over a full one."""
    keys = [sha256(at.to_bytes(8, "big")).digest() for at in range(150_000)]
    first: list[Change] = [(key, sha256(key).digest()) for key in keys[:100_000]]
    second: list[Change] = [
        (key, None if at % 3 == 0 else keys[at - 1]) for at, key in enumerate(keys[50_000:])
    ]
    roots = []
    for tree in (NativeTree(), Tree()):
        full = tree.apply(EMPTY_VERSION, first)
        changed = tree.apply(full, second)
        lone = tree.apply(EMPTY_VERSION, second[:2])
        over_one = tree.apply(lone, first)
        backwards = tree.apply(EMPTY_VERSION, reversed(first))
        cleared = tree.apply(full, [(key, None) for key in keys])
        versions = (full, changed, lone, over_one, backwards, cleared)
        roots.append([(tree.root(version), tree.size(version)) for version in versions])
    assert roots[0] == roots[1]
    assert roots[0][0] == roots[0][4]


def test_records_are_hashed_in_portions() -> None:
    """More than the four megabytes that are hashed at once."""
    records = [(b"record %d" % at, b"%d" % at * 300) for at in range(10_000)]
    native, python = NativeTree(), Tree()
    ours = native.apply_records(EMPTY_VERSION, iter(records))
    theirs = python.apply_records(EMPTY_VERSION, records)
    assert native.root(ours) == python.root(theirs)
    gone = native.apply_records(ours, [(key, None) for key, _ in records])
    assert native.root(gone) == native.root(EMPTY_VERSION)
    assert native.size(gone) == 0


def test_errors_of_what_is_handed_in_pass_on_and_change_nothing() -> None:
    tree = NativeTree()

    def broken() -> Iterator[Change]:
        yield bytes(32), bytes(32)
        raise LookupError("the store is gone")

    for call in (tree.apply, tree.apply_records):
        with pytest.raises(LookupError, match="the store is gone"):
            call(EMPTY_VERSION, broken())
    with pytest.raises(LookupError):
        tree.grow(0, 0, broken())  # type: ignore[arg-type]
    for wrong in ([1], [(b"",)], [(bytearray(32), bytes(32))], [("a" * 32, None)]):
        with pytest.raises((TypeError, ValueError)):
            tree.apply(EMPTY_VERSION, wrong)  # type: ignore[arg-type]
    with pytest.raises(WrongLength, match="not 31"):
        tree.apply(EMPTY_VERSION, [(bytes(31), None), (bytes(32), None)])
    for unknown in (-1, 1, 2**32, 2**70):
        with pytest.raises(UnknownVersion) as caught:
            tree.root(unknown)
        assert caught.value.version == unknown
    with pytest.raises(WrongPart, match="not divided into 3 parts"):
        tree.plant([tree.grow(0, 0, [])] * 3)
    assert tree.apply(EMPTY_VERSION, []) == 1


def test_a_part_may_be_planted_twice_in_any_tree_and_outlives_it() -> None:
    records = sorted(some_records("planted twice", 500).items())
    first = NativeTree()
    half = next(at for at, (key, _) in enumerate(records) if key[0] & 0x80)
    parts = [first.grow(1, 0, records[:half]), first.grow(1, 1, records[half:])]
    expected = first.root(first.plant(parts))
    assert first.root(first.plant(parts)) == expected
    del first
    gc.collect()
    second = NativeTree()
    planted = second.plant(parts)
    del parts
    assert second.root(planted) == expected
    again = second.apply(planted, [(key, None) for key, _ in records[1:]])
    assert second.prove(again, records[0][0]) == Existence(Path(*records[0], ()))


class TestMemory:
    """What no version shares is freed: thousands of versions take no more than a few."""

    def test_a_record_takes_less_than_two_hundred_bytes(self) -> None:
        tree = NativeTree()
        version = tree.apply(EMPTY_VERSION, _pairs(200_000))
        held, free = tree.memory()
        assert 120 * 200_000 < held < 160 * 200_000
        assert BothTrees(Tree(), Tree()).memory() is None
        assert BothTrees(Tree(), tree).memory() == (held, free)
        assert free < 100_000
        assert tree.size(version) == 200_000

    @pytest.mark.parametrize("kept", (1, 2, 64))
    def test_memory_does_not_grow_over_thousands_of_versions(self, kept: int) -> None:
        """A window of versions moves on, as the ledger keeps it."""
        tree = NativeTree()
        keys = [key for key, _ in _pairs(5000)]
        draw = random.Random(kept)
        versions = [tree.apply(EMPTY_VERSION, [(key, key) for key in keys])]
        held = []
        for number in range(3000):
            changes: list[Change] = [(draw.choice(keys), draw.randbytes(32)) for _ in range(40)]
            changes += [(draw.choice(keys), None)]
            versions.append(tree.apply(versions[-1], changes))
            while len(versions) > kept:
                tree.drop(versions.pop(0))
            if number % 100 == 99:
                held.append(tree.memory()[0])
        assert held[-1] <= held[1] * 1.05
        assert held[-1] < 5000 * 200 + kept * 41 * 1000 + 200_000

    def test_candidates_that_are_dropped_and_versions_that_stay_behind(self) -> None:
        """Rivals on one base, a version held for a snapshot, and the window that moves on."""
        tree = NativeTree()
        keys = [key for key, _ in _pairs(5000)]
        draw = random.Random("rivals")
        base = tree.apply(EMPTY_VERSION, [(key, key) for key in keys])
        snapshot, root, held = EMPTY_VERSION, b"", []
        for number in range(2000):
            rivals = [
                tree.apply(base, [(draw.choice(keys), draw.randbytes(32)) for _ in range(30)])
                for _ in range(3)
            ]
            if number % 100 == 0:
                tree.drop(snapshot)
                snapshot = tree.apply(base, [])
                root = tree.root(snapshot)
            for at in draw.sample((0, 2), 2):
                tree.drop(rivals[at])
            tree.drop(base)
            base = rivals[1]
            assert tree.root(snapshot) == root
            if number % 100 == 99:
                held.append(tree.memory()[0])
        assert held[-1] <= held[2] * 1.1
        assert sum(tree.get(snapshot, key) is not None for key in keys) == 5000
        assert tree.size(base) == 5000

    def test_all_is_free_when_all_is_dropped(self) -> None:
        tree = NativeTree()
        draw = random.Random("all")
        versions = [EMPTY_VERSION]
        keys = [key for key, _ in _pairs(500)]
        for _ in range(300):
            changes: list[Change] = [
                (draw.choice(keys), draw.choice((None, draw.randbytes(32)))) for _ in range(20)
            ]
            versions.append(tree.apply(draw.choice(versions), changes))
        parts = [tree.grow(1, 0, []), tree.grow(1, 1, [(b"\xff" * 32, bytes(32))])]
        versions.append(tree.plant(parts))
        draw.shuffle(versions)
        for version in versions:
            tree.drop(version)
        tree.drop(tree.apply(EMPTY_VERSION, []))  # the next writer frees
        tree.apply(EMPTY_VERSION, [])
        held, free = tree.memory()
        lists = 20_000  # of free places; no list of a version is left
        assert held - free < lists + held // 8


class TestThreads:
    """Readers of other versions beside the one writer."""

    def test_readers_see_their_version_whole_while_others_come_and_go(self) -> None:
        tree = NativeTree()
        keys = [key for key, _ in _pairs(3000)]
        draw = random.Random("writer")
        window = [tree.apply(EMPTY_VERSION, [(key, key) for key in keys])]
        wrong: list[str] = []
        done = threading.Event()
        reads = [0, 0]

        def read(own: int) -> None:
            mine = random.Random(own)
            while not done.is_set():
                version = window[mine.randrange(len(window))]
                try:
                    root = tree.root(version)
                    key = mine.choice(keys)
                    proof = tree.prove(version, key)
                    if not proof_holds(root, proof):
                        wrong.append(f"a proof of version {version} does not hold")
                    record = proof.path.record_hash if isinstance(proof, Existence) else None
                    if record != tree.get(version, key):
                        wrong.append(f"record of version {version} differs")
                    if mine.random() < 0.1 and len(tree.parts(version, 9)) != 512:
                        wrong.append("parts are missing")
                except UnknownVersion:
                    continue  # it was dropped meanwhile
                reads[own] += 1

        readers = [threading.Thread(target=read, args=(own,)) for own in range(2)]
        for reader in readers:
            reader.start()
        for _ in range(400):
            changes: list[Change] = [
                (draw.choice(keys), draw.choice((None, draw.randbytes(32)))) for _ in range(300)
            ]
            window.append(tree.apply(window[-1], changes))
            if len(window) > 4:
                tree.drop(window.pop(0))
        done.set()
        for reader in readers:
            reader.join()
        assert not wrong
        assert min(reads) > 10

    def test_a_reader_does_not_wait_for_a_long_batch(self) -> None:
        """While one thread builds a large version, another one reads an old one many times."""
        tree = NativeTree()
        small = tree.apply(EMPTY_VERSION, _pairs(1000))
        large = list(_pairs(300_000))
        begun, ended = threading.Event(), threading.Event()

        def build() -> None:
            begun.set()
            tree.apply(small, large)
            ended.set()

        writer = threading.Thread(target=build)
        writer.start()
        begun.wait()
        root, reads = tree.root(small), 0
        while not ended.is_set():
            proof = tree.prove(small, hash_of("absent", reads))
            assert isinstance(proof, NonExistence)
            assert proof_holds(root, proof)
            reads += 1
        writer.join()
        assert reads > 5

    def test_versions_may_be_made_and_dropped_by_several_threads(self) -> None:
        """Nobody needs it, and nothing breaks: writers take turns."""
        tree = NativeTree()
        base = tree.apply(EMPTY_VERSION, _pairs(2000))
        roots: dict[int, set[bytes]] = {own: set() for own in range(3)}

        def write(own: int) -> None:
            for number in range(60):
                changes: list[Change] = [(hash_of(number, at), hash_of(at)) for at in range(100)]
                version = tree.apply(base, changes)
                roots[own].add(tree.root(version))
                tree.drop(version)

        writers = [threading.Thread(target=write, args=(own,)) for own in roots]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert roots[0] == roots[1] == roots[2]
        assert len(roots[0]) == 60


def _pairs(count: int) -> list[Change]:
    """Key hashes and record hashes."""
    return [(sha256(at.to_bytes(8, "big")).digest(), bytes(32)) for at in range(count)]
