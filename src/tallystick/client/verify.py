"""Checking a node's proofs offline, against the chain's name and the node's key alone.

trust = Trust.of(genesis)
proven = verify_record(proof, trust)      # raises BadAnswer when it proves nothing
proven.is_present, proven.height, proven.block_ms
"""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.accel import verify
from tallystick.errors import BadAnswer
from tallystick.ledger.block import header_bytes
from tallystick.ledger.genesis import Genesis
from tallystick.ledger.proof import ReceiptProof, RecordProof, Seal
from tallystick.ledger.receipt import Outcome
from tallystick.values.codec import from_json, to_json
from tallystick.values.errors import CodecError


@dataclass(frozen=True, slots=True)
class Trust:
    """What a verifier must know beforehand, from the network's founding document."""

    chain_id: str
    """Name of the chain: it contains the hash of the genesis."""
    node_key: bytes
    """Key with which the node signs headers."""

    @classmethod
    def of(cls, genesis: Genesis) -> Trust:
        """What a genesis says."""
        if genesis.node_key is None:
            raise BadAnswer("the genesis names no node key: validators sign this chain")
        return cls(genesis.chain_id, genesis.node_key)


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof has proved."""

    height: int
    """Block after which it holds."""
    block_ms: int
    """Its block time, in milliseconds."""
    is_present: bool
    """Whether there is a record, or a receipt; False: that there is none."""
    outcome: Outcome | None = None
    """Of a receipt: how the transaction ended; None for records."""


def verify_seal(seal: Seal, trust: Trust) -> None:
    """Believe a header, or raise `BadAnswer`."""
    if seal.header.chain_id != trust.chain_id:
        raise BadAnswer(f"the proof is of chain {seal.header.chain_id}, not of {trust.chain_id}")
    if seal.signature is None:
        raise BadAnswer("the header is not signed")
    if not verify(trust.node_key, header_bytes(seal.header), seal.signature):
        raise BadAnswer("the header's signature is not the node's")
    if not seal.is_consistent():
        raise BadAnswer("the roots are not those of the header")


def verify_record(proof: RecordProof, trust: Trust, *, key: bytes | None = None) -> Proven:
    """Check that a record is there, or that there is none; of `key`, if it is given."""
    verify_seal(proof.seal, trust)
    if key is not None and proof.key != key:
        raise BadAnswer("the proof is of another key")
    if not proof.holds():
        raise BadAnswer("the path does not lead to the state root")
    header = proof.seal.header
    return Proven(header.height, header.time_ms, proof.record is not None)


def verify_receipt(
    proof: ReceiptProof, trust: Trust, *, transaction_id: bytes | None = None
) -> Proven:
    """Check what became of a transaction; of that id, if it is given."""
    verify_seal(proof.seal, trust)
    if transaction_id is not None and proof.receipt.transaction_id != transaction_id:
        raise BadAnswer("the proof is of another transaction")
    if not proof.holds():
        raise BadAnswer("the path does not lead to the receipts root")
    header = proof.seal.header
    return Proven(header.height, header.time_ms, True, proof.receipt.outcome)


def proof_to_json(proof: RecordProof | ReceiptProof) -> bytes:
    """A proof as a file that may be handed on."""
    return to_json(proof)


def proof_from_json(data: bytes) -> RecordProof | ReceiptProof:
    """Read such a file; which of the two it is shows in its fields."""
    try:
        return from_json(RecordProof, data)
    except CodecError as problem:
        first = problem
    try:
        return from_json(ReceiptProof, data)
    except CodecError:
        raise BadAnswer(f"not a proof: {first}") from None
