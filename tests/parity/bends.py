"""Bodies that are wrong in one byte, once: what a comparison must find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from tallystick.accel import Body, OpenedBatch, SealedBlock, StateTree, UsedReferences

NOT_OF_A_CHAIN = frozenset(
    {
        "name",
        "verify",
        "verify_batch",
        "is_small_order",
        "is_valid_point",
        "known_good",
        "fields_shown",
        "merkle_root",
        "start_workers",
    }
)
"""What a body has that a chain does not ask it (rules, clients and a consortium's engine do), and
what makes no difference to one: a record that is not shown to read back is decoded."""
OBJECTS = ("open_batch", "seal_block", "tree", "used_references")
"""What gives an object, of which parts are made wrong."""
BLOCK_PARTS = ("receipts_root", "ids_root", "entry")
"""What can be wrong about a block that was sealed."""
FUNCTIONS = tuple(
    each.name for each in fields(Body) if each.name not in NOT_OF_A_CHAIN | set(OBJECTS)
)
"""Functions of a body that give bytes, or lists of them."""
PARTS = (*FUNCTIONS, *BLOCK_PARTS, "tree", "id", "verdict", "used_by")
"""All that can be made wrong."""


def bent_body(body: Body, part: str, turn: int) -> Body:
    """A body of which one part is wrong in one byte, the so-many-th time that it says anything."""
    once = Once(turn)
    match part:
        case "tree":
            return replace(body, tree=lambda: BentTree(body.tree(), once))
        case "used_by":
            return replace(body, used_references=lambda: BentUsed(body.used_references(), once))
        case "id" | "verdict":
            return replace(
                body, open_batch=lambda raws: BentBatch(body.open_batch(raws), part, once)
            )
    if part in BLOCK_PARTS:
        seal = body.seal_block
        return replace(body, seal_block=lambda *given: BentBlock(seal(*given), part, once))
    right = getattr(body, part)
    changed: dict[str, Any] = {part: lambda *given: once(right(*given))}
    return replace(body, **changed)


class Once:
    """Bends one of many results."""

    def __init__(self, turn: int) -> None:
        """Wait until so many results have said anything."""
        self._waiting = turn

    def __call__(self, result: Any) -> Any:
        """The result, or the same with one byte changed when its turn has come."""
        if not result:
            return result
        self._waiting -= 1
        return result if self._waiting else bent(result)


def bent(result: Any) -> Any:
    """The same with the last bit of the last byte changed; of a list in its last item."""
    if isinstance(result, bytes):
        return result[:-1] + bytes((result[-1] ^ 1,))
    if isinstance(result, int):
        return -1 if result >= 0 else 0  # a verdict: which signature is bad, or -1
    *others, last = result
    return [*others, bent(last)]


class BentTree:
    """A tree whose root is wrong once."""

    def __init__(self, right: StateTree, once: Once) -> None:
        """Ask another tree."""
        self._right, self._once = right, once

    def root(self, version: int) -> bytes:
        """The root, or nearly."""
        root: bytes = self._once(self._right.root(version))
        return root

    def __getattr__(self, name: str) -> Any:
        """All else is right."""
        return getattr(self._right, name)


class BentUsed:
    """Used references where one that is free is said to be used up, once."""

    def __init__(self, right: UsedReferences, once: Once) -> None:
        """Ask another table."""
        self._right, self._once = right, once

    def used_among(
        self, references: Sequence[tuple[str, str]], now_ms: int
    ) -> dict[tuple[str, str], bytes]:
        """Those that are used up, or nearly."""
        found = self._right.used_among(references, now_ms)
        for each in references:
            said: bytes = self._once(NOBODY)
            if said != NOBODY:
                found[each] = said
        return found

    def __getattr__(self, name: str) -> Any:
        """All else is right."""
        return getattr(self._right, name)


class BentBlock:
    """A block that was sealed, of which one thing is wrong once."""

    def __init__(self, right: SealedBlock, part: str, once: Once) -> None:
        """Ask another one."""
        self._right = right
        self._bend: Callable[[bytes], bytes] = once if part == "entry" else bytes
        self.receipts_root, self.ids_root = right.receipts_root, right.ids_root
        self.size = right.size
        if part != "entry":
            setattr(self, part, once(getattr(right, part)))

    def receipt(self, place: int) -> bytes:
        """One receipt, encoded."""
        return self._right.receipt(place)

    def places(self, prefix: bytes, block: bytes) -> dict[bytes, bytes | None]:
        """Places of what was accepted."""
        return self._right.places(prefix, block)

    def entry(self, head: bytes, tail: bytes) -> bytes:
        """The block's entry, or nearly."""
        return self._bend(self._right.entry(head, tail))


class BentBatch:
    """A batch that was opened, in which the last id, or the last verdict, is wrong once."""

    def __init__(self, right: OpenedBatch, part: str, once: Once) -> None:
        """Ask another batch."""
        self._right = right
        self.digests = right.digests
        self.opened: Sequence[Any] = right.opened
        self._verdicts: Callable[[Any], Any] = once if part == "verdict" else list
        *others, last = right.opened or [None]
        if part == "id" and last is not None:
            body, identity, keys = last
            self.opened = [*others, (body, once(identity), keys)]

    def verify(self, places: Sequence[int]) -> list[int]:
        """The verdicts, or nearly: a good signature is called bad, or a bad one good."""
        verdicts: list[int] = self._verdicts(self._right.verify(places))
        return verdicts


NOBODY = bytes(32)
"""Stands for no transaction's id."""
