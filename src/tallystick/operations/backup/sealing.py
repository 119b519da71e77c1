"""Keys in a backup: sealed with a passphrase of their own (scrypt, AES-256-GCM)."""

from __future__ import annotations

import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tallystick.errors import BadBackup, WrongPassphrase
from tallystick.operations.backup.manifest import SECRETS

SCRYPT_N = 2**16
"""Work of scrypt: 64 MiB and a few tenths of a second."""
SCRYPT_R, SCRYPT_P = 8, 1
_BOUND = b"tallystick/backup/1"
_SALT_BYTES, _NONCE_BYTES = 16, 12


class _Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as it lies in the backup."""

    format: int
    """Always 1."""
    salt: bytes
    """Of scrypt, 16 bytes."""
    nonce: bytes
    """Of AES-GCM, 12 bytes."""
    sealed: bytes
    """Names and bytes of the files, MessagePack, encrypted."""


def seal(files: dict[str, bytes], passphrase: str) -> bytes:
    """Files by name as one sealed file."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    plain = msgspec.msgpack.encode(files)
    sealed = AESGCM(_secret(passphrase, salt)).encrypt(nonce, plain, _BOUND)
    return msgspec.json.encode(_Sealed(format=1, salt=salt, nonce=nonce, sealed=sealed))


def unseal(data: bytes, passphrase: str) -> dict[str, bytes]:
    """Files by name; `WrongPassphrase`, `BadBackup`."""
    try:
        found = msgspec.json.decode(data, type=_Sealed)
    except msgspec.DecodeError as problem:
        raise BadBackup(SECRETS, f"it cannot be read: {problem}") from None
    if (found.format, len(found.salt), len(found.nonce)) != (1, _SALT_BYTES, _NONCE_BYTES):
        raise BadBackup(SECRETS, "its format is another")
    try:
        plain = AESGCM(_secret(passphrase, found.salt)).decrypt(found.nonce, found.sealed, _BOUND)
    except InvalidTag:
        raise WrongPassphrase(SECRETS) from None
    return msgspec.msgpack.decode(plain, type=dict[str, bytes])


def _secret(passphrase: str, salt: bytes) -> bytes:
    """The key that a passphrase makes; slow on purpose."""
    return Scrypt(salt=salt, length=32, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P).derive(
        passphrase.encode()
    )
