"""What files are to each other, what a draft carries, and what deserves a second look."""

from dataclasses import replace
from pathlib import Path

import pytest
from stdnum.cn import uscc

from tallystick.formats.codes import WarningCode
from tallystick.formats.commitment import (
    disclose,
    disclosed_amount,
    disclosed_fingerprint,
    disclosed_particulars,
    is_shown,
    show,
)
from tallystick.formats.fingerprint import Fingerprint, fingerprint, particulars_hash
from tallystick.formats.ubl import Decision, Kind, KnownParties, Outcome, import_file, import_folder
from tallystick.formats.ubl_rules import LINE_WARNINGS_MAX
from tests.formats.builder import BUYER, CREDIT, SELLER, SOUND, decided, edited, write_all
from tools.invoice_examples import ANDA, HENGTONG, HONGYUAN, HUAYUE, LINHAI, RUIFENG
from tools.make_invoices import InvoiceText, LineText, PartyText, render


def codes(decision: Decision) -> list[str]:
    return [each.code.value for each in decision.warnings]


def told(folder: Path) -> list[tuple[str, str | None, list[str]]]:
    """Outcome, code and warnings of every file of a folder."""
    return [
        (each.outcome.value, None if each.code is None else each.code.value, codes(each))
        for each in import_folder(folder)
    ]


def test_a_sound_invoice_is_a_draft(tmp_path: Path) -> None:
    decision = decided(tmp_path, render(SOUND))
    assert (decision.outcome, decision.code, decision.warnings) == (Outcome.DRAFT, None, ())
    assert (decision.currency, decision.payable_minor) == ("DKK", 10_000)
    invoice = decision.invoice
    assert invoice is not None
    assert invoice.kind is Kind.INVOICE
    assert invoice.fingerprint == fingerprint("DK11111111", "INV-001")
    assert invoice.particulars == particulars_hash(buyer_number="DK22222222", date="2026-06-30")
    assert invoice.fields == {
        "buyer_name": "Buyer Ltd",
        "buyer_number": "DK22222222",
        "currency": "DKK",
        "due_date": "2026-10-01",
        "file_sha256": invoice.file_hash.hex(),
        "invoice_number": "INV-001",
        "issue_date": "2026-06-30",
        "kind": "Invoice",
        "payable_minor": "10000",
        "seller_name": "Seller Ltd",
        "seller_number": "DK11111111",
        "type_code": "380",
    }


@pytest.mark.parametrize(
    "data",
    (
        b"\xef\xbb\xbf" + render(SOUND),
        render(SOUND).decode("utf-8").replace("UTF-8", "UTF-16").encode("utf-16"),
        edited(("INV-001", "INV<!-- a remark -->-<?an instruction?>0<![CDATA[01]]>")),
        edited(("INV-001", " \n INV-001\u200b ")),
        edited((">2026-06-30<", ">2026-06-30Z<"), (">2026-10-01<", ">2026-10-01+08:00<")),
        edited(
            (">80.00<", ">+0080.0<"), (">30.00<", ">30<"), (">false<", ">0<"), (">true<", ">1<")
        ),
        edited(
            (">2</cbc:InvoicedQuantity>", ">2.</cbc:InvoicedQuantity>"), (">40.00<", ">40.0000<")
        ),
    ),
)
def test_the_same_invoice_written_otherwise(tmp_path: Path, data: bytes) -> None:
    sound, other = decided(tmp_path, render(SOUND)), decided(tmp_path, data)
    assert other.code is None
    assert other.warnings == ()
    assert sound.invoice is not None
    assert other.invoice is not None
    assert other.invoice.fields == sound.invoice.fields | {
        "file_sha256": other.invoice.file_hash.hex()
    }


def test_whole_yen_may_be_written_with_zeros(tmp_path: Path) -> None:
    decision = decided(tmp_path, render(replace(SOUND, currency="JPY")))
    assert (decision.outcome, decision.payable_minor) == (Outcome.DRAFT, 100)


def test_dinars_have_three_decimals(tmp_path: Path) -> None:
    decision = decided(tmp_path, render(replace(SOUND, currency="KWD")))
    assert (decision.outcome, decision.payable_minor) == (Outcome.DRAFT, 100_000)


