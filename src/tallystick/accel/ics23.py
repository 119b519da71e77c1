"""State proofs in the form of ICS 23, which other ledgers' light clients and libraries read.

https://github.com/cosmos/ics23 (proofs.proto, package cosmos.ics23.v1). Key and value are the key
hash and the record hash as they stand, without another hash, so that the neighbours in a proof of
absence show hashes only. The specification that a verifier needs:

    leaf_spec    hash SHA256, prehash_key NO_HASH, prehash_value NO_HASH,
                 length REQUIRE_32_BYTES, prefix "JMT::LeafNode"
    inner_spec   hash SHA256, child_order [0, 1], child_size 32,
                 min_prefix_length 16, max_prefix_length 16,
                 empty_child "SPARSE_MERKLE_PLACEHOLDER_HASH__"
    min_depth 0, max_depth 256, prehash_key_before_comparison false

REQUIRE_32_BYTES matters. With NO_PREFIX a liar could move the border between key and value of a
leaf: call its first 31 bytes the key, and so let a record stand as its own left neighbour, absent.

ICS 23 has no proof of absence in an empty tree; there the root alone says it.
"""

from tallystick.accel.nodes import EMPTY_ROOT, HASH_BYTES, INTERNAL_PREFIX, LEAF_PREFIX
from tallystick.accel.proof import Existence, NonExistence, Path, Side

__all__ = ["PROOF_SPEC", "bytes_field", "encode_proof", "number_field"]

# Numbers of HashOp and LengthOp in proofs.proto; NO_HASH is 0 and left out.
_SHA256 = 1
_REQUIRE_32_BYTES = 7


def encode_proof(proof: Existence | NonExistence) -> bytes:
    """Encode a proof as the protobuf message CommitmentProof."""
    if isinstance(proof, Existence):
        return bytes_field(1, _existence(proof.path))
    neighbours = [
        bytes_field(number, _existence(path))
        for number, path in ((2, proof.left), (3, proof.right))
        if path is not None
    ]
    return bytes_field(2, bytes_field(1, proof.key_hash) + b"".join(neighbours))


def _existence(path: Path) -> bytes:
    """Encode a path as ExistenceProof."""
    steps = [bytes_field(4, _inner_op(side, sibling)) for side, sibling in path.siblings]
    return (
        bytes_field(1, path.key_hash)
        + bytes_field(2, path.record_hash)
        + bytes_field(3, _LEAF_OP)
        + b"".join(steps)
    )


def _inner_op(side: Side, sibling: bytes) -> bytes:
    """Encode one step as InnerOp: what stands before and after the hash that comes from below."""
    operation = number_field(1, _SHA256)
    if side is Side.LEFT:
        return operation + bytes_field(2, INTERNAL_PREFIX + sibling)
    return operation + bytes_field(2, INTERNAL_PREFIX) + bytes_field(3, sibling)


def _varint(number: int) -> bytes:
    """Encode a number in groups of seven bits, lowest first, as protobuf does."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(0x80 | (number & 0x7F))
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def number_field(field: int, number: int) -> bytes:
    """Encode a field that holds a number (wire type 0)."""
    return _varint(field << 3) + _varint(number)


def bytes_field(field: int, content: bytes) -> bytes:
    """Encode a field that holds bytes or a message (wire type 2)."""
    return _varint(field << 3 | 2) + _varint(len(content)) + content


_LEAF_OP = (
    number_field(1, _SHA256) + number_field(4, _REQUIRE_32_BYTES) + bytes_field(5, LEAF_PREFIX)
)

_INNER_SPEC = (
    bytes_field(1, bytes((0, 1)))
    + number_field(2, HASH_BYTES)
    + number_field(3, len(INTERNAL_PREFIX))
    + number_field(4, len(INTERNAL_PREFIX))
    + bytes_field(5, EMPTY_ROOT)
    + number_field(6, _SHA256)
)

PROOF_SPEC = (
    bytes_field(1, _LEAF_OP) + bytes_field(2, _INNER_SPEC) + number_field(3, 8 * HASH_BYTES)
)
"""The specification above as the protobuf message ProofSpec."""
