"""What every body of accel must do. A body's test file names the body and inherits the cases.

Signatures are here, the state tree and the Merkle root in `conformance_tree.py`.
"""

from typing import ClassVar

import pytest

from tallystick.accel import Body
from tests.accel import curve
from tests.accel.vectors import hash_of, load_vectors

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


class SignatureConformance:
    """Ed25519 under ZIP-215 rules."""

    body: ClassVar[Body]

    def test_all_196_edge_cases_of_zip215_are_good_alone_and_in_a_batch(self) -> None:
        items = [
            tuple(bytes.fromhex(case[part]) for part in ("vk", "msg", "sig"))
            for case in load_vectors("zip215_196.json")
        ]
        verdicts = [self.body.verify(key, message, sig) for key, message, sig in items]
        assert verdicts == [True] * 196
        assert self.body.verify_batch([(key, message, sig) for key, message, sig in items]) == (
            verdicts
        )

    def test_speccheck_cases_9_to_11_are_bad_and_the_other_twelve_good(self) -> None:
        items = [
            (
                bytes.fromhex(case["pub_key"]),
                bytes.fromhex(case["message"]),
                bytes.fromhex(case["signature"]),
            )
            for case in load_vectors("ed25519_speccheck.json")
        ]
        expected = [number not in (9, 10, 11) for number in range(15)]
        assert [self.body.verify(*item) for item in items] == expected
        assert self.body.verify_batch(items) == expected

    def test_signatures_of_rfc_8032_are_good_and_any_change_makes_them_bad(self) -> None:
        for case in load_vectors("ed25519_rfc8032.json"):
            key = bytes.fromhex(case["public_key"])
            message = bytes.fromhex(case["message"])
            signature = bytes.fromhex(case["signature"])
            assert self.body.verify(key, message, signature)
            assert not self.body.verify(key, message + b"\0", signature)
            assert not self.body.verify(bytes((key[0] ^ 1,)) + key[1:], message, signature)
            for at in (0, 31, 32, 63):
                changed = bytearray(signature)
                changed[at] ^= 1
                assert not self.body.verify(key, message, bytes(changed))

    def test_s_beyond_the_group_order_is_bad(self) -> None:
        case = load_vectors("ed25519_rfc8032.json")[1]
        key, message = bytes.fromhex(case["public_key"]), bytes.fromhex(case["message"])
        signature = bytes.fromhex(case["signature"])
        s = int.from_bytes(signature[32:], "little") + GROUP_ORDER
        assert not self.body.verify(key, message, signature[:32] + s.to_bytes(32, "little"))

    @pytest.mark.parametrize(
        ("key", "signature"), ((31, 64), (33, 64), (0, 64), (32, 63), (32, 65))
    )
    def test_wrong_lengths_are_bad_and_not_an_error(self, key: int, signature: int) -> None:
        assert not self.body.verify(bytes(key), b"message", bytes(signature))
        assert self.body.verify_batch([(bytes(key), b"message", bytes(signature))]) == [False]

    def test_an_empty_batch_has_no_verdicts(self) -> None:
        assert self.body.verify_batch([]) == []

    def test_one_bad_signature_does_not_spoil_its_batch(self) -> None:
        items = [
            (
                bytes.fromhex(case["public_key"]),
                bytes.fromhex(case["message"]) + extra,
                bytes.fromhex(case["signature"]),
            )
            for case in load_vectors("ed25519_rfc8032.json")
            for extra in (b"", b"!")
        ]
        assert self.body.verify_batch(items) == [True, False] * 5

    def test_the_small_order_encodings_are_the_fourteen_of_zip215(self) -> None:
        published = {bytes.fromhex(case["vk"]) for case in load_vectors("zip215_196.json")}
        torsion_y = {curve.decode(encoded) for encoded in published}
        assert len(published) == 14
        assert len(torsion_y) == 8
        for encoded in published:
            point = curve.decode(encoded)
            assert point is not None
            assert curve.times_eight(point) == curve.IDENTITY
            assert self.body.is_small_order(encoded)
            assert self.body.is_valid_point(encoded)

    def test_small_order_and_validity_agree_with_the_curve(self) -> None:
        low = [*range(200), *range(curve.P - 20, 2**255)]
        drawn = [int.from_bytes(hash_of("point", at), "little") % 2**255 for at in range(60)]
        for y in low + drawn:
            for sign in (0, 1):
                encoded = (y + (sign << 255)).to_bytes(32, "little")
                point = curve.decode(encoded)
                is_small = point is not None and curve.times_eight(point) == curve.IDENTITY
                assert self.body.is_valid_point(encoded) == (point is not None)
                assert self.body.is_small_order(encoded) == is_small

    def test_other_lengths_are_no_points(self) -> None:
        for length in (0, 31, 33):
            assert not self.body.is_valid_point(bytes(length))
            assert not self.body.is_small_order(bytes(length))