def test_a_long_name_is_cut_and_marks_that_turn_the_writing_go(tmp_path: Path) -> None:
    long_name = replace(SELLER, name="é\u202e\x9bX" + "x" * 200)
    decision = decided(tmp_path, render(replace(SOUND, seller=long_name)))
    assert decision.invoice is not None
    assert decision.invoice.seller.name == "é X" + "x" * 137


WARNED = (
    (WarningCode.NO_DUE_DATE, replace(SOUND, due="")),
    (WarningCode.DUE_ON_ISSUE_DATE, replace(SOUND, due="2026-06-30")),
    (WarningCode.DUE_BEFORE_ISSUE_DATE, replace(SOUND, due="2026-06-29")),
    (
        WarningCode.BUYER_WITHOUT_REGISTER_NUMBER,
        replace(SOUND, buyer=replace(BUYER, register_number="")),
    ),
    (WarningCode.PAYEE_NOT_SELLER, replace(SOUND, payee=replace(BUYER, register_number="DK3"))),
    (WarningCode.PAYEE_NOT_SELLER, replace(SOUND, payee=replace(BUYER, register_number=""))),
    (
        WarningCode.CHECK_DIGIT,
        replace(SOUND, seller=replace(HUAYUE, register_number="91310115MA1TT0011K")),
    ),
    (
        WarningCode.CHECK_DIGIT,
        replace(SOUND, buyer=replace(HUAYUE, register_number="91310115MA1TT0011O")),
    ),
)


@pytest.mark.parametrize(("code", "invoice"), WARNED)
def test_what_deserves_a_second_look(
    tmp_path: Path, code: WarningCode, invoice: InvoiceText
) -> None:
    decision = decided(tmp_path, render(invoice))
    assert decision.outcome is Outcome.DRAFT
    assert codes(decision) == [code.value]


@pytest.mark.parametrize(
    "payee", (SELLER, replace(SELLER, name="Other name"), replace(SELLER, register_number=""))
)
def test_a_payee_who_is_the_seller(tmp_path: Path, payee: PartyText) -> None:
    assert codes(decided(tmp_path, render(replace(SOUND, payee=payee)))) == []


def test_another_type_of_invoice(tmp_path: Path) -> None:
    assert codes(decided(tmp_path, edited((">380<", ">386<")))) == ["UNUSUAL_TYPE"]


def test_other_numbers_of_chinese_parties_are_not_checked(tmp_path: Path) -> None:
    old = replace(HUAYUE, register_number="310115000012345", vat_number="")
    assert codes(decided(tmp_path, render(replace(SOUND, buyer=old)))) == []


@pytest.mark.parametrize("party", (HUAYUE, LINHAI, HENGTONG, RUIFENG, HONGYUAN, ANDA))
def test_the_example_companies_have_right_codes(tmp_path: Path, party: PartyText) -> None:
    assert uscc.is_valid(party.register_number)
    assert codes(decided(tmp_path, render(replace(SOUND, seller=party)))) == []


@pytest.mark.parametrize("place", range(18))
def test_a_slip_in_any_place_fails_the_check(tmp_path: Path, place: int) -> None:
    number = HUAYUE.register_number
    wrong = number[:place] + ("8" if number[place] != "8" else "7") + number[place + 1 :]
    assert not uscc.is_valid(wrong)
    invoice = replace(SOUND, seller=replace(HUAYUE, register_number=wrong))
    assert codes(decided(tmp_path, render(invoice))) == ["CHECK_DIGIT"]


