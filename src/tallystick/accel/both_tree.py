"""Two state trees that are changed and asked alike, and compared.

Version numbers are handles within one tree, so these trees have numbers of their own.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from tallystick.accel.body import StateTree
from tallystick.accel.compare import same_calls
from tallystick.accel.errors import UnknownVersion
from tallystick.accel.parts import Subtree
from tallystick.accel.proof import Existence, NonExistence
from tallystick.accel.tree import EMPTY_VERSION

__all__ = ["BothTrees"]

T = TypeVar("T")


class BothTrees:
    """Two trees behind the face of one."""

    __slots__ = ("_next", "_one", "_other", "_versions")

    def __init__(self, one: StateTree, other: StateTree) -> None:
        """Start with the empty version of both."""
        self._one, self._other = one, other
        self._versions = {EMPTY_VERSION: (EMPTY_VERSION, EMPTY_VERSION)}
        self._next = EMPTY_VERSION + 1

    def apply(self, base: int, changes: Iterable[tuple[bytes, bytes | None]]) -> int:
        """Make a new version of both and return its number."""
        given = list(changes)
        return self._made("tree.apply", base, lambda tree, version: tree.apply(version, given))

    def apply_records(self, base: int, records: Iterable[tuple[bytes, bytes | None]]) -> int:
        """The same from records, which both hash."""
        given = list(records)
        return self._made(
            "tree.apply_records", base, lambda tree, version: tree.apply_records(version, given)
        )

    def drop(self, version: int) -> None:
        """Forget a version of both."""
        one, other = self._at(version)
        self._one.drop(one)
        self._other.drop(other)
        if version != EMPTY_VERSION:
            del self._versions[version]

    def root(self, version: int) -> bytes:
        """Root hash of a version."""
        return self._asked("tree.root", version, lambda tree, at: tree.root(at))

    def size(self, version: int) -> int:
        """How many records a version holds."""
        return self._asked("tree.size", version, lambda tree, at: tree.size(at))

    def get(self, version: int, key_hash: bytes) -> bytes | None:
        """Record hash under a key hash; None when there is none."""
        return self._asked("tree.get", version, lambda tree, at: tree.get(at, key_hash))

    def holding(self, version: int, keys: Sequence[bytes]) -> list[bytes]:
        """Those of many records' keys that a version holds."""
        return self._asked("tree.holding", version, lambda tree, at: tree.holding(at, keys))

    def prove(self, version: int, key_hash: bytes) -> Existence | NonExistence:
        """Prove that a key is there, or that it is not."""
        return self._asked("tree.prove", version, lambda tree, at: tree.prove(at, key_hash))

    def parts(self, version: int, bits: int) -> list[bytes]:
        """Roots of the 2^bits parts of a version."""
        return self._asked("tree.parts", version, lambda tree, at: tree.parts(at, bits))

    def grow(self, bits: int, index: int, pairs: Iterable[tuple[bytes, bytes]]) -> Subtree:
        """Build one part in both; it belongs to no version yet."""
        given = list(pairs)
        grown: list[Subtree] = []

        def note(subtree: Subtree) -> tuple[bytes, int]:
            grown.append(subtree)
            return subtree.root, subtree.size

        same_calls(
            "tree.grow",
            lambda: note(self._one.grow(bits, index, given)),
            lambda: note(self._other.grow(bits, index, given)),
        )
        return replace(grown[0], node=tuple(grown))

    def plant(self, subtrees: Sequence[Subtree]) -> int:
        """Make a version of all its parts, grown by these trees."""
        ones, others = ([part.node[at] for part in subtrees] for at in (0, 1))
        versions: list[int] = []

        def note(tree: StateTree, parts: list[Subtree]) -> tuple[bytes, int]:
            versions.append(tree.plant(parts))
            return tree.root(versions[-1]), tree.size(versions[-1])

        same_calls("tree.plant", lambda: note(self._one, ones), lambda: note(self._other, others))
        return self._keep(versions)

    def memory(self) -> tuple[int, int] | None:
        """What one of them takes that counts it; they need not be alike."""
        return self._one.memory() or self._other.memory()

    def _made(self, call: str, base: int, make: Callable[[StateTree, int], int]) -> int:
        """Make a version of both from one that there is; their roots and sizes must agree."""
        bases = self._at(base)
        versions: list[int] = []

        def note(tree: StateTree, at: int) -> tuple[bytes, int]:
            versions.append(make(tree, at))
            return tree.root(versions[-1]), tree.size(versions[-1])

        same_calls(call, lambda: note(self._one, bases[0]), lambda: note(self._other, bases[1]))
        return self._keep(versions)

    def _keep(self, versions: Sequence[int]) -> int:
        """Give a new version its number."""
        own = self._next
        self._next += 1
        one, other = versions
        self._versions[own] = (one, other)
        return own

    def _asked(self, call: str, version: int, ask: Callable[[StateTree, int], T]) -> T:
        """Ask both about a version."""
        one, other = self._at(version)
        return same_calls(call, lambda: ask(self._one, one), lambda: ask(self._other, other))

    def _at(self, version: int) -> tuple[int, int]:
        """The numbers that two trees have given to a version."""
        if version not in self._versions:
            raise UnknownVersion(version)
        return self._versions[version]
