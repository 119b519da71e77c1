"""A transaction: calls of members under one reference, signed bytes, and how they are read.

`transaction = [format, body, signatures]`, MessagePack; `body` is a byte string holding the map
`{chain_id, sender, reference, expires_at_ms, calls}`. Signed bytes = `"tallystick/tx/1" ‖ body`;
id = SHA-256 of the signed bytes, signatures excluded. See docs/reference/formats.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar, Union

import msgspec
from msgspec import Meta

from tallystick.accel.body import Opened
from tallystick.ledger.app import Message
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tallystick.values.codec import Struct, decoder, encode
from tallystick.values.units import AtMs, OutletId, PartyId, PublicKey, Reference, Signature64

FORMAT = 1
"""Format number of transactions."""
DOMAIN = b"tallystick/tx/1"
"""Written before the body when it is signed."""
SUITE_ED25519 = 1
"""Ed25519 under ZIP-215 rules."""
BYTES_MAX = 65_536
"""Largest transaction, in bytes."""
CALLS_MAX = 16
"""Most calls in a transaction."""
SIGNATURES_MAX = 32
"""Most signatures on a transaction."""
NAMES_MAX = 100_000
"""Names that are remembered because they fitted their patterns."""

ChainId = Annotated[str, Meta(min_length=10, max_length=64, pattern=r"^[a-z0-9-]+(?!\n)$")]
"""Name of the chain and 8 hex digits of the hash of its genesis."""

M = TypeVar("M")


class Signature(Struct, array_like=True):
    """One signature: `[suite, public_key, signature]`."""

    suite: Annotated[int, Meta(ge=1, le=255)]
    """Signature suite; 1 = Ed25519 under ZIP-215."""
    public_key: PublicKey
    """Key that signed."""
    signature: Signature64
    """Signature over the signed bytes."""


class Envelope(Struct, array_like=True):
    """What travels: `[format, body, signatures]`."""

    format: Annotated[int, Meta(ge=1, le=255)]
    """Format number, 1."""
    body: Annotated[bytes, Meta(max_length=BYTES_MAX)]
    """The encoded body; exactly these bytes are signed, after the domain."""
    signatures: Annotated[tuple[Signature, ...], Meta(max_length=SIGNATURES_MAX)]
    """Signatures sorted by key, no key twice."""


class Call(Struct, Generic[M]):
    """A message and the party it acts for."""

    party: PartyId
    """Who acts."""
    message: M
    """What is asked."""
    outlet: OutletId | None = None
    """Branch it is done at; None = that of the first signing maker."""


class Body(Struct, Generic[M]):
    """What is signed."""

    chain_id: ChainId
    """Chain it is for."""
    sender: PartyId
    """Party of the first call; the reference is its own."""
    reference: Reference
    """The sender's name for this transaction; used once until expiry."""
    expires_at_ms: AtMs
    """Ledger time from which it can no longer happen."""
    calls: Annotated[tuple[Call[M], ...], Meta(min_length=1, max_length=CALLS_MAX)]
    """All happen, or none does."""


class QuickCall(Call[M], Generic[M]):
    """The same, read without its patterns: see `Names`."""

    party: Annotated[str, Meta(max_length=32)]
    """Who acts."""
    message: M
    """What is asked."""
    outlet: Annotated[str, Meta(max_length=32)] | None = None
    """Branch it is done at; None = that of the first signing maker."""


class QuickBody(Body[M], Generic[M]):
    """The same, read without its patterns: see `Names`."""

    chain_id: Annotated[str, Meta(max_length=64)]
    """Chain it is for."""
    sender: Annotated[str, Meta(max_length=32)]
    """Party of the first call; the reference is its own."""
    reference: Annotated[str, Meta(max_length=64)]
    """The sender's name for this transaction; used once until expiry."""
    expires_at_ms: AtMs
    """Ledger time from which it can no longer happen."""
    calls: Annotated[tuple[QuickCall[M], ...], Meta(min_length=1, max_length=CALLS_MAX)]
    """All happen, or none does."""


class Names:
    """Names that fitted their patterns, so that they need not be matched in every transaction.

    Matching takes most of the time of reading a body. Only what was read strictly is noted, so
    that what passes here would pass there. For any thread.
    """

    def __init__(self, *, most: int = NAMES_MAX) -> None:
        """Know none; forget all when there are too many."""
        self._most = most
        self._chains: set[str] = set()
        self._members: set[str] = set()

    def note(self, body: Body[Any]) -> None:
        """Note the names of a body that was read strictly."""
        names = {body.sender}
        for call in body.calls:
            names |= {call.party} if call.outlet is None else {call.party, call.outlet}
        for known, new in ((self._chains, {body.chain_id}), (self._members, names)):
            if len(known) + len(new) > self._most:
                known.clear()
            known.update(new)

    def fit(self, body: Body[Any]) -> bool:
        """Whether every name of a body is known, and the reference is printable ASCII."""
        reference, members = body.reference, self._members
        if not (reference and reference.isascii() and reference.isprintable()):
            return False
        if body.chain_id not in self._chains or body.sender not in members:
            return False
        for call in body.calls:
            if call.party not in members:
                return False
            if call.outlet is not None and call.outlet not in members:
                return False
        return True


