"""Makes the golden vectors of docs/reference/formats.md from the code, always the same.

    python -m tests.ledger.made_formats > tests/vectors/formats.json

writes them anew: only together with a format number and an ADR, once a release is out.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.accel import load
from tallystick.accel.merkle import merkle_root
from tallystick.accel.nodes import hash_internal, hash_leaf
from tallystick.apps.cash import APP as CASH
from tallystick.apps.cash.messages import Hold
from tallystick.apps.cash.records import Balance, Supply
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.bundle import encode_bundle, encode_tick
from tallystick.formats.commitment import disclose, leaf_of
from tallystick.formats.fingerprint import fingerprint, particulars_hash
from tallystick.gateway.wire import Reading, reading_bytes, write_token
from tallystick.ledger.authority import Signed
from tallystick.ledger.block import Entry, app_hash_of, header_bytes, header_hash
from tallystick.ledger.context import Context
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import AppVersion, Budget, Genesis, genesis_to_json
from tallystick.ledger.proof import ReceiptProof, RecordProof
from tallystick.ledger.system import UsedMinute
from tallystick.ledger.transaction import (
    SUITE_ED25519,
    Body,
    Call,
    Signature,
    assemble,
    signed_bytes,
)
from tallystick.ledger.view import Reader
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.testing.disk import SimulatedDisk
from tallystick.values.codec import decode, encode, encode_key
from tallystick.values.ids import derive_id

MONEY = "CNY@CB"
OPENS_MS = 1_783_040_400_000
HOUR_MS = 3_600_000


class Everybody:
    """An authority to whom every key is a maker: who may sign is no matter of formats."""

    def authorize(
        self, ctx: Context, calls: tuple[Call[Any], ...], keys: tuple[bytes, ...]
    ) -> tuple[Signed, ...]:
        return tuple(Signed(None, ("maker",)) for _ in calls)

    def reader_of(self, reader: Reader, key: bytes) -> str | None:
        return None

    def sees_all(self, reader: Reader, party: str) -> bool:
        return False


def private_key(number: int) -> Ed25519PrivateKey:
    """The key whose 32 private bytes are all this number."""
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def public_key(number: int) -> bytes:
    """Its public half."""
    return private_key(number).public_key().public_bytes_raw()


def genesis() -> Genesis:
    """A chain on which S1 has 1,000.00 CNY of CB."""
    return Genesis(
        format=1,
        name="golden",
        time_ms=OPENS_MS,
        horizon_ms=24 * HOUR_MS,
        timers_per_block=100,
        budget=Budget(reads=1000, writes=500, bytes=100_000),
        node_key=public_key(9),
        apps=(AppVersion(app="cash", version=1),),
        records=(
            encode(Balance(party="S1", money=MONEY, available_minor=100_000, held_minor=0)),
            encode(Supply(money=MONEY, issuer="CB", issued_minor=100_000, redeemed_minor=0)),
        ),
    )


def body(chain_id: str, reference: str, amount_minor: int) -> bytes:
    """S1 sets money aside for an hour."""
    hold = Hold(
        money=MONEY, amount_minor=amount_minor, purpose="deposit", expires_at_ms=OPENS_MS + HOUR_MS
    )
    return encode(
        Body(
            chain_id=chain_id,
            sender="S1",
            reference=reference,
            expires_at_ms=OPENS_MS + 600_000,
            calls=(Call(party="S1", message=hold),),
        )
    )


def transaction(encoded: bytes, *keys: int) -> bytes:
    """A body with its signatures."""
    message = signed_bytes(encoded)
    return assemble(
        encoded,
        [
            Signature(
                suite=SUITE_ED25519,
                public_key=public_key(number),
                signature=private_key(number).sign(message),
            )
            for number in keys
        ],
    )


@dataclass(frozen=True)
class Played:
    """What the golden chain is made of."""

    raws: list[bytes]
    """Its transactions as they travelled."""
    ledger: Ledger
    """Its rules and genesis."""
    entries: list[Entry]
    """Its two blocks."""
    proofs: dict[str, RecordProof | ReceiptProof | None]
    """Proofs made after the first block."""


def chain() -> Played:
    """Two blocks: one hold accepted and one refused; an hour later the hold's timer."""
    ledger = Ledger((CASH,), Everybody(), genesis(), strict=True)
    log = FileLog.open(SimulatedDisk(), "blocks", ledger.genesis.hash)
    made = Chain(ledger, log, MemoryStore(), sign=private_key(9).sign)
    raws = [
        transaction(body(ledger.chain_id, "order 17", 60_000), 1, 2),
        transaction(body(ledger.chain_id, "order 18", 60_000), 1),
    ]
    made.next_block(OPENS_MS + 1_000, [ledger.codec.decode(raw) for raw in raws])
    first = ledger.codec.decode(raws[0]).id
    proofs = {
        "present": made.prove_record(encode_key("cash.balance", "S1", MONEY)),
        "absent": made.prove_record(encode_key("cash.balance", "S2", MONEY)),
        "receipt": made.prove_receipt(first),
    }
    made.next_block(OPENS_MS + HOUR_MS, [])
    return Played(raws, ledger, [decode(Entry, raw) for _, raw in log.entries(1)], proofs)


