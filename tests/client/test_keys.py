"""Keys on disk: sealed, their owner's alone, and wrong in as many ways as a file can be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tallystick.accel import verify
from tallystick.client.keys import KeyStore
from tallystick.errors import BadKeyFile, KeysError, NoSuchKey, WrongPassphrase
from tallystick.ledger.transaction import signed_bytes
from tallystick.testing.world import private_key, public_key


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys") / "keys"
    store = KeyStore(made, "correct horse")
    store.create("S1.maker", private_key("S1.maker"))
    store.create("S1.checker")
    return made


def test_a_key_is_opened_by_its_passphrase_and_signs(folder: Path) -> None:
    key = KeyStore(folder, "correct horse").load("S1.maker")
    assert key.public_key == public_key("S1.maker")
    signature = key.sign_body(b"body")
    assert verify(signature.public_key, signed_bytes(b"body"), signature.signature)
    assert KeyStore(folder, "correct horse").sign("S1.maker", b"body") == signature


def test_names_and_public_keys_need_no_passphrase(folder: Path) -> None:
    store = KeyStore(folder, "")
    assert store.names() == ("S1.checker", "S1.maker")
    assert store.public_key("S1.maker") == public_key("S1.maker")
    assert KeyStore(folder / "none", "").names() == ()


def test_the_private_half_is_not_in_the_file(folder: Path) -> None:
    path = folder / "S1.maker.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert private_key("S1.maker").private_bytes_raw().hex() not in path.read_text()


def test_a_wrong_passphrase_is_said(folder: Path) -> None:
    with pytest.raises(WrongPassphrase, match="does not open") as caught:
        KeyStore(folder, "wrong").load("S1.maker")
    assert caught.value.exit_code == 51


def test_a_key_is_never_written_over(folder: Path) -> None:
    with pytest.raises(KeysError, match="already"):
        KeyStore(folder, "correct horse").create("S1.maker")
    assert KeyStore(folder, "").public_key("S1.maker") == public_key("S1.maker")


@pytest.mark.parametrize("name", ("", "..", "../x", "S1/maker", "S1.maker.more", "S1 maker", "張"))
def test_a_name_is_member_and_officer(folder: Path, name: str) -> None:
    with pytest.raises(KeysError, match="no name of a key"):
        KeyStore(folder, "").load(name)


def test_a_missing_key_is_said(folder: Path) -> None:
    with pytest.raises(NoSuchKey, match=r"no key S9\.maker"):
        KeyStore(folder, "").load("S9.maker")


@pytest.mark.parametrize(
    ("field", "value"),
    (
        ("format", 2),
        ("name", "S2.maker"),
        ("public_key", "zz"),
        ("public_key", "00"),
        ("salt", None),
        ("nonce", ""),
        ("sealed", "00"),
        ("kdf", {"name": "none"}),
        ("kdf", {"name": "scrypt", "n": 2**30, "r": 8, "p": 1}),
        ("kdf", {"name": "scrypt", "n": 3000, "r": 8, "p": 1}),
        ("kdf", {"name": "scrypt", "n": True, "r": 8, "p": 1}),
        ("kdf", 5),
    ),
)
def test_a_file_that_is_no_key_is_said(
    folder: Path, tmp_path: Path, field: str, value: Any
) -> None:
    plain = json.loads((folder / "S1.maker.key").read_text())
    (tmp_path / "S1.maker.key").write_text(json.dumps(plain | {field: value}))
    with pytest.raises(BadKeyFile):
        KeyStore(tmp_path, "correct horse").load("S1.maker")


@pytest.mark.parametrize("text", ("", "[]", "{", "\udcff"))
def test_text_that_is_no_key_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "S1.maker.key").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadKeyFile):
        KeyStore(tmp_path, "x").load("S1.maker")


def test_a_public_half_that_was_exchanged_is_found(folder: Path, tmp_path: Path) -> None:
    plain = json.loads((folder / "S1.maker.key").read_text())
    exchanged = plain | {"public_key": public_key("S9.maker").hex()}
    (tmp_path / "S1.maker.key").write_text(json.dumps(exchanged))
    with pytest.raises(WrongPassphrase):
        KeyStore(tmp_path, "correct horse").load("S1.maker")
