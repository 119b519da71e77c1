"""What a member hands over to take part in a new consortium: public keys and an address, signed.

The keys themselves stay on the member's machine. Each of them signs, so that nobody can claim a
key that is another's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from tallystick.engine.cometbft.home import address_of
from tallystick.errors import FormatError

DOMAIN = b"tallystick/join/1"
HASH_HEX = 64
Key = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
"""An Ed25519 public key, in hex."""
Address = Annotated[str, Meta(pattern=r"^[^@\s:/]+:[0-9]{1,5}$|^\[[0-9a-f:]+\]:[0-9]{1,5}$")]
"""HOST:PORT where others reach a node's engine."""
Sign = Callable[[bytes], bytes]


class NodeOffer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The node that a member runs."""

    validator_key: Key
    """Key with which it votes."""
    node_key: Key
    """Key that names it among its peers."""
    address: Address
    """Where the others reach its engine, e.g. `bank-a.example:26656`."""

    @property
    def peer(self) -> str:
        """How the others' settings name it: `id@host:port`."""
        return f"{self.node_id}@{self.address}"

    @property
    def node_id(self) -> str:
        """Name of its engine among its peers."""
        return address_of(bytes.fromhex(self.node_key))


class Join(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member's part in a proposal."""

    format: Literal[1] = 1
    """Format number, 1."""
    proposal: Key
    """Hash of the proposal that the member has read, in hex."""
    member: str
    """The member, e.g. `bank-a`."""
    node: NodeOffer | None = None
    """The node that it runs; None for a member without one."""
    officers: Mapping[str, Key] = {}
    """Officer → public key, for those whose keys were made here."""
    signatures: Mapping[str, str] = {}
    """Who signed → signature in hex: `node`, `validator`, and each officer as `officer.NAME`."""

    @property
    def hash(self) -> bytes:
        """SHA-256 of everything but the signatures."""
        return hashlib.sha256(_encoded(msgspec.structs.replace(self, signatures={}))).digest()

    @property
    def keys(self) -> dict[str, str]:
        """Who must sign, and with which key."""
        found = {f"officer.{name}": key for name, key in self.officers.items()}
        if self.node is not None:
            found |= {"validator": self.node.validator_key, "node": self.node.node_key}
        return found


def _encoded(value: msgspec.Struct) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def sign_join(join: Join, signers: Mapping[str, Sign]) -> Join:
    """The same, signed with every key that it names."""
    signed = {who: signers[who](DOMAIN + join.hash).hex() for who in sorted(join.keys)}
    return msgspec.structs.replace(join, signatures=signed)


def write_join(path: Path, join: Join) -> None:
    """Write it for others to read."""
    path.write_bytes(msgspec.json.format(_encoded(join), indent=1) + b"\n")


def read_join(path: Path) -> Join:
    """A member's join file; FormatError when it is none, or a signature is missing or wrong."""
    try:
        join = msgspec.json.decode(path.read_bytes(), type=Join)
    except OSError as problem:
        raise FormatError(str(path), f"cannot be read: {problem.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise FormatError(str(path), f"is no join file: {problem}") from None
    for who, key in join.keys.items():
        try:
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
            public.verify(bytes.fromhex(join.signatures.get(who, "")), DOMAIN + join.hash)
        except (InvalidSignature, ValueError):
            raise FormatError(str(path), f"the signature of {who} is missing or wrong") from None
    return join


def node_offers(joins: Mapping[str, Join]) -> dict[str, NodeOffer]:
    """Member → its node; FormatError when two offer the same key or address."""
    found = {member: join.node for member, join in sorted(joins.items()) if join.node is not None}
    for name in ("validator_key", "node_key", "address"):
        seen: dict[str, str] = {}
        for member, offer in found.items():
            other = seen.setdefault(getattr(offer, name), member)
            if other != member:
                what = name.replace("_", " ")
                raise FormatError("join", f"{other} and {member} offer the same {what}")
    return found
