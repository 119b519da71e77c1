"""When a header of CometBFT is believed: forward by votes, backward by hashes. Pure.

Rules: CometBFT v0.38, spec/light-client/verification/verification_002_draft.md: `check_block` and
`verify_forward` are [LCV-FUNC-VALID.1], the overlap is [LCV-FUNC-VALID.1]'s `trustLevel`,
`verify_backward` follows light/verifier.go `VerifyBackwards`. One rule is stricter: every vote of a
commit must verify, not only those that are needed, so that no byte of a light block can be changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tallystick.accel import verify_batch
from tallystick.engine.cometbft.light.blocks import (
    POWER_MAX,
    Commit,
    CommitSig,
    Flag,
    Header,
    LightBlock,
    Validator,
    total_power,
    validators_hash,
    vote_bytes,
)
from tallystick.errors import HeaderRefused, TrustExpired, TrustTooFar

BLOCK_VERSION = 11
"""Block protocol of CometBFT 0.38 to 0.40."""
DAY_NS = 86_400 * 1_000_000_000
TRUSTING_NS = 14 * DAY_NS
"""How long validators are held to what they signed, unless told otherwise."""
DRIFT_NS = 10 * 1_000_000_000
"""How far ahead of the verifier's clock a header may be."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How far trust reaches forward."""

    now_ns: int
    """The verifier's time, in nanoseconds since 1970 UTC."""
    trusting_ns: int = TRUSTING_NS
    """How old a trusted header may be when one goes forward from it, in nanoseconds."""
    drift_ns: int = DRIFT_NS
    """How far ahead of `now_ns` a header may be, in nanoseconds."""


def check_block(block: LightBlock, chain_id: str) -> None:
    """See that a light block is whole: of this chain, its validators' own, and signed by them.

    That alone does not make it the chain's block: those validators may be anybody's.
    """
    header = block.header
    if header.chain_id != chain_id:
        raise HeaderRefused(header.height, f"it is of chain {header.chain_id}, not of {chain_id}")
    _check_header(header)
    check_validators(block.validators, header.height)
    if validators_hash(block.validators) != header.validators_hash:
        raise HeaderRefused(header.height, "the validators are not those that it names")
    check_commit(block, chain_id)


def _check_header(header: Header) -> None:
    """Header.ValidateBasic: what the types of the fields do not say already."""
    last = header.last_block_id
    if header.block_version != BLOCK_VERSION:
        raise HeaderRefused(header.height, f"block protocol {header.block_version} is not known")
    if len(last.hash) not in (0, 32) or len(last.parts.hash) not in (0, 32):
        raise HeaderRefused(header.height, "the block before has a hash of a wrong length")


def check_validators(validators: tuple[Validator, ...], height: int) -> None:
    """A set has somebody, nobody twice, and no more power than CometBFT counts."""
    if not validators:
        raise HeaderRefused(height, "it has no validators")
    if len({each.public_key for each in validators}) != len(validators):
        raise HeaderRefused(height, "a validator is listed twice")
    if total_power(validators) > POWER_MAX:
        raise HeaderRefused(height, "its validators have too much power")


def check_commit(block: LightBlock, chain_id: str) -> None:
    """More than two thirds of the block's own validators voted for it, and every vote is theirs."""
    header, commit, validators = block.header, block.commit, block.validators
    height = header.height
    if commit.height != height:
        raise HeaderRefused(height, f"the votes are for height {commit.height}")
    if commit.block_id.hash != header.hash:
        raise HeaderRefused(height, "the votes are for another block")
    if len(commit.block_id.parts.hash) != 32 or not commit.block_id.parts.total:
        raise HeaderRefused(height, "the votes name no parts of the block")
    if len(commit.signatures) != len(validators):
        raise HeaderRefused(height, "there is not one place for each validator's vote")
    power, signed = 0, []
    for validator, vote in zip(validators, commit.signatures, strict=True):
        _check_place(validator, vote, height)
        if vote.flag is Flag.ABSENT:
            continue
        message = _vote_message(chain_id, commit, vote)
        signed.append((validator.public_key, message, vote.signature))
        if vote.flag is Flag.COMMIT:
            power += validator.power
    total = total_power(validators)
    if not 3 * power > 2 * total:
        raise HeaderRefused(height, f"it has {power} of {total} votes: not enough")
    if not all(verify_batch(signed)):
        raise HeaderRefused(height, "a validator's signature is not good")