def vectors() -> dict[str, Any]:
    """All golden vectors, bytes as hex."""
    played = chain()
    raws, ledger, entries = played.raws, played.ledger, played.entries
    return {
        "about": "Golden vectors of docs/reference/formats.md; bytes are hex. Private keys: one"
        " byte, 32 times over (1 and 2 officers of S1, 9 the node).",
        "record_keys": [
            {"fields": list(fields), "key": encode_key(*fields).hex()}
            for fields in (
                ("cash.balance", "S1", MONEY),
                ("ledger.timer", OPENS_MS + HOUR_MS, "tmr-0123456789abcdef"),
                ("a", "x\x00y", -1, False, True),
                ("a",),
            )
        ]
        + [{"fields": ["members.key", {"hex": "00ff"}], "key": _bytes_key().hex()}],
        "genesis": _genesis(ledger),
        "transaction": _transaction(raws[0], ledger),
        "bundle": {
            "bundle": encode_bundle(2, raws[1:]).hex(),
            "tick": encode_tick(258).hex(),
        },
        "ids": [
            {"prefix": prefix, "origin": origin.hex(), "call": call, "counter": counter, "id": made}
            for prefix, origin, call, counter in (
                ("piece", bytes(32), 0, 0),
                ("hold", bytes(range(32)), 1, 258),
            )
            for made in [derive_id(prefix, origin, call, counter)]
        ],
        "blocks": [_block(entry) for entry in entries],
        "used_minute": _used_minute(raws, ledger, entries[0]),
        "tree": _tree(),
        "proofs": {name: encode(proof).hex() for name, proof in played.proofs.items()},
        "merkle": [
            {"leaves": [leaf.hex() for leaf in leaves], "root": merkle_root(leaves).hex()}
            for leaves in ((), (b"a",), (b"a", b"b", b"c"))
        ],
        "read_token": _token(ledger),
        "fingerprint": _fingerprint(),
        "commitment": _commitment(),
    }


def _bytes_key() -> bytes:
    return encode_key("members.key", b"\x00\xff")


def _genesis(ledger: Ledger) -> dict[str, Any]:
    return {
        "json": json.loads(genesis_to_json(ledger.genesis, ledger.rules.record_types)),
        "encoded": encode(ledger.genesis).hex(),
        "hash": ledger.genesis.hash.hex(),
        "chain_id": ledger.chain_id,
    }


def _transaction(raw: bytes, ledger: Ledger) -> dict[str, Any]:
    read = ledger.codec.decode(raw)
    keys = read.keys()
    return {
        "body": read.signed.removeprefix(b"tallystick/tx/1").hex(),
        "signed": read.signed.hex(),
        "id": read.id.hex(),
        "public_keys": [key.hex() for key in keys],
        "signatures": [each.signature.hex() for each in read.signatures],
        "transaction": raw.hex(),
    }


def _block(entry: Entry) -> dict[str, Any]:
    return {
        "receipts": [encode(receipt).hex() for receipt in entry.receipts],
        "receipts_root": entry.receipts_root.hex(),
        "state_root": entry.state_root.hex(),
        "app_hash": app_hash_of(entry.receipts_root, entry.state_root).hex(),
        "transactions_root": entry.header.transactions_root.hex(),
        "header": header_bytes(entry.header).hex(),
        "header_hash": header_hash(entry.header).hex(),
        "signature": (entry.signature or b"").hex(),
        "changes": [
            [[key.hex(), None if after is None else after.hex()] for key, after in changes]
            for changes in entry.changes
        ],
        "entry": encode(entry).hex(),
    }


def _used_minute(raws: list[bytes], ledger: Ledger, entry: Entry) -> dict[str, Any]:
    name = UsedMinute.spec.name
    after = next(raw for key, raw in entry.own_changes if key.startswith(encode_key(name)) and raw)
    return {
        "uses": [
            ["S1", read.body.reference, read.id.hex()] for read in map(ledger.codec.decode, raws)
        ],
        "record": after.hex(),
    }


def _tree() -> dict[str, Any]:
    key, record = encode_key("cash.balance", "S1", MONEY), genesis().records[0]
    key_hash, record_hash = hashlib.sha256(key).digest(), hashlib.sha256(record).digest()
    tree = load().tree()
    other = hashlib.sha256(b"another key").digest()
    version = tree.apply(0, [(key_hash, record_hash), (other, record_hash)])
    return {
        "key": key.hex(),
        "record": record.hex(),
        "key_hash": key_hash.hex(),
        "record_hash": record_hash.hex(),
        "leaf": hash_leaf(key_hash, record_hash).hex(),
        "other_key_hash": other.hex(),
        "other_leaf": hash_leaf(other, record_hash).hex(),
        "internal_of_both_leaves": hash_internal(
            *(hash_leaf(each, record_hash) for each in sorted((key_hash, other)))
        ).hex(),
        "root": tree.root(version).hex(),
    }


def _token(ledger: Ledger) -> dict[str, Any]:
    reading = Reading(
        chain_id=ledger.chain_id,
        expires_at_ms=OPENS_MS + 60_000,
        target="/v1/queries/cash/balances?party=S1",
    )
    return {
        "signed": reading_bytes(reading).hex(),
        "authorization": write_token(reading, public_key(1), private_key(1).sign),
    }


def _fingerprint() -> dict[str, Any]:
    seller, number = "91330212MA4TT0041A", "ｉｎｖ　００１"
    made = fingerprint(seller, number)
    return {
        "seller_number": seller,
        "number": number,
        "code": "",
        "strict": made.strict.hex(),
        "relaxed": made.relaxed.hex(),
        "buyer_number": "91310115MA1TT0011J",
        "date": "2026-06-30",
        "particulars": particulars_hash(buyer_number="91310115MA1TT0011J", date="2026-06-30").hex(),
    }


def _commitment() -> dict[str, Any]:
    values = {"currency": "CNY", "invoice_number": "INV-001", "payable_minor": "22500000"}
    salts = [bytes([number]) * 16 for number in (1, 2, 3)]
    made = disclose(values, salts)
    return {
        "fields": [[field.name, field.value, field.salt.hex()] for field in made.fields],
        "leaves": [leaf_of(field).hex() for field in made.fields],
        "root": made.root.hex(),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n")