class Transaction(msgspec.Struct, eq=False, gc=False):
    """A transaction that was read and found canonical; its signatures are checked apart."""

    raw: bytes
    """The bytes as they travelled."""
    id: bytes
    """SHA-256 of the signed bytes."""
    body: Body[Any]
    """What is signed, decoded; a `QuickBody` when its names were known."""
    public_keys: tuple[bytes, ...]
    """Keys that signed, sorted."""

    def __eq__(self, other: object) -> bool:
        """Whether bytes, id and keys are the same, however the body was read."""
        if not isinstance(other, Transaction):
            return NotImplemented
        mine = (self.raw, self.id, self.public_keys)
        return mine == (other.raw, other.id, other.public_keys)

    def __ne__(self, other: object) -> bool:
        """The opposite; a struct's own would compare the bodies too."""
        return not self == other

    def __hash__(self) -> int:
        """A part of the id, which is a hash."""
        return int.from_bytes(self.id[:8], "big")

    def keys(self) -> tuple[bytes, ...]:
        """Public keys that signed, sorted."""
        return self.public_keys

    @property
    def signed(self) -> bytes:
        """Domain and body; the envelope is read for it."""
        return DOMAIN + self._envelope().body

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """As they came; the envelope is read for them."""
        return self._envelope().signatures

    def triples(self) -> list[tuple[bytes, bytes, bytes]]:
        """(key, message, signature) of each signature, as `accel.verify_batch` takes them."""
        envelope = self._envelope()
        signed = DOMAIN + envelope.body
        return [(s.public_key, signed, s.signature) for s in envelope.signatures]

    def _envelope(self) -> Envelope:
        """What travelled: read when somebody asks for more than the engine needs."""
        return decoder(Envelope).decode(self.raw)


class TransactionCodec:
    """Reads transactions whose messages belong to the given applications."""

    def __init__(self, message_types: Sequence[type[Message]]) -> None:
        """Build the decoders once; `message_types` are those that members may send."""
        self._envelope = decoder(Envelope)
        self._body = decoder(body_type(message_types))
        union: Any = Union[tuple(message_types)]
        self._decode_quick = decoder(QuickBody[union]).decode
        self._names = Names()

    def decode(self, raw: bytes) -> Transaction:
        """Read a transaction, or refuse: TOO_LARGE, MALFORMED, NOT_CANONICAL, SENDER_MISMATCH."""
        if len(raw) > BYTES_MAX:
            raise Refused(Refusal.TOO_LARGE, {"bytes": len(raw), "bytes_max": BYTES_MAX})
        try:
            envelope: Envelope = self._envelope.decode(raw)
            body: Body[Any] = self._body.decode(envelope.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise Refused(Refusal.MALFORMED, {"detail": str(problem)[:200]}) from None
        if envelope.format != FORMAT:
            raise Refused(Refusal.MALFORMED, {"detail": f"format {envelope.format} is unknown"})
        if encode(body) != envelope.body or encode(envelope) != raw:
            raise Refused(Refusal.NOT_CANONICAL, {})
        check_signature_list(envelope.signatures)
        if body.calls[0].party != body.sender:
            raise Refused(Refusal.SENDER_MISMATCH, {"sender": body.sender})
        keys = tuple([signature.public_key for signature in envelope.signatures])
        return Transaction(raw, transaction_id(envelope.body), body, keys)

    def decode_opened(self, raw: bytes, opened: Opened | None) -> Transaction:
        """The same as `decode`, from bytes that `accel.open_batch` has opened.

        It has found the envelope to be whole and canonical. What it has not opened, and a body
        that is not good, go through `decode`, so that the refusal is the same.
        """
        if opened is None:
            return self.decode(raw)
        encoded, identity, keys = opened
        try:
            body: Body[Any] = self._decode_quick(encoded)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.decode(raw)
        is_same = body.calls[0].party == body.sender and encode(body) == encoded
        if not is_same or not self._names.fit(body):
            transaction = self.decode(raw)
            self._names.note(transaction.body)
            return transaction
        return Transaction(raw, identity, body, keys)


def body_type(message_types: Sequence[type[Message]]) -> Any:
    """`Body` over the union of the given messages."""
    union: Any = Union[tuple(message_types)]
    return Body[union]


def check_signature_list(signatures: tuple[Signature, ...]) -> None:
    """Refuse an empty, unsorted or repeating list, and suites that this release does not know."""
    last = b""
    for signature in signatures:
        if signature.suite != SUITE_ED25519:
            raise Refused(Refusal.MALFORMED, {"detail": f"suite {signature.suite} is unknown"})
        if signature.public_key <= last:
            raise Refused(
                Refusal.MALFORMED, {"detail": "signatures are not sorted by distinct keys"}
            )
        last = signature.public_key
    if not signatures:
        raise Refused(Refusal.MALFORMED, {"detail": "no signature"})


def signed_bytes(body: bytes) -> bytes:
    """What an officer signs: the domain and the encoded body."""
    return DOMAIN + body


def transaction_id(body: bytes) -> bytes:
    """Id of the transaction with this encoded body."""
    return hashlib.sha256(DOMAIN + body).digest()


def assemble(body: bytes, signatures: Sequence[Signature]) -> bytes:
    """The bytes that travel, from an encoded body and its signatures in any order."""
    ordered = tuple(sorted(signatures, key=lambda signature: signature.public_key))
    return encode(Envelope(format=FORMAT, body=body, signatures=ordered))
