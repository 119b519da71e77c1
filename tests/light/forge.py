"""Chains made by whoever has the keys: honest ones, and those of liars."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.engine.cometbft.light.blocks import (
    BlockId,
    Commit,
    CommitSig,
    Flag,
    Header,
    LightBlock,
    PartSet,
    Validator,
    in_order,
    validators_hash,
    vote_bytes,
)

CHAIN_ID = "forge-01234567"
GENESIS_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000
NO_VOTE = CommitSig(flag=Flag.ABSENT, address=b"", time_seconds=0, time_nanos=0, signature=b"")
NOTHING = hashlib.sha256(b"").digest()


@dataclass(frozen=True)
class Signer:
    """A validator's secret."""

    number: int
    power: int = 10

    @property
    def secret(self) -> Ed25519PrivateKey:
        return _secret(self.number)

    @property
    def validator(self) -> Validator:
        return Validator(public_key=self.secret.public_key().public_bytes_raw(), power=self.power)


@cache
def _secret(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))


Signers = Sequence[Signer]


def signers(*numbers: int, power: int = 10) -> tuple[Signer, ...]:
    """Validators of equal power."""
    return tuple(Signer(number, power) for number in numbers)


def set_of(who: Signers) -> tuple[Validator, ...]:
    """As CometBFT lists them."""
    return in_order(tuple([each.validator for each in who]))


def block_id_of(hash_: bytes) -> BlockId:
    return BlockId(hash=hash_, parts=PartSet(total=1, hash=hashlib.sha256(hash_).digest()))


def header(
    height: int,
    who: Signers,
    next_: Signers,
    *,
    before: Header | None = None,
    app_hash: bytes = bytes(32),
    time_ns: int | None = None,
    chain_id: str = CHAIN_ID,
) -> Header:
    """A header that such validators may sign."""
    nobody = BlockId(hash=b"", parts=PartSet(total=0, hash=b""))
    return Header(
        block_version=11,
        app_version=1,
        chain_id=chain_id,
        height=height,
        time_ns=GENESIS_NS + height * SECOND_NS if time_ns is None else time_ns,
        last_block_id=nobody if before is None else block_id_of(before.hash),
        last_commit_hash=NOTHING,
        data_hash=NOTHING,
        validators_hash=validators_hash(set_of(who)),
        next_validators_hash=validators_hash(set_of(next_)),
        consensus_hash=NOTHING,
        app_hash=app_hash,
        last_results_hash=NOTHING,
        evidence_hash=NOTHING,
        proposer_address=set_of(who)[0].address,
    )


def signed(
    made: Header,
    who: Signers,
    *,
    absent: Sequence[int] = (),
    nil: Sequence[int] = (),
    signs_for: str | None = None,
    block_id: BlockId | None = None,
    times: Mapping[int, int] = {},
) -> LightBlock:
    """The header with the votes of all, except those (by number) that voted for nothing."""
    target = block_id or block_id_of(made.hash)
    by_key = {each.validator.public_key: each for each in who}
    votes = []
    for place, validator in enumerate(set_of(who)):
        signer = by_key[validator.public_key]
        if signer.number in absent:
            votes.append(NO_VOTE)
            continue
        is_nil = signer.number in nil
        time_ns = times.get(signer.number, made.time_ns + place)
        message = vote_bytes(
            signs_for or made.chain_id,
            made.height,
            0,
            None if is_nil else target,
            time_ns=time_ns,
        )
        votes.append(
            CommitSig(
                flag=Flag.NIL if is_nil else Flag.COMMIT,
                address=validator.address,
                time_seconds=time_ns // SECOND_NS,
                time_nanos=time_ns % SECOND_NS,
                signature=signer.secret.sign(message),
            )
        )
    commit = Commit(height=made.height, round=0, block_id=target, signatures=tuple(votes))
    return LightBlock(header=made, commit=commit, validators=set_of(who))


def chain(
    sets: Sequence[Signers], app_hashes: Sequence[bytes] = (), chain_id: str = CHAIN_ID
) -> list[LightBlock]:
    """Blocks 1, 2, … of which the validators are given; the last set signs on."""
    blocks: list[LightBlock] = []
    for place, who in enumerate(sets):
        made = header(
            place + 1,
            who,
            sets[min(place + 1, len(sets) - 1)],
            before=blocks[-1].header if blocks else None,
            app_hash=app_hashes[place] if place < len(app_hashes) else bytes(32),
            chain_id=chain_id,
        )
        blocks.append(signed(made, who))
    return blocks
