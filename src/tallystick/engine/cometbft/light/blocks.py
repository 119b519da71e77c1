"""Header, commit and validators of CometBFT 0.38: fields, hashes, what a validator signs.

Sources: CometBFT v0.38, spec/core/data_structures.md (fields, checks) and spec/core/encoding.md
(Merkle trees, canonical votes). Addresses are not kept with validators: they follow from keys.
Nothing here is taken on trust: `verify.py` says when a header is believed.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import Annotated

from msgspec import Meta

from tallystick.accel.merkle import merkle_root
from tallystick.engine.cometbft.light import wire
from tallystick.values.codec import Struct
from tallystick.values.units import INT64_MAX, Hash32, PublicKey

ADDRESS_BYTES = 20
VALIDATORS_MAX = 10_000
"""Most validators of a set; CometBFT's own light client takes as many."""
POWER_MAX = INT64_MAX // 8
"""Most power of a whole set."""
SECOND_NS = 1_000_000_000
YEAR_1_SECONDS, YEAR_10000_SECONDS = -62_135_596_800, 253_402_300_800
"""Bounds of a protobuf timestamp."""
PRECOMMIT = 2
"""The kind of vote that commits are made of."""

AtNs = Annotated[int, Meta(ge=0, le=INT64_MAX)]
EngineHeight = Annotated[int, Meta(ge=1, le=INT64_MAX)]
HashOrNone = Annotated[bytes, Meta(max_length=32)]
Address = Annotated[bytes, Meta(min_length=ADDRESS_BYTES, max_length=ADDRESS_BYTES)]


class PartSet(Struct, array_like=True):
    """Into how many parts a block was cut, and the root over them."""

    total: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    """Number of parts, e.g. 1."""
    hash: HashOrNone
    """Merkle root of the parts; empty in the first block's reference to none."""

    def encoded(self) -> bytes:
        """PartSetHeader, and CanonicalPartSetHeader."""
        return wire.number(1, self.total) + wire.content(2, self.hash)


class BlockId(Struct, array_like=True):
    """Which block is meant."""

    hash: HashOrNone
    """Hash of its header; empty in the first block's reference to none."""
    parts: PartSet
    """Its parts."""

    def encoded(self) -> bytes:
        """BlockID, and CanonicalBlockID of a block that there is."""
        return wire.content(1, self.hash) + wire.message(2, self.parts.encoded())


class Header(Struct):
    """What CometBFT's validators agree on of a block; fourteen fields are hashed."""

    block_version: Annotated[int, Meta(ge=0, le=INT64_MAX)]
    """Version of the block protocol: 11 for CometBFT 0.38."""
    app_version: Annotated[int, Meta(ge=0, le=INT64_MAX)]
    """Version that the application names: 1."""
    chain_id: Annotated[str, Meta(max_length=50)]
    """Name of the chain, e.g. `pilot-0f3a9c21`."""
    height: EngineHeight
    """Number of the block, from 1."""
    time_ns: AtNs
    """Block time, in nanoseconds since 1970 UTC."""
    last_block_id: BlockId
    """The block before; empty in the first."""
    last_commit_hash: Hash32
    """Root over the signatures under the block before."""
    data_hash: Hash32
    """Root over the block's bundles."""
    validators_hash: Hash32
    """Hash of the validators that sign this block."""
    next_validators_hash: Hash32
    """Hash of those that sign the next one."""
    consensus_hash: Hash32
    """Hash of the consensus parameters."""
    app_hash: Annotated[bytes, Meta(max_length=64)]
    """App hash after the block before: under Tallystick 32 bytes."""
    last_results_hash: Hash32
    """Root over the results of the block before."""
    evidence_hash: Hash32
    """Root over evidence of misbehaviour."""
    proposer_address: Address
    """Who proposed the block."""

    @property
    def hash(self) -> bytes:
        """Name of the block: Merkle root of the encoded fields."""
        version = wire.number(1, self.block_version) + wire.number(2, self.app_version)
        hashes = (
            self.last_commit_hash,
            self.data_hash,
            self.validators_hash,
            self.next_validators_hash,
            self.consensus_hash,
            self.app_hash,
            self.last_results_hash,
            self.evidence_hash,
            self.proposer_address,
        )
        return merkle_root(
            [
                version,
                wire.content(1, self.chain_id.encode()),
                wire.number(1, self.height),
                wire.timestamp(self.time_ns),
                self.last_block_id.encoded(),
                *[wire.content(1, each) for each in hashes],
            ]
        )