def _check_place(validator: Validator, vote: CommitSig, height: int) -> None:
    """CommitSig.ValidateBasic, and that the place is this validator's."""
    if vote.flag is Flag.ABSENT:
        if vote.address or vote.time_ns or vote.signature:
            raise HeaderRefused(height, "an absent vote says something")
    elif vote.address != validator.address:
        raise HeaderRefused(height, "a vote stands in another validator's place")
    elif len(vote.signature) != 64:
        raise HeaderRefused(height, "a signature has a wrong length")


def _vote_message(chain_id: str, commit: Commit, vote: CommitSig) -> bytes:
    """What the vote's validator signed."""
    block_id = commit.block_id if vote.flag is Flag.COMMIT else None
    return vote_bytes(chain_id, commit.height, commit.round, block_id, time_ns=vote.time_ns)


def overlap(trusted: tuple[Validator, ...], block: LightBlock) -> int:
    """Power in the trusted set of those who voted for a block."""
    power = {each.public_key: each.power for each in trusted}
    return sum(
        power.get(validator.public_key, 0)
        for validator, vote in zip(block.validators, block.commit.signatures, strict=True)
        if vote.flag is Flag.COMMIT
    )


def reaches(trusted: LightBlock, block: LightBlock) -> bool:
    """Whether one step leads from a trusted block to a later one, apart from time."""
    if block.height == trusted.height + 1:
        return block.header.validators_hash == trusted.header.next_validators_hash
    return 3 * overlap(trusted.validators, block) > total_power(trusted.validators)


def check_fresh(trusted: Header, terms: Terms) -> None:
    """One may only go forward from a header whose validators can still be held to it."""
    if trusted.time_ns + terms.trusting_ns <= terms.now_ns:
        raise TrustExpired(trusted.height, trusted.time_ns, terms.trusting_ns)


def verify_forward(trusted: LightBlock, block: LightBlock, terms: Terms) -> None:
    """Believe a later block, adjacent or not, from a trusted one.

    `TrustTooFar` when too few of the trusted validators signed it: then a block between is needed.
    """
    check_fresh(trusted.header, terms)
    header = block.header
    if header.height <= trusted.height:
        raise HeaderRefused(header.height, f"it is not after block {trusted.height}")
    if header.time_ns <= trusted.header.time_ns:
        raise HeaderRefused(header.height, "its time is not after that of an earlier block")
    if header.time_ns >= terms.now_ns + terms.drift_ns:
        raise HeaderRefused(header.height, "its time lies in the future")
    check_block(block, trusted.header.chain_id)
    if reaches(trusted, block):
        return
    if header.height == trusted.height + 1:
        raise HeaderRefused(header.height, "its validators are not those that the block before set")
    raise TrustTooFar(trusted.height, header.height)


def follow(trusted: LightBlock, blocks: Iterable[LightBlock], terms: Terms) -> LightBlock:
    """Believe blocks one after the other; the last one."""
    for block in blocks:
        verify_forward(trusted, block, terms)
        trusted = block
    return trusted


def verify_backward(newer: Header, older: Header) -> None:
    """Believe the block before a believed one: its hash stands in it. Time does not matter."""
    _check_header(older)
    if older.chain_id != newer.chain_id:
        raise HeaderRefused(older.height, f"it is of chain {older.chain_id}")
    if older.height != newer.height - 1:
        raise HeaderRefused(older.height, f"it is not the block before block {newer.height}")
    if older.time_ns >= newer.time_ns:
        raise HeaderRefused(older.height, "its time is not before that of the next block")
    if older.hash != newer.last_block_id.hash:
        raise HeaderRefused(older.height, f"block {newer.height} names another block before it")
