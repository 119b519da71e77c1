"""Proofs are checked without trust in what they say."""

from dataclasses import replace
from hashlib import sha256

import pytest

from tallystick.accel import EMPTY_ROOT, EMPTY_VERSION, Existence, NonExistence, Path, Side, Tree
from tallystick.accel.ics23 import PROOF_SPEC, encode_proof
from tallystick.accel.nodes import hash_internal
from tallystick.accel.proof import _are_adjacent, verify_absence, verify_existence
from tests.accel.conformance_tree import some_records
from tests.accel.vectors import FOLDER, hash_of, load_vectors, read_path

GOLDEN = load_vectors("ics23_proofs.json")


def path_of(tree: Tree, version: int, key: bytes) -> Path:
    proof = tree.prove(version, key)
    assert isinstance(proof, Existence)
    return proof.path


@pytest.mark.parametrize("name", GOLDEN["trees"])
def test_every_verdict_is_that_of_another_verifier(name: str) -> None:
    cases = [case for case in GOLDEN["cases"] if case["tree"] == name]
    assert {case["valid"] for case in cases} == {True, False}
    for case in cases:
        root, key = bytes.fromhex(case["root"]), bytes.fromhex(case["key_hash"])
        proof: Existence | NonExistence
        if case["claim"] == "there":
            path = read_path(case["path"])
            assert path is not None
            proof = Existence(path)
            verdict = verify_existence(root, path)
        else:
            proof = NonExistence(key, read_path(case["left"]), read_path(case["right"]))
            verdict = verify_absence(root, key, proof.left, proof.right)
        assert verdict == case["valid"], case["story"]
        encoded = encode_proof(proof)
        assert sha256(encoded).hexdigest() == case["proof_sha256"], case["story"]
        assert not case["valid"] or encoded.hex() == case["proof"]


def test_the_specification_is_the_one_that_the_other_verifier_was_given() -> None:
    assert PROOF_SPEC.hex() == GOLDEN["proof_spec"]


def test_the_reference_page_quotes_the_specification_and_counts_the_forgeries() -> None:
    page = (FOLDER.parent.parent / "docs" / "reference" / "proofs.md").read_text(encoding="utf-8")
    assert f"\n{PROOF_SPEC.hex()}\n" in page
    forgeries = [case for case in GOLDEN["cases"] if not case["valid"]]
    assert f"its {len(forgeries)} forgeries" in page


def test_in_an_empty_tree_the_root_alone_proves_absence() -> None:
    assert verify_absence(EMPTY_ROOT, hash_of("key"), None, None)
    assert not verify_absence(hash_of("root"), hash_of("key"), None, None)


def test_hashes_of_a_wrong_length_prove_nothing() -> None:
    records = some_records("length", 20)
    tree = Tree()
    version = tree.apply(EMPTY_VERSION, records.items())
    root, key = tree.root(version), min(records)
    path = path_of(tree, version, key)
    (side, sibling), *others = path.siblings
    for wrong in (
        replace(path, key_hash=key + path.record_hash[:1], record_hash=path.record_hash[1:]),
        replace(path, record_hash=path.record_hash + b"\0"),
        replace(path, siblings=((side, sibling[:31]), *others)),
        replace(path, siblings=((side, sibling + sibling), *others)),
    ):
        assert not verify_existence(root, wrong)
    assert verify_existence(root, path)
    assert not verify_absence(root, bytes(31), None, path)


@pytest.mark.parametrize(("key", "record"), ((31, 32), (33, 32), (32, 31), (32, 33), (0, 0)))
def test_a_leaf_of_a_wrong_length_proves_nothing_even_alone(key: int, record: int) -> None:
    root = sha256(b"JMT::LeafNode" + bytes(key) + bytes(record)).digest()
    assert not verify_existence(root, Path(bytes(key), bytes(record), ()))


@pytest.mark.parametrize("length", (0, 31, 33))
def test_a_sibling_of_a_wrong_length_proves_nothing_even_under_its_own_root(length: int) -> None:
    leaf = sha256(b"JMT::LeafNode" + bytes(64)).digest()
    sibling = bytes(length)
    path = Path(bytes(32), bytes(32), ((Side.RIGHT, sibling),))
    assert not verify_existence(hash_internal(leaf, sibling), path)


def test_a_path_longer_than_the_key_has_bits_proves_nothing() -> None:
    path = Path(bytes(32), bytes(32), ((Side.RIGHT, bytes(32)),) * 257)
    value = sha256(b"JMT::LeafNode" + bytes(64)).digest()
    for _ in range(256):
        value = hash_internal(value, bytes(32))
    assert verify_existence(value, replace(path, siblings=path.siblings[1:]))
    assert not verify_existence(hash_internal(value, bytes(32)), path)


def test_a_leaf_in_a_place_that_is_not_its_own_proves_nothing() -> None:
    """A tree built by a liar may hide a leaf from the order of keys: its turns give it away."""
    key, record, other = b"\xff" * 32, hash_of("record"), hash_of("other")
    leaf = sha256(b"JMT::LeafNode" + key + record).digest()
    assert verify_existence(hash_internal(other, leaf), Path(key, record, ((Side.LEFT, other),)))
    misplaced = Path(key, record, ((Side.RIGHT, other),))
    assert not verify_existence(hash_internal(leaf, other), misplaced)


def test_neighbours_on_the_wrong_side_of_the_key_prove_nothing() -> None:
    records = some_records("side", 8)
    tree = Tree()
    version = tree.apply(EMPTY_VERSION, records.items())
    root = tree.root(version)
    keys = sorted(records)
    paths = [path_of(tree, version, key) for key in keys]
    between = keys[3][:31] + bytes((keys[3][31] ^ 1,))
    left = 3 if keys[3] < between else 2
    assert verify_absence(root, between, paths[left], paths[left + 1])
    assert not verify_absence(root, between, paths[left - 1], paths[left])
    assert not verify_absence(root, between, paths[left + 1], paths[left + 2])
    assert not verify_absence(root, keys[3], paths[3], paths[4])
    assert not verify_absence(root, keys[3], paths[2], paths[3])


def test_a_path_is_not_adjacent_to_itself_or_to_what_goes_on_from_it() -> None:
    upper = ((Side.RIGHT, hash_of("upper")),)
    longer = ((Side.LEFT, hash_of("lower")), *upper)
    assert not _are_adjacent(upper, upper)
    assert not _are_adjacent(upper, longer)
    assert not _are_adjacent(longer, upper)
    assert not _are_adjacent((), ())
    on_the_other_side = ((Side.RIGHT, hash_of("lower")), *upper)
    assert not _are_adjacent(upper, on_the_other_side)
    assert not _are_adjacent(on_the_other_side, upper)


def test_paths_are_adjacent_only_where_the_left_one_parts_to_the_left() -> None:
    one, other = hash_of("one"), hash_of("other")
    assert _are_adjacent(((Side.RIGHT, one),), ((Side.LEFT, other),))
    assert not _are_adjacent(((Side.LEFT, one),), ((Side.LEFT, other),))
    assert not _are_adjacent(((Side.RIGHT, one),), ((Side.RIGHT, other),))
    assert not _are_adjacent(((Side.LEFT, one),), ((Side.RIGHT, other),))
