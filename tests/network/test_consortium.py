"""A consortium as its institutions begin it: each on its own machine, here in its own folder."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.cli.main import run
from tallystick.cli.proposal_file import read_proposal
from tallystick.engine.cometbft.home import founding_validators, node_id, validator_key
from tallystick.engine.folder import GENESIS, read_genesis
from tallystick.network.dwelling import read_settings
from tallystick.network.join import read_join
from tallystick.node import shipped

MEMBERS = ("bank-a", "bank-b", "cb", "sup")
FOUNDING = """
parameters = {{ "governance.activation_lead_blocks" = 5 }}

[[members]]
id = "cb"
kind = "central_bank"
officers = {{ li = ["maker"], wu = ["checker"], xu = ["admin"] }}

[[members]]
id = "sup"
kind = "supervisor"
officers = {{ he = ["maker"], ma = ["checker"], ye = ["admin"] }}

[[members]]
id = "bank-a"
kind = "bank"
officers = {{ an = ["maker"], bo = ["checker"], yu = ["admin"] }}

[[members]]
id = "bank-b"
kind = "bank"
officers = {{ ce = ["maker"], di = ["checker"], fa = ["admin"] }}

[[members]]
id = "supplier"
kind = "supplier"
size = "small"
officers = {{ eve = ["maker", "checker"], fu = ["admin"] }}
keys = {{ eve = "{eve}", fu = "{fu}" }}
"""

Desk = Callable[..., Any]


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a proposal that all members have joined; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("joined") / "here"
    folder.mkdir()
    before = Path.cwd()
    os.chdir(folder)
    try:
        propose()
        proposal = read_proposal(Path("proposal.json")).hash
        for number, member in enumerate(MEMBERS):
            where = ("--data", member, "--address", f"127.0.0.1:{26_000 + number}")
            words = ("proposal.json", "--member", member, "--expect", proposal, *where)
            assert run(["consortium", "join", *words]) == 0
            assert Path(f"{member}.join.json").exists()
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def desk(tmp_path: Path, joined: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    """`tally consortium` in the folder in which files are passed round; answers as JSON."""
    before = Path.cwd()
    os.chdir(shutil.copytree(joined, tmp_path / "here"))

    def tally(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        found = run(["consortium", *words, "--json"])
        told = capsys.readouterr()
        assert found == code, told.out + told.err
        text = told.err if code else told.out
        return json.loads(text) if text else None

    try:
        yield tally
    finally:
        os.chdir(before)


def propose() -> None:
    """The founder's proposal."""
    keys = [Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex() for _ in range(2)]
    Path("founding.toml").write_text(FOUNDING.format(eve=keys[0], fu=keys[1]))
    voters = [word for member in MEMBERS for word in ("--validator", member)]
    assert run(["consortium", "propose", "founding.toml", "--name", "trade", *voters]) == 0


JOINS = tuple(f"{member}.join.json" for member in MEMBERS)


def test_all_come_to_the_same_genesis(desk: Desk) -> None:
    shown = desk("start", "proposal.json", *JOINS, "--data", "cb")
    turned = desk("start", "proposal.json", *reversed(JOINS), "--data", "bank-b")
    assert shown == turned
    assert not Path("cb", GENESIS).exists()
    for member in MEMBERS:
        words = ("--data", member, "--expect", shown["hash"], "--no-run")
        desk("start", "proposal.json", *JOINS, *words)
        # A second time does nothing, and needs no files any more.
        desk("start", *words)
        engine = read_settings(Path(member)).engine
        others = [each for each in MEMBERS if each != member]
        assert sorted(engine.allow) == sorted(node_id(Path(each, "engine")) for each in others)
        assert sorted(engine.peers) == sorted(shown["nodes"][each] for each in others)
        assert engine.kind == "cometbft"
    genesis = read_genesis(Path("sup"), shipped()[0])
    assert genesis.hash.hex() == shown["hash"]
    assert {each.public_key: each.member for each in founding_validators(genesis)} == {
        validator_key(Path(member, "engine")): member for member in MEMBERS
    }


def test_no_key_is_shared(desk: Desk) -> None:
    """What is passed round holds no private half, and no folder holds another's."""
    secrets = []
    for member in MEMBERS:
        for name in ("priv_validator_key.json", "node_key.json"):
            document = json.loads(Path(member, "engine", "config", name).read_text())
            secrets.append((member, document["priv_key"]["value"]))
        secrets.append((member, Path(member, "passphrase").read_text().strip()))
        names = sorted(each.name for each in Path(member, "keys").iterdir())
        assert all(each.startswith(f"{member}.") for each in names)
    public = "".join(Path(each).read_text() for each in (*JOINS, "proposal.json"))
    assert not any(secret in public for _, secret in secrets)
    for owner, secret in secrets:
        for member in MEMBERS:
            held = any(
                secret in path.read_text(errors="replace")
                for path in Path(member).rglob("*")
                if path.is_file()
            )
            assert held == (member == owner)


def test_joining_again_keeps_the_keys(desk: Desk) -> None:
    """As after an interruption."""
    words = ("join", "proposal.json", "--member", "cb", "--data", "cb")
    first = read_join(Path("cb.join.json"))
    assert first.node is not None
    desk(*words, "--address", first.node.address)
    assert read_join(Path("cb.join.json")) == first


