"""`tally prove` and `tally verify`: proofs from a node, checked without it."""

from __future__ import annotations

from pathlib import Path

import click

from tallystick.cli.commands.init import DATA
from tallystick.cli.commands.records import find_kind
from tallystick.cli.connection import reader
from tallystick.cli.exits import NOT_OK, OK
from tallystick.cli.group import TallyCommand
from tallystick.cli.output import print_json
from tallystick.cli.reads import refused_read
from tallystick.cli.render import print_lines
from tallystick.cli.session import session_of
from tallystick.client.client import NodeRefused
from tallystick.client.verify import (
    Proven,
    Trust,
    proof_from_json,
    proof_to_json,
    verify_receipt,
    verify_record,
)
from tallystick.errors import BadAnswer, FormatError
from tallystick.ledger.proof import ReceiptProof, RecordProof
from tallystick.node import read_genesis, shipped
from tallystick.values.codec import decode_key
from tallystick.values.errors import ValueProblem
from tallystick.values.time import format_at
from tallystick.wording import ZONE_MINUTES

PROOF_BYTES_MAX = 16_000_000


@click.command("prove", cls=TallyCommand)
@click.argument("what", nargs=-1, required=True, metavar="APP KIND KEY… | TRANSACTION")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Where the proof is written, as JSON.",
)
@click.pass_context
def prove(ctx: click.Context, what: tuple[str, ...], out: Path) -> int:
    """Have the node prove that a record is there, or that there is none; or a receipt.

    `tally prove documents entry HASH --out absent.json` proves that nobody has registered an
    invoice. `tally verify absent.json` checks it anywhere, without the node.
    """
    session = session_of(ctx)
    client = reader(session)
    try:
        if len(what) == 1:
            proof: RecordProof | ReceiptProof = client.prove_receipt(_transaction(ctx, what[0]))
        elif len(what) > 2:
            info = find_kind(ctx, what[0], what[1])
            proof = client.prove(what[0], info.command, *what[2:])
        else:
            raise click.UsageError("name APP KIND KEY…, or the id of a transaction", ctx)
    except NodeRefused as no:
        return refused_read(session, no)
    try:
        out.write_bytes(proof_to_json(proof) + b"\n")
    except OSError as problem:
        raise FormatError(str(out), f"cannot be written: {problem.strerror}") from None
    if session.as_json:
        print_json({"file": str(out), "height": proof.seal.header.height})
    else:
        print_lines([f"{out}: {_claim(proof)}, after block {proof.seal.header.height}"])
    return OK


@click.command("verify", cls=TallyCommand)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--genesis",
    type=click.Path(path_type=Path),
    default=DATA,
    metavar="DATA",
    help="Folder with the chain's genesis.json, whose key is trusted [.tally].",
)
@click.pass_context
def verify(ctx: click.Context, file: Path, genesis: Path) -> int:
    """Check a proof against the chain's genesis alone; no node is asked.

    Ends with 1 when it proves nothing.
    """
    session = session_of(ctx)
    proof = read_proof(file)
    trust = Trust.of(read_genesis(genesis, shipped()[0]))
    try:
        if isinstance(proof, RecordProof):
            proven = verify_record(proof, trust)
        else:
            proven = verify_receipt(proof, trust)
    except BadAnswer as problem:
        if session.as_json:
            print_json({"ok": False, "reason": problem.reason})
        else:
            print_lines([f"proves nothing: {problem.reason}"])
        return NOT_OK
    if session.as_json:
        print_json(_as_json(proof, proven, trust))
    else:
        when = format_at(proven.block_ms, ZONE_MINUTES)
        print_lines([f"proven: {_claim(proof)}, after block {proven.height} of {when}"])
    return OK


def read_proof(file: Path) -> RecordProof | ReceiptProof:
    """A proof from its file."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(PROOF_BYTES_MAX + 1)
    except OSError as problem:
        raise FormatError(str(file), f"cannot be read: {problem.strerror}") from None
    if len(raw) > PROOF_BYTES_MAX:
        raise FormatError(str(file), "is too large for a proof")
    try:
        return proof_from_json(raw)
    except BadAnswer as problem:
        raise FormatError(str(file), problem.reason) from None


def _transaction(ctx: click.Context, text: str) -> bytes:
    """Id of a transaction."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is no id of a transaction", ctx) from None


def _claim(proof: RecordProof | ReceiptProof) -> str:
    """What a proof says, once it is believed."""
    if isinstance(proof, ReceiptProof):
        no = f" {proof.receipt.app} {proof.receipt.code}" if proof.receipt.app else ""
        transaction = (proof.receipt.transaction_id or b"").hex()
        return f"transaction {transaction} was {proof.receipt.outcome.value}{no}"
    is_there = "there is a" if proof.record is not None else "there is no"
    return f"{is_there} record {_key(proof.key)}"


def _key(key: bytes) -> str:
    """A record's key in words."""
    try:
        parts = decode_key(key)
    except ValueProblem:
        return key.hex()
    return " ".join(each.hex() if isinstance(each, bytes) else str(each) for each in parts)


def _as_json(proof: RecordProof | ReceiptProof, proven: Proven, trust: Trust) -> dict[str, object]:
    """A verdict for programs."""
    return {
        "ok": True,
        "chain_id": trust.chain_id,
        "height": proven.height,
        "block_ms": proven.block_ms,
        "is_present": proven.is_present,
        "outcome": proven.outcome.value if proven.outcome else None,
        "claim": _claim(proof),
    }
