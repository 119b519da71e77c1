"""Light blocks in the JSON of CometBFT's RPC, both ways: `commit` and `validators`.

Its numbers of 64 bits are strings, hashes upper hex, keys and signatures base64, times RFC 3339
with up to nine digits of a second (CometBFT v0.38, rpc/openapi/openapi.yaml).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick.engine.cometbft.light.blocks import (
    SECOND_NS,
    BlockId,
    Commit,
    CommitSig,
    Flag,
    Header,
    LightBlock,
    PartSet,
    Validator,
)
from tallystick.errors import BadAnswer
from tallystick.values.codec import decode, encode
from tallystick.values.errors import CodecError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")
NO_TIME = "0001-01-01T00:00:00Z"
"""What stands where there is no vote."""
KEY_TYPE = "tendermint/PubKeyEd25519"
PER_PAGE_MAX = 100
"""Most validators of one page."""

Json = Mapping[str, Any]


def light_block(commit: Json, validators: Sequence[Json]) -> LightBlock:
    """A light block from the result of `commit` and the validators of all pages.

    `BadAnswer` when that is not what they hold; nothing is verified.
    """
    try:
        signed = commit["signed_header"]
        made = LightBlock(
            header=_header(signed["header"]),
            commit=_commit(signed["commit"]),
            validators=tuple([_validator(each) for each in validators]),
        )
        return decode(LightBlock, encode(made))
    except (KeyError, TypeError, ValueError, AttributeError, CodecError) as problem:
        raise BadAnswer(f"not a light block: {problem!r}") from None


def priorities(validators: Sequence[Json]) -> tuple[int, ...]:
    """Whose turn it is to propose, as CometBFT counts it: a number for each validator."""
    try:
        return tuple([int(each["proposer_priority"]) for each in validators])
    except (KeyError, TypeError, ValueError) as problem:
        raise BadAnswer(f"not validators: {problem!r}") from None


def commit_result(block: LightBlock) -> dict[str, Any]:
    """A light block as the result of `commit`."""
    header, commit = block.header, block.commit
    version = {"block": str(header.block_version)}
    if header.app_version:
        version["app"] = str(header.app_version)
    return {
        "signed_header": {
            "header": {
                "version": version,
                "chain_id": header.chain_id,
                "height": str(header.height),
                "time": write_time(*divmod(header.time_ns, SECOND_NS)),
                "last_block_id": _block_id_json(header.last_block_id),
                "last_commit_hash": _hex(header.last_commit_hash),
                "data_hash": _hex(header.data_hash),
                "validators_hash": _hex(header.validators_hash),
                "next_validators_hash": _hex(header.next_validators_hash),
                "consensus_hash": _hex(header.consensus_hash),
                "app_hash": _hex(header.app_hash),
                "last_results_hash": _hex(header.last_results_hash),
                "evidence_hash": _hex(header.evidence_hash),
                "proposer_address": _hex(header.proposer_address),
            },
            "commit": {
                "height": str(commit.height),
                "round": commit.round,
                "block_id": _block_id_json(commit.block_id),
                "signatures": [_vote_json(each) for each in commit.signatures],
            },
        },
        "canonical": True,
    }


def validators_result(
    block: LightBlock, turns: Sequence[int], *, page: int, per_page: int
) -> dict[str, Any]:
    """One page of a light block's validators as the result of `validators`; pages from 1."""
    first = (page - 1) * per_page
    shown = [
        {
            "address": _hex(each.address),
            "pub_key": {"type": KEY_TYPE, "value": base64.b64encode(each.public_key).decode()},
            "voting_power": str(each.power),
            "proposer_priority": str(turn),
        }
        for each, turn in zip(block.validators, turns, strict=True)
    ][first : first + per_page]
    return {
        "block_height": str(block.height),
        "validators": shown,
        "count": str(len(shown)),
        "total": str(len(block.validators)),
    }


def read_time(text: str) -> tuple[int, int]:
    """Seconds since 1970 UTC of an RFC 3339 time, and nanoseconds after that."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time")
    since = datetime.fromisoformat(found[1]).replace(tzinfo=UTC) - _EPOCH
    return since.days * 86_400 + since.seconds, int((found[2] or "").ljust(9, "0"))


def write_time(seconds: int, nanos: int) -> str:
    """An RFC 3339 time as Go writes it: no digit that is not needed."""
    moment = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{moment}{fraction}Z"


def _header(plain: Json) -> Header:
    version = plain["version"]
    seconds, nanos = read_time(plain["time"])
    return Header(
        block_version=int(version["block"]),
        app_version=int(version.get("app", 0)),
        chain_id=plain["chain_id"],
        height=int(plain["height"]),
        time_ns=seconds * SECOND_NS + nanos,
        last_block_id=_block_id(plain["last_block_id"]),
        last_commit_hash=bytes.fromhex(plain["last_commit_hash"]),
        data_hash=bytes.fromhex(plain["data_hash"]),
        validators_hash=bytes.fromhex(plain["validators_hash"]),
        next_validators_hash=bytes.fromhex(plain["next_validators_hash"]),
        consensus_hash=bytes.fromhex(plain["consensus_hash"]),
        app_hash=bytes.fromhex(plain["app_hash"]),
        last_results_hash=bytes.fromhex(plain["last_results_hash"]),
        evidence_hash=bytes.fromhex(plain["evidence_hash"]),
        proposer_address=bytes.fromhex(plain["proposer_address"]),
    )


def _commit(plain: Json) -> Commit:
    return Commit(
        height=int(plain["height"]),
        round=int(plain["round"]),
        block_id=_block_id(plain["block_id"]),
        signatures=tuple([_vote(each) for each in plain["signatures"]]),
    )


def _vote(plain: Json) -> CommitSig:
    flag, written = Flag(plain["block_id_flag"]), plain["timestamp"]
    is_none = flag is Flag.ABSENT and written == NO_TIME
    seconds, nanos = (0, 0) if is_none else read_time(written)
    return CommitSig(
        flag=flag,
        address=bytes.fromhex(plain["validator_address"]),
        time_seconds=seconds,
        time_nanos=nanos,
        signature=base64.b64decode(plain["signature"] or "", validate=True),
    )


def _vote_json(vote: CommitSig) -> dict[str, Any]:
    when = (vote.time_seconds, vote.time_nanos)
    return {
        "block_id_flag": vote.flag.value,
        "validator_address": _hex(vote.address),
        "timestamp": NO_TIME if vote.flag is Flag.ABSENT else write_time(*when),
        "signature": base64.b64encode(vote.signature).decode() or None,
    }


def _block_id(plain: Json) -> BlockId:
    parts = plain["parts"]
    return BlockId(
        hash=bytes.fromhex(plain["hash"]),
        parts=PartSet(total=int(parts["total"]), hash=bytes.fromhex(parts["hash"])),
    )


def _block_id_json(block_id: BlockId) -> dict[str, Any]:
    return {
        "hash": _hex(block_id.hash),
        "parts": {"total": block_id.parts.total, "hash": _hex(block_id.parts.hash)},
    }


def _validator(plain: Json) -> Validator:
    key = plain["pub_key"]
    if key["type"] != KEY_TYPE:
        raise ValueError(f"a key of type {key['type']!r}")
    public_key = base64.b64decode(key["value"], validate=True)
    return Validator(public_key=public_key, power=int(plain["voting_power"]))


def _hex(data: bytes) -> str:
    return data.hex().upper()
