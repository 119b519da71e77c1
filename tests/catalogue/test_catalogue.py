"""What the applications say of themselves, on the real ones."""

from __future__ import annotations

import inspect

import pytest

from tallystick.apps import APPS
from tallystick.catalogue import (
    Catalogue,
    MessageInfo,
    all_refusals,
    bare,
    fill,
    first_sentence,
    marks,
    nested_struct,
    struct_info,
    unit_of,
)
from tallystick.ledger.refusals import Refusal as LedgerRefusal

CATALOGUE = Catalogue(APPS)
MESSAGES = [message for app in CATALOGUE.apps for message in app.messages]


def refusals(app: str, command: str) -> list[str]:
    """Names of a message's refusals, in order."""
    found = CATALOGUE.message(app, command)
    assert found is not None
    return [f"{code.app}.{code.name}" for code in found.refusals]


# --- messages


def test_every_application_and_message_is_there() -> None:
    assert [app.name for app in CATALOGUE.apps] == [app.name for app in APPS]
    types = [cls for app in APPS for cls in app.message_types]
    assert [message.type for message in MESSAGES] == types
    for app in CATALOGUE.apps:
        assert app.doc.endswith(".")
        assert CATALOGUE.app(app.name) is app


def test_names_of_commands() -> None:
    for message in MESSAGES:
        found = CATALOGUE.message(message.app, message.command)
        assert found is (None if message.type.spec.timer else message)
    assert CATALOGUE.message("cash", "nosuch") is None
    assert CATALOGUE.message("nosuch", "mint") is None


@pytest.mark.parametrize("info", MESSAGES, ids=lambda each: f"{each.app}.{each.name}")
def test_every_message_says_what_it_is_and_when_it_is_refused(info: MessageInfo) -> None:
    assert info.struct.doc
    assert all(field.doc for field in info.struct.fields)
    numbers = [(code.app, code.number) for code in info.refusals]
    assert len(set(numbers)) == len(numbers)
    assert all(code.doc for code in info.refusals)


def test_refusals_in_the_order_of_the_checks() -> None:
    assert refusals("cash", "mint") == [
        "members.NOT_A_MEMBER",
        "cash.UNKNOWN_CURRENCY",
        "cash.NOT_ISSUER",
        "cash.ZERO_AMOUNT",
    ]
    transfer = refusals("cash", "transfer")
    assert transfer[0] == "members.NOT_A_MEMBER"
    assert "members.FROZEN" in transfer
    assert transfer.index("cash.ZERO_AMOUNT") < transfer.index("cash.INSUFFICIENT")
    assert refusals("cash", "release")[:3] == [
        "cash.NO_SUCH_HOLD",
        "cash.HELD_FOR_RECORD",
        "cash.NOT_YOUR_HOLD",
    ]


def test_refusals_of_other_modules_and_applications_are_found() -> None:
    apps = {code.app for _, code in all_refusals(CATALOGUE.apps)}
    assert {"members", "cash", "documents", "receivables", "governance"} <= apps
    split = refusals("receivables", "split")
    assert any(code.startswith("receivables.") for code in split)
    pairs = list(all_refusals(CATALOGUE.apps))
    assert len(pairs) > 500


# --- records, queries, refusals


def test_records_are_found_by_command() -> None:
    for app in CATALOGUE.apps:
        for record in app.records:
            assert CATALOGUE.record(app.name, record.command) is record
            assert all(field.doc for field in record.struct.fields)
    clock = CATALOGUE.record("ledger", "clock")
    assert clock is not None
    assert clock.name == "Clock"
    assert CATALOGUE.record("ledger", "used_minute") is not None
    assert CATALOGUE.record("nosuch", "clock") is None


def test_queries_say_what_they_take_and_answer() -> None:
    for app in CATALOGUE.apps:
        for query in app.queries:
            assert CATALOGUE.query(app.name, query.command) is query
            assert query.doc
            assert query.returns is not None or not query.many
    balances = CATALOGUE.query("cash", "balances")
    assert balances is not None
    assert (balances.many, balances.returns and balances.returns.name) == (True, "Balance")
    (party,) = balances.parameters
    assert (party.name, party.required, party.doc) == ("party", True, "A party.")
    supply = CATALOGUE.query("cash", "supply")
    assert supply is not None
    assert not supply.many
    assert CATALOGUE.query("nosuch", "balances") is None


def test_refusals_by_number() -> None:
    found = CATALOGUE.refusal("ledger", LedgerRefusal.BUSY.number)
    assert found is not None
    assert (found.name, found.retry) == ("BUSY", True)
    assert CATALOGUE.refusal("ledger", 999) is None
    assert CATALOGUE.refusal("nosuch", 1) is None
    for app in CATALOGUE.apps:
        assert [code.number for code in app.refusals] == [c.number for c in app.app.refusals]


# --- words


def test_sentences() -> None:
    said = CATALOGUE.sentence("ledger", 3, {"what": "reads", "most": 5})
    assert said == "ledger 3 TOO_MUCH_WORK: too much work: at most 5 reads"
    assert "工作量" in CATALOGUE.sentence("ledger", 3, {"what": "reads", "most": 5}, "zh")
    assert CATALOGUE.sentence("ledger", 3, {}).endswith("at most {most} {what}")
    assert CATALOGUE.sentence("nosuch", 3, {}) == "nosuch 3"


def test_amounts_in_sentences_are_decimals() -> None:
    assert fill("{a_minor} left", {"a_minor": 12_345, "currency": "CNY"}) == "123.45 left"
    assert fill("{a_minor} left", {"a_minor": 12_345, "money": "JPY@CB"}) == "12,345 left"
    assert fill("{a_minor} left", {"a_minor": 12_345}) == "12345 left"
    assert fill("{b} left", {"a_minor": 1}) == "{b} left"


def test_every_refusal_of_the_ledger_has_words() -> None:
    for code in CATALOGUE.ledger_refusals:
        for language in ("zh", "en"):
            assert CATALOGUE.word("ledger", "refusal", code.name, language=language)
    for record in CATALOGUE.ledger_records:
        assert CATALOGUE.word("ledger", "record", record.name)
        for field in record.struct.fields:
            assert CATALOGUE.word("ledger", "field", field.name, language="zh"), field.name
    assert CATALOGUE.word("cash", "message", "Mint")
    assert CATALOGUE.word("cash", "message", "Nosuch") is None
    assert CATALOGUE.word("nosuch", "message") is None


# --- types


def test_types_are_read_through_annotations() -> None:
    mint = CATALOGUE.message("cash", "mint")
    assert mint is not None
    amount = next(field for field in mint.struct.fields if field.name == "amount_minor")
    assert (bare(amount.type), unit_of(amount.type)) == (int, "minor")
    assert marks(amount.type)
    assert unit_of(str) is None
    assert bare(int | None) is int
    assert bare(int | str) == int | str
    assert nested_struct(int) == (None, False)


def test_structs_inside_are_found() -> None:
    admit = CATALOGUE.message("members", "admit")
    assert admit is not None
    inner, several = nested_struct(admit.struct.fields[0].type)
    assert inner is not None
    assert not several
    officers = next(field for field in struct_info(inner).fields if field.name == "officers")
    officer, several = nested_struct(officers.type)
    assert several
    assert inspect.isclass(officer)


def test_first_sentences() -> None:
    assert first_sentence(None) == ""
    assert first_sentence("One. Two.") == "One."
    assert first_sentence("Over\n    two lines.\n\n    More.") == "Over two lines."
