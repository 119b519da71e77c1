"""docs/reference/formats.md: the code makes the golden vectors, and so do the page's own rules."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tallystick.accel import load
from tallystick.gateway.wire import read_token
from tallystick.ledger.genesis import first_records
from tallystick.values.codec import decode_key
from tests.ledger.made_formats import chain, genesis, vectors

ROOT = Path(__file__).parents[2]
GOLDEN: dict[str, Any] = json.loads(
    (ROOT / "tests" / "vectors" / "formats.json").read_text(encoding="utf-8")
)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def raw(*path: str | int) -> bytes:
    """A golden vector as bytes."""
    found: Any = GOLDEN
    for part in path:
        found = found[part]
    return bytes.fromhex(found)


def unpacked(data: bytes) -> Any:
    """MessagePack without our structs."""
    return msgspec.msgpack.decode(data)


def packed(value: object) -> bytes:
    return msgspec.msgpack.encode(value)


def simple_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, as the page says it."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return sha256(b"\x00", leaves[0])
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    return sha256(b"\x01", simple_root(leaves[:half]), simple_root(leaves[half:]))


@pytest.mark.parametrize("part", sorted(GOLDEN))
def test_the_code_makes_the_golden_vectors(part: str) -> None:
    """Changed on purpose? Then a format number and an ADR, and `tests/ledger/made_formats.py`."""
    assert vectors()[part] == GOLDEN[part]


# --- the rules of the page, with nothing but a hash function


def test_a_bundle_holds_transactions_as_they_travel_and_a_tick_holds_none() -> None:
    number, note, transactions = unpacked(raw("bundle", "bundle"))
    assert (number, note) == (1, 2)
    assert transactions == unpacked(raw("blocks", 0, "entry"))["transactions"][1:]
    assert packed([number, note, transactions]) == raw("bundle", "bundle")
    assert raw("bundle", "tick") == packed([1, 258, []])


def test_keys() -> None:
    assert raw("record_keys", 0, "key") == b"\x02cash.balance\0\1\x02S1\0\1\x02CNY@CB\0\1"
    due = (1_783_044_000_000 + 2**63).to_bytes(8, "big")
    timer = b"\x02ledger.timer\0\1\x03" + due + b"\x02tmr-0123456789abcdef\0\1"
    assert raw("record_keys", 1, "key") == timer
    below_zero = b"\x03\x7f" + b"\xff" * 7
    assert raw("record_keys", 2, "key") == b"\x02a\0\1\x02x\0\xffy\0\1" + below_zero + b"\x04\x05"
    assert raw("record_keys", 4, "key") == b"\x02members.key\0\1\x01\0\xff\xff\0\1"
    assert decode_key(raw("record_keys", 2, "key")) == ("a", "x\0y", -1, False, True)


def test_the_chain_is_named_after_its_genesis() -> None:
    encoded = raw("genesis", "encoded")
    assert raw("genesis", "hash") == sha256(encoded)
    assert GOLDEN["genesis"]["chain_id"] == "golden-" + sha256(encoded).hex()[:8]
    assert unpacked(encoded)["apps"] == [["cash", 1]]
    assert [unpacked(each)["type"] for each in unpacked(encoded)["records"]] == [
        "cash.balance.1",
        "cash.supply.1",
    ]
    assert genesis().chain_id == GOLDEN["genesis"]["chain_id"]


def test_a_transaction_is_signed_and_named_by_its_body() -> None:
    number, body, signatures = unpacked(raw("transaction", "transaction"))
    assert (number, body) == (1, raw("transaction", "body"))
    signed = b"tallystick/tx/1" + body
    assert raw("transaction", "id") == sha256(signed)
    keys = [key for _, key, _ in signatures]
    assert keys == sorted(keys)
    assert [key.hex() for key in keys] == GOLDEN["transaction"]["public_keys"]
    for suite, key, signature in signatures:
        assert suite == 1
        assert load().verify(key, signed, signature)
    call = {
        "party": "S1",
        "message": {
            "type": "cash.hold.1",
            "money": "CNY@CB",
            "amount_minor": 60_000,
            "purpose": "deposit",
            "expires_at_ms": 1_783_044_000_000,
        },
    }
    assert packed(unpacked(body)) == body
    assert unpacked(body) == {
        "chain_id": GOLDEN["genesis"]["chain_id"],
        "sender": "S1",
        "reference": "order 17",
        "expires_at_ms": 1_783_041_000_000,
        "calls": [call],
    }


def test_ids_follow_from_their_origin() -> None:
    for each in GOLDEN["ids"]:
        place = each["call"].to_bytes(4, "big") + each["counter"].to_bytes(4, "big")
        hashed = sha256(b"tallystick/id/1", bytes.fromhex(each["origin"]), place)
        assert each["id"] == f"{each['prefix']}-{hashed[:8].hex()}"
    made = sha256(b"tallystick/id/1", raw("transaction", "id"), bytes(8))
    assert unpacked(raw("blocks", 0, "receipts", 0))["ids"] == [f"hold-{made[:8].hex()}"]


@pytest.mark.parametrize("number", (0, 1))
def test_a_block_holds_together(number: int) -> None:
    block = GOLDEN["blocks"][number]
    receipts = [bytes.fromhex(each) for each in block["receipts"]]
    assert raw("blocks", number, "receipts_root") == simple_root(receipts)
    app_hash = simple_root(
        [
            b"\x08receipts\x20" + sha256(raw("blocks", number, "receipts_root")),
            b"\x05state\x20" + sha256(raw("blocks", number, "state_root")),
        ]
    )
    signed = raw("blocks", number, "header")
    domain = b"tallystick/header/1"
    assert signed.startswith(domain)
    header = unpacked(signed.removeprefix(domain))
    assert header["app_hash"] == app_hash
    assert raw("blocks", number, "header_hash") == sha256(signed)
    assert load().verify(genesis().node_key or b"", signed, raw("blocks", number, "signature"))
    entry = unpacked(raw("blocks", number, "entry"))
    assert entry["header"] == header
    ids = [sha256(b"tallystick/tx/1", unpacked(each)[1]) for each in entry.get("transactions", [])]
    assert header["transactions_root"] == simple_root(ids)
    before = bytes(32) if number == 0 else raw("blocks", 0, "header_hash")
    assert header["previous_hash"] == before
    for receipt, changes in zip(receipts, entry["changes"], strict=True):
        expected = sha256(packed(changes)) if changes else None
        assert unpacked(receipt).get("changes_hash") == expected


def test_the_timer_acts_from_its_own_id() -> None:
    receipt = unpacked(raw("blocks", 1, "receipts", 0))
    hashed = sha256(b"tallystick/id/1", raw("transaction", "id"), bytes(4), b"\0\0\0\1")
    assert receipt["timer_id"] == f"tmr-{hashed[:8].hex()}"
    assert "transaction_id" not in receipt


def test_used_references_are_chained() -> None:
    running = bytes(32)
    for sender, reference, made in GOLDEN["used_minute"]["uses"]:
        running = sha256(running, packed([sender, reference, bytes.fromhex(made)]))
    record = unpacked(raw("used_minute", "record"))
    assert (record["count"], record["running_hash"]) == (2, running)
    assert record["minute"] == 1_783_041_000_000 // 60_000


def test_the_leaf_of_a_record() -> None:
    leaf = sha256(b"JMT::LeafNode", sha256(raw("tree", "key")), sha256(raw("tree", "record")))
    assert raw("tree", "leaf") == leaf
    other = sha256(b"JMT::LeafNode", raw("tree", "other_key_hash"), raw("tree", "record_hash"))
    places = sorted([(raw("tree", "key_hash"), leaf), (raw("tree", "other_key_hash"), other)])
    assert raw("tree", "internal_of_both_leaves") == sha256(
        b"JMT::IntrnalNode", *(each for _, each in places)
    )


def test_the_state_root_is_that_of_what_the_blocks_left() -> None:
    """Genesis records and the ledger's own, then every change of the log, in a tree by hand."""
    played = chain()
    state = first_records(played.ledger.genesis, played.ledger.rules.record_types)
    for entry in played.entries:
        for key, after in [*(c for changes in entry.changes for c in changes), *entry.own_changes]:
            state.pop(key, None)
            if after is not None:
                state[key] = after
        assert entry.state_root == sparse_root(
            sorted((sha256(key), sha256(record)) for key, record in state.items()), 0
        )


