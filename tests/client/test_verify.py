"""Proofs, checked without the node; a liar changes one thing at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tallystick.client.verify import (
    Trust,
    proof_from_json,
    proof_to_json,
    verify_receipt,
    verify_record,
)
from tallystick.errors import BadAnswer
from tallystick.ledger.app import key_bytes
from tallystick.ledger.proof import ReceiptProof, RecordProof, Step
from tallystick.ledger.receipt import Outcome
from tallystick.values.codec import replace
from tests.till.desk import genesis
from tests.till.messages import Leave, Pay
from tests.till.records import Note
from tests.till.running import Running, running


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("till") / "data") as made:
        raws = [
            made.client.sign(("A.clerk", Leave(name="n", number=number))) for number in range(9)
        ]
        raws.append(made.client.sign(("A.clerk", Pay(to="nobody", amount_minor=1))))
        list(made.client.submit_many(raws))
        yield made


@pytest.fixture(scope="module")
def trust(till: Running) -> Trust:
    return Trust.of(till.node.ledger.genesis)


def test_a_record_that_is_there(till: Running, trust: Trust) -> None:
    proof = till.client.prove("till", "note", "n", 3)
    proven = verify_record(proof, trust, key=key_bytes(Note(name="n", number=3)))
    assert proven.is_present
    assert proven.height == till.client.status().height
    assert proof_from_json(proof_to_json(proof)) == proof


def test_a_record_that_is_not(till: Running, trust: Trust) -> None:
    proof = till.client.prove("till", "note", "n", 99)
    assert not verify_record(proof, trust).is_present
    assert proof_from_json(proof_to_json(proof)) == proof


def test_every_receipt_of_a_block(till: Running, trust: Trust) -> None:
    outcomes = []
    for block in till.client.blocks():
        for each in block.transactions:
            proof = till.client.prove_receipt(each.transaction_id)
            proven = verify_receipt(proof, trust, transaction_id=each.transaction_id)
            outcomes.append(proven.outcome)
            assert proof_from_json(proof_to_json(proof)) == proof
    assert outcomes.count(Outcome.ACCEPTED) == 9
    assert outcomes.count(Outcome.REFUSED) == 1


def test_a_proof_of_something_else_is_not_the_proof_asked_for(till: Running, trust: Trust) -> None:
    present = till.client.prove("till", "note", "n", 3)
    with pytest.raises(BadAnswer, match="another key"):
        verify_record(present, trust, key=key_bytes(Note(name="n", number=4)))
    block = next(each for each in till.client.blocks() if each.transactions)
    receipt = till.client.prove_receipt(block.transactions[0].transaction_id)
    with pytest.raises(BadAnswer, match="another transaction"):
        verify_receipt(receipt, trust, transaction_id=bytes(32))


def header(**changes: Any) -> Callable[[Any], Any]:
    """Change the header."""
    return lambda p: replace(p, seal=replace(p.seal, header=replace(p.seal.header, **changes)))


def seal(**changes: Any) -> Callable[[Any], Any]:
    """Change the seal."""
    return lambda p: replace(p, seal=replace(p.seal, **changes))


BOTH = (
    (header(height=99), "not the node's"),
    (header(app_hash=bytes(32)), "not the node's"),
    (header(chain_id="till-00000000"), "of chain till-00000000"),
    (seal(signature=bytes(64)), "not the node's"),
    (seal(signature=None), "not signed"),
    (seal(state_root=bytes(32)), "not those of the header"),
    (seal(receipts_root=bytes(32)), "not those of the header"),
)

RECORD = (
    *BOTH,
    (lambda p: replace(p, key=p.key + b"x"), "does not lead"),
    (lambda p: replace(p, record=(p.record or b"") + b"x"), "does not lead"),
    (lambda p: replace(p, record=None), "does not lead"),
    (lambda p: replace(p, path=None), "does not lead"),
    (lambda p: replace(p, path=replace(p.path, steps=p.path.steps[1:])), "does not lead"),
    (lambda p: replace(p, path=replace(p.path, record_hash=bytes(32))), "does not lead"),
)

RECEIPT = (
    *BOTH,
    (lambda p: replace(p, receipt=replace(p.receipt, outcome=Outcome.REFUSED)), "does not lead"),
    (lambda p: replace(p, position=p.position + 1), "does not lead"),
    (lambda p: replace(p, count=p.count + 7), "does not lead"),
    (lambda p: replace(p, count=0), "does not lead"),
    (lambda p: replace(p, steps=(Step(is_left=True, hash=bytes(32)),)), "does not lead"),
)


@pytest.mark.parametrize("number", range(len(RECORD)))
def test_a_changed_proof_of_a_record_proves_nothing(
    till: Running, trust: Trust, number: int
) -> None:
    change, words = RECORD[number]
    proof: RecordProof = change(till.client.prove("till", "note", "n", 3))
    with pytest.raises(BadAnswer, match=words):
        verify_record(proof, trust)


def test_a_changed_proof_of_absence_proves_nothing(till: Running, trust: Trust) -> None:
    there = till.client.prove("till", "note", "n", 3)
    absent = till.client.prove("till", "note", "n", 99)
    for lie in (
        replace(absent, key=there.key),
        replace(absent, left=None),
        replace(absent, right=None),
        replace(absent, record=b"x"),
        replace(absent, path=there.path),
    ):
        with pytest.raises(BadAnswer, match="does not lead"):
            verify_record(lie, trust)


@pytest.mark.parametrize("number", range(len(RECEIPT)))
def test_a_changed_proof_of_a_receipt_proves_nothing(
    till: Running, trust: Trust, number: int
) -> None:
    change, words = RECEIPT[number]
    block = next(each for each in till.client.blocks() if each.transactions)
    proof: ReceiptProof = till.client.prove_receipt(block.transactions[0].transaction_id)
    with pytest.raises(BadAnswer, match=words):
        verify_receipt(change(proof), trust)


def test_another_nodes_signature_is_not_believed(till: Running, trust: Trust) -> None:
    with pytest.raises(BadAnswer, match="not the node's"):
        verify_record(till.client.prove("till", "note", "n", 3), Trust(trust.chain_id, bytes(32)))


def test_a_chain_that_validators_sign_has_no_node_key() -> None:
    with pytest.raises(BadAnswer, match="validators"):
        Trust.of(genesis(node_key=None))


def test_a_file_that_is_no_proof_is_said() -> None:
    with pytest.raises(BadAnswer, match="not a proof"):
        proof_from_json(b"{}")
