"""A record's proof up to the app hash in ICS 23 form, for light clients of other ledgers.

Two proofs, one on the other, as ICS 23 puts trees upon trees: the record (or its absence) under the
state root (specification `accel.ics23.PROOF_SPEC`), and the state root under the app hash, as the
value of the key `state` in a map (specification `tendermint`). They travel as
`ibc.core.commitment.v1.MerkleProof`, whose path is: `state`, then the record's key hash.
"""

from __future__ import annotations

import hashlib

from tallystick.accel.ics23 import bytes_field, encode_proof, number_field
from tallystick.ledger.proof import RecordClaim

STATE_KEY = b"state"
"""Under which key the app hash holds the state root."""

# Numbers of HashOp and LengthOp in proofs.proto.
_SHA256 = 1
_VAR_PROTO = 1
_LEAF = b"\x00"
_INNER = b"\x01"


def merkle_proof(claim: RecordClaim, *, receipts_root: bytes, state_root: bytes) -> bytes:
    """Both proofs, lowest first."""
    return bytes_field(1, encode_proof(claim.evidence())) + bytes_field(
        1, state_proof(receipts_root=receipts_root, state_root=state_root)
    )


def state_proof(*, receipts_root: bytes, state_root: bytes) -> bytes:
    """CommitmentProof that the app hash holds this state root: the map's second of two leaves."""
    name = b"receipts"
    leaf = _LEAF + bytes((len(name),)) + name + b"\x20" + hashlib.sha256(receipts_root).digest()
    left = hashlib.sha256(leaf).digest()
    leaf_op = number_field(1, _SHA256) + number_field(3, _SHA256)
    leaf_op += number_field(4, _VAR_PROTO) + bytes_field(5, _LEAF)
    inner_op = number_field(1, _SHA256) + bytes_field(2, _INNER + left)
    return bytes_field(
        1,
        bytes_field(1, STATE_KEY)
        + bytes_field(2, state_root)
        + bytes_field(3, leaf_op)
        + bytes_field(4, inner_op),
    )