@pytest.mark.parametrize(
    ("line", "text"),
    (
        (("3", "10.00", "29.99", ""), "line 1: 3 x 10.00 is not 29.99"),
        (("-3", "10.00", "30.00", ""), "line 1: -3 x 10.00 is not 30.00"),
        (("1.5", "0.125", "0.20", ""), "line 1: 1.5 x 0.125 is not 0.20"),
        (("10", "1000.00", "99.00", "100"), "line 1: 10 x 1,000.00 / 100 is not 99.00"),
        (("1", "1.00", "1.00", "0"), None),
        (("1", "1.00", "1.00", "-1"), None),
        (("many", "1.00", "1.00", ""), None),
        (("1", "free", "1.00", ""), None),
        (("1", "1.00", "1.00", "few"), None),
    ),
)
def test_lines_that_do_not_multiply(
    tmp_path: Path, line: tuple[str, str, str, str], text: str | None
) -> None:
    quantity, price, net, base = line
    goods = LineText(name="x", quantity=quantity, price=price, net=net, base=base, percent="25")
    decision = decided(tmp_path, render(replace(SOUND, lines=(goods,), prepaid="")))
    assert decision.outcome is Outcome.DRAFT
    missing = "line 1: a quantity, price or allowance is missing or no number"
    assert [each.text for each in decision.warnings] == [text or missing]


@pytest.mark.parametrize("net", ("3.33", "3.34"))
def test_either_rounding_of_a_line_is_right(tmp_path: Path, net: str) -> None:
    goods = LineText(name="x", quantity="1", price="10.00", net=net, base="3", percent="25")
    assert codes(decided(tmp_path, render(replace(SOUND, lines=(goods,), prepaid="")))) == []


def test_allowances_and_charges_of_a_line_count(tmp_path: Path) -> None:
    extra = ((False, "12.00"), (True, "2.00"))
    goods = LineText(
        name="x", quantity="2", price="50.00", net="90.00", percent="25", adjustments=extra
    )
    assert codes(decided(tmp_path, render(replace(SOUND, lines=(goods,))))) == []
    wrong = replace(goods, net="100.00")
    decision = decided(tmp_path, render(replace(SOUND, lines=(wrong,))))
    assert [each.text for each in decision.warnings] == ["line 1: 2 x 50.00 - 10.00 is not 100.00"]
    more = replace(goods, net="100.00", adjustments=((True, "7.00"),))
    decision = decided(tmp_path, render(replace(SOUND, lines=(more,))))
    assert [each.text for each in decision.warnings] == ["line 1: 2 x 50.00 + 7.00 is not 100.00"]
    data = render(replace(SOUND, lines=(wrong,))).replace(b">12.00<", b">twelve<")
    assert codes(decided(tmp_path, data)) == ["LINE_ARITHMETIC"]


def test_yen_are_shown_without_decimals(tmp_path: Path) -> None:
    goods = LineText(name="x", quantity="2", price="40", net="70", percent="0")
    invoice = replace(SOUND, lines=(goods,), currency="JPY", adjustments=(), prepaid="")
    decision = decided(tmp_path, render(invoice))
    assert [each.text for each in decision.warnings] == ["line 1: 2 x 40 is not 70"]


def test_many_wrong_lines_are_counted(tmp_path: Path) -> None:
    goods = LineText(name="x", quantity="1", price="1.00", net="2.00", percent="25")
    invoice = replace(SOUND, lines=(goods,) * (LINE_WARNINGS_MAX + 5))
    decision = decided(tmp_path, render(invoice))
    assert len(decision.warnings) == LINE_WARNINGS_MAX + 1
    assert decision.warnings[-1].text == "and 5 more lines"


def test_a_line_without_number(tmp_path: Path) -> None:
    data = edited(("<cbc:ID>1</cbc:ID>", ""), (">40.00<", ">41.00<"))
    decision = decided(tmp_path, data)
    assert [each.text for each in decision.warnings] == ["line ?: 2 x 41.00 is not 80.00"]


def test_totals_that_may_be_absent(tmp_path: Path) -> None:
    bare = replace(SOUND, adjustments=(), prepaid="", lines=(replace(SOUND.lines[0], percent="0"),))
    text = render(bare).decode("utf-8")
    start, end = text.index("<cac:TaxTotal>"), text.index("</cac:TaxTotal>") + 15
    assert decided(tmp_path, text.encode()).payable_minor == 8_000
    untaxed = (text[:start] + text[end:]).encode()
    assert decided(tmp_path, untaxed).outcome is Outcome.DRAFT
    elsewhere = replace(SOUND, tax_elsewhere=("EUR", "3.35"))
    assert decided(tmp_path, render(elsewhere)).outcome is Outcome.DRAFT


