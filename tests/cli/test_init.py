"""`tally init`: the cast of the case files, or the founders of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.cli.main import run
from tallystick.node import Node
from tests.cli.conftest import Tally

FOUNDERS = """
[parameters]
"receivables.hops_max" = 3

[calendar]
id = "tokyo"
zone_minutes = 540
payment_cutoff_minute = 900
years = { 2026 = ["2026-07-03", "2026-07-06"] }

[[members]]
id = "fsa"
kind = "supervisor"
officers = { sato = ["maker", "admin"], suzuki = ["checker"] }

[[members]]
id = "bank-j"
kind = "bank"
size = "medium"
name = "Bank J"
numbers = { lei = "5493001KJTIIGC8Y1R12" }
officers = { mori = ["maker", "admin"], kato = ["checker"] }
keys = { kato = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" }
"""


@pytest.fixture
def founders(tmp_path: Path) -> Path:
    """A founding file."""
    path = tmp_path / "founders.toml"
    path.write_text(FOUNDERS, encoding="utf-8")
    return path


def test_founders_of_a_file(tally: Tally, founders: Path, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    words = ("init", str(folder), "--members", str(founders), "--name", "tokyo")
    data = tally(*words, "--json").json
    assert data["members"] == ["fsa", "bank-j"]
    assert data["trial"] is False
    names = sorted(path.name for path in (folder / "keys").iterdir())
    assert names == ["bank-j.mori.key", "fsa.sato.key", "fsa.suzuki.key"]
    with Node.open(folder) as node:
        before = ("--node", node.address)
        told = tally(*before, *["--as", "fsa", "governance", "parameters", "--json"]).json
        assert [(each["name"], each["value"]) for each in told] == [("receivables.hops_max", 3)]
        told = tally(*before, *["members", "members-of-kind", "--kind", "bank", "--json"]).json
        assert (told[0]["legal_name"], told[0]["size"]) == ("Bank J", "medium")
        told = tally(*before, *["--as", "fsa.sato+suzuki", "clock", "advance", "1d"], code=3).out
        assert "governance " in told


def test_a_founding_may_be_a_trial(tally: Tally, founders: Path, tmp_path: Path) -> None:
    words = ("init", str(tmp_path / "d"), "--members", str(founders), "--trial", "--opens")
    told = tally(*words, "2026-07-03 09:00").out
    assert ", a trial" in told
    # 09:00 in the zone of the file's calendar is 00:00 UTC.
    data = tally("genesis", "show", str(tmp_path / "d"), "--json").json
    assert data["opens_at_ms"] == 1_783_036_800_000


def test_a_folder_that_holds_a_chain_is_kept(tally: Tally, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    tally("init", str(folder))
    before = (folder / "genesis.json").read_bytes()
    assert "holds a chain already" in tally("init", str(folder), code=30).err
    assert (folder / "genesis.json").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    (
        (('kind = "bank"', 'kind = "moon"'), "moon"),
        (('size = "medium"', 'size = "huge"'), "huge"),
        (('"maker"', '"boss"'), "boss"),
        (("d75a98", "xyz"), "its key is not hex"),
        (("d75a98", "00"), "WEAK_KEY"),
        (("d75a98", ""), "WEAK_KEY"),
        (('id = "bank-j"', 'id = "fsa"'), "fsa"),
        (("2026 =", "MMXXVI ="), "MMXXVI"),
        (("2026-07-06", "2026-07-99"), "2026-07-99"),
        (("[parameters]", "[parametres]"), "parametres"),
        (("[[members]]", "[members"), "founders.toml"),
        (('"receivables.hops_max" = 3', '"Receivables" = 3'), "Expected"),
    ),
)
def test_foundings_that_mean_nothing(
    tally: Tally, founders: Path, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    founders.write_text(FOUNDERS.replace(*change), encoding="utf-8")
    folder = tmp_path / "d"
    told = tally("init", str(folder), "--members", str(founders), code=60).err
    assert said in told
    assert not (folder / "genesis.json").exists()


def test_other_mistakes(tally: Tally, founders: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "d")
    assert "cannot be read" in tally("init", folder, "--members", "no.toml", code=60).err
    words = ("--members", str(founders), "--opens", "2026-07-03")
    assert "only a --trial opens" in tally("init", folder, *words, code=2).err
    assert "--opens: 'soon' is no time" in tally("init", folder, "--opens", "soon", code=2).err
    assert "--name: 'My Chain' is not" in tally("init", folder, "--name", "My Chain", code=2).err
    assert run(["init", folder]) == 0
