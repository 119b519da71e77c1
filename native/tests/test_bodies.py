"""The native body, and both at once, keep the conformance suites that the Python body keeps.

These tests are no part of `make test`, which needs no Rust: `make test-native` runs them.
"""

from tallystick.accel import load
from tests.accel.conformance import SignatureConformance
from tests.accel.conformance_envelopes import EnvelopeConformance
from tests.accel.conformance_receipts import ReceiptConformance
from tests.accel.conformance_shown import ShownConformance
from tests.accel.conformance_tree import MerkleConformance, TreeConformance
from tests.accel.conformance_used import UsedConformance

NATIVE = load("native")
BOTH = load("both")


class TestNativeSignatures(SignatureConformance):
    body = NATIVE


class TestNativeEnvelopes(EnvelopeConformance):
    body = NATIVE


class TestNativeMerkle(MerkleConformance):
    body = NATIVE


class TestNativeReceipts(ReceiptConformance):
    body = NATIVE


class TestNativeTree(TreeConformance):
    body = NATIVE


class TestNativeUsed(UsedConformance):
    body = NATIVE


class TestNativeShown(ShownConformance):
    body = NATIVE


class TestBothSignatures(SignatureConformance):
    body = BOTH


class TestBothEnvelopes(EnvelopeConformance):
    body = BOTH


class TestBothMerkle(MerkleConformance):
    body = BOTH


class TestBothReceipts(ReceiptConformance):
    body = BOTH


class TestBothTree(TreeConformance):
    body = BOTH


class TestBothUsed(UsedConformance):
    body = BOTH


class TestBothShown(ShownConformance):
    body = BOTH


def test_the_quickest_that_is_installed_is_the_native_one() -> None:
    assert [load(name).name for name in ("auto", "native", "both")] == ["native", "native", "both"]
