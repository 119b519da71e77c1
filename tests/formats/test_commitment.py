"""A document is hidden field by field; any one is shown alone, and nothing else passes for it."""

import hashlib
import json
import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import FormatError
from tallystick.formats.commitment import (
    DISCLOSURE_BYTES_MAX,
    FIELDS_MAX,
    Disclosure,
    Field,
    disclose,
    disclosed_amount,
    disclosed_fingerprint,
    disclosed_particulars,
    disclosure_path,
    is_shown,
    leaf_of,
    read_disclosure,
    show,
    write_disclosure,
)
from tallystick.formats.fingerprint import fingerprint, particulars_hash
from tallystick.values.codec import from_json, to_json

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text("utf-8"))
VALUES = {
    "seller_number": "91330212MA4TT0041A",
    "invoice_number": "INV-001",
    "issue_date": "2026-06-30",
    "buyer_number": "91330106MA2TT00211",
    "payable_minor": "30000000",
}


def salts(count: int) -> list[bytes]:
    return [hashlib.sha256(place.to_bytes(2)).digest()[:16] for place in range(count)]


def disclosed(count: int) -> Disclosure:
    values = {f"field_{place:03}": str(place) for place in range(count)}
    return disclose(values, salts(count))


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def test_the_bytes_are_as_the_docstring_says() -> None:
    document = disclose({"b": "2", "a": "1", "c": "3"}, salts(3))
    leaves = []
    for name, value, salt in zip("abc", "123", salts(3), strict=True):
        packed = msgspec.msgpack.encode([name, value, salt])
        leaves.append(sha(b"tallystick/field/1", packed))
    assert [leaf_of(field) for field in document.fields] == leaves
    a, b, c = (sha(b"\x00", leaf) for leaf in leaves)
    assert document.root == sha(b"\x01", sha(b"\x01", a, b), c)


@pytest.mark.parametrize("vector", GOLDEN["commitments"])
def test_golden_commitments(vector: dict[str, object]) -> None:
    document = from_json(Disclosure, json.dumps(vector["disclosure"]))
    assert document.root.hex() == vector["root"]


@pytest.mark.parametrize("count", (1, 2, 3, 4, 5, 7, 8, 9, 12, FIELDS_MAX))
def test_every_field_can_be_shown_alone(count: int) -> None:
    document = disclosed(count)
    for field in document.fields:
        shown = show(document, field.name)
        assert shown.field == field
        assert is_shown(shown, document.root)
        again = from_json(type(shown), to_json(shown))
        assert is_shown(again, document.root)


@given(st.integers(1, 20), st.data())
def test_nothing_else_passes_for_a_field(count: int, data: st.DataObject) -> None:
    document = disclosed(count)
    shown = show(document, data.draw(st.sampled_from(document.fields)).name)
    field, replace = shown.field, msgspec.structs.replace
    forged = [
        replace(shown, field=replace(field, value=field.value + "0")),
        replace(shown, field=replace(field, name=field.name + "0")),
        replace(shown, field=replace(field, salt=bytes(16))),
        replace(shown, path=(*shown.path, bytes(32))),
        replace(shown, index=shown.total),
        replace(shown, index=-1),
        replace(shown, total=0),
    ]
    forged += [replace(shown, path=shown.path[:-1])] if shown.path else []
    assert not [each for each in forged if is_shown(each, document.root)]
    assert not is_shown(shown, bytes(32))


def test_a_path_too_short_on_either_side_is_none() -> None:
    document = disclosed(3)
    left = msgspec.structs.replace(show(document, "field_000"), path=())
    right = msgspec.structs.replace(show(document, "field_002"), path=())
    deep = msgspec.structs.replace(show(disclosed(4), "field_003"), path=(bytes(32),))
    assert not is_shown(left, document.root)
    assert not is_shown(right, document.root)
    assert not is_shown(deep, disclosed(4).root)


def test_an_unknown_field_cannot_be_shown() -> None:
    with pytest.raises(FormatError, match="no such field"):
        show(disclosed(2), "field_9")


