"""The audit: what it counts, and that no byte of the log can change without its saying so."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tallystick.audit import AuditReport, audit
from tallystick.engine.folder import BLOCKS, GENESIS, STATE, read_genesis
from tallystick.errors import DataFolderInUse, NodeError
from tallystick.ledger.block import Entry, header_bytes
from tallystick.ledger.transaction import Body, Call, assemble
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog
from tallystick.store.rocks import RocksStore
from tallystick.testing.world import private_key, sign
from tallystick.values.codec import decode, encode, replace
from tests.till import APP
from tests.till.messages import Break, Fill, Leave, Pay
from tests.till.people import PEOPLE
from tests.till.running import keys_of, running

FLIPS = 200


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a bit of everything in its log."""
    folder = tmp_path_factory.mktemp("till") / "data"
    with running(folder) as till:
        client = till.client
        soon = client.status().ledger_ms + 200
        client.send(("A.clerk", Leave(name="later", number=1, at_ms=soon)))
        while client.record("till", "note", "later", 1) is None:
            pass  # so that every block from the third on has one transaction
        for amount in range(1, 9):
            client.send(("A.clerk", Pay(to="B", amount_minor=amount)))
        client.send(("A.clerk", Pay(to="nobody", amount_minor=1)))
        client.send(("A.clerk", Break(how="error")))
        client.send(("A.clerk", Leave(name="x", number=1)), ("B.clerk", Leave(name="y", number=1)))
    return folder


def audited(folder: Path) -> AuditReport:
    return audit(folder, [APP], PEOPLE)


@pytest.fixture
def copy(data: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(data, tmp_path / "data"))


def test_a_sound_folder_is_ok_and_counted(data: Path) -> None:
    seen: list[tuple[int, int]] = []
    report = audit(data, [APP], PEOPLE, progress=lambda done, most: seen.append((done, most)))
    assert report.ok
    assert report.problems == []
    assert report.height == seen[-1][0] == seen[-1][1] == len(seen)
    assert (report.transactions, report.accepted, report.refused) == (12, 10, 2)
    assert report.timers == 1
    assert report.signatures == 13 + report.height
    assert report.invariants_checked == 2
    assert json.dumps(report.as_data())
    assert len(report.state_root) == 64


def test_an_audit_changes_nothing(data: Path) -> None:
    def files() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in sorted(data.rglob("*")) if p.is_file()}

    before = files()
    audited(data)
    after = files()
    before.pop(str(data / "lock"))
    after.pop(str(data / "lock"))
    assert before == after


def test_any_flipped_byte_of_the_log_is_found_and_names_the_block(copy: Path) -> None:
    chance = random.Random(20260703)
    files = sorted((copy / BLOCKS).iterdir())
    places = [(path, place) for path in files for place in range(path.stat().st_size)]
    for path, place in chance.sample(places, FLIPS):
        sound = path.read_bytes()
        spoiled = bytearray(sound)
        spoiled[place] ^= 1 << chance.randrange(8)
        path.write_bytes(spoiled)
        report = audited(copy)
        assert not report.ok, f"{path.name} at {place}"
        assert any("block " in problem for problem in report.problems)
        path.write_bytes(sound)
    assert audited(copy).ok


def test_a_log_cut_short_is_damage_or_torn(copy: Path) -> None:
    path = copy / BLOCKS / "00000001.log"
    path.write_bytes(path.read_bytes()[:-5])
    report = audited(copy)
    assert not report.ok
    assert "block " in report.problems[0]


# A liar who can write checksums: what only replay finds.


def rewritten(folder: Path, change: Callable[[Entry], Entry], at: int) -> AuditReport:
    """The log written anew, with valid checksums, one entry changed; state and tip follow."""
    genesis = read_genesis(folder, [APP])
    log = FileLog.open(OsDisk(), str(folder / BLOCKS), genesis.hash)
    bodies = [raw for _, raw in log.entries(1)]
    log.close()
    shutil.rmtree(folder / BLOCKS)
    shutil.rmtree(folder / STATE)
    log = FileLog.open(OsDisk(), str(folder / BLOCKS), genesis.hash)
    for height, raw in enumerate(bodies, start=1):
        log.append(encode(change(decode(Entry, raw))) if height == at else raw)
    log.close()
    return audited(folder)


def signed_again(folder: Path, entry: Entry) -> Entry:
    """An entry under the node's own signature."""
    key = keys_of(folder)
    node = type(key)(folder, key._passphrase).load("node")
    return replace(entry, signature=node.sign(header_bytes(entry.header)))


