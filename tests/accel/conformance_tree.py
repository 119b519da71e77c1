"""What every body's state tree and Merkle root must do; see `conformance.py`."""

import random
from hashlib import sha256
from typing import ClassVar

import pytest

from tallystick.accel import (
    EMPTY_ROOT,
    EMPTY_VERSION,
    Body,
    Existence,
    NonExistence,
    StateTree,
    Subtree,
    UnknownVersion,
    WrongPart,
    fold,
)
from tallystick.accel.errors import WrongLength
from tallystick.accel.proof import verify_absence, verify_existence
from tests.accel.vectors import Change, batches_of, hash_of, load_vectors, read_path

Records = dict[bytes, bytes]


def some_records(story: str, count: int) -> Records:
    """Records without a meaning."""
    return {hash_of(story, "key", at): hash_of(story, "record", at) for at in range(count)}


def plain_root(records: Records, depth: int = 0) -> bytes:
    """The root as the rules define it, with no thought of speed."""
    if not records:
        return EMPTY_ROOT
    if len(records) == 1:
        [(key, record)] = records.items()
        return sha256(b"JMT::LeafNode" + key + record).digest()
    halves: tuple[Records, Records] = ({}, {})
    for key, record in records.items():
        halves[int.from_bytes(key, "big") >> (255 - depth) & 1][key] = record
    left, right = (plain_root(half, depth + 1) for half in halves)
    return sha256(b"JMT::IntrnalNode" + left + right).digest()


# https://github.com/google/certificate-transparency, merkletree/merkle_tree_test.cc
CT_LEAVES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def rfc_6962_root(leaves: list[bytes]) -> bytes:
    """The root as RFC 6962, section 2.1, defines it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    below = rfc_6962_root(leaves[:half]), rfc_6962_root(leaves[half:])
    return sha256(b"\x01" + below[0] + below[1]).digest()


def proof_holds(root: bytes, proof: Existence | NonExistence) -> bool:
    """Check either proof against a root."""
    if isinstance(proof, Existence):
        return verify_existence(root, proof.path)
    return verify_absence(root, proof.key_hash, proof.left, proof.right)


class MerkleConformance:
    """The root over a list."""

    body: ClassVar[Body]

    def test_roots_are_those_of_rfc_6962(self) -> None:
        """Vectors of Certificate Transparency's reference implementation (merkletree tests)."""
        leaves = [bytes.fromhex(leaf) for leaf in CT_LEAVES]
        roots = [self.body.merkle_root(leaves[:count]).hex() for count in range(len(leaves) + 1)]
        assert roots == CT_ROOTS

    def test_roots_are_those_of_the_definition(self) -> None:
        for count in (*range(70), 255, 256, 257, 1000):
            leaves = [b"leaf %d " % at * (at % 7) for at in range(count)]
            assert self.body.merkle_root(leaves) == rfc_6962_root(leaves)
            assert self.body.merkle_root(tuple(leaves)) == rfc_6962_root(leaves)


