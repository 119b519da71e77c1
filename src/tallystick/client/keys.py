"""Keys on disk: one file per officer, sealed with a passphrase (scrypt, AES-256-GCM)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tallystick.errors import BadKeyFile, KeysError, NoSuchKey, WrongPassphrase
from tallystick.ledger.transaction import SUITE_ED25519, Signature, signed_bytes

FORMAT = 1
SUFFIX = ".key"
SCRYPT_N = 2**15
"""Work of scrypt: 32 MiB and about a tenth of a second."""
SCRYPT_R = 8
SCRYPT_P = 1
_N_MAX = 2**20
_SALT_BYTES = 16
_NONCE_BYTES = 12
_NAME = re.compile(r"[A-Za-z0-9-]{1,32}(\.[A-Za-z0-9-]{1,32})?")

Seal = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OfficerKey:
    """An officer's key, open for use."""

    name: str
    """Member and officer, e.g. `S1.maker`."""
    public_key: bytes
    """32 bytes."""
    sign: Callable[[bytes], bytes]
    """Sign a message as it stands: 64 bytes."""

    def sign_body(self, body: bytes) -> Signature:
        """Signature under a transaction's encoded body."""
        return Signature(
            suite=SUITE_ED25519,
            public_key=self.public_key,
            signature=self.sign(signed_bytes(body)),
        )


def officer_key(name: str, private: Ed25519PrivateKey) -> OfficerKey:
    """A key from its private half."""
    return OfficerKey(name, private.public_key().public_bytes_raw(), private.sign)


class KeyStore:
    """A folder of sealed keys that one passphrase opens."""

    def __init__(self, folder: Path, passphrase: str) -> None:
        """Use a folder; it is made with the first key. Nothing is opened yet."""
        self.folder = folder
        self._passphrase = passphrase
        self._opened: dict[str, OfficerKey] = {}
        self._secrets: dict[tuple[bytes, int, int, int], bytes] = {}

    def names(self) -> tuple[str, ...]:
        """Names of the keys, sorted; the passphrase is not needed."""
        return tuple(sorted(path.name[: -len(SUFFIX)] for path in self._files()))

    def create(self, name: str, private: Ed25519PrivateKey | None = None) -> OfficerKey:
        """Make a key and write its file, readable by its owner alone; never over another."""
        path = self._path(name)
        made = private or Ed25519PrivateKey.generate()
        key = officer_key(name, made)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeysError(f"there is a key {name} in {self.folder} already") from None
        with os.fdopen(file, "w", encoding="utf-8") as out:
            out.write(json.dumps(self._seal(key, made), indent=1) + "\n")
            out.flush()
            os.fsync(out.fileno())
        self._opened[name] = key
        return key

    def load(self, name: str) -> OfficerKey:
        """Open a key; `NoSuchKey`, `BadKeyFile`, `WrongPassphrase`."""
        if name not in self._opened:
            self._opened[name] = self._open(name)
        return self._opened[name]

    def public_key(self, name: str) -> bytes:
        """Public half of a key, as its file says; the passphrase is not needed."""
        path = self._path(name)
        return _hex(_read(path, name, self.folder), "public_key", path, 32)

    def sign(self, name: str, body: bytes) -> Signature:
        """An officer's signature under a transaction's encoded body."""
        return self.load(name).sign_body(body)

    def _files(self) -> Iterator[Path]:
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if path.suffix == SUFFIX and _NAME.fullmatch(path.name[: -len(SUFFIX)]):
                    yield path

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeysError(f"{name!r} is no name of a key: MEMBER.OFFICER")
        return self.folder / (name + SUFFIX)

    def _seal(self, key: OfficerKey, private: Ed25519PrivateKey) -> Seal:
        """What the file says: the private half is sealed, name and public half bound to it."""
        salt = next((each[0] for each in self._secrets), None) or os.urandom(_SALT_BYTES)
        secret = self._secret(salt, SCRYPT_N, SCRYPT_R, SCRYPT_P)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(secret).encrypt(nonce, private.private_bytes_raw(), _bound(key))
        return {
            "format": FORMAT,
            "name": key.name,
            "suite": SUITE_ED25519,
            "public_key": key.public_key.hex(),
            "kdf": {"name": "scrypt", "n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P},
            "salt": salt.hex(),
            "cipher": "aes-256-gcm",
            "nonce": nonce.hex(),
            "sealed": sealed.hex(),
        }

    def _open(self, name: str) -> OfficerKey:
        path = self._path(name)
        seal = _read(path, name, self.folder)
        public = _hex(seal, "public_key", path, 32)
        work: Any = seal.get("kdf")
        if seal.get("format") != FORMAT or seal.get("name") != name or not _is_known(work):
            raise BadKeyFile(str(path), "its format or name is another")
        salt = _hex(seal, "salt", path, _SALT_BYTES)
        secret = self._secret(salt, work["n"], work["r"], work["p"])
        bound = OfficerKey(name, public, bytes)
        try:
            raw = AESGCM(secret).decrypt(
                _hex(seal, "nonce", path, _NONCE_BYTES),
                _hex(seal, "sealed", path, 48),
                _bound(bound),
            )
        except InvalidTag:
            raise WrongPassphrase(str(path)) from None
        key = officer_key(name, Ed25519PrivateKey.from_private_bytes(raw))
        if key.public_key != public:
            raise BadKeyFile(str(path), "its halves do not belong together")
        return key

    def _secret(self, salt: bytes, n: int, r: int, p: int) -> bytes:
        """The key that the passphrase makes; kept, because it is slow on purpose."""
        known = self._secrets.get((salt, n, r, p))
        if known is None:
            known = Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(self._passphrase.encode())
            self._secrets[salt, n, r, p] = known
        return known


def _bound(key: OfficerKey) -> bytes:
    """What is authenticated beside the private half."""
    return b"tallystick/key/1" + key.name.encode() + b"\x00" + key.public_key


def _is_known(work: Any) -> bool:
    """Whether scrypt's numbers are ones that this release takes."""
    if not isinstance(work, dict) or work.get("name") != "scrypt":
        return False
    numbers: list[Any] = [work.get(each) for each in ("n", "r", "p")]
    if any(type(each) is not int for each in numbers):
        return False
    n, r, p = numbers
    return bool(2**10 <= n <= _N_MAX and n & (n - 1) == 0 and 1 <= r <= 16 and 1 <= p <= 4)


def _read(path: Path, name: str, folder: Path) -> Seal:
    """The file as it stands."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoSuchKey(name, str(folder)) from None
    except (ValueError, OSError) as problem:
        raise BadKeyFile(str(path), str(problem)) from None
    if not isinstance(found, dict):
        raise BadKeyFile(str(path), "it is not an object")
    return found


def _hex(seal: Seal, name: str, path: Path, length: int) -> bytes:
    """Bytes written in hex."""
    try:
        raw = bytes.fromhex(seal[name])
    except (KeyError, ValueError, TypeError):
        raise BadKeyFile(str(path), f"its {name} is missing or not hex") from None
    if len(raw) != length:
        raise BadKeyFile(str(path), f"its {name} has {len(raw)} bytes, not {length}")
    return raw