def test_two_registers_may_give_one_number(tmp_path: Path) -> None:
    buyer = replace(BUYER, register_number="DK11111111", vat_number="")
    data = render(replace(SOUND, buyer=buyer)).decode("utf-8")
    number = "<cbc:CompanyID>DK11111111</cbc:CompanyID>"
    for seller_scheme, buyer_scheme, refused in (("0184", "0106", False), ("0184", "0184", True)):
        first, second, third = data.split(number)
        schemes = [
            number.replace("ID>DK", f'ID schemeID="{each}">DK')
            for each in (seller_scheme, buyer_scheme)
        ]
        both = (first + schemes[0] + second + schemes[1] + third).encode("utf-8")
        assert (decided(tmp_path, both).outcome is Outcome.REFUSED) is refused


def test_a_duplicate_in_another_spelling_follows_its_original(tmp_path: Path) -> None:
    again = replace(SOUND, number="ｉｎｖ　００１", seller=replace(SELLER, name="Seller Limited"))
    write_all(tmp_path, a=render(again), b=render(SOUND), c=render(SOUND))
    assert told(tmp_path) == [
        ("draft", None, []),
        ("refused", "DUPLICATE", []),
        ("refused", "DUPLICATE", []),
    ]


def test_a_number_used_for_another_deal_waits_for_the_registrar(tmp_path: Path) -> None:
    other_buyer = replace(SOUND, buyer=replace(BUYER, register_number="DK33333333"))
    other_amount = replace(SOUND, prepaid="")
    write_all(tmp_path, a=render(SOUND), b=render(other_buyer), c=render(other_amount))
    assert told(tmp_path) == [
        ("draft", None, []),
        ("draft", None, ["SAME_NUMBER_DIFFERS"]),
        ("draft", None, ["SAME_NUMBER_DIFFERS"]),
    ]


def test_a_near_spelling_warns(tmp_path: Path) -> None:
    write_all(tmp_path, a=render(SOUND), b=render(replace(SOUND, number="INV-1")))
    assert told(tmp_path) == [("draft", None, []), ("draft", None, ["NEAR_SPELLING"])]


def test_a_corrected_invoice_follows_a_refused_one(tmp_path: Path) -> None:
    write_all(
        tmp_path,
        a=render(replace(SOUND, stated={"PayableAmount": "101.00"})),
        b=render(SOUND),
    )
    assert told(tmp_path) == [("refused", "BR-CO-16", []), ("draft", None, [])]


@pytest.mark.parametrize("names", (("a", "b"), ("b", "a")))
def test_a_reversal_is_noticed_wherever_it_stands(tmp_path: Path, names: tuple[str, str]) -> None:
    reversal = replace(
        SOUND, prepaid="", adjustments=(), lines=(replace(SOUND.lines[0], quantity="-2"),)
    )
    write_all(tmp_path, **dict(zip(names, (render(SOUND), render(reversal)), strict=True)))
    assert sorted(told(tmp_path), key=str) == [
        ("draft", None, ["SAME_NUMBER_NEGATIVE"]),
        ("refused", "NEGATIVE_PAYABLE", []),
    ]


def test_a_credit_note_of_the_same_number_is_another_document(tmp_path: Path) -> None:
    write_all(tmp_path, a=render(SOUND), b=render(replace(CREDIT, number="INV-001")))
    assert [each[:2] for each in told(tmp_path)] == [("draft", None), ("document", "MATCHED")]


@pytest.mark.parametrize("names", (("a", "b"), ("b", "a")))
def test_a_credit_note_finds_its_invoice(tmp_path: Path, names: tuple[str, str]) -> None:
    write_all(tmp_path, **dict(zip(names, (render(SOUND), render(CREDIT)), strict=True)))
    draft, credit = sorted(import_folder(tmp_path), key=lambda each: each.outcome, reverse=True)
    assert (credit.outcome, credit.code) == (Outcome.DOCUMENT, "MATCHED")
    assert credit.credits == (draft.name,)
    assert codes(draft) == ["CREDITED"]
    assert draft.warnings[0].text == f"{credit.name} credits 125.00 of it"


