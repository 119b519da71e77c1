"""A proof under CometBFT as one file: the claim, the roots, and the light blocks that seal them.

    record or receipt → its root ┐
                    the other root ┴ app hash → header h+1 ← votes of validators that are trusted

The app hash after block h stands in the header of block h+1. A verifier comes to that header from
one it trusts: forward through light blocks (`blocks`, each step signed by enough of the validators
before), or backward through headers (`back`), each of which names the one before.
The file is the canonical MessagePack of `Export` and the SHA-256 of that. No byte of it can be
changed, and nothing else can be made of it: whoever changes the file and its hash gets a proof of
something true, or none.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

from msgspec import Meta

from tallystick.engine.cometbft.light.archive import LightArchive
from tallystick.engine.cometbft.light.blocks import (
    EngineHeight,
    Header,
    LightBlock,
    Validators,
    validators_hash,
)
from tallystick.engine.cometbft.light.verify import reaches
from tallystick.errors import BadAnswer, NoSuchBlock
from tallystick.ledger.ics23 import merkle_proof
from tallystick.ledger.proof import ReceiptClaim, RecordClaim, Seal
from tallystick.values.codec import Struct, decode_canonical, encode, from_json, to_json
from tallystick.values.errors import CodecError
from tallystick.values.units import Hash32

FORMAT = 1
HASH_BYTES = 32
BLOCKS_MAX = 10_000
BACK_MAX = 100_000
"""Most headers from a trusted one back to the proof's; about 400 bytes each."""


class Export(Struct):
    """A proof that needs no node: only the hash or the validators of one block."""

    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)]
    """Format of the file: 1."""
    record: RecordClaim | None = None
    """What is claimed of a record; None when a receipt is proved."""
    receipt: ReceiptClaim | None = None
    """What is claimed of a receipt; None when a record is proved."""
    receipts_root: Hash32
    """Root over the receipts of the last block that had any."""
    state_root: Hash32
    """Root of the state tree."""
    block: Header
    """Header of the block after which the claim holds."""
    blocks: Annotated[tuple[LightBlock, ...], Meta(min_length=1, max_length=BLOCKS_MAX)]
    """Light blocks, rising; the last is the one after `block`, and its header has the app hash."""
    back: Annotated[tuple[Header, ...], Meta(max_length=BACK_MAX)] = ()
    """Headers from a later trusted one down to the second after `block`; often none."""

    @property
    def sealing(self) -> LightBlock:
        """The light block whose header has the app hash."""
        return self.blocks[-1]

    def to_bytes(self) -> bytes:
        """The file."""
        return sealed(encode(self))

    def ics23(self) -> bytes:
        """The claim about a record as ICS 23 proofs up to the app hash."""
        if self.record is None:
            raise BadAnswer("only proofs of records have an ICS 23 form")
        return merkle_proof(
            self.record, receipts_root=self.receipts_root, state_root=self.state_root
        )


class Trusted(Struct):
    """What a verifier trusts: one block by its hash, or the validators of its height, or both."""

    chain_id: Annotated[str, Meta(max_length=50)]
    """Name of the chain; empty when the hash alone says it."""
    height: EngineHeight
    """Height of the block, e.g. 1."""
    hash: Hash32 | None = None
    """Hash of its header; None when only its validators are known."""
    validators: Validators = ()
    """Validators of its height; empty when only its hash is known."""

    @classmethod
    def of(cls, block: LightBlock) -> Trusted:
        """Trust in a block that one has checked oneself."""
        header = block.header
        return cls(
            chain_id=header.chain_id,
            height=header.height,
            hash=header.hash,
            validators=block.validators,
        )

    def fits(self, header: Header) -> bool:
        """Whether a header is the one that is trusted, as far as hash and validators tell."""
        if self.chain_id and header.chain_id != self.chain_id:
            return False
        if self.hash is not None and header.hash != self.hash:
            return False
        return not self.validators or validators_hash(self.validators) == header.validators_hash


def export_from_bytes(data: bytes) -> Export:
    """Read a file; `BadAnswer` says what is wrong with it."""
    body = data[:-HASH_BYTES]
    if sealed(body) != data:
        raise BadAnswer("not a proof, or a changed one: the hash at its end is another")
    try:
        return decode_canonical(Export, body)
    except CodecError as problem:
        raise BadAnswer(f"not a proof: {problem}") from None


def sealed(body: bytes) -> bytes:
    """A file: what is encoded, and its hash."""
    return body + hashlib.sha256(body).digest()


def trust_to_json(trust: Trusted | LightBlock) -> bytes:
    """Trust as a file for people."""
    return to_json(trust)


def trust_from_json(data: bytes) -> Trusted | LightBlock:
    """Read such a file: a light block, or height with hash or validators."""
    try:
        return from_json(LightBlock, data)
    except CodecError:
        pass
    try:
        return from_json(Trusted, data)
    except CodecError as problem:
        raise BadAnswer(f"not a trusted block: {problem}") from None


def make_export(
    claim: RecordClaim | ReceiptClaim,
    seal: Seal,
    archive: LightArchive,
    *,
    sealing: int,
    trusted: int | None = None,
) -> Export:
    """Put a proof together with the light blocks that a verifier of block `trusted` needs.

    `sealing` is the height of the header that has the seal's app hash. Trusted is the archive's
    first block unless a height is given. `NoSuchBlock` when the archive lacks a block.
    """
    last = _need(archive, sealing)
    blocks, back = _way(archive, archive.base() if trusted is None else trusted, last)
    return Export(
        format=FORMAT,
        record=claim if isinstance(claim, RecordClaim) else None,
        receipt=claim if isinstance(claim, ReceiptClaim) else None,
        receipts_root=seal.receipts_root,
        state_root=seal.state_root,
        block=_need(archive, sealing - 1).header,
        blocks=blocks,
        back=back,
    )


def _way(
    archive: LightArchive, trusted: int, last: LightBlock
) -> tuple[tuple[LightBlock, ...], tuple[Header, ...]]:
    """Light blocks forward from the trusted height, or headers back from it."""
    if trusted > last.height:
        if trusted - last.height > BACK_MAX:
            raise BadAnswer(f"block {trusted} is more than {BACK_MAX} blocks after the proof's")
        heights = range(trusted, last.height, -1)
        return (last,), tuple([_need(archive, height).header for height in heights])
    way = [_need(archive, trusted)]
    while way[-1].height < last.height:
        way.append(_farthest(archive, way[-1], last))
    return tuple(way), ()


def _farthest(archive: LightArchive, trusted: LightBlock, last: LightBlock) -> LightBlock:
    """A late block that is believed from a trusted one in one step: halving the way until it is."""
    block = last
    while not reaches(trusted, block) and block.height > trusted.height + 1:
        block = _need(archive, (trusted.height + block.height) // 2)
    return block


def _need(archive: LightArchive, height: int) -> LightBlock:
    """A block of the archive."""
    found = archive.get(height)
    if found is None:
        raise NoSuchBlock(height=height, last=archive.height())
    return found
