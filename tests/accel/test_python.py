"""The Python body keeps the conformance suite."""

import pytest

from tallystick.accel import Tree, UnknownBody, is_small_order, is_valid_point, load
from tallystick.accel import verify as verify_signature
from tallystick.accel.envelopes import BYTES_MAX, DOMAIN, SIGNATURES_MAX
from tallystick.accel.nodes import Batch, Node
from tallystick.ledger import transaction
from tests.accel.conformance import SignatureConformance
from tests.accel.conformance_envelopes import EnvelopeConformance
from tests.accel.conformance_receipts import ReceiptConformance
from tests.accel.conformance_shown import ShownConformance
from tests.accel.conformance_tree import MerkleConformance, TreeConformance, some_records
from tests.accel.conformance_used import UsedConformance
from tests.accel.vectors import hash_of

PYTHON = load("python")


class TestSignatures(SignatureConformance):
    body = PYTHON


class TestEnvelopes(EnvelopeConformance):
    body = PYTHON


class TestMerkle(MerkleConformance):
    body = PYTHON


class TestReceipts(ReceiptConformance):
    body = PYTHON


class TestUsed(UsedConformance):
    body = PYTHON


class TestShown(ShownConformance):
    body = PYTHON


class TestTree(TreeConformance):
    body = PYTHON

    def test_versions_share_what_they_have_in_common(self) -> None:
        records = some_records("shared", 200)
        root = Batch(dict(records)).apply(None)
        key = min(records)
        changed = Batch({key: hash_of("changed")}).apply(root)
        same = Batch({key: records[key], max(records): records[max(records)]}).apply(root)
        assert same is root
        made = _nodes_of(changed) - _nodes_of(root)
        assert 0 < len(made) < 20


def _nodes_of(node: Node) -> set[int]:
    """Identities of all nodes of a subtree."""
    if not isinstance(node, tuple):
        return {id(node)}
    return {id(node)} | _nodes_of(node[1]) | _nodes_of(node[2])


def test_python_is_the_body_when_nothing_is_said() -> None:
    assert load() is PYTHON
    assert PYTHON.name == "python"
    assert (PYTHON.verify, PYTHON.is_small_order) == (verify_signature, is_small_order)
    assert (PYTHON.is_valid_point, PYTHON.tree) == (is_valid_point, Tree)


def test_a_body_that_is_not_installed_is_unknown() -> None:
    with pytest.raises(UnknownBody, match="'abacus'") as caught:
        load("abacus")
    assert caught.value.name == "abacus"


def test_accel_and_ledger_mean_the_same_envelope() -> None:
    assert (DOMAIN, BYTES_MAX, SIGNATURES_MAX) == (
        transaction.DOMAIN,
        transaction.BYTES_MAX,
        transaction.SIGNATURES_MAX,
    )