@pytest.mark.parametrize(
    "change",
    (
        {"names_invoice": ""},
        {"names_invoice": "INV-009"},
        {"names_invoice": "发票"},
        {"currency": "EUR"},
        {"seller": HUAYUE},
    ),
)
def test_a_credit_note_without_its_invoice_is_kept(
    tmp_path: Path, change: dict[str, object]
) -> None:
    credit = render(replace(CREDIT, **change))  # type: ignore[arg-type]
    write_all(tmp_path, a=render(SOUND), b=credit, c=credit)
    assert told(tmp_path) == [
        ("draft", None, []),
        ("document", "UNMATCHED", []),
        ("refused", "DUPLICATE", []),
    ]


def test_the_registry_is_asked_for_drafts_alone(tmp_path: Path) -> None:
    write_all(
        tmp_path,
        a=b"no xml",
        b=render(SOUND),
        c=render(replace(SOUND, number="2")),
        d=render(CREDIT),
    )
    asked: list[Fingerprint] = []

    def registry(document: Fingerprint) -> bool:
        asked.append(document)
        return document == fingerprint("DK11111111", "inv 001")

    decisions = import_folder(tmp_path, registry=registry)
    assert [each.code for each in decisions] == ["NOT_WELL_FORMED", "TAKEN", None, "UNMATCHED"]
    assert decisions[1].text == "the registry has the document already"
    assert asked == [fingerprint("DK11111111", "INV-001"), fingerprint("DK11111111", "2")]
    assert import_file(tmp_path / "b.xml", registry=registry).code == "TAKEN"


def test_unknown_parties_are_listed(tmp_path: Path) -> None:
    write_all(tmp_path, a=render(SOUND))
    (decision,) = import_folder(tmp_path, known_parties={"dk 11111111": "seller-1"})
    (unknown,) = decision.unknown_parties
    assert (unknown.role, unknown.number, unknown.name) == ("buyer", "DK22222222", "Buyer Ltd")
    known = {"DK91111111": "seller-1", "DK92222222": "buyer-1"}
    assert import_file(tmp_path / "a.xml", known_parties=known).unknown_parties == ()


def test_a_party_without_numbers_is_known_by_what_it_has(tmp_path: Path) -> None:
    customer = PartyText(name="仓库", country="CN", city="上海", other_number="4711")
    nameless = replace(customer, other_number="")
    known = KnownParties({"4711": "by-number", "仓库": "by-name"})
    for buyer, party_id in ((customer, "by-number"), (nameless, "by-name")):
        invoice = decided(tmp_path, render(replace(SOUND, buyer=buyer))).invoice
        assert invoice is not None
        assert known.find(invoice.buyer) == party_id
        assert known.find(invoice.seller) is None


def test_progress_is_told_after_every_file(tmp_path: Path) -> None:
    write_all(tmp_path, a=b"", b=b"", c=b"")
    seen: list[tuple[int, int]] = []
    import_folder(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert import_folder(empty) == []


def test_every_warning_is_raised_by_a_test() -> None:
    raised = {code for code, _ in WARNED}
    elsewhere = {
        WarningCode.CREDITED,
        WarningCode.LINE_ARITHMETIC,
        WarningCode.NEAR_SPELLING,
        WarningCode.SAME_NUMBER_DIFFERS,
        WarningCode.SAME_NUMBER_NEGATIVE,
        WarningCode.UNUSUAL_TYPE,
    }
    assert raised | elsewhere == set(WarningCode)


def test_an_invoice_is_disclosed_and_recomputed_by_who_gets_it(tmp_path: Path) -> None:
    invoice = decided(tmp_path, render(SOUND)).invoice
    assert invoice is not None
    salts = [bytes([place]) * 16 for place in range(len(invoice.fields))]
    document = disclose(invoice.fields, salts)
    assert disclosed_fingerprint(document) == invoice.fingerprint
    assert disclosed_particulars(document) == invoice.particulars
    assert disclosed_amount(document) == (invoice.currency, invoice.payable_minor)
    assert is_shown(show(document, "payable_minor"), document.root)