class TreeConformance:
    """The persistent sparse Merkle tree."""

    body: ClassVar[Body]

    def filled(self, records: Records) -> tuple[StateTree, int]:
        tree = self.body.tree()
        return tree, tree.apply(EMPTY_VERSION, records.items())

    def test_published_roots_of_the_jellyfish_merkle_tree(self) -> None:
        for vector in load_vectors("jmt_sha2_256.json")["vectors"]:
            tree, version = self.filled(
                {
                    sha256(bytes.fromhex(pair["key"])).digest(): sha256(
                        bytes.fromhex(pair["value"])
                    ).digest()
                    for pair in vector["data"]
                }
            )
            assert tree.root(version).hex() == vector["expected_root"]

    def test_1200_random_sequences_give_the_roots_of_crate_jmt(self) -> None:
        golden = load_vectors("jmt_sequences.json")["roots"]
        assert len(golden) == 1200
        for seed, roots in enumerate(golden):
            tree = self.body.tree()
            version, records = EMPTY_VERSION, dict[bytes, bytes]()
            for changes, root in zip(batches_of(seed), roots, strict=True):
                version = tree.apply(version, changes)
                for key, record in changes:
                    records.pop(key, None)
                    if record is not None:
                        records[key] = record
                assert tree.root(version).hex() == root, f"sequence {seed}"
                assert tree.size(version) == len(records)

    def test_a_new_tree_is_empty(self) -> None:
        tree = self.body.tree()
        assert tree.root(EMPTY_VERSION) == EMPTY_ROOT
        assert tree.size(EMPTY_VERSION) == 0
        assert tree.get(EMPTY_VERSION, hash_of("any")) is None
        proof = tree.prove(EMPTY_VERSION, hash_of("any"))
        assert proof == NonExistence(hash_of("any"), None, None)
        assert proof_holds(EMPTY_ROOT, proof)

    def test_the_order_of_changes_and_of_batches_does_not_matter(self) -> None:
        records = some_records("order", 300)
        tree, at_once = self.filled(records)
        backwards = tree.apply(EMPTY_VERSION, reversed(records.items()))
        step_by_step = EMPTY_VERSION
        for change in records.items():
            step_by_step = tree.apply(step_by_step, [change])
        assert tree.root(at_once) == tree.root(backwards) == tree.root(step_by_step)
        assert tree.root(at_once) == plain_root(records)

    def test_of_two_changes_of_one_key_the_last_counts(self) -> None:
        key, old, new = hash_of("key"), hash_of("old"), hash_of("new")
        tree = self.body.tree()
        version = tree.apply(EMPTY_VERSION, [(key, old), (key, None), (key, new)])
        assert tree.get(version, key) == new
        gone = tree.apply(version, [(key, old), (key, None)])
        assert tree.get(gone, key) is None
        assert (tree.size(version), tree.size(gone)) == (1, 0)

    @pytest.mark.parametrize("count", (0, 1, 3, 300))
    def test_of_many_keys_those_are_told_that_a_version_holds(self, count: int) -> None:
        keys = [b"record/%d" % at for at in range(count)]
        tree = self.body.tree()
        assert tree.holding(EMPTY_VERSION, keys) == []
        version = tree.apply_records(EMPTY_VERSION, [(key, b"value") for key in keys])
        later = tree.apply_records(version, [(key, None) for key in keys[::3]])
        for asked in (keys[::-1], [*keys, *keys], [], [b"", b"record/", *keys, b"record/x"]):
            here = [key for key in asked if key in keys]
            assert tree.holding(version, asked) == here
            assert tree.holding(later, asked) == [key for key in here if key not in keys[::3]]
            assert tree.holding(EMPTY_VERSION, asked) == []
        with pytest.raises(UnknownVersion):
            tree.holding(99, keys)

    def test_records_are_hashed_and_applied(self) -> None:
        records = {b"record/%d" % at: b"value %d" % at * at for at in range(300)}
        tree = self.body.tree()
        version = tree.apply_records(EMPTY_VERSION, records.items())
        hashes = {sha256(key).digest(): sha256(raw).digest() for key, raw in records.items()}
        assert tree.root(version) == plain_root(hashes)
        gone = list(records)[:120]
        changes = [*((key, None) for key in gone), (b"new", b""), (b"", b"nameless")]
        changes += [(b"twice", b"first"), (b"twice", b"last")]
        changed = tree.apply_records(version, iter(changes))
        by_hash: list[Change] = [
            (sha256(key).digest(), None if raw is None else sha256(raw).digest())
            for key, raw in changes
        ]
        assert tree.root(changed) == tree.root(tree.apply(version, by_hash))
        assert tree.size(changed) == 183
        with pytest.raises(UnknownVersion):
            tree.apply_records(99, [])

    def test_every_version_has_a_number_of_its_own_and_zero_stays_empty(self) -> None:
        tree = self.body.tree()
        versions = [tree.apply(EMPTY_VERSION, [(hash_of(at), hash_of(at))]) for at in range(5)]
        assert versions[0] > EMPTY_VERSION
        assert versions == sorted(set(versions))
        assert tree.root(EMPTY_VERSION) == EMPTY_ROOT

    def test_changes_that_change_nothing_keep_the_root(self) -> None:
        records = some_records("same", 50)
        tree, version = self.filled(records)
        nothing: list[Change] = [(hash_of("absent", at), None) for at in range(20)]
        for changes in ([], nothing, nothing[:1], list(records.items()), [*records.items()][:1]):
            again = tree.apply(version, changes)
            assert again != version
            assert tree.root(again) == tree.root(version)
            assert tree.size(again) == 50

    def test_old_versions_and_rival_candidates_stay_readable(self) -> None:
        records = some_records("base", 100)
        tree, base = self.filled(records)
        root = tree.root(base)
        keys = sorted(records)
        shorter = tree.apply(base, [(key, None) for key in keys[:60]])
        other = tree.apply(base, [(keys[0], hash_of("other"))])
        assert tree.root(base) == root
        assert tree.root(shorter) == plain_root({key: records[key] for key in keys[60:]})
        assert tree.root(other) == plain_root(records | {keys[0]: hash_of("other")})
        tree.drop(base)
        assert tree.get(other, keys[0]) == hash_of("other")
        assert tree.get(shorter, keys[0]) is None
        assert tree.get(shorter, keys[99]) == records[keys[99]]
        back = tree.apply(shorter, [(key, records[key]) for key in keys[:60]])
        assert tree.root(back) == root

    def test_a_dropped_version_is_unknown_but_the_empty_one_stays(self) -> None:
        tree, version = self.filled(some_records("drop", 3))
        tree.drop(version)
        tree.drop(EMPTY_VERSION)
        assert tree.size(EMPTY_VERSION) == 0
        for unknown in (version, 99, -1):
            with pytest.raises(UnknownVersion, match=f"no version {unknown}"):
                tree.drop(unknown)
            with pytest.raises(UnknownVersion):
                tree.apply(unknown, [])
            with pytest.raises(UnknownVersion):
                tree.root(unknown)
            with pytest.raises(UnknownVersion):
                tree.size(unknown)
            with pytest.raises(UnknownVersion):
                tree.get(unknown, bytes(32))
            with pytest.raises(UnknownVersion):
                tree.prove(unknown, bytes(32))
        assert tree.apply(EMPTY_VERSION, []) > version

    @pytest.mark.parametrize("length", (0, 31, 33))
    def test_what_is_not_a_hash_is_refused(self, length: int) -> None:
        tree, version = self.filled(some_records("length", 3))
        root = tree.root(version)
        wrong = bytes(length)
        with pytest.raises(WrongLength, match=f"not {length}"):
            tree.apply(version, [(bytes(32), bytes(32)), (wrong, bytes(32))])
        with pytest.raises(WrongLength):
            tree.apply(version, [(wrong, None)])
        with pytest.raises(WrongLength):
            tree.apply(version, [(bytes(32), wrong)])
        with pytest.raises(WrongLength):
            tree.get(version, wrong)
        with pytest.raises(WrongLength):
            tree.prove(version, wrong)
        assert tree.root(version) == root

    def test_keys_that_differ_in_the_last_bits_only(self) -> None:
        keys = [bytes(31) + bytes((last,)) for last in range(4)]
        records = {key: hash_of(key) for key in keys}
        tree, version = self.filled(records)
        assert tree.root(version) == plain_root(records)
        one_by_one = EMPTY_VERSION
        for key in (keys[3], keys[0], keys[2], keys[1]):
            one_by_one = tree.apply(one_by_one, [(key, records[key])])
        assert tree.root(one_by_one) == tree.root(version)
        for key in keys:
            proof = tree.prove(version, key)
            assert isinstance(proof, Existence)
            assert len(proof.path.siblings) == 256
            assert proof_holds(tree.root(version), proof)
        two = tree.apply(version, [(keys[0], None), (keys[3], None)])
        assert tree.root(two) == plain_root({key: records[key] for key in keys[1:3]})
        lone = tree.apply(two, [(keys[1], None)])
        assert tree.root(lone) == plain_root({keys[2]: records[keys[2]]})

    def test_every_key_is_proved_there_or_absent_and_not_under_another_root(self) -> None:
        for count in (1, 2, 3, 17, 100):
            records = some_records(f"proof-{count}", count)
            tree, version = self.filled(records)
            root = tree.root(version)
            ends = [bytes(32), b"\xff" * 32]
            near = [key[:-1] + bytes((key[-1] ^ 1,)) for key in records]
            for key in [*records, *ends, *near]:
                proof = tree.prove(version, key)
                assert isinstance(proof, Existence) == (key in records)
                assert tree.get(version, key) == records.get(key)
                assert proof_holds(root, proof)
                assert not proof_holds(hash_of("another root"), proof)

    def test_absence_is_shown_by_the_nearest_neighbours(self) -> None:
        records = some_records("neighbours", 40)
        tree, version = self.filled(records)
        for key in (hash_of("absent", at) for at in range(40)):
            proof = tree.prove(version, key)
            assert isinstance(proof, NonExistence)
            left = proof.left and proof.left.key_hash
            right = proof.right and proof.right.key_hash
            assert left == max((other for other in records if other < key), default=None)
            assert right == min((other for other in records if other > key), default=None)

    def test_proofs_are_those_that_another_verifier_accepted(self) -> None:
        golden = load_vectors("ics23_proofs.json")
        trees = {
            name: self.filled({bytes.fromhex(key): bytes.fromhex(record) for key, record in pairs})
            for name, pairs in golden["trees"].items()
        }
        for case in golden["cases"]:
            if case["valid"]:
                tree, version = trees[case["tree"]]
                proof = tree.prove(version, bytes.fromhex(case["key_hash"]))
                assert tree.root(version).hex() == case["root"]
                if isinstance(proof, Existence):
                    assert proof.path == read_path(case["path"])
                else:
                    assert proof.left == read_path(case["left"])
                    assert proof.right == read_path(case["right"])

    # --- parts

    def grown(self, tree: StateTree, records: Records, bits: int) -> list[Subtree]:
        """Each part built from its own records alone."""
        ordered = sorted(records.items())
        return [
            tree.grow(bits, index, [pair for pair in ordered if part_of(pair[0], bits) == index])
            for index in range(1 << bits)
        ]

    @pytest.mark.parametrize("count", (0, 1, 2, 3, 7, 40, 400))
    def test_parts_are_the_subtrees_and_fold_to_the_root(self, count: int) -> None:
        records = some_records(f"parts of {count}", count)
        tree, version = self.filled(records)
        for bits in (0, 1, 2, 3, 5, 8, 9):
            parts = self.grown(tree, records, bits)
            assert [part.root for part in parts] == tree.parts(version, bits)
            assert sum(part.size for part in parts) == count
            assert fold([(part.root, part.size) for part in parts]) == tree.root(version)
            planted = tree.plant(parts)
            assert tree.root(planted) == tree.root(version)
            assert tree.size(planted) == count
            for key, record in records.items():
                assert tree.get(planted, key) == record
                assert proof_holds(tree.root(version), tree.prove(planted, key))

    def test_a_planted_tree_grows_on_like_any_other(self) -> None:
        records = some_records("planted", 100)
        tree, version = self.filled(records)
        planted = tree.plant(self.grown(tree, records, 4))
        changes: list[Change] = [(key, None) for key in sorted(records)[:30]]
        changes += [(hash_of("more", at), hash_of(at)) for at in range(30)]
        assert tree.root(tree.apply(planted, changes)) == tree.root(tree.apply(version, changes))

    def test_close_keys_and_lone_leaves(self) -> None:
        """Keys that part only at the last bit, and leaves that are pulled up through all parts."""
        base = bytearray(hash_of("close"))
        for last in (range(2), range(4), (0, 128), (5,)):
            records = dict[bytes, bytes]()
            for at in last:
                base[31] = at
                records[bytes(base)] = hash_of("close", at)
            tree, version = self.filled(records)
            assert tree.root(version) == plain_root(records)
            for bits in (0, 1, 7, 8, 12):
                parts = self.grown(tree, records, bits)
                assert [part.root for part in parts] == tree.parts(version, bits)
                assert fold([(part.root, part.size) for part in parts]) == tree.root(version)

    def test_random_trees_in_random_parts(self) -> None:
        draw = random.Random("parts")
        for _ in range(60):
            keys = {hash_of(draw.random()) for _ in range(draw.randrange(30))}
            for key in tuple(keys):  # neighbours, so that partings are deep
                bit = draw.randrange(256)
                keys.add((int.from_bytes(key, "big") ^ 1 << bit).to_bytes(32, "big"))
            records = {key: hash_of("record", key) for key in keys}
            tree, version = self.filled(records)
            assert tree.root(version) == plain_root(records)
            bits = draw.randrange(8)
            parts = self.grown(tree, records, bits)
            assert [part.root for part in parts] == tree.parts(version, bits)
            assert fold([(part.root, part.size) for part in parts]) == tree.root(version)
            assert tree.root(tree.plant(parts)) == tree.root(version)

    def test_a_wrong_missing_or_additional_record_gives_another_part(self) -> None:
        records = some_records("wrong", 60)
        tree, version = self.filled(records)
        roots, ordered = tree.parts(version, 2), sorted(records.items())
        for index, root in enumerate(roots):
            mine = [pair for pair in ordered if part_of(pair[0], 2) == index]
            assert tree.grow(2, index, mine).root == root
            for at in range(len(mine)):
                key, record = mine[at]
                missing = mine[:at] + mine[at + 1 :]
                wrong = [*mine[:at], (key, hash_of("wrong")), *mine[at + 1 :]]
                swapped = [*mine[:at], (key, mine[at - 1][1]), *mine[at + 1 :]]
                near = bytes((*key[:31], key[31] ^ 1))
                more = sorted([*mine, (near, record)])
                for pairs in (missing, wrong, swapped, more):
                    assert tree.grow(2, index, pairs).root != root

    def test_a_part_takes_only_its_own_records_in_order(self) -> None:
        ordered = sorted(some_records("order of parts", 20).items())
        tree = self.body.tree()
        with pytest.raises(WrongPart, match="out of order or comes twice"):
            tree.grow(0, 0, [ordered[1], ordered[0]])
        with pytest.raises(WrongPart, match="out of order or comes twice"):
            tree.grow(0, 0, [ordered[0], ordered[0]])
        for index, pairs in ((0, ordered), (1, ordered), (0, ordered[-1:]), (1, ordered[:1])):
            with pytest.raises(WrongPart, match=f"does not belong to part {index} of 2"):
                tree.grow(1, index, pairs)
        with pytest.raises(WrongLength, match="not 31"):
            tree.grow(0, 0, [(bytes(31), bytes(32))])
        for index in (-1, 7, 2**63, 2**64, -(2**64)):
            with pytest.raises(WrongPart, match=f"does not belong to part {index} of 2"):
                tree.grow(1, index, ordered)
        for bits in (-1, 17, 2**32, 2**64, -(2**64)):
            with pytest.raises(WrongPart, match="not divided"):
                tree.grow(bits, 0, [])
            with pytest.raises(WrongPart, match="not divided"):
                tree.parts(EMPTY_VERSION, bits)
        nothing = tree.grow(0, 0, [])
        for count in (0, 3):
            with pytest.raises(WrongPart, match="not divided"):
                tree.plant([nothing] * count)
            with pytest.raises(WrongPart, match="not divided"):
                fold([(EMPTY_ROOT, 0)] * count)

    def test_how_many_records_a_part_has_cannot_be_made_up(self) -> None:
        """The root of a part that is said to be a lone leaf, or empty, folds to another root."""
        records = some_records("made up", 40)
        tree, version = self.filled(records)
        parts = [(part.root, part.size) for part in self.grown(tree, records, 2)]
        for at, (root, _) in enumerate(parts):
            parts_said = [*parts[:at], (root, 0), *parts[at + 1 :]]
            assert fold(parts_said) != tree.root(version)
        beside = [(EMPTY_ROOT, 0), (EMPTY_ROOT, 0)]
        [(half, _), _] = [(part.root, part.size) for part in self.grown(tree, records, 1)]
        assert fold([(half, 20), (EMPTY_ROOT, 0)]) != half
        assert fold([(half, 1), *beside, (EMPTY_ROOT, 0)]) == half, "found when the leaf is missing"


def part_of(key_hash: bytes, bits: int) -> int:
    """Number of the part that a key hash belongs to."""
    return int.from_bytes(key_hash, "big") >> (256 - bits)
