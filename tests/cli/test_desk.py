"""At a desk with a node: messages, answers, reads, time, proofs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.cli.main import run
from tallystick.cli.transact import submit
from tallystick.client.client import Client
from tallystick.client.draft import read
from tallystick.errors import Unreachable
from tallystick.ledger.genesis import genesis_to_json
from tallystick.node import Node
from tallystick.testing.cast import cast_world
from tallystick.testing.world import public_key
from tests.cli.conftest import Tally

MINT = "--as CB.maker+checker cash mint --money CNY@CB --to"


def test_status(desk: Tally, running: Node) -> None:
    told = desk("status").out
    assert running.ledger.chain_id in told
    assert "2026-07-03 09:" in told
    data = desk("status", "--json").json
    assert data["chain_id"] == running.ledger.chain_id
    assert data["trial"] is True


def test_a_message_is_accepted(desk: Tally) -> None:
    told = desk.line(f"{MINT} D2 --amount 1,000.00").out
    assert "CB issues 1,000.00 CNY@CB to D2" in told
    assert "accepted at height " in told
    data = desk.line(f"{MINT} D2 --amount 0.50 --json").json
    assert data["outcome"] == "accepted"
    assert list(data) == [
        *("outcome", "transaction_id", "height", "app", "code", "name", "sentence", "values"),
        *("ids", "retry"),
    ]


def test_a_message_is_refused_in_words_and_in_decimals(desk: Tally) -> None:
    words = "--as T3.maker+checker cash transfer --to S1 --money CNY@CB --amount 5,333.33"
    said = "cash 6 INSUFFICIENT: party T3 has not 5,333.33 CNY@CB available"
    assert said in desk.line(words, code=3).out
    data = desk.line(f"{words} --json", code=3).json
    assert (data["app"], data["code"], data["name"]) == ("cash", 6, "INSUFFICIENT")
    assert (data["sentence"], data["values"]["amount_minor"]) == (said, 533_333)
    assert "T3" in desk.line(f"--lang zh {words}", code=3).out


def test_ids_made_are_told(desk: Tally) -> None:
    desk.line(f"{MINT} S5 --amount 10.00")
    words = "--as S5.maker+checker cash hold --money CNY@CB --amount 2.00 --purpose deposit"
    told = desk.line(words).out
    made = told.split("made ")[1].split()[0]
    assert made.startswith("hold-")
    # The currency of an amount is that of the hold.
    desk.line(f"--as S5.maker+checker cash release --hold {made} --amount 0.50")
    told = desk.line(f"--as S5 cash one-hold --hold {made}").out
    assert "1.50" in told
    assert "deposit" in told


def test_who_has_not_signed_is_told(desk: Tally) -> None:
    words = "--as CB.maker cash mint --money CNY@CB --to D1 --amount 1.00"
    assert "members 12 NOT_ENOUGH_OFFICERS" in desk.line(words, code=3).out


def test_somebody_must_sign(desk: Tally) -> None:
    words = "cash mint --money CNY@CB --to D1 --amount 1.00"
    assert "say who signs: --as" in desk.line(words, code=2).err
    assert "say who signs: --as" in desk.line(f"--as CB {words}", code=2).err
    told = desk.line(f"--as CB.nobody {words}", code=50).err
    assert "there is no key CB.nobody" in told


def test_the_environment_says_who_and_where(
    tally: Tally, running: Node, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLY_NODE", running.address)
    monkeypatch.setenv("TALLY_AS", "CB.maker+checker")
    monkeypatch.setenv("TALLY_KEYS", str(folder / "keys"))
    monkeypatch.setenv("TALLY_PASSPHRASE_FILE", str(folder / "passphrase"))
    tally.line("cash mint --money CNY@CB --to D1 --amount 1.00")
    # What is written wins.
    assert (
        "NOT_ISSUER"
        in tally.line(
            "cash mint --money CNY@CB --to D1 --amount 1.00 --as bank-a.maker+checker", code=3
        ).out
    )


def test_a_reference_is_used_once(desk: Tally) -> None:
    first = desk.line(f"{MINT} S3 --amount 1.00 --reference once --json").json
    assert first["outcome"] == "accepted"
    again = desk.line(f"{MINT} S3 --amount 2.00 --reference once --json", code=3).json
    assert (again["outcome"], again["app"], again["code"]) == ("reused", "ledger", 4)


def test_an_expiry_is_a_time_or_a_length_of_time(desk: Tally) -> None:
    desk.line(f"{MINT} S3 --amount 1.00 --expires 5m")
    assert "EXPIRY_TOO_FAR" in desk.line(f"{MINT} S3 --amount 1.00 --expires 25h", code=43).err
    told = desk.line(f"{MINT} S3 --amount 1.00 --expires 2026-07-01", code=42).err
    assert "expired: it never will be committed" in told
    assert "--expires: " in desk.line(f"{MINT} S3 --amount 1.00 --expires soon", code=2).err


def test_reads_are_those_of_the_officer(desk: Tally) -> None:
    desk.line(f"{MINT} S6 --amount 7.00")
    assert "7.00" in desk.line("--as S6 cash balances --party S6").out
    assert "7.00" in desk.line("--as S6.checker cash balances --party S6").out
    assert "nothing" in desk.line("--as T1 cash balances --party S6").out
    assert "7.00" in desk.line("cash balances --party S6").out
    assert "no key T9.…" in desk.line("--as T9 cash balances --party S6", code=50).err


def test_a_read_may_be_refused(desk: Tally) -> None:
    words = "documents document --document doc-0123456789abcdef"
    assert "NO_SUCH_DOCUMENT" in desk.line(words, code=3).out
    assert desk.line(f"{words} --json", code=3).json["name"] == "NO_SUCH_DOCUMENT"


def test_a_query_of_plain_days(desk: Tally) -> None:
    words = "governance rolled --calendar cn --day 2026-10-01"
    assert "2026-10-08" in desk.line(words).out
    assert desk.line(f"{words} --json").json["day"] == "2026-10-08"
    told = desk.line("governance shifted --calendar cn --day 2026-10-08 --banking-days -3").out
    assert "2026-09-28" in told


def test_records(desk: Tally) -> None:
    desk.line(f"{MINT} T2 --amount 9.00")
    assert "9.00" in desk.line("record cash balance T2 CNY@CB").out
    assert desk.line("record cash balance T2 CNY@CB --json").json["available_minor"] == "900"
    assert "there is no balance" in desk.line("record cash balance T2 EUR@CB", code=1).out
    assert desk.line("record cash balance T2 EUR@CB --json", code=1).out.strip() == "null"
    assert "T2" in desk.line("records cash balance party=T2").out
    assert len(desk.line("records members member --json").json) >= 18
    assert len(desk.line("records members member --limit 3 --json").json) == 3
    assert "nothing" in desk.line("records cash balance party=nobody").out
    assert "is not FIELD=VALUE" in desk.line("records cash balance T2", code=2).err
    assert "cash keeps no moon; there are: " in desk.line("records cash moon", code=2).err
    assert "no application moon" in desk.line("record moon x y", code=2).err
    assert "BAD_ARGUMENT" in desk.line("records cash balance colour=red", code=3).out


def test_a_record_that_is_there_is_proved_and_checked_without_the_node(
    desk: Tally, tally: Tally, folder: Path, tmp_path: Path
) -> None:
    desk.line(f"{MINT} T2 --amount 9.00")
    path = tmp_path / "proof.json"
    assert (
        "there is a record"
        in desk("prove", *["cash", "balance", "T2", "CNY@CB", "--out"], str(path)).out
    )
    told = tally("verify", str(path), "--genesis", str(folder)).out
    assert "proven: there is a record cash.balance T2 CNY@CB, after block" in told
    data = tally("verify", str(path), "--genesis", str(folder), "--json").json
    assert (data["ok"], data["is_present"]) == (True, True)


def test_a_record_that_is_not_there_is_proved(
    desk: Tally, tally: Tally, folder: Path, tmp_path: Path
) -> None:
    desk.line(f"{MINT} T2 --amount 9.00")
    path = tmp_path / "proof.json"
    desk("prove", *["cash", "balance", "T2", "EUR@CB", "--out"], str(path), "--json")
    told = tally("verify", str(path), "--genesis", str(folder)).out
    assert "proven: there is no record cash.balance T2 EUR@CB" in told


def test_a_receipt_is_proved(desk: Tally, tally: Tally, folder: Path, tmp_path: Path) -> None:
    made = desk.line(f"{MINT} T2 --amount 9.00 --json").json["transaction_id"]
    path = tmp_path / "proof.json"
    desk("prove", made, "--out", str(path))
    told = tally("verify", str(path), "--genesis", str(folder)).out
    assert f"proven: transaction {made} was accepted" in told
    assert "is no id of a transaction" in desk("prove", "xyz", "--out", str(path), code=2).err
    assert "name APP KIND KEY" in desk("prove", "a", "b", "--out", str(path), code=2).err
    assert "NO_SUCH_TRANSACTION" in desk("prove", "00" * 32, "--out", str(path), code=3).out


def test_a_proof_that_proves_nothing(
    desk: Tally, tally: Tally, folder: Path, tmp_path: Path
) -> None:
    desk.line(f"{MINT} T2 --amount 9.00")
    path = tmp_path / "proof.json"
    desk("prove", *["cash", "balance", "T2", "CNY@CB", "--out"], str(path))
    other = tmp_path / "other"
    assert run(["init", str(other)]) == 0
    told = tally("verify", str(path), "--genesis", str(other), code=1).out
    assert "proves nothing: the proof is of chain" in told
    data = tally("verify", str(path), "--genesis", str(other), "--json", code=1).json
    assert data["ok"] is False
    missing = str(tmp_path / "no")
    assert "there is no chain in" in tally("verify", str(path), "--genesis", missing, code=30).err
    assert "cannot be read" in tally("verify", missing, "--genesis", str(folder), code=60).err
    path.write_text("{}", encoding="utf-8")
    assert "not a proof" in tally("verify", str(path), "--genesis", str(folder), code=60).err


def test_the_genesis_is_shown(tally: Tally, folder: Path) -> None:
    told = tally("genesis", "show", str(folder)).out
    assert "90 members.officer" in told
    assert "2026-07-03 09:00 (trial)" in told
    data = tally("genesis", "show", str(folder), "--json").json
    assert data["records"]["members.member"] == 18
    assert data["chain_id"].endswith(data["hash"][:8])


def test_the_genesis_of_a_consortium_names_its_validators(tally: Tally, tmp_path: Path) -> None:
    world = cast_world(validators={"bank-a": 10, "SUP": 5})
    path = tmp_path / "genesis.json"
    path.write_bytes(genesis_to_json(world.genesis, world.ledger.rules.record_types))
    told = tally("genesis", "show", str(tmp_path)).out
    assert "4,194,304 bytes, 5,000 transactions" in told
    assert "100,000 blocks and 48 h" in told
    assert f"bank-a, power 10, {public_key('bank-a.node').hex()}" in told
    assert "SUP, power 5" in told


def test_a_folder_in_use_is_not_audited(desk: Tally, folder: Path) -> None:
    assert "is in use" in desk("audit", str(folder), code=23).err


def test_a_struct_may_lie_in_a_file(desk: Tally, tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    officers = ", ".join(
        f'{{"officer_id": "{name}", "roles": ["{role}"], "keys": [{{"public_key": "{key}"}}]}}'
        for name, role, key in (
            ("ann", "maker", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
            ("bob", "checker", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
            ("cat", "admin", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
        )
    )
    path.write_text(
        '{"member_id": "S9", "legal_name": "S9 Ltd.", "kind": "supplier", "size": "small",'
        f' "officers": [{officers}]}}',
        encoding="utf-8",
    )
    before = ("--as", "SUP.maker+checker", "members", "admit", "--newcomer")
    assert "accepted" in desk(*before, f"@{path}").out
    assert "S9 Ltd." in desk("record", "members", "member", "S9").out
    ann, bob = public_key("S8.ann").hex(), public_key("S8.bob").hex()
    words = (
        "member=S8 legal-name='S8 Ltd.' kind=supplier size=small"
        f' officers="officer=ann roles=maker roles=admin keys={ann}"'
        f' officers="officer=bob roles=checker keys={bob}"'
    )
    assert "accepted" in desk(*before, words).out
    assert "the file cannot be read" in desk(*before, "@nowhere.json", code=2).err


def test_a_node_that_answers_nobody_loses_nothing(
    desk: Tally, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was signed is kept in a file, and sending it twice does no harm."""
    monkeypatch.chdir(tmp_path)
    client = Client("unix:/nowhere/api.sock", patience_seconds=0)
    desk(*f"{MINT} T1 --amount 4.00 --out t.tx".split())
    desk("--as", "CB.maker+checker", "sign", "t.tx", "--yes")
    with pytest.raises(Unreachable, match="tally send unanswered-"):
        submit(client, read(tmp_path / "t.tx"))
    kept = next(tmp_path.glob("unanswered-*.tx"))
    first = desk("send", str(kept), "--json").json
    assert first["outcome"] == "accepted"
    assert desk("send", str(kept), "--json").json == first
