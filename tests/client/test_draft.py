"""A transaction that goes from officer to officer as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.client import draft
from tallystick.client.draft import Draft
from tallystick.errors import BadKeyFile, FormatError
from tallystick.gateway.reply import Outcome
from tallystick.ledger.rules import Rules
from tallystick.ledger.transaction import Call
from tallystick.testing.world import public_key, sign
from tallystick.values.codec import replace
from tests.till import APP
from tests.till.messages import Leave, Pay
from tests.till.running import Running, running

MESSAGES = Rules([APP]).sent
PAY = ("A.clerk", Pay(to="B", amount_minor=5))
KEYS = [("A.clerk", public_key("A.clerk")), ("B.clerk", public_key("B.clerk"))]


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("till") / "data") as made:
        yield made


def begun(till: Running) -> Draft:
    return Draft(body=till.client.body(PAY), signers=("A.clerk",))


def test_two_members_sign_one_after_the_other_and_both_things_happen(
    till: Running, tmp_path: Path
) -> None:
    path = tmp_path / "deal.json"
    made = begun(till)
    made = draft.add_call(
        made, Call(party="B", message=Leave(name="deal", number=1)), ["B.clerk"], MESSAGES
    )
    draft.write(path, made)

    found = draft.read(path)
    asked = found.calls(MESSAGES)
    assert [call.party for call in asked.calls] == ["A", "B"]
    assert found.missing(KEYS) == ("A.clerk", "B.clerk")
    draft.write(path, draft.add_signature(found, sign("A.clerk", found.body)))

    found = draft.read(path)
    assert found.missing(KEYS) == ("B.clerk",)
    assert till.client.submit(found.raw()).outcome is Outcome.UNAUTHORISED, "one has not signed"

    whole = draft.add_signature(found, sign("B.clerk", found.body))
    assert whole.missing(KEYS) == ()
    assert draft.check(whole, till.node.ledger.codec) == ""
    reply = till.client.submit(whole.raw())
    assert (reply.outcome, reply.transaction_id) == (Outcome.ACCEPTED, whole.id)
    assert till.client.record("till", "note", "deal", 1) is not None


def test_signing_twice_is_signing_once(till: Running) -> None:
    made = begun(till)
    once = draft.add_signature(made, sign("A.clerk", made.body))
    assert draft.add_signature(once, sign("A.clerk", made.body)) == once


def test_a_signature_under_something_else_is_refused(till: Running) -> None:
    with pytest.raises(BadKeyFile, match="not good"):
        draft.add_signature(begun(till), sign("A.clerk", b"something else"))


def test_a_signed_draft_takes_no_more_calls(till: Running) -> None:
    made = begun(till)
    signed = draft.add_signature(made, sign("A.clerk", made.body))
    with pytest.raises(FormatError, match="signed already"):
        draft.add_call(signed, Call(party="B", message=Leave(name="x", number=1)), [], MESSAGES)


def test_a_draft_has_at_most_so_many_calls(till: Running) -> None:
    made = begun(till)
    for number in range(15):
        call = Call(party="A", message=Leave(name="many", number=number))
        made = draft.add_call(made, call, [], MESSAGES)
    with pytest.raises(FormatError, match="at most 16"):
        draft.add_call(made, Call(party="A", message=Leave(name="x", number=1)), [], MESSAGES)


def test_an_unsigned_draft_is_not_ready(till: Running) -> None:
    assert "no signature" in draft.check(begun(till), till.node.ledger.codec)


@pytest.mark.parametrize("text", ("", "{}", '{"format": 2, "body": ""}', '{"body": 5}', "[1]"))
def test_a_file_that_is_no_draft_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(FormatError, match="not a draft"):
        draft.read(path)


def test_a_missing_or_huge_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        draft.read(tmp_path / "none")
    (tmp_path / "huge").write_bytes(b" " * 2_000_000)
    with pytest.raises(FormatError, match="too large"):
        draft.read(tmp_path / "huge")


def test_a_changed_body_spoils_the_signatures(till: Running, tmp_path: Path) -> None:
    path = tmp_path / "deal.json"
    made = begun(till)
    draft.write(path, draft.add_signature(made, sign("A.clerk", made.body)))
    plain = json.loads(path.read_text())
    other = replace(made, body=till.client.body(("A.clerk", Pay(to="B", amount_minor=500))))
    path.write_text(json.dumps(plain | {"body": other.body.hex()}))
    with pytest.raises(FormatError, match="is not good"):
        draft.read(path)
