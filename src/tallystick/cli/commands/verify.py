"""`tally verify` and `tally trust`: proofs checked without a node, and what one trusts."""

from __future__ import annotations

import re
import time
from pathlib import Path

import click

from tallystick.cli.commands.init import DATA
from tallystick.cli.connection import reader
from tallystick.cli.exits import NOT_OK, OK
from tallystick.cli.group import TallyCommand
from tallystick.cli.output import print_json
from tallystick.cli.render import print_lines
from tallystick.cli.session import session_of
from tallystick.client.light import verify_export
from tallystick.client.verify import (
    Proven,
    Trust,
    proof_from_json,
    verify_receipt,
    verify_record,
)
from tallystick.engine.cometbft.light.blocks import LightBlock, Validator, in_order
from tallystick.engine.cometbft.light.export import (
    Export,
    Trusted,
    export_from_bytes,
    trust_from_json,
    trust_to_json,
)
from tallystick.engine.cometbft.light.verify import DRIFT_NS, Terms
from tallystick.errors import BadAnswer, FormatError, HeaderRefused
from tallystick.ledger.genesis import Genesis
from tallystick.ledger.proof import ReceiptClaim, ReceiptProof, RecordClaim, RecordProof
from tallystick.ledger.system import Validator as ValidatorRecord
from tallystick.node import read_genesis, shipped
from tallystick.values.codec import decode, decode_key, replace
from tallystick.values.errors import CodecError, ValueProblem
from tallystick.values.time import format_at
from tallystick.wording import ZONE_MINUTES, WordingProblem
from tallystick.wording.plain import read_instant, read_number

PROOF_BYTES_MAX = 64_000_000
NS_PER_MS = 1_000_000

Proof = RecordProof | ReceiptProof | Export


@click.command("verify", cls=TallyCommand)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--genesis",
    type=click.Path(path_type=Path),
    default=DATA,
    metavar="DATA",
    help="Folder with the chain's genesis.json; its key or validators are trusted [.tally].",
)
@click.option(
    "--trust",
    metavar="FILE|HEIGHT[:HASH]",
    help="A block of the consortium that is trusted: a file of `tally trust`, or height and hash.",
)
@click.option(
    "--validators",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File whose validators are those of the trusted height.",
)
@click.option("--at", metavar="TIME", help="Verify as at this time [now].")
@click.option(
    "--trusting-period",
    default="14d",
    metavar="14d|36h",
    help="How old a trusted block may be when the proof is later than it [14d].",
)
@click.pass_context
def verify(
    ctx: click.Context,
    file: Path,
    *,
    genesis: Path = DATA,
    trust: str | None = None,
    validators: Path | None = None,
    at: str | None = None,
    trusting_period: str = "14d",
) -> int:
    """Check a proof against the chain's genesis, or a trusted block, alone; no node is asked.

    A consortium's proof may be older or newer than the trusted block. Ends with 1 when it proves
    nothing.
    """
    session = session_of(ctx)
    proof = read_proof(file)
    chain_id = ""
    try:
        if isinstance(proof, Export):
            trusted = _trusted(ctx, trust, validators, genesis)
            proven = verify_export(proof, trusted, _terms(ctx, at, trusting_period))
            chain_id = proof.block.chain_id
        else:
            node = Trust.of(read_genesis(genesis, shipped()[0]))
            chain_id = node.chain_id
            if isinstance(proof, RecordProof):
                proven = verify_record(proof, node)
            else:
                proven = verify_receipt(proof, node)
    except (BadAnswer, HeaderRefused) as problem:
        reason = problem.reason if isinstance(problem, BadAnswer) else str(problem)
        if session.as_json:
            print_json({"ok": False, "reason": reason})
        else:
            print_lines([f"proves nothing: {reason}"])
        return NOT_OK
    if session.as_json:
        print_json(_as_json(proof, proven, chain_id))
    else:
        when = format_at(proven.block_ms, ZONE_MINUTES)
        print_lines([f"proven: {claim_of(proof)}, after block {proven.height} of {when}"])
    return OK


@click.command("trust", cls=TallyCommand)
@click.argument("height", type=click.IntRange(min=1))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Where to."
)
@click.pass_context
def trust(ctx: click.Context, height: int, out: Path) -> int:
    """Write down a block of the consortium that one trusts, as one's own node has it.

    Compare the hash with another member's before it is relied on.
    """
    session = session_of(ctx)
    block = reader(session).light_block(height)
    write_file(out, trust_to_json(block) + b"\n")
    if session.as_json:
        print_json({"file": str(out), "height": height, "hash": block.header.hash.hex()})
    else:
        print_lines([f"{out}: block {height}, {block.header.hash.hex()}"])
    return OK


