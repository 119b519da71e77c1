"""Two bodies at once: they keep the suites, and one that is wrong in a single byte is found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tallystick.accel import (
    EMPTY_VERSION,
    BodiesDiffer,
    Body,
    Existence,
    Field,
    NonExistence,
    NotOpened,
    OpenedBatch,
    SealedBlock,
    Subtree,
    Tree,
    UnknownVersion,
    UsedTable,
    load,
)
from tallystick.accel.both import both
from tallystick.values.codec import encode
from tests.accel.conformance import SignatureConformance
from tests.accel.conformance_envelopes import EnvelopeConformance, officers, signed_by
from tests.accel.conformance_receipts import ReceiptConformance
from tests.accel.conformance_shown import ShownConformance
from tests.accel.conformance_tree import MerkleConformance, TreeConformance
from tests.accel.conformance_used import UsedConformance
from tests.accel.vectors import hash_of

PYTHON = load("python")
TWICE = both(PYTHON, PYTHON)

GOOD = signed_by(b"body", *officers(2))
KEY = bytes(31) + b"\1"


class TestSignatures(SignatureConformance):
    body = TWICE


class TestEnvelopes(EnvelopeConformance):
    body = TWICE


class TestMerkle(MerkleConformance):
    body = TWICE


class TestReceipts(ReceiptConformance):
    body = TWICE


class TestTree(TreeConformance):
    body = TWICE


class TestUsed(UsedConformance):
    body = TWICE


class TestShown(ShownConformance):
    body = TWICE


# --- one byte is wrong


def bent(data: bytes) -> bytes:
    """The same bytes with one bit of one byte changed."""
    return data[:-1] + bytes((data[-1] ^ 1,))


class BentBatch:
    """A batch that was opened, with one thing about it wrong."""

    def __init__(self, raws: Sequence[bytes], wrong: str) -> None:
        made = PYTHON.open_batch(raws)
        self._made, self._wrong = made, wrong
        self.digests = [bent(each) for each in made.digests] if wrong == "digest" else made.digests
        self.opened = [self._bend(each) for each in made.opened]

    def _bend(self, opened: Any) -> object:
        match self._wrong:
            case "body" | "id":
                return opened._replace(**{self._wrong: bent(getattr(opened, self._wrong))})
            case "keys":
                first, *others = opened.keys
                return opened._replace(keys=(bent(first), *others))
            case "nothing":
                return None
        return opened

    def verify(self, places: Sequence[int]) -> list[int]:
        found = self._made.verify(places)
        return [each + 1 for each in found] if self._wrong == "verdict" else found


class BentBlock:
    """A block that was sealed, with one thing about it wrong."""

    def __init__(self, right: SealedBlock, wrong: str) -> None:
        self._right, self._wrong = right, wrong
        self.receipts_root = self._bend("receipts_root", right.receipts_root)
        self.ids_root = self._bend("ids_root", right.ids_root)
        self.size = right.size + (wrong == "block_size")

    def _bend(self, part: str, said: bytes) -> bytes:
        return bent(said) if self._wrong == part else said

    def receipt(self, place: int) -> bytes:
        return self._bend("receipt", self._right.receipt(place))

    def places(self, prefix: bytes, block: bytes) -> dict[bytes, bytes | None]:
        right = self._right.places(prefix, block)
        return {} if self._wrong == "places" else right

    def entry(self, head: bytes, tail: bytes) -> bytes:
        return self._bend("entry", self._right.entry(head, tail))


class BentTree(Tree):
    """A tree with one thing wrong."""

    def __init__(self, wrong: str) -> None:
        super().__init__()
        self.wrong = wrong

    def root(self, version: int) -> bytes:
        right = super().root(version)
        return bent(right) if self.wrong == "root" else right

    def size(self, version: int) -> int:
        return super().size(version) + (self.wrong == "size")

    def get(self, version: int, key_hash: bytes) -> bytes | None:
        right = super().get(version, key_hash)
        return bent(right) if right and self.wrong == "get" else right

    def holding(self, version: int, keys: Sequence[bytes]) -> list[bytes]:
        right = super().holding(version, keys)
        return right[1:] if self.wrong == "holding" else right

    def prove(self, version: int, key_hash: bytes) -> Existence | NonExistence:
        right = super().prove(version, key_hash)
        if self.wrong != "prove" or not isinstance(right, Existence):
            return right
        return Existence(replace(right.path, record_hash=bent(right.path.record_hash)))

    def parts(self, version: int, bits: int) -> list[bytes]:
        first, *others = super().parts(version, bits)
        return [bent(first) if self.wrong == "parts" else first, *others]

    def grow(self, bits: int, index: int, pairs: Iterable[tuple[bytes, bytes]]) -> Subtree:
        right = super().grow(bits, index, pairs)
        return replace(right, root=bent(right.root)) if self.wrong == "grow" else right


class BentUsed(UsedTable):
    """Used references with one thing wrong."""

    def __init__(self, wrong: str) -> None:
        super().__init__()
        self.wrong = wrong

    @property
    def count(self) -> int:
        return super().count + (self.wrong == "used_count")

    def used_by(self, sender: str, reference: str, now_ms: int) -> bytes | None:
        right = super().used_by(sender, reference, now_ms)
        return bent(right) if right and self.wrong == "used_by" else right

    def used_among(
        self, references: Sequence[tuple[str, str]], now_ms: int
    ) -> dict[tuple[str, str], bytes]:
        right = super().used_among(references, now_ms)
        return {} if self.wrong == "used_among" else right

    def forget(self, minutes: Sequence[int]) -> None:
        super().forget(() if self.wrong == "forget" else minutes)


def bent_body(wrong: str) -> Body:
    """The Python body with one thing wrong."""

    def open_batch(raws: Sequence[bytes]) -> OpenedBatch:
        return BentBatch(raws, wrong)  # type: ignore[return-value]

    return replace(
        PYTHON,
        verify=lambda *given: PYTHON.verify(*given) ^ (wrong == "verify"),
        verify_batch=lambda items: [
            each ^ (wrong == "verify_batch") for each in PYTHON.verify_batch(items)
        ],
        is_small_order=lambda key: PYTHON.is_small_order(key) ^ (wrong == "is_small_order"),
        is_valid_point=lambda key: PYTHON.is_valid_point(key) ^ (wrong == "is_valid_point"),
        open_batch=open_batch,
        tree=lambda: BentTree(wrong),
        merkle_root=lambda leaves: (
            bent(PYTHON.merkle_root(leaves))
            if wrong == "merkle_root"
            else PYTHON.merkle_root(leaves)
        ),
        seal_block=lambda *given: BentBlock(PYTHON.seal_block(*given), wrong),
        chained=lambda running, uses: (
            bent(PYTHON.chained(running, uses))
            if wrong == "chained"
            else PYTHON.chained(running, uses)
        ),
        used_references=lambda: BentUsed(wrong),
        fields_shown=lambda fields: (
            lambda *given: PYTHON.fields_shown(fields)(*given) ^ (wrong == "fields_shown")
        ),
    )


def use_everything(body: Body) -> None:
    """Call all that a body has."""
    body.verify(KEY, b"message", bytes(64))
    body.verify_batch([(KEY, b"message", bytes(64))])
    body.is_small_order(KEY)
    body.is_valid_point(KEY)
    body.merkle_root([b"leaf"])
    sealed = body.seal_block(((KEY, ("note-1",), ((b"key", None),)),), (KEY,), (b"raw",))
    sealed.receipt(0)
    sealed.places(b"prefix", b"block")
    sealed.entry(b"head", b"tail")
    body.chained(KEY, encode([("S1", "r-1", KEY)]))
    batch = body.open_batch([GOOD])
    body.known_good(2).check(batch, [0])
    batch.verify([0])
    used = body.used_references()
    used.note(1, encode([("S1", "r-1", KEY)]))
    used.used_by("S1", "r-1", 0)
    used.used_among([("S1", "r-1")], 0)
    assert used.count == 1
    used.forget([1])
    used.used_by("S1", "r-1", 0)
    body.fields_shown((Field("whole", 0, 9, None, False),))((1,), (2,))
    tree = body.tree()
    version = tree.apply(EMPTY_VERSION, [(KEY, hash_of("record"))])
    held = tree.apply_records(version, [(b"key", b"record")])
    tree.holding(held, [b"key"])
    tree.get(version, KEY)
    tree.prove(version, KEY)
    tree.parts(version, 2)
    tree.plant([tree.grow(0, 0, [(KEY, hash_of("record"))])])


WRONGS = {
    "verify": "verify:",
    "verify_batch": "verify_batch:",
    "is_small_order": "is_small_order:",
    "is_valid_point": "is_valid_point:",
    "merkle_root": "merkle_root:",
    "receipts_root": "seal_block: receipts_root:",
    "ids_root": "seal_block: ids_root:",
    "block_size": "seal_block: size:",
    "receipt": "SealedBlock.receipt:",
    "places": "SealedBlock.places:",
    "entry": "SealedBlock.entry:",
    "chained": "chained:",
    "used_by": "UsedReferences.used_by:",
    "used_among": "UsedReferences.used_among:",
    "used_count": "UsedReferences.count:",
    "forget": "UsedReferences.used_by:",
    "fields_shown": "fields_shown:",
    "digest": "open_batch: digests",
    "body": "open_batch: opened",
    "id": "open_batch: opened",
    "keys": "open_batch: opened",
    "nothing": "open_batch: opened",
    "verdict": "KnownGood.check:",
    "root": "tree.apply:",
    "size": "tree.apply:",
    "get": "tree.get:",
    "holding": "tree.holding:",
    "prove": "tree.prove:",
    "parts": "tree.parts:",
    "grow": "tree.grow:",
}


@pytest.mark.parametrize(("wrong", "call"), WRONGS.items())
@pytest.mark.parametrize("pair", (lambda one, other: (one, other), lambda one, other: (other, one)))
def test_a_wrong_byte_of_either_body_is_found(
    wrong: str, call: str, pair: Callable[[Body, Body], tuple[Body, Body]]
) -> None:
    with pytest.raises(BodiesDiffer, match=call) as caught:
        use_everything(both(*pair(PYTHON, bent_body(wrong))))
    assert caught.value.one != caught.value.other


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    use_everything(both(PYTHON, bent_body("")))


def test_a_problem_of_one_body_alone_is_a_difference() -> None:
    batch = both(PYTHON, PYTHON).open_batch([GOOD])
    with pytest.raises(NotOpened):
        batch.verify([1])
    tree = both(PYTHON, PYTHON).tree()
    with pytest.raises(UnknownVersion):
        tree.root(1)

    class Lost(Tree):
        def get(self, version: int, key_hash: bytes) -> bytes | None:
            raise UnknownVersion(version)

    lost = both(PYTHON, replace(PYTHON, tree=Lost)).tree()
    with pytest.raises(BodiesDiffer, match="UnknownVersion: the tree holds no version 0"):
        lost.get(EMPTY_VERSION, KEY)


def test_a_long_result_is_cut_in_the_message() -> None:
    problem = BodiesDiffer("call", bytes(1_000), b"")
    assert len(str(problem)) < 300
    assert str(problem).endswith("…, but b''")


# --- which body runs


def loaded(accel: str, before: str = "") -> str:
    """What `load` says in a process where something was done before."""
    program = (
        f"import sys, types\n{before}\nfrom tallystick.accel import AccelProblem, load\n"
        f"try: print(load({accel!r}).name)\n"
        "except AccelProblem as problem: print(type(problem).__name__, problem)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


MISSING = "sys.modules['tallystick_native'] = None"
STALE = "sys.modules['tallystick_native'] = types.ModuleType('tallystick_native')"


@pytest.mark.parametrize("before", (MISSING, STALE))
def test_without_the_native_body_the_python_one_runs(before: str) -> None:
    assert loaded("auto", before) == "python"
    assert loaded("python", before) == "python"


@pytest.mark.parametrize("accel", ("native", "both"))
def test_who_asks_for_the_native_body_is_told_how_to_get_it(accel: str) -> None:
    said = loaded(accel, MISSING)
    assert said.startswith("NotBuilt the native body cannot be used: it is not installed")
    assert said.endswith("`make native` builds it")
    assert "of another release" in loaded(accel, STALE)