def test_what_a_careless_operator_is_told(desk: Desk) -> None:
    assert "file proposal.json already" in told(
        desk("propose", "founding.toml", "--name", "x", "--validator", "cb", code=30)
    )
    assert "somebody changed it" in told(
        desk("join", "proposal.json", "--member", "cb", "--expect", "00", code=30)
    )
    assert "no founding member" in told(desk("join", "proposal.json", "--member", "eve", code=60))
    assert "where is it reached" in told(desk("join", "proposal.json", "--member", "cb", code=2))
    assert "which of the founding" in told(desk("join", "proposal.json", code=2))
    assert "still missing: cb" in told(
        desk("start", "proposal.json", *(each for each in JOINS if each[:2] != "cb"), code=60)
    )
    shown = desk("start", "proposal.json", *JOINS)["hash"]
    expect = ("--expect", shown, "--no-run")
    assert "no keys in" in told(
        desk("start", "proposal.json", *JOINS, "--data", "empty", *expect, code=30)
    )
    wrong = ("--data", "cb", "--expect", "ab" * 32)
    assert "somebody changed it" in told(desk("start", "proposal.json", *JOINS, *wrong, code=30))
    desk("start", "proposal.json", *JOINS, "--data", "cb", *expect)
    assert "holds a chain already" in told(
        desk("join", "proposal.json", "--member", "cb", "--data", "cb", "--address", "h:1", code=30)
    )
    Path("cb.join.json").rename("kept.json")
    desk("join", "proposal.json", "--member", "cb", "--data", "other", "--address", "h:1")
    assert "two different joins" in told(
        desk("start", "proposal.json", "kept.json", *JOINS, code=60)
    )


def told(answer: Any) -> str:
    """The sentence of an error."""
    return str(answer["error"]["text"])


@pytest.mark.parametrize(
    ("change", "text"),
    (
        (lambda d: d | {"member": "bank-b"}, "signature of"),
        (lambda d: d | {"signatures": {}}, "missing or wrong"),
        (lambda d: d | {"node": d["node"] | {"address": "evil.example:1"}}, "signature of"),
        (lambda d: d | {"node": d["node"] | {"address": "no port"}}, "is no join file"),
        (lambda d: d | {"proposal": "00" * 32}, "signature of"),
        (lambda d: d | {"officers": d["officers"] | {"li": "00" * 32}}, "signature of"),
        (lambda d: [d], "none of a consortium's files"),
        (lambda d: d | {"founding": 1}, "one proposal is wanted among the files, not 2"),
    ),
)
def test_a_join_that_was_tampered_with(desk: Desk, change: Any, text: str) -> None:
    path = Path("cb.join.json")
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert text in told(desk("start", "proposal.json", *JOINS, code=60))


def test_a_key_that_two_offer(desk: Desk) -> None:
    """Somebody copied a folder instead of making keys."""
    shutil.rmtree("sup/engine")
    shutil.copytree("cb/engine", "sup/engine")
    desk("join", "proposal.json", "--member", "sup", "--data", "sup", "--address", "h:1")
    assert "cb and sup offer the same validator key" in told(
        desk("start", "proposal.json", *JOINS, code=60)
    )


def test_a_proposal_that_cannot_be(desk: Desk) -> None:
    words = ("propose", "founding.toml", "--out", "other.json")
    for extra, text, code in (
        (("--name", "x", "--validator", "nobody"), "no founding member", 60),
        (("--name", "x", "--validator", "cb=0"), "not MEMBER or MEMBER=POWER", 2),
        (("--name", "UP", "--validator", "cb"), "not of a-z, 0-9 and -", 2),
        (("--name", "x", "--validator", "cb", "--begins", "soon"), "--begins", 2),
        (("--name", "x", "--validator", "cb", "--opens", "2026-01-05"), "only a --trial", 2),
    ):
        assert text in told(desk(*words, *extra, code=code))
    document = json.loads(Path("proposal.json").read_text())
    Path("old.json").write_text(json.dumps(document | {"apps": {"cash": 9}}))
    assert "applications cash 9" in told(desk("join", "old.json", "--member", "cb", code=60))


def test_a_node_joins_a_chain_that_runs(desk: Desk) -> None:
    shown = desk("start", "proposal.json", *JOINS)
    words = ("--data", "cb", "--expect", shown["hash"], "--no-run")
    desk("start", "proposal.json", *JOINS, *words)
    genesis = str(Path("cb", GENESIS))
    join = ("join", genesis, "--data", "late", "--address", "h:1")
    assert "ask a member" in told(desk(*join, code=30))
    assert "--peer" in told(desk(*join, "--expect", shown["hash"], code=2))
    made = desk(*join, "--expect", shown["hash"], "--peer", shown["nodes"]["cb"])
    assert made["node_id"] == node_id(Path("late", "engine"))
    assert read_settings(Path("late")).engine.peers == (shown["nodes"]["cb"],)
    desk("start", "--data", "late", "--expect", shown["hash"], "--no-run")
    Path("strange.json").write_text("{}")
    assert "neither a proposal nor a genesis" in told(desk("join", "strange.json", code=60))


def test_the_unit_names_folder_and_user(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["consortium", "unit", "--data", "/var/lib/tally", "--user", "ledger"]) == 0
    text = capsys.readouterr().out
    assert "node --data /var/lib/tally\n" in text
    assert "User=ledger\n" in text
    assert re.findall(r"@[A-Z]+@", text) == []
    assert "RestartPreventExitStatus=21 32 33 37\n" in text
