"""What became of a transaction, and what a transaction asks for, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from tallystick.catalogue import Catalogue, fill, struct_info
from tallystick.cli.exits import OK, REFUSED
from tallystick.cli.output import print_json
from tallystick.cli.session import Session
from tallystick.errors import Expired, Rejected
from tallystick.gateway.reply import UNDECIDED, Outcome, Reply
from tallystick.ledger.app import Message, tag_of
from tallystick.ledger.transaction import Body
from tallystick.wording import Wording, option_name, values_in_words


def refusal_text(
    catalogue: Catalogue, reply: Reply, language: str, wording: Wording | None = None
) -> str:
    """`receivables 27 NOT_HOLDER: party A does not hold piece 7`."""
    raw: Mapping[str, object] = {each.name: each.value for each in reply.values}
    values = values_in_words(raw, (wording or Wording()).zone_minutes)
    return catalogue.sentence(str(reply.app), reply.code, values, language)


def reply_json(catalogue: Catalogue, reply: Reply, language: str) -> dict[str, Any]:
    """An answer for programs."""
    code = catalogue.refusal(reply.app, reply.code) if reply.app else None
    return {
        "outcome": reply.outcome.value,
        "transaction_id": reply.transaction_id.hex() if reply.transaction_id else None,
        "height": reply.height,
        "app": reply.app,
        "code": reply.code or None,
        "name": None if code is None else code.name,
        "sentence": refusal_text(catalogue, reply, language) if reply.app else None,
        "values": {each.name: each.value for each in reply.values},
        "ids": list(reply.ids),
        "retry": reply.retry,
    }


def tell_reply(session: Session, catalogue: Catalogue, reply: Reply, sentences: list[str]) -> int:
    """Say what became of a transaction; returns the exit code."""
    if session.as_json:
        print_json(reply_json(catalogue, reply, session.language))
    elif reply.outcome is Outcome.ACCEPTED:
        for sentence in sentences:
            click.echo(sentence)
        if reply.ids:
            click.echo(f"made {' '.join(reply.ids)}")
        click.echo(f"accepted at height {reply.height}")
    elif reply.outcome in (Outcome.REFUSED, Outcome.UNAUTHORISED, Outcome.REUSED):
        click.echo(refusal_text(catalogue, reply, session.language))
    return exit_code(session, catalogue, reply)


def exit_code(session: Session, catalogue: Catalogue, reply: Reply) -> int:
    """Exit code of an answer; raises what is no receipt."""
    if reply.outcome is Outcome.ACCEPTED:
        return OK
    if reply.outcome is Outcome.EXPIRED:
        raise Expired((reply.transaction_id or b"").hex())
    if reply.outcome is Outcome.REJECTED or reply.outcome in UNDECIDED:
        raise Rejected(refusal_text(catalogue, reply, session.language))
    return REFUSED


def sentence(
    catalogue: Catalogue, party: str, message: Message, language: str, wording: Wording
) -> str:
    """What a message asks for: `S1 passes piece-… to S2`."""
    app, name, _ = tag_of(type(message)).split(".")
    words = catalogue.word(app, "message", type(message).__name__, language=f"sentence_{language}")
    shown = {"party": party, **shown_fields(message, wording)}
    return fill(words, shown) if words else f"{party}: {app} {name}"


def shown_fields(message: Message, wording: Wording) -> dict[str, str]:
    """Fields of a message as people read them, by name."""
    currency = wording.currency_for(message)
    return {
        info.name: wording.show(getattr(message, info.name), info.type, currency)
        for info in struct_info(type(message)).fields
    }


def body_rows(
    catalogue: Catalogue, body: Body[Any], language: str, wording: Wording
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each call: its sentence, and the fields that were given."""
    told = []
    for call in body.calls:
        shown = shown_fields(call.message, wording)
        given = [
            (option_name(info.name), shown[info.name])
            for info in struct_info(type(call.message)).fields
            if info.required or getattr(call.message, info.name) != info.default
        ]
        told.append((sentence(catalogue, call.party, call.message, language, wording), given))
    return told