def sparse_root(leaves: list[tuple[bytes, bytes]], depth: int) -> bytes:
    """The state tree, as the page says it."""
    if not leaves:
        return b"SPARSE_MERKLE_PLACEHOLDER_HASH__"
    if len(leaves) == 1:
        return sha256(b"JMT::LeafNode", *leaves[0])
    sides: tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]] = ([], [])
    for leaf in leaves:
        sides[leaf[0][depth // 8] >> (7 - depth % 8) & 1].append(leaf)
    return sha256(b"JMT::IntrnalNode", *(sparse_root(side, depth + 1) for side in sides))


def climb(path: dict[str, Any]) -> bytes:
    """The state root that a path leads to."""
    value = sha256(b"JMT::LeafNode", path["key_hash"], path["record_hash"])
    for is_left, other in path.get("steps", []):
        pair = (other, value) if is_left else (value, other)
        value = sha256(b"JMT::IntrnalNode", *pair)
    return value


def test_a_proof_of_a_record() -> None:
    proof = unpacked(raw("proofs", "present"))
    assert proof["key"] == raw("record_keys", 0, "key")
    assert proof["path"]["key_hash"] == sha256(proof["key"])
    assert proof["path"]["record_hash"] == sha256(proof["record"])
    assert climb(proof["path"]) == proof["seal"]["state_root"] == raw("blocks", 0, "state_root")
    assert unpacked(proof["record"])["held_minor"] == 60_000


def test_a_proof_that_there_is_none() -> None:
    proof = unpacked(raw("proofs", "absent"))
    assert "record" not in proof
    neighbours = [proof[side] for side in ("left", "right") if side in proof]
    assert neighbours
    assert {climb(each) for each in neighbours} == {raw("blocks", 0, "state_root")}
    wanted = sha256(proof["key"])
    assert "left" not in proof or proof["left"]["key_hash"] < wanted
    assert "right" not in proof or proof["right"]["key_hash"] > wanted


def test_a_proof_of_a_receipt() -> None:
    proof = unpacked(raw("proofs", "receipt"))
    value = sha256(b"\x00", packed(proof["receipt"]))
    for is_left, other in proof["steps"]:
        value = sha256(b"\x01", *((other, value) if is_left else (value, other)))
    assert value == proof["seal"]["receipts_root"] == raw("blocks", 0, "receipts_root")
    assert (proof["position"], proof["count"]) == (0, 2)
    header = packed(proof["seal"]["header"])
    assert raw("blocks", 0, "header") == b"tallystick/header/1" + header


def test_lists_have_simple_roots() -> None:
    for each in GOLDEN["merkle"]:
        leaves = [bytes.fromhex(leaf) for leaf in each["leaves"]]
        assert bytes.fromhex(each["root"]) == simple_root(leaves)


def test_a_read_token_opens() -> None:
    header = GOLDEN["read_token"]["authorization"]
    suite, reading, key, signature = unpacked(base64.urlsafe_b64decode(header.split(" ")[1]))
    signed = b"tallystick/read/1" + packed(reading)
    assert signed == raw("read_token", "signed")
    assert suite == 1
    assert load().verify(key, signed, signature)
    assert read_token(header).reading.target == reading["target"]


def test_fingerprints_and_commitments() -> None:
    told = GOLDEN["fingerprint"]
    fields = packed([told["seller_number"], "INV001", ""])
    assert raw("fingerprint", "strict") == sha256(b"tallystick/fingerprint/1/strict", fields)
    relaxed = packed(["91330212MA4TT41A", "1NV1", ""])
    assert raw("fingerprint", "relaxed") == sha256(b"tallystick/fingerprint/1/relaxed", relaxed)
    assert raw("fingerprint", "particulars") == sha256(
        b"tallystick/particulars/1", packed([told["buyer_number"], told["date"]])
    )
    leaves = [
        sha256(b"tallystick/field/1", packed([name, value, bytes.fromhex(salt)]))
        for name, value, salt in GOLDEN["commitment"]["fields"]
    ]
    assert raw("commitment", "root") == simple_root(leaves)


def test_every_vector_shown_is_named_in_the_page() -> None:
    """tests/docs compares the bytes; here: the page shows each kind of thing."""
    page = (ROOT / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
    shown = {each.split(".")[0] for each in re.findall(r"<!-- vector: (\S+) -->", page)}
    assert shown >= set(GOLDEN) - {"about", "ids", "merkle"}
    for each in GOLDEN["ids"]:
        assert f"`{each['id']}`" in page
