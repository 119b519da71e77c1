"""Make the cases of `tests/vectors/ics23_app_hash.json`, without verdicts: proofs and forgeries.

    python -m tests.light.made_ics23 > cases.json

A verifier of others adds `valid` to each case (tests/vectors/README.md says which).
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from tallystick.accel.ics23 import PROOF_SPEC, bytes_field, encode_proof
from tallystick.ledger.ics23 import merkle_proof, state_proof
from tallystick.ledger.proof import RecordClaim
from tests.light.proofs import APP_HASH, RECEIPTS_ROOT, RECORDS, STATE_ROOT, record_claim


def case(story: str, key: bytes, **changes: Any) -> dict[str, Any]:
    """One proof as a verifier is given it."""
    given: dict[str, Any] = {"record": RECORDS.get(key), "proof": whole(record_claim(key))}
    given |= changes
    record = given["record"]
    return {
        "story": story,
        "app_hash": given.get("app_hash", APP_HASH).hex(),
        "key_hash": sha256(given.get("asked", key)).hexdigest(),
        "record_hash": None if record is None else sha256(record).hexdigest(),
        "proof": given["proof"].hex(),
    }


def whole(claim: RecordClaim, state_root: bytes = STATE_ROOT) -> bytes:
    """The two proofs of a claim."""
    return merkle_proof(claim, receipts_root=RECEIPTS_ROOT, state_root=state_root)


def cases() -> dict[str, Any]:
    """Every case."""
    made = [case(f"there: {key.decode()}", key) for key in sorted(RECORDS)[:12]]
    made += [case(f"absent: {number}", b"absent %d" % number) for number in range(12)]
    key = b"key 7"
    other = bytes(31) + b"\x01"
    made += [
        case("another app hash", key, app_hash=other),
        case("another record", key, record=b"forged"),
        case("another key", key, asked=b"key 8"),
        case("there is said to be absent", key, record=None),
        case("absent is said to be there", b"absent 1", record=b"forged"),
        case("another state root", key, proof=whole(record_claim(key), other)),
        case("the lower proof alone", key, proof=lone(encode_proof(record_claim(key).evidence()))),
        case("the upper proof alone", key, proof=lone(upper())),
        case("the receipts root for the state root", key, proof=swapped(key)),
    ]
    return {"spec": PROOF_SPEC.hex(), "cases": made}


def lone(proof: bytes) -> bytes:
    """A MerkleProof of one proof."""
    return bytes_field(1, proof)


def upper() -> bytes:
    """That the app hash holds the state root."""
    return state_proof(receipts_root=RECEIPTS_ROOT, state_root=STATE_ROOT)


def swapped(key: bytes) -> bytes:
    """A proof whose map has the two roots in each other's place."""
    return merkle_proof(record_claim(key), receipts_root=STATE_ROOT, state_root=RECEIPTS_ROOT)


if __name__ == "__main__":
    print(json.dumps(cases(), indent=1))