LIES: dict[str, tuple[Callable[[Entry], Entry], str]] = {
    "signature": (lambda e: replace(e, signature=bytes(64)), "is not the node's"),
    "unsigned": (lambda e: replace(e, signature=None), "not signed"),
    "state root": (lambda e: replace(e, state_root=bytes(32)), "state root is another"),
    "receipts root": (lambda e: replace(e, receipts_root=bytes(32)), "receipts root is another"),
    "receipt": (
        lambda e: replace(
            e, receipts=(replace(e.receipts[0], ids=("x-0123456789abcdef",)), *e.receipts[1:])
        ),
        "receipt 0 is another",
    ),
    "no receipt": (lambda e: replace(e, receipts=()), "another number of receipts"),
    "changes": (lambda e: replace(e, changes=((),)), "changes are others"),
    "own changes": (lambda e: replace(e, own_changes=()), "own changes are others"),
    "ledger time": (lambda e: replace(e, ledger_ms=e.ledger_ms + 1), "ledger time is another"),
    "transaction": (lambda e: replace(e, transactions=(b"garbage",)), "cannot be read"),
    "no transaction": (lambda e: replace(e, transactions=()), "receipt"),
    "height": (lambda e: replace(e, header=replace(e.header, height=9)), "is not the node's"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_under_good_checksums_is_found_by_replay(copy: Path, lie: str) -> None:
    change, words = LIES[lie]
    report = rewritten(copy, change, at=5)
    assert not report.ok
    assert report.height == 4
    assert report.problems[0].startswith("block 5: ")
    if words != "is not the node's" or lie == "signature":
        assert words in report.problems[0]


@pytest.mark.parametrize(
    ("field", "words"),
    (
        ("previous_hash", "does not follow"),
        ("app_hash", "header is another"),
        ("transactions_root", "header is another"),
    ),
)
def test_a_header_that_the_node_signed_must_still_be_true(
    copy: Path, field: str, words: str
) -> None:
    def lie(entry: Entry) -> Entry:
        return signed_again(
            copy, replace(entry, header=replace(entry.header, **{field: bytes(32)}))
        )

    report = rewritten(copy, lie, at=5)
    assert words in report.problems[0]


def test_time_that_goes_back_is_found(copy: Path) -> None:
    def lie(entry: Entry) -> Entry:
        return signed_again(copy, replace(entry, header=replace(entry.header, time_ms=1)))

    assert "time goes back" in rewritten(copy, lie, at=5).problems[0]


def test_a_payment_that_nobody_signed_is_found(copy: Path) -> None:
    genesis = read_genesis(copy, [APP])
    body = encode(
        Body[Fill](
            chain_id=genesis.chain_id,
            sender="A",
            reference="forged",
            expires_at_ms=genesis.time_ms + 60_000,
            calls=(Call[Fill](party="A", message=Fill(currency="CNY", amount_minor=1)),),
        )
    )
    forged = assemble(body, [replace(sign("A.clerk", body), signature=bytes(64))])
    report = rewritten(copy, lambda e: replace(e, transactions=(*e.transactions, forged)), at=5)
    assert "a signature under one of its transactions" in report.problems[0]


# The state store beside the log.


def test_a_state_store_that_says_something_else_is_found(copy: Path) -> None:
    store = RocksStore(str(copy / STATE))
    height = store.height()
    store.close()
    shutil.rmtree(copy / STATE)
    other = RocksStore(str(copy / STATE))
    other.apply(height, {b"forged": b"1"}, {})
    other.close()
    report = audited(copy)
    assert [problem for problem in report.problems if "state store differs" in problem]


def test_a_state_store_ahead_of_the_log_is_found(copy: Path) -> None:
    store = RocksStore(str(copy / STATE))
    store.apply(store.height() + 1, {}, {})
    store.close()
    assert "ahead of the log" in audited(copy).problems[0]


def test_a_missing_state_store_is_no_problem_and_a_broken_one_is(copy: Path) -> None:
    for path in (copy / STATE).glob("*.sst"):
        path.write_bytes(b"broken")
    assert any("state store" in problem for problem in audited(copy).problems)
    shutil.rmtree(copy / STATE)
    assert audited(copy).ok


# Where it is refused.


def test_a_folder_in_use_is_refused(copy: Path) -> None:
    with running(copy), pytest.raises(DataFolderInUse):
        audited(copy)
    assert audited(copy).ok


def test_without_a_genesis_there_is_nothing_to_audit(tmp_path: Path, copy: Path) -> None:
    with pytest.raises(NodeError, match="no chain"):
        audited(tmp_path / "nowhere")
    (copy / GENESIS).write_text("{}")
    with pytest.raises(NodeError, match="cannot be read"):
        audited(copy)


def test_another_genesis_is_another_chain(copy: Path) -> None:
    path = copy / GENESIS
    plain = json.loads(path.read_text())
    path.write_text(json.dumps(plain | {"name": "other"}))
    report = audited(copy)
    assert not report.ok
    assert "block 1" in report.problems[0]


def test_a_broken_invariant_is_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder) as till:
        till.client.send(("A.clerk", Fill(currency="CNY", amount_minor=10**11)))
    report = audited(folder)
    assert not report.ok
    assert "till.purses_hold_less_than_a_billion: the purse of A is too full" in report.problems[0]


# The same log gives the same root.


def roots(folder: Path) -> Iterator[str]:
    """Roots that processes with other hash seeds come to: by replay, and by opening the chain."""
    for seed in ("0", "1", "2", "3", "4242"):
        command = [sys.executable, "-m", "tests.till.process", "root", str(folder)]
        done = subprocess.run(
            command,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        yield from done.stdout.split()


def test_the_root_is_the_same_under_any_hash_seed_from_genesis_and_from_a_checkpoint(
    copy: Path, tmp_path: Path
) -> None:
    expected = audited(copy).state_root
    from_checkpoint = list(roots(copy))
    without = Path(shutil.copytree(copy, tmp_path / "without"))
    shutil.rmtree(without / STATE)
    from_genesis = list(roots(without))
    assert set(from_checkpoint + from_genesis) == {expected}
    assert len(from_checkpoint) == len(from_genesis) == 10


def test_the_test_keys_are_those_of_the_folder(data: Path) -> None:
    raw = private_key("A.clerk").public_key().public_bytes_raw()
    assert keys_of(data).public_key("A.clerk") == raw
