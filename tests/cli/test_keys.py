"""`tally keys`: made, listed, opened; wrong passphrases and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Tally


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A passphrase in a file, keys in a folder."""
    path = tmp_path / "secret"
    path.write_text("correct horse\n", encoding="utf-8")
    monkeypatch.setenv("TALLY_PASSPHRASE_FILE", str(path))
    monkeypatch.setenv("TALLY_KEYS", str(tmp_path / "keys"))
    return path


def test_keys_are_made_listed_and_shown(tally: Tally, secret: Path, tmp_path: Path) -> None:
    made = tally("keys", "create", "S1.maker", "S1.checker", "--json").json
    assert [each["name"] for each in made] == ["S1.maker", "S1.checker"]
    assert tally("keys", "list", "--json").json == sorted(made, key=lambda each: each["name"])
    assert tally("keys", "show", "S1.maker", "--json").json == made[:1]
    assert made[0]["public_key"] in tally("keys", "list").out
    assert (tmp_path / "keys" / "S1.maker.key").stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_overwritten(tally: Tally, secret: Path) -> None:
    tally("keys", "create", "S1.maker")
    assert "there is a key S1.maker" in tally("keys", "create", "S1.maker", code=50).err


def test_one_folder_has_one_passphrase(tally: Tally, secret: Path) -> None:
    tally("keys", "create", "S1.maker")
    secret.write_text("wrong horse\n", encoding="utf-8")
    assert "the passphrase does not open" in tally("keys", "show", "S1.maker", code=51).err
    assert "the passphrase does not open" in tally("keys", "create", "S1.checker", code=51).err


def test_no_keys_and_no_such_key(tally: Tally, secret: Path) -> None:
    assert "no keys in" in tally("keys", "list").out
    assert tally("keys", "list", "--json").json == []
    assert "there is no key S1.maker" in tally("keys", "show", "S1.maker", code=50).err
    assert "is no name of a key" in tally("keys", "create", "../S1", code=50).err


def test_a_file_that_is_no_key(tally: Tally, secret: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "S1.maker.key").write_text("{}", encoding="utf-8")
    assert "is not a key" in tally("keys", "show", "S1.maker", code=50).err


def test_a_passphrase_must_come_from_somewhere(
    tally: Tally, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLY_KEYS", str(tmp_path / "keys"))
    told = tally("keys", "create", "S1.maker", code=50).err
    assert "name a file in TALLY_PASSPHRASE_FILE" in told
    monkeypatch.setenv("TALLY_PASSPHRASE_FILE", str(tmp_path / "no"))
    assert "cannot be read" in tally("keys", "create", "S1.maker", code=50).err
