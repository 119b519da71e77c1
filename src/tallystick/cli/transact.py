"""Sending a message: words to a call, a call to a transaction, signatures, the answer."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any

import click
import msgspec

from tallystick.catalogue import Catalogue, MessageInfo
from tallystick.cli.connection import connect, key_store, party_of, reader
from tallystick.cli.exits import OK
from tallystick.cli.lookup import node_wording, read_files
from tallystick.cli.output import print_json
from tallystick.cli.session import Session
from tallystick.cli.told import sentence, tell_reply
from tallystick.client import draft as drafts
from tallystick.client.client import EXPIRY_MS, Client, officers_of
from tallystick.client.draft import Draft
from tallystick.errors import FormatError, Unreachable
from tallystick.gateway.reply import Reply
from tallystick.ledger.app import Message
from tallystick.ledger.transaction import Body, Call
from tallystick.values.codec import encode, to_json
from tallystick.wording import Wording, WordingProblem, read_number

ID_CHARS = 16
"""Hex digits of a transaction's id in the name of its file."""
SLACK_MS = 60_000
"""How much sooner than the horizon a transaction in a file expires: clocks differ."""


def transact(
    session: Session, catalogue: Catalogue, info: MessageInfo, given: dict[str, list[str]]
) -> int:
    """Send one message, or put it into a file; returns the exit code."""
    party_of(session)
    client = reader(session) if not session.node.startswith("unix:") else connect(session)
    wording = node_wording(client, catalogue)
    message = wording.message_of(info, read_files(info.struct.fields, given))
    return transact_message(session, catalogue, message, client=client, wording=wording)


def transact_message(
    session: Session, catalogue: Catalogue, message: Message, *, client: Client, wording: Wording
) -> int:
    """Send a message that is read already, or put it into a file."""
    party = party_of(session)
    call = Call[Any](party=party, message=message, outlet=session.values.get("outlet"))
    if session.values.get("out") or session.values.get("add_to"):
        return _into_file(session, catalogue, call, client=client, wording=wording)
    names = signers(session)
    if not names:
        raise click.UsageError("say who signs: --as MEMBER.OFFICER[+OFFICER]")
    body, store = encode(new_body(session, client, call, wording)), key_store(session)
    draft = Draft(body=body, signers=tuple(names))
    for name in names:
        draft = drafts.add_signature(draft, store.sign(name, body))
    said = sentence(catalogue, party, message, session.language, wording)
    return tell_reply(session, catalogue, submit(client, draft), [said])


def submit(client: Client, draft: Draft) -> Reply:
    """Hand a transaction in; when no answer comes, keep it: it may have happened."""
    try:
        return client.submit(draft.raw())
    except Unreachable as problem:
        path = Path(f"unanswered-{draft.id.hex()[:ID_CHARS]}.tx")
        write_draft(path, draft)
        again = f"`tally send {path}` hands it in again, and it never happens twice"
        raise Unreachable(problem.address, f"{problem.reason}; {again}") from None


def new_body(session: Session, client: Client, call: Call[Any], wording: Wording) -> Body[Any]:
    """The body of a transaction of one call."""
    status = client.status()
    is_for_file = bool(session.values.get("out"))
    usual_ms = status.horizon_ms - SLACK_MS if is_for_file else EXPIRY_MS
    expires_at_ms = status.ledger_ms + max(min(usual_ms, status.horizon_ms), 0)
    if "expires" in session.values:
        expires_at_ms = _expiry(session.values["expires"], status.ledger_ms, wording)
    return Body[Any](
        chain_id=status.chain_id,
        sender=call.party,
        reference=session.values.get("reference") or secrets.token_hex(12),
        expires_at_ms=expires_at_ms,
        calls=(call,),
    )


def _expiry(text: str, now_ms: int, wording: Wording) -> int:
    """`24h` from now, or a time."""
    if re.fullmatch(r"[0-9]+[smhd]", text):
        return now_ms + read_number(text, "ms")
    try:
        return wording.instant(text)
    except WordingProblem as problem:
        raise WordingProblem(f"--expires: {problem}") from None


def signers(session: Session) -> list[str]:
    """Names of the keys of `--as`, each once."""
    return list(dict.fromkeys(f"{p}.{o}" for p, o in officers_of(session.who)))


def _into_file(
    session: Session, catalogue: Catalogue, call: Call[Any], *, client: Client, wording: Wording
) -> int:
    """Write the call as a transaction that waits for signatures, or add it to one."""
    names = signers(session)
    if add_to := session.values.get("add_to"):
        old = drafts.read(Path(add_to))
        made = drafts.add_call(old, call, names, message_types(catalogue))
        target = Path(session.values.get("out") or add_to)
    else:
        target = Path(session.values["out"])
        made = Draft(body=encode(new_body(session, client, call, wording)), signers=tuple(names))
    write_draft(target, made)
    if session.as_json:
        print_json(draft_json(target, made, catalogue))
    else:
        count = len(made.calls(message_types(catalogue)).calls)
        calls = "1 call" if count == 1 else f"{count} calls"
        click.echo(f"{target}: {calls}, to be signed by {', '.join(made.signers) or 'officers'}:")
        click.echo(f"  tally --as MEMBER.OFFICER sign {target}, then tally send {target}")
    return OK


def write_draft(path: Path, draft: Draft) -> None:
    """Write the file; FormatError if it cannot be written."""
    try:
        drafts.write(path, draft)
    except OSError as problem:
        raise FormatError(str(path), f"cannot be written: {problem.strerror}") from None


def message_types(catalogue: Catalogue) -> list[type[Message]]:
    """Every message that members may send."""
    return [
        info.type for app in catalogue.apps for info in app.messages if not info.type.spec.timer
    ]


def draft_json(path: Path, draft: Draft, catalogue: Catalogue) -> dict[str, Any]:
    """A transaction in a file, for programs."""
    body = draft.calls(message_types(catalogue))
    return {
        "file": str(path),
        "transaction_id": draft.id.hex(),
        "chain_id": body.chain_id,
        "sender": body.sender,
        "reference": body.reference,
        "expires_at_ms": body.expires_at_ms,
        "calls": [
            {
                "party": call.party,
                "outlet": call.outlet,
                "message": msgspec.json.decode(to_json(call.message)),
            }
            for call in body.calls
        ],
        "signers": list(draft.signers),
        "signatures": [each.public_key.hex() for each in draft.signatures],
    }