def read_proof(file: Path) -> Proof:
    """A proof from its file: JSON of a node, or a consortium's with its light blocks."""
    raw = _read(file)
    try:
        return proof_from_json(raw) if raw[:1] == b"{" else export_from_bytes(raw)
    except BadAnswer as problem:
        raise FormatError(str(file), problem.reason) from None


def write_file(out: Path, data: bytes) -> None:
    """Write a file of ours."""
    try:
        out.write_bytes(data)
    except OSError as problem:
        raise FormatError(str(out), f"cannot be written: {problem.strerror}") from None


def claim_of(proof: Proof) -> str:
    """What a proof says, once it is believed."""
    claim: RecordClaim | ReceiptClaim | ReceiptProof | None
    claim = (proof.record or proof.receipt) if isinstance(proof, Export) else proof
    if isinstance(claim, RecordClaim):
        is_there = "there is a" if claim.record is not None else "there is no"
        return f"{is_there} record {_key(claim.key)}"
    if claim is None:
        return "nothing"
    no = f" {claim.receipt.app} {claim.receipt.code}" if claim.receipt.app else ""
    transaction = (claim.receipt.transaction_id or b"").hex()
    return f"transaction {transaction} was {claim.receipt.outcome.value}{no}"


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            raw = opened.read(PROOF_BYTES_MAX + 1)
    except OSError as problem:
        raise FormatError(str(file), f"cannot be read: {problem.strerror}") from None
    if len(raw) > PROOF_BYTES_MAX:
        raise FormatError(str(file), "is too large for a proof")
    return raw


def _trusted(
    ctx: click.Context, trust: str | None, validators: Path | None, genesis: Path
) -> Trusted | LightBlock:
    """What is trusted: as the options say, else the first validators of the genesis."""
    if trust is None:
        return _first_validators(read_genesis(genesis, shipped()[0]))
    found = re.fullmatch(r"([1-9][0-9]{0,17})(?::([0-9A-Fa-f]{64}))?", trust)
    if found is None:
        return _with_validators(_trust_file(Path(trust)), validators)
    if found[2] is None and validators is None:
        raise click.UsageError("--trust HEIGHT:HASH, or HEIGHT with --validators FILE", ctx)
    hash_ = bytes.fromhex(found[2]) if found[2] else None
    made = Trusted(chain_id="", height=int(found[1]), hash=hash_)
    return _with_validators(made, validators)


def _with_validators(
    trusted: Trusted | LightBlock, validators: Path | None
) -> Trusted | LightBlock:
    """The same, with the validators (and the chain) that a file names."""
    if validators is None:
        return trusted
    told = _trust_file(validators)
    chain_id = told.header.chain_id if isinstance(told, LightBlock) else told.chain_id
    base = Trusted.of(trusted) if isinstance(trusted, LightBlock) else trusted
    return replace(base, chain_id=base.chain_id or chain_id, validators=told.validators)


def _trust_file(file: Path) -> Trusted | LightBlock:
    try:
        return trust_from_json(_read(file))
    except BadAnswer as problem:
        raise FormatError(str(file), problem.reason) from None


def _first_validators(genesis: Genesis) -> Trusted:
    """The validators of block 1, as the genesis names them."""
    found = []
    for raw in genesis.records:
        try:
            record = decode(ValidatorRecord, raw)
        except CodecError:
            continue
        found.append(Validator(public_key=record.public_key, power=record.power))
    if not found:
        raise BadAnswer("the genesis names no validators: a node's key signs this chain")
    return Trusted(chain_id=genesis.chain_id, height=1, validators=in_order(tuple(found)))


def _terms(ctx: click.Context, at: str | None, trusting_period: str) -> Terms:
    """How far trust reaches, as the options say."""
    try:
        trusting_ms = read_number(trusting_period, "ms")
        now_ns = time.time_ns() if at is None else read_instant(at, ZONE_MINUTES) * NS_PER_MS
    except WordingProblem as problem:
        raise click.UsageError(str(problem), ctx) from None
    return Terms(now_ns, trusting_ms * NS_PER_MS, DRIFT_NS)


def _key(key: bytes) -> str:
    """A record's key in words."""
    try:
        parts = decode_key(key)
    except ValueProblem:
        return key.hex()
    return " ".join(each.hex() if isinstance(each, bytes) else str(each) for each in parts)


def _as_json(proof: Proof, proven: Proven, chain_id: str) -> dict[str, object]:
    """A verdict for programs."""
    return {
        "ok": True,
        "chain_id": chain_id,
        "height": proven.height,
        "block_ms": proven.block_ms,
        "is_present": proven.is_present,
        "outcome": proven.outcome.value if proven.outcome else None,
        "claim": claim_of(proof),
    }
