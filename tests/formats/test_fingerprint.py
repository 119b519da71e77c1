"""One invoice in every spelling, two invoices in none."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import FormatError
from tallystick.formats.fingerprint import (
    SCHEME,
    fingerprint,
    particulars_hash,
    reduced,
    relaxed,
)

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text("utf-8"))
SELLER = "91330212MA4TT0041A"

PLAIN = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=20)
SEPARATOR = st.sampled_from(["", "-", " ", "/", ".", "_", "　", "－", "\u200b", "号"])


def in_another_spelling(plain: str, data: st.DataObject) -> str:
    """The same characters, each perhaps wide, perhaps small, with separators anywhere."""
    spelled = []
    for character in plain:
        wide = chr(ord(character) + 0xFEE0)
        forms = [character, character.lower(), wide, wide.lower()]
        spelled.append(data.draw(st.sampled_from(forms)) + data.draw(SEPARATOR))
    return "".join(spelled)


@pytest.mark.parametrize("spelling", ("INV-001", "ｉｎｖ　００１", "inv001", "Inv. 001", "INV/001"))
def test_one_invoice_in_every_spelling(spelling: str) -> None:
    assert reduced(spelling) == "INV001"
    assert fingerprint(SELLER, spelling) == fingerprint(SELLER, "INV-001")


@pytest.mark.parametrize("near", ("INV-1", "INV-0001", "lnv-001", "1NV-OO1", "inv 00l", "iNV-I"))
def test_a_near_spelling_is_another_strict_and_the_same_relaxed_one(near: str) -> None:
    this, that = fingerprint(SELLER, "INV-001"), fingerprint(SELLER, near)
    assert this.strict != that.strict
    assert this.relaxed == that.relaxed


@pytest.mark.parametrize("other", ("INV-002", "INV-010", "INV-100", "INV-001A", "XINV-001"))
def test_another_number_is_another_document(other: str) -> None:
    this, that = fingerprint(SELLER, "INV-001"), fingerprint(SELLER, other)
    assert this.strict != that.strict
    assert this.relaxed != that.relaxed


def test_zeros_alone_keep_one() -> None:
    assert relaxed("A-000") == "A0"
    assert relaxed("000") == "0"
    assert relaxed("10-01") == "1001"


def test_seller_number_and_code_count() -> None:
    base = fingerprint(SELLER, "1", "2")
    assert fingerprint("91330212 ma4tt0041a", "1", "2") == base
    assert fingerprint(SELLER, "12").strict != base.strict
    assert fingerprint(SELLER, "1").strict != base.strict
    assert fingerprint("X", "1", "2").strict != base.strict


@pytest.mark.parametrize(("seller", "number"), (("", "1"), ("公司", "1"), ("1", ""), ("1", "发票")))
def test_nothing_identifies_nothing(seller: str, number: str) -> None:
    with pytest.raises(FormatError, match="needs a character"):
        fingerprint(seller, number)


def test_particulars_are_buyer_and_date() -> None:
    base = particulars_hash(buyer_number="DK 12", date="2026-06-30")
    assert base == particulars_hash(buyer_number="dk12", date="2026-06-30")
    assert base != particulars_hash(buyer_number="dk13", date="2026-06-30")
    assert base != particulars_hash(buyer_number="dk12", date="2026-07-01")


def test_the_bytes_are_as_the_docstring_says() -> None:
    found = fingerprint("NL8200.98.395.B.01", "ｉｎｖ　００１", "044-001")
    strict = msgspec.msgpack.encode(["NL820098395B01", "INV001", "044001"])
    near = msgspec.msgpack.encode(["N1820098395B1", "1NV1", "44001"])
    domain = b"tallystick/fingerprint/1/"
    assert found.scheme == SCHEME == 1
    assert found.strict == hashlib.sha256(domain + b"strict" + strict).digest()
    assert found.relaxed == hashlib.sha256(domain + b"relaxed" + near).digest()


@pytest.mark.parametrize("vector", GOLDEN["fingerprints"])
def test_golden_fingerprints(vector: dict[str, str]) -> None:
    found = fingerprint(vector["seller_number"], vector["number"], vector["code"])
    assert found.strict.hex() == vector["strict"]
    assert found.relaxed.hex() == vector["relaxed"]


@pytest.mark.parametrize("vector", GOLDEN["particulars"])
def test_golden_particulars(vector: dict[str, str]) -> None:
    found = particulars_hash(buyer_number=vector["buyer_number"], date=vector["date"])
    assert found.hex() == vector["hash"]


@given(st.text(max_size=40))
def test_reducing_twice_changes_nothing(text: str) -> None:
    assert reduced(reduced(text)) == reduced(text)
    assert relaxed(relaxed(text)) == relaxed(text) == relaxed(reduced(text))
    assert set(reduced(text)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


@given(PLAIN, st.data())
def test_spelling_variants_are_equal(plain: str, data: st.DataObject) -> None:
    spelled = in_another_spelling(plain, data)
    assert reduced(spelled) == plain
    assert fingerprint(SELLER, spelled) == fingerprint(SELLER, plain)


@given(PLAIN, PLAIN)
def test_different_numbers_differ(one: str, other: str) -> None:
    strict = fingerprint(SELLER, one).strict == fingerprint(SELLER, other).strict
    assert strict == (one == other)
    near = fingerprint(SELLER, one).relaxed == fingerprint(SELLER, other).relaxed
    assert near == (relaxed(one) == relaxed(other))
