"""Every message and query of the catalogue can be written; disclosures; values of sentences."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tallystick.apps import APPS
from tallystick.catalogue import Catalogue, MessageInfo, QueryInfo, bare
from tallystick.wording import (
    Wording,
    WordingProblem,
    option_name,
    options,
    spellings,
    takes_disclosure,
    values_in_words,
)

CATALOGUE = Catalogue(APPS)
W = Wording()


# --- the catalogue


def messages() -> Iterator[MessageInfo]:
    """Every message of every application."""
    for app in CATALOGUE.apps:
        yield from app.messages


def queries() -> Iterator[QueryInfo]:
    """Every query of every application."""
    for app in CATALOGUE.apps:
        yield from app.queries


def test_no_two_fields_are_written_alike() -> None:
    for fields in [m.struct.fields for m in messages()] + [q.parameters for q in queries()]:
        flags = [flag for info in fields for flag in spellings(info.name)]
        assert len(flags) == len(set(flags)), flags


def test_every_field_of_the_catalogue_can_be_written() -> None:
    for info in messages():
        for option in options(info.struct.fields):
            assert option.flag == "--" + option_name(option.info.name)
            assert option.metavar != "VALUE", (info.name, option.flag)
            plain = bare(option.info.type)
            is_flag = plain is bool and not option.info.required and not option.info.default
            assert (option.metavar == "") is is_flag


def test_messages_that_take_a_disclosure_are_those_with_fingerprints_or_roots() -> None:
    taking = {f"{m.app} {m.command}" for m in messages() if takes_disclosure(m)}
    assert {"documents commit", "documents register", "receivables confirm"} <= taking
    assert "cash transfer" not in taking


@pytest.mark.parametrize(
    ("name", "short"),
    (
        ("piece_id", "piece"),
        ("amount_minor", "amount"),
        ("expires_at_ms", "expires"),
        ("valid_until_ms", "valid-until"),
        ("to", "to"),
        ("id", "id"),
        ("_id", "-id"),
        ("rate_ppm", "rate-ppm"),
    ),
)
def test_options_are_short(name: str, short: str) -> None:
    assert option_name(name) == short


# --- queries and disclosures


def test_arguments_of_a_query_are_checked() -> None:
    query = CATALOGUE.query("cash", "statement")
    assert query is not None
    words = ["--party", "D1", "--money", "CNY@CB"]
    assert W.query(query, words) == {"party": "D1", "money": "CNY@CB"}
    with pytest.raises(WordingProblem, match="--money: 'CNY' is not a currency and who issued it"):
        W.query(query, ["--party", "D1", "--money", "CNY"])
    with pytest.raises(WordingProblem, match="--money is missing"):
        W.query(query, ["--party", "D1"])


def facts(name: str) -> dict[str, object]:
    """A disclosed invoice."""
    assert name in ("inv", "other")
    return {
        "kind": "invoice",
        "root": name.encode().ljust(32, b"."),
        "scheme": 1,
        "strict": b"s" * 32,
        "relaxed": b"r" * 32,
        "particulars": b"p" * 32,
        "currency": "CNY",
        "payable_minor": 22_500_000,
    }


def test_a_disclosure_fills_in_what_it_tells() -> None:
    commit = CATALOGUE.message("documents", "commit")
    assert commit is not None
    made = Wording(disclosed=facts).message(commit, ["--disclosure", "inv"])
    assert (made.kind.value, made.root[:3]) == ("invoice", b"inv")
    assert made.particulars.payable_minor == 22_500_000


def test_what_is_written_wins_over_the_disclosure() -> None:
    commit = CATALOGUE.message("documents", "commit")
    assert commit is not None
    made = Wording(disclosed=facts).message(commit, ["--disclosure", "inv", "--root", "07" * 32])
    assert made.root == b"\x07" * 32


def test_several_disclosures_fill_several_fingerprints() -> None:
    confirm = CATALOGUE.message("receivables", "confirm")
    assert confirm is not None
    words = ["--undertaking", "und-0123456789abcdef", "--disclosure", "inv", "other"]
    assert len(Wording(disclosed=facts).message(confirm, words).fingerprints) == 2


def test_a_disclosure_must_be_at_hand() -> None:
    commit = CATALOGUE.message("documents", "commit")
    assert commit is not None
    with pytest.raises(WordingProblem, match="no disclosure inv is at hand"):
        W.message(commit, ["--disclosure", "inv"])
    with pytest.raises(WordingProblem, match="takes the name of a disclosure"):
        W.message(commit, ["--disclosure"])
    transfer = CATALOGUE.message("cash", "transfer")
    assert transfer is not None
    with pytest.raises(WordingProblem, match="no option --disclosure"):
        W.message(transfer, ["--disclosure", "inv"])


# --- sentences


def test_values_of_a_sentence_are_told_as_people_read_them() -> None:
    told = values_in_words(
        {
            "amount_minor": 533_333,
            "money": "CNY@CB",
            "at_ms": 1_791_450_000_000,
            "rate_ppm": 43_500,
            "pieces_max": 500,
            "party": "D1",
            "scope": "cash_account",
            "subject": "a_b",
        }
    )
    assert told == {
        "amount_minor": "5,333.33",
        "money": "CNY@CB",
        "at_ms": "2026-10-08 17:00",
        "rate_ppm": "4.35%",
        "pieces_max": 500,
        "party": "D1",
        "scope": "cash account",
        "subject": "a_b",
    }


def test_what_cannot_be_told_stays_as_it_is() -> None:
    assert values_in_words({"amount_minor": 5}) == {"amount_minor": 5}
    assert values_in_words({"amount_minor": 5, "currency": "XXX"})["amount_minor"] == 5
    assert values_in_words({"amount_minor": "5", "currency": "CNY"})["amount_minor"] == "5"
