"""`tally prove`: proofs from a node, to be checked without it by `tally verify`."""

from __future__ import annotations

from pathlib import Path

import click

from tallystick.cli.commands.records import find_kind
from tallystick.cli.commands.verify import claim_of, write_file
from tallystick.cli.connection import reader
from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand
from tallystick.cli.output import print_json
from tallystick.cli.reads import refused_read
from tallystick.cli.render import print_lines
from tallystick.cli.session import session_of
from tallystick.client.client import Client, NodeRefused
from tallystick.client.verify import proof_to_json
from tallystick.engine.cometbft.light.export import Export
from tallystick.ledger.proof import ReceiptProof, RecordProof


@click.command("prove", cls=TallyCommand)
@click.argument("what", nargs=-1, required=True, metavar="APP KIND KEY… | TRANSACTION")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Where the proof is written, as JSON.",
)
@click.option(
    "--trusted",
    type=click.IntRange(min=1),
    metavar="HEIGHT",
    help="Of a consortium: the block that the reader trusts [the first].",
)
@click.option(
    "--ics23",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Of a consortium: where the record's proof is written in ICS 23 form too.",
)
@click.pass_context
def prove(
    ctx: click.Context,
    what: tuple[str, ...],
    out: Path,
    *,
    trusted: int | None,
    ics23: Path | None,
) -> int:
    """Have the node prove that a record is there, or that there is none; or a receipt.

    `tally prove documents entry HASH --out absent.json` proves that nobody has registered an
    invoice. `tally verify absent.json` checks it anywhere, without the node. Under a consortium the
    file has the signed headers that lead to it from the block that its reader trusts.
    """
    session = session_of(ctx)
    try:
        proof = _ask(ctx, reader(session), what, trusted)
    except NodeRefused as no:
        return refused_read(session, no)
    if isinstance(proof, Export):
        height = proof.block.height
        write_file(out, proof.to_bytes())
        if ics23 is not None:
            write_file(ics23, proof.ics23())
    else:
        height = proof.seal.header.height
        if ics23 is not None:
            raise click.UsageError("--ics23: this node's own key signs, not a consortium", ctx)
        write_file(out, proof_to_json(proof) + b"\n")
    if session.as_json:
        print_json({"file": str(out), "height": height})
    else:
        print_lines([f"{out}: {claim_of(proof)}, after block {height}"])
    return OK


def _ask(
    ctx: click.Context, client: Client, what: tuple[str, ...], trusted: int | None
) -> RecordProof | ReceiptProof | Export:
    """What the node has: under a consortium with light blocks."""
    if len(what) == 1:
        transaction_id = _transaction(ctx, what[0])
        receipt = client.prove_receipt(transaction_id)
        if receipt.seal.signature is not None:
            return receipt
        return client.prove_receipt_file(transaction_id, trusted=trusted)
    if len(what) < 3:
        raise click.UsageError("name APP KIND KEY…, or the id of a transaction", ctx)
    command = find_kind(ctx, what[0], what[1]).command
    record = client.prove(what[0], command, *what[2:])
    if record.seal.signature is not None:
        return record
    return client.prove_file(what[0], command, *what[2:], trusted=trusted)


def _transaction(ctx: click.Context, text: str) -> bytes:
    """Id of a transaction."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is no id of a transaction", ctx) from None
