"""`tally verify` of a consortium's proofs: files alone, no node."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.engine.cometbft.light.export import Trusted, trust_to_json
from tallystick.values.codec import replace
from tests.cli.conftest import Tally
from tests.light.forge import CHAIN_ID, set_of, signers
from tests.light.proofs import export_of, receipt_claim, record_claim, sealed_chain

WHO = signers(1, 2, 3, 4)
BLOCKS = sealed_chain([WHO] * 12, 8)
SOON, LATE = ("--at", "2026-09-22"), ("--at", "2036-01-01")


@pytest.fixture
def proof(tmp_path: Path) -> str:
    """That a record is there after block 8, for who trusts block 3."""
    path = tmp_path / "there.proof"
    path.write_bytes(export_of(record_claim(b"key 7"), BLOCKS, 8, 3).to_bytes())
    return str(path)


def hash_of(height: int) -> str:
    return BLOCKS[height - 1].header.hash.hex()


def trust_file(folder: Path, trusted: Trusted) -> str:
    path = folder / "trust.json"
    path.write_bytes(trust_to_json(trusted))
    return str(path)


def test_a_height_and_a_hash_are_enough(tally: Tally, proof: str) -> None:
    told = tally("verify", proof, "--trust", f"3:{hash_of(3)}", *SOON).out
    assert "proven: there is a record" in told
    assert "after block 8 of 2026-09-21" in told
    data = tally("verify", proof, "--trust", f"3:{hash_of(3)}", *SOON, "--json").json
    assert (data["ok"], data["chain_id"], data["height"]) == (True, CHAIN_ID, 8)


def test_a_file_may_say_what_is_trusted(tally: Tally, proof: str, tmp_path: Path) -> None:
    whole = tmp_path / "block.json"
    whole.write_bytes(trust_to_json(BLOCKS[4]))
    assert "proven" in tally("verify", proof, "--trust", str(whole), *SOON).out
    later = tmp_path / "later.json"
    later.write_bytes(trust_to_json(BLOCKS[9]))
    assert "proven" in tally("verify", proof, "--trust", str(later), *LATE).out
    known = Trusted(chain_id=CHAIN_ID, height=3, validators=set_of(WHO))
    path = trust_file(tmp_path, known)
    assert "proven" in tally("verify", proof, "--trust", path, *SOON).out
    assert "proven" in tally("verify", proof, "--trust", "3", "--validators", path, *SOON).out
    whole_too = ("--trust", f"3:{hash_of(3)}", "--validators", str(whole))
    assert "proven" in tally("verify", proof, *whole_too, *SOON).out
    others = trust_file(tmp_path, replace(known, validators=set_of(signers(7, 8, 9))))
    told = tally("verify", proof, "--trust", str(whole), "--validators", others, code=1).out
    assert "proves nothing" in told


@pytest.mark.parametrize(
    ("words", "said"),
    (
        ((f"3:{hash_of(4)}", *SOON), "it is not the one that is trusted"),
        ((f"4:{hash_of(4)}", *SOON), "is not in the proof: have it made for that"),
        ((f"3:{hash_of(3)}", *LATE), "trust a newer header"),
        ((f"3:{hash_of(3)}", "--at", "2020-01-01"), "its time lies in the future"),
        ((f"3:{hash_of(3)}", *SOON, "--trusting-period", "5m"), "its validators may have left"),
    ),
)
def test_every_no_says_why(tally: Tally, proof: str, words: tuple[str, ...], said: str) -> None:
    told = tally("verify", proof, "--trust", *words, code=1)
    assert "proves nothing: " in told.out
    assert said in told.out
    data = tally("verify", proof, "--trust", *words, "--json", code=1).json
    assert data["ok"] is False
    assert said in data["reason"]


def test_what_cannot_be_meant_is_said(tally: Tally, proof: str, tmp_path: Path) -> None:
    trust = ("--trust", f"3:{hash_of(3)}")
    assert "HEIGHT:HASH" in tally("verify", proof, "--trust", "3", code=2).err
    assert "is no time" in tally("verify", proof, *trust, "--at", "noon", code=2).err
    assert "number" in tally("verify", proof, *trust, "--trusting-period", "long", code=2).err
    assert "cannot be read" in tally("verify", proof, "--trust", "nothing.json", code=60).err
    (tmp_path / "bad.json").write_text("{}")
    bad = str(tmp_path / "bad.json")
    assert "not a trusted block" in tally("verify", proof, "--trust", bad, code=60).err
    (tmp_path / "cut.proof").write_bytes(Path(proof).read_bytes()[:-1])
    assert "not a proof" in tally("verify", str(tmp_path / "cut.proof"), *trust, code=60).err


def test_a_receipt_is_told_as_what_it_is(tally: Tally, tmp_path: Path) -> None:
    path = tmp_path / "receipt.proof"
    path.write_bytes(export_of(receipt_claim(2), BLOCKS, 8, 1).to_bytes())
    told = tally("verify", str(path), "--trust", f"1:{hash_of(1)}", *SOON, "--json").json
    assert told["outcome"] == "accepted"
    assert "was accepted" in told["claim"]


def test_a_chain_without_validators_proves_nothing_to_them(
    tally: Tally, proof: str, folder: Path
) -> None:
    """The genesis of one institution's own node names a key, not validators."""
    told = tally("verify", proof, "--genesis", str(folder), code=1).out
    assert "the genesis names no validators" in told
