"""What is kept must be readable: fields that are new are read back, all of them in a new record."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.accel import load
from tallystick.ledger.app import Record
from tallystick.ledger.rules import Rules
from tallystick.values.codec import decode, encode, replace
from tests.ledger.toy import APP
from tests.ledger.toy.records import Counter, Note, Status
from tests.till import APP as TILL
from tests.till.records import Note as Message

RULES = Rules([APP])
BODY = load("python")
KEPT = Counter(
    counter_id="ctr-0123456789abcdef",
    owner="A",
    currency="CNY",
    amount_minor=300,
    status=Status.OPEN,
)
BAD: tuple[dict[str, Any], ...] = (
    {"amount_minor": -1},
    {"amount_minor": 2**63},
    {"amount_minor": "300"},
    {"amount_minor": True},
    {"amount_minor": 300.0},
    {"owner": "not a party\n"},
    {"owner": None},
    {"status": "open"},
    {"watchers": ["A"]},
    {"watchers": ("A", "not a party\n")},
    {"note": "x" * 100_000},
    {"note": "\ud800"},
)


def reads_back(after: Record, before: Record | None) -> bool:
    """Whether it is kept, as `execute.py` asks; what cannot be encoded or read is not."""
    try:
        return RULES.reads_back(RULES.checks_by(BODY), after, encode(after), before)
    except ValueError:
        return False


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_bad_field_is_found_in_a_new_record_and_in_a_changed_one(bad: dict[str, Any]) -> None:
    after = replace(KEPT, **bad)
    assert not reads_back(after, None)
    assert not reads_back(after, KEPT)
    assert not reads_back(after, Note(name="n", number=1)), "a record of another type shows nothing"


@pytest.mark.parametrize(
    "good",
    (
        {},
        {"amount_minor": 0},
        {"owner": "B", "amount_minor": 10**15},
        {"status": Status.CLOSED},
        {"watchers": ("A", "B"), "note": "seen"},
    ),
    ids=str,
)
def test_a_good_record_reads_back(good: dict[str, Any]) -> None:
    after = replace(KEPT, **good)
    for before in (None, KEPT, after, decode(Counter, encode(KEPT)), Note(name="n", number=1)):
        assert reads_back(after, before)


def test_a_default_is_left_out_of_the_bytes_and_reads_back_whatever_was_kept_before() -> None:
    """Nobody is no party: were it asked about alone, it would count only as the first of its type.

    A node that was restarted would then refuse what the others do not.
    """
    rules = Rules([TILL])
    nobodys, ones = Message(name="n", number=1), Message(name="n", number=2, by="A")
    for after, before in ((nobodys, None), (ones, None), (nobodys, None), (nobodys, ones)):
        assert rules.reads_back(rules.checks_by(BODY), after, encode(after), before)


def test_what_was_kept_before_changes_no_verdict() -> None:
    """Whatever a field by itself does not show, the whole record decides."""
    said = set()
    for rules in (RULES, Rules([APP])):
        for before in (None, KEPT, Note(name="n", number=1)):
            for bad in BAD:
                after = replace(KEPT, **bad)
                try:
                    said.add(rules.reads_back(rules.checks_by(BODY), after, encode(after), before))
                except ValueError:
                    said.add(False)
    assert said == {False}
