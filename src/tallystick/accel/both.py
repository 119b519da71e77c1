"""Two bodies at once: every call goes to both, and `BodiesDiffer` when the results are not equal.

For tests and for who doubts: slower than either. What a body raises on purpose is a result too.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from tallystick.accel.body import Body, KnownGood, OpenedBatch, SealedBlock, UsedReferences
from tallystick.accel.both_tree import BothTrees
from tallystick.accel.compare import same, same_calls

__all__ = ["both"]

T = TypeVar("T")


def both(one: Body, other: Body) -> Body:
    """A body that asks two others and compares them."""
    return Body(
        name="both",
        verify=_alike("verify", one.verify, other.verify),
        verify_batch=_alike("verify_batch", one.verify_batch, other.verify_batch),
        is_small_order=_alike("is_small_order", one.is_small_order, other.is_small_order),
        is_valid_point=_alike("is_valid_point", one.is_valid_point, other.is_valid_point),
        open_batch=lambda raws: _BothBatches(one.open_batch(raws), other.open_batch(raws)),
        known_good=lambda kept: _BothKnown(one.known_good(kept), other.known_good(kept)),
        tree=lambda: BothTrees(one.tree(), other.tree()),
        merkle_root=_alike("merkle_root", one.merkle_root, other.merkle_root),
        seal_block=lambda *given: _BothBlocks(one.seal_block(*given), other.seal_block(*given)),
        chained=_alike("chained", one.chained, other.chained),
        used_references=lambda: _BothUsed(one.used_references(), other.used_references()),
        fields_shown=lambda fields: _alike(
            "fields_shown", one.fields_shown(fields), other.fields_shown(fields)
        ),
        start_workers=lambda count: one.start_workers(count) | other.start_workers(count),
    )


def _alike(call: str, one: Callable[..., T], other: Callable[..., T]) -> Callable[..., T]:
    """A function that calls two and compares what they give."""
    return lambda *given: same_calls(call, lambda: one(*given), lambda: other(*given))


class _BothBatches:
    """The same transactions, opened by two bodies."""

    def __init__(self, one: OpenedBatch, other: OpenedBatch) -> None:
        """Compare hashes and what is inside."""
        self.one, self.other = one, other
        self.digests = same("open_batch: digests", list(one.digests), list(other.digests))
        self.opened = same("open_batch: opened", list(one.opened), list(other.opened))

    def verify(self, places: Sequence[int]) -> list[int]:
        """For each place -1, or the position of its first signature that is bad."""
        return same_calls(
            "OpenedBatch.verify",
            lambda: self.one.verify(places),
            lambda: self.other.verify(places),
        )


class _BothKnown:
    """The same good signatures, remembered by two bodies."""

    def __init__(self, one: KnownGood, other: KnownGood) -> None:
        """Hold both."""
        self._one, self._other = one, other

    def check(self, batch: OpenedBatch, places: Sequence[int]) -> tuple[list[int], int, int]:
        """What `verify` says of some places, and what it cost; of a batch of both."""
        both = cast(_BothBatches, batch)
        return same_calls(
            "KnownGood.check",
            lambda: self._one.check(both.one, places),
            lambda: self._other.check(both.other, places),
        )


class _BothBlocks:
    """The same block, sealed by two bodies."""

    def __init__(self, one: SealedBlock, other: SealedBlock) -> None:
        """Compare the roots."""
        self._one, self._other = one, other
        self.receipts_root = same(
            "seal_block: receipts_root", one.receipts_root, other.receipts_root
        )
        self.ids_root = same("seal_block: ids_root", one.ids_root, other.ids_root)
        self.size = same("seal_block: size", one.size, other.size)

    def receipt(self, place: int) -> bytes:
        """One receipt, encoded."""
        return same_calls(
            "SealedBlock.receipt",
            lambda: self._one.receipt(place),
            lambda: self._other.receipt(place),
        )

    def places(self, prefix: bytes, block: bytes) -> dict[bytes, bytes | None]:
        """Places of what was accepted."""
        return same_calls(
            "SealedBlock.places",
            lambda: self._one.places(prefix, block),
            lambda: self._other.places(prefix, block),
        )

    def entry(self, head: bytes, tail: bytes) -> bytes:
        """The block's entry."""
        return same_calls(
            "SealedBlock.entry",
            lambda: self._one.entry(head, tail),
            lambda: self._other.entry(head, tail),
        )


class _BothUsed:
    """The same references, noted by two bodies."""

    def __init__(self, one: UsedReferences, other: UsedReferences) -> None:
        """Hold both."""
        self._one, self._other = one, other

    @property
    def count(self) -> int:
        """How many were noted of minutes that are not forgotten."""
        return same("UsedReferences.count", self._one.count, self._other.count)

    def note(self, minute: int, uses: bytes) -> None:
        """Note an encoded list of references that expire within a minute."""
        same_calls(
            "UsedReferences.note",
            lambda: self._one.note(minute, uses),
            lambda: self._other.note(minute, uses),
        )

    def used_by(self, sender: str, reference: str, now_ms: int) -> bytes | None:
        """Id of the transaction that used a reference, until its minute is over or forgotten."""
        return same_calls(
            "UsedReferences.used_by",
            lambda: self._one.used_by(sender, reference, now_ms),
            lambda: self._other.used_by(sender, reference, now_ms),
        )

    def used_among(
        self, references: Sequence[tuple[str, str]], now_ms: int
    ) -> dict[tuple[str, str], bytes]:
        """Those of many (sender, reference) that are used, each with what `used_by` says."""
        return same_calls(
            "UsedReferences.used_among",
            lambda: self._one.used_among(references, now_ms),
            lambda: self._other.used_among(references, now_ms),
        )

    def forget(self, minutes: Sequence[int]) -> None:
        """Forget minutes."""
        self._one.forget(minutes)
        self._other.forget(minutes)
