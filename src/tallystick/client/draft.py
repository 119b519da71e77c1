"""A transaction that waits for signatures, as a file that officers hand to each other.

    tally … --out FILE     writes it          tally sign FILE     adds a signature
    tally … --out FILE     again adds a call  tally send FILE     hands it in

Calls are added before anybody signs: every signature covers all of them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from tallystick.accel import verify
from tallystick.errors import BadKeyFile, FormatError
from tallystick.ledger.app import Message
from tallystick.ledger.refusal import Refused
from tallystick.ledger.transaction import (
    BYTES_MAX,
    CALLS_MAX,
    SIGNATURES_MAX,
    Body,
    Call,
    Signature,
    TransactionCodec,
    assemble,
    body_type,
    signed_bytes,
    transaction_id,
)
from tallystick.values.codec import Struct, decode_canonical, encode, from_json, replace, to_json
from tallystick.values.errors import CodecError

FORMAT = 1
FILE_BYTES_MAX = 1_048_576

OfficerName = Annotated[str, Meta(min_length=1, max_length=65)]


class Draft(Struct):
    """An unfinished transaction."""

    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)] = FORMAT
    """Format number, 1."""
    body: Annotated[bytes, Meta(max_length=BYTES_MAX)]
    """The encoded body: what is signed."""
    signers: Annotated[tuple[OfficerName, ...], Meta(max_length=SIGNATURES_MAX)] = ()
    """Officers who are asked to sign, e.g. `S1.maker`; others may be needed too."""
    signatures: Annotated[tuple[Signature, ...], Meta(max_length=SIGNATURES_MAX)] = ()
    """Signatures so far."""

    @property
    def id(self) -> bytes:
        """Id of the transaction: it does not depend on the signatures."""
        return transaction_id(self.body)

    def calls(self, messages: Sequence[type[Message]]) -> Body[Any]:
        """What is asked, decoded: to be shown to whoever signs."""
        body: Body[Any] = decode_canonical(body_type(messages), self.body)
        return body

    def raw(self) -> bytes:
        """The bytes that travel, with the signatures there are."""
        return assemble(self.body, self.signatures)

    def missing(self, held: Sequence[tuple[str, bytes]]) -> tuple[str, ...]:
        """Officers asked to sign whose key, among (name, public key) given, has not signed."""
        keys = dict(held)
        signed = {each.public_key for each in self.signatures}
        return tuple(name for name in self.signers if keys.get(name) not in signed)


def add_signature(draft: Draft, signature: Signature) -> Draft:
    """The draft with one more signature; one that is not good is refused."""
    if not verify(signature.public_key, signed_bytes(draft.body), signature.signature):
        raise BadKeyFile("the key", "its signature is not good")
    others = [each for each in draft.signatures if each.public_key != signature.public_key]
    ordered = sorted([*others, signature], key=lambda each: each.public_key)
    return replace(draft, signatures=tuple(ordered))


def add_call(
    draft: Draft, call: Call[Any], signers: Sequence[str], messages: Sequence[type[Message]]
) -> Draft:
    """The draft with one more call; nobody may have signed yet."""
    if draft.signatures:
        raise FormatError("draft", "it is signed already: a call would spoil the signatures")
    body = draft.calls(messages)
    if len(body.calls) == CALLS_MAX:
        raise FormatError("draft", f"a transaction has at most {CALLS_MAX} calls")
    asked = tuple(dict.fromkeys([*draft.signers, *signers]))
    longer = replace(body, calls=(*body.calls, call))
    return replace(draft, body=encode(longer), signers=asked)


def write(path: Path, draft: Draft) -> None:
    """Write the file, whole or not at all."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as out:
        out.write(to_json(draft) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    beside.rename(path)


def read(path: Path) -> Draft:
    """Read a file; every signature in it is checked."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise FormatError(str(path), "it is too large for a draft")
        draft = from_json(Draft, path.read_bytes())
    except OSError as problem:
        raise FormatError(str(path), f"it cannot be read: {problem.strerror}") from None
    except CodecError as problem:
        raise FormatError(str(path), f"it is not a draft: {problem}") from None
    for each in draft.signatures:
        if not verify(each.public_key, signed_bytes(draft.body), each.signature):
            raise FormatError(str(path), f"the signature of {each.public_key.hex()} is not good")
    return draft


def check(draft: Draft, codec: TransactionCodec) -> str:
    """Why a node's door would turn it away, in words; empty when it would not."""
    try:
        codec.decode(draft.raw())
    except Refused as no:
        return str(no)
    return ""