class Flag(Enum):
    """What a validator's place in a commit holds."""

    ABSENT = 1
    """No vote was received."""
    COMMIT = 2
    """A vote for the block."""
    NIL = 3
    """A vote for no block."""


class CommitSig(Struct, array_like=True):
    """One validator's place in a commit."""

    flag: Flag
    """What it holds."""
    address: Annotated[bytes, Meta(max_length=ADDRESS_BYTES)]
    """Address of the validator; empty when there is no vote."""
    time_seconds: Annotated[int, Meta(ge=YEAR_1_SECONDS, lt=YEAR_10000_SECONDS)]
    """Time of the vote, in seconds since 1970 UTC, as its validator likes; 0 when there is none."""
    time_nanos: Annotated[int, Meta(ge=0, lt=SECOND_NS)]
    """Nanoseconds after that; 0 when there is none."""
    signature: Annotated[bytes, Meta(max_length=64)]
    """Its signature; empty when there is no vote."""

    @property
    def time_ns(self) -> int:
        """Time of the vote, in nanoseconds since 1970 UTC."""
        return self.time_seconds * SECOND_NS + self.time_nanos


class Commit(Struct):
    """The votes that decided a block."""

    height: EngineHeight
    """The block's height."""
    round: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    """Round of voting in which it was decided, from 0."""
    block_id: BlockId
    """The block."""
    signatures: Annotated[tuple[CommitSig, ...], Meta(max_length=VALIDATORS_MAX)]
    """One place for each validator, in the order of the set."""


class Validator(Struct, array_like=True):
    """A key with a vote."""

    public_key: PublicKey
    """Ed25519 key."""
    power: Annotated[int, Meta(ge=1, le=POWER_MAX)]
    """Weight of the vote, e.g. 10."""

    @property
    def address(self) -> bytes:
        """How CometBFT names it: the first 20 bytes of the hash of the key."""
        return hashlib.sha256(self.public_key).digest()[:ADDRESS_BYTES]


Validators = Annotated[tuple[Validator, ...], Meta(max_length=VALIDATORS_MAX)]
"""A validator set in CometBFT's order: by power, falling, then by address."""


class LightBlock(Struct):
    """A header, the votes for it, and who could vote: all that a light client needs."""

    header: Header
    """The block's header."""
    commit: Commit
    """The votes for it."""
    validators: Validators
    """The validators of its height."""

    @property
    def height(self) -> int:
        """The block's height."""
        return self.header.height


def validators_hash(validators: tuple[Validator, ...]) -> bytes:
    """Merkle root over the set, each as SimpleValidator."""
    return merkle_root(
        [
            wire.message(1, wire.content(1, each.public_key)) + wire.number(2, each.power)
            for each in validators
        ]
    )


def in_order(validators: tuple[Validator, ...]) -> tuple[Validator, ...]:
    """The set in CometBFT's order."""
    return tuple(sorted(validators, key=lambda each: (-each.power, each.address)))


def vote_bytes(
    chain_id: str,
    height: int,
    round_: int,
    block_id: BlockId | None,
    *,
    time_ns: int,
    kind: int = PRECOMMIT,
) -> bytes:
    """What a validator signs: CanonicalVote after its length; `block_id` None for no block."""
    return wire.delimited(
        wire.number(1, kind)
        + wire.fixed(2, height)
        + wire.fixed(3, round_)
        + (b"" if block_id is None else wire.message(4, block_id.encoded()))
        + wire.message(5, wire.timestamp(time_ns))
        + wire.content(6, chain_id.encode())
    )


def total_power(validators: tuple[Validator, ...]) -> int:
    """Power of a whole set."""
    return sum(each.power for each in validators)