@pytest.mark.parametrize(
    ("values", "salt_list", "why"),
    (
        ({}, [], "fields"),
        ({"a": "1"}, [], "1 fields and 0 salts"),
        ({"a": "1", "b": "1"}, [bytes(16), bytes(16)], "same salt"),
        ({"a": "1"}, [bytes(15)], "salt"),
        ({"A b": "1"}, [bytes(16)], "name"),
        ({"a": "x" * 1001}, [bytes(16)], "value"),
        ({f"f{n}": "" for n in range(FIELDS_MAX + 1)}, salts(FIELDS_MAX + 1), "fields"),
    ),
)
def test_fields_out_of_bounds(values: dict[str, str], salt_list: list[bytes], why: str) -> None:
    with pytest.raises(FormatError, match=why):
        disclose(values, salt_list)


def test_a_disclosure_is_written_for_its_owner_alone_and_read_again(tmp_path: Path) -> None:
    document = disclose(VALUES, salts(5))
    path = disclosure_path(tmp_path / "02.xml")
    assert path.name == "02.xml.disclosure.json"
    path.write_text("an older one that anybody may read", "utf-8")
    write_disclosure(path, document)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_disclosure(path) == document
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_who_gets_a_disclosure_computes_the_fingerprint_himself() -> None:
    document = disclose(VALUES, salts(5))
    assert disclosed_fingerprint(document) == fingerprint("91330212MA4TT0041A", "inv 001")
    assert disclosed_particulars(document) == particulars_hash(
        buyer_number="91330106MA2TT00211", date="2026-06-30"
    )


def test_the_disclosed_amount() -> None:
    amount = {"currency": "CNY", "payable_minor": str(2**63 - 1)}
    assert disclosed_amount(disclose(amount, salts(2))) == ("CNY", 2**63 - 1)


@pytest.mark.parametrize(
    ("currency", "payable", "why"),
    (
        ("XXX", "1", "currency"),
        ("CNY", str(2**63), "payable_minor"),
        ("CNY", "-1", "payable_minor"),
        ("CNY", "1.00", "payable_minor"),
        ("CNY", "1\n", "payable_minor"),
        ("CNY", "", "payable_minor"),
    ),
)
def test_a_disclosed_amount_that_is_none(currency: str, payable: str, why: str) -> None:
    document = disclose({"currency": currency, "payable_minor": payable}, salts(2))
    with pytest.raises(FormatError, match=why):
        disclosed_amount(document)


def test_a_disclosure_without_the_numbers_has_no_fingerprint() -> None:
    with pytest.raises(FormatError, match="seller_number"):
        disclosed_fingerprint(disclosed(1))
    with pytest.raises(FormatError, match="buyer_number"):
        disclosed_particulars(disclosed(1))


def test_a_disclosure_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(FormatError, match="cannot be written"):
        write_disclosure(tmp_path / "taken", disclosed(1))
    with pytest.raises(FormatError, match="cannot be written"):
        write_disclosure(tmp_path / "no folder" / "file", disclosed(1))
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


def swapped(document: Disclosure) -> Disclosure:
    return Disclosure(format=document.format, fields=document.fields[::-1])


def twice(document: Disclosure) -> Disclosure:
    one = document.fields[0]
    other = Field(name=one.name, value="another", salt=bytes(16))
    return Disclosure(format=document.format, fields=(one, other))


@pytest.mark.parametrize(
    ("content", "why"),
    (
        (b"", "not a disclosure"),
        (b"[]", "not a disclosure"),
        (b"\xff\xfe", "not a disclosure"),
        (b"[" * 100_000, "not a disclosure"),
        (to_json(swapped(disclosed(2))), "in order"),
        (to_json(twice(disclosed(1))), "in order"),
        (to_json(Disclosure(format="other/1", fields=disclosed(1).fields)), "of format"),
        (b" " * (DISCLOSURE_BYTES_MAX + 1), "larger than"),
    ),
)
def test_what_is_not_a_disclosure_is_not_read(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(FormatError, match=why):
        read_disclosure(tmp_path / "file")


def test_a_missing_disclosure_says_so(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read: No such file"):
        read_disclosure(tmp_path / "file")
