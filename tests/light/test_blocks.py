"""Hashes and signed bytes: CometBFT's own examples, and blocks of a real chain."""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tallystick.engine.cometbft.light.blocks import (
    BlockId,
    Flag,
    Header,
    PartSet,
    in_order,
    validators_hash,
    vote_bytes,
)
from tallystick.engine.cometbft.light.rpcform import (
    commit_result,
    light_block,
    priorities,
    read_time,
    validators_result,
    write_time,
)
from tallystick.errors import BadAnswer
from tallystick.values.codec import decode_canonical, encode
from tests.light.vectors import RECORDED, recorded

YEAR_1_NS = -62_135_596_800 * 1_000_000_000
"""Go's zero time, which CometBFT's examples of votes have."""


def digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def test_the_hash_of_a_header_is_cometbfts_own() -> None:
    """types/block_test.go, TestHeaderHash."""
    made = Header(
        block_version=1,
        app_version=2,
        chain_id="chainId",
        height=3,
        time_ns=1_570_983_284 * 1_000_000_000,  # 2019-10-13 16:14:44 UTC
        last_block_id=BlockId(hash=bytes(32), parts=PartSet(total=6, hash=bytes(32))),
        last_commit_hash=digest("last_commit_hash"),
        data_hash=digest("data_hash"),
        validators_hash=digest("validators_hash"),
        next_validators_hash=digest("next_validators_hash"),
        consensus_hash=digest("consensus_hash"),
        app_hash=digest("app_hash"),
        last_results_hash=digest("last_results_hash"),
        evidence_hash=digest("evidence_hash"),
        proposer_address=digest("proposer_address")[:20],
    )
    expected = "F740121F553B5418C3EFBD343C2DBFE9E007BB67B0D020A0741374BAB65242A4"
    assert made.hash.hex().upper() == expected


@pytest.mark.parametrize(
    ("chain_id", "height", "round_", "kind", "expected"),
    (
        ("", 0, 0, 0, "0d2a0b088092b8c398feffffff01"),
        ("", 1, 1, 2, "2108021101000000000000001901000000000000002a0b088092b8c398feffffff01"),
        ("", 1, 1, 1, "2108011101000000000000001901000000000000002a0b088092b8c398feffffff01"),
        ("", 1, 1, 0, "1f1101000000000000001901000000000000002a0b088092b8c398feffffff01"),
        (
            "test_chain_id",
            1,
            1,
            0,
            (
                "2e110100000000000000190100000000000000"
                "2a0b088092b8c398feffffff01"
                "320d746573745f636861696e5f6964"
            ),
        ),
    ),
)
def test_what_a_vote_signs_is_cometbfts_own(
    chain_id: str, height: int, round_: int, kind: int, expected: str
) -> None:
    """types/vote_test.go, TestVoteSignBytesTestVectors."""
    made = vote_bytes(chain_id, height, round_, None, time_ns=YEAR_1_NS, kind=kind)
    assert made.hex() == expected


def test_no_validators_hash_to_nothing() -> None:
    """types/validator_set_test.go, TestValidatorSetBasic."""
    assert validators_hash(()) == sha256(b"").digest()


def test_every_recorded_block_has_the_hash_that_the_next_one_names() -> None:
    blocks = recorded()
    for older, newer in pairwise(blocks):
        assert older.header.hash == newer.header.last_block_id.hash == older.commit.block_id.hash
        assert validators_hash(newer.validators) == older.header.next_validators_hash
        assert in_order(newer.validators) == newer.validators
    assert {vote.flag for block in blocks for vote in block.commit.signatures} == {
        Flag.ABSENT,
        Flag.COMMIT,
    }


@pytest.mark.parametrize("place", range(len(RECORDED["blocks"])))
def test_a_block_has_one_encoding_and_goes_back_into_the_rpcs_json(place: int) -> None:
    raw = RECORDED["blocks"][place]
    block = recorded()[place]
    assert decode_canonical(type(block), encode(block)) == block
    assert commit_result(block) == {**raw["commit"], "canonical": True}
    turns = priorities(raw["validators"]["validators"])
    assert validators_result(block, turns, page=1, per_page=100) == raw["validators"]


def test_validators_are_told_in_pages() -> None:
    block = recorded()[5]
    told: list[Any] = []
    for page in (1, 2, 3, 4):
        answer = validators_result(block, (0,) * 5, page=page, per_page=2)
        assert answer["total"] == "5"
        assert answer["count"] == str(len(answer["validators"]))
        told += answer["validators"]
    assert len(told) == 5


@pytest.mark.parametrize(
    "text",
    (
        "2026-11-22T17:28:01.5Z",
        "1970-01-01T00:00:00Z",
        "2026-11-22T17:28:01.123456789Z",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59.000000001Z",
        "9999-12-31T23:59:59Z",
    ),
)
def test_times_are_written_as_they_were_read(text: str) -> None:
    assert write_time(*read_time(text)) == text


def spoiled(change: str) -> tuple[Any, Any]:
    """A recorded answer with one thing wrong."""
    raw = json.loads(json.dumps(RECORDED["blocks"][3]))
    signed = raw["commit"]["signed_header"]
    match change:
        case "hash":
            signed["header"]["app_hash"] = "xyz"
        case "long hash":
            signed["header"]["data_hash"] = "00" * 33
        case "time":
            signed["header"]["time"] = "2026-11-22 17:28:01"
        case "month":
            signed["header"]["time"] = "2026-13-22T17:28:01Z"
        case "height":
            signed["header"]["height"] = "0"
        case "flag":
            signed["commit"]["signatures"][0]["block_id_flag"] = 4
        case "key":
            raw["validators"]["validators"][0]["pub_key"]["type"] = "tendermint/PubKeySecp256k1"
        case "missing":
            del signed["commit"]
        case "nothing":
            raw["commit"] = None
    return raw["commit"], raw["validators"]["validators"]


@pytest.mark.parametrize(
    "change",
    ("hash", "long hash", "time", "month", "height", "flag", "key", "missing", "nothing"),
)
def test_an_answer_that_is_no_light_block_is_said(change: str) -> None:
    with pytest.raises(BadAnswer, match="not a light block"):
        light_block(*spoiled(change))


def test_the_page_of_vectors_names_the_file() -> None:
    page = Path(__file__).parent.parent / "vectors" / "README.md"
    assert "light_blocks.json" in page.read_text(encoding="utf-8")
