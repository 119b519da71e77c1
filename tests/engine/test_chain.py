"""One chain on one disk: recovery, what halts it, proofs, answers."""

from __future__ import annotations

import pytest

from tallystick.errors import DiskFailed, DiskFull, Halted
from tallystick.gateway.reply import Outcome
from tallystick.ledger.app import key_bytes
from tallystick.store.base import Changes, StateStore
from tallystick.store.memory import MemoryStore
from tallystick.values.codec import replace
from tests.till.desk import MINUTE_MS, OPENS_MS, Desk, genesis
from tests.till.messages import Fill, Leave, Pay
from tests.till.records import Note, Purse

FILL = ("A", Fill(currency="CNY", amount_minor=100))


class FailingStore(MemoryStore):
    """A state store whose disk fails when told to."""

    failure: Exception | None = None

    def apply(self, height: int, changes: Changes, side: Changes) -> None:
        """Fail, or write."""
        if self.failure is not None:
            raise self.failure
        super().apply(height, changes, side)


def filled() -> Desk:
    """A chain with some blocks, stopped."""
    with Desk() as desk:
        for amount in (1, 2, 3):
            desk.send(("A", Fill(currency="CNY", amount_minor=amount)))
        desk.send(("B", Fill(currency="CNY", amount_minor=10)))
        desk.send(("A", Pay(to="B", amount_minor=2)))
        desk.send(("A", Pay(to="B", amount_minor=1_000)))
        desk.send(("A", Leave(name="x", number=1, at_ms=OPENS_MS + MINUTE_MS)))
    return desk


def test_an_empty_state_store_is_redone_from_the_log() -> None:
    before = filled()
    again = Desk(disk=before.disk)
    assert again.chain.state.root() == before.chain.state.root()
    assert again.chain.ledger_ms == before.chain.ledger_ms
    assert again.engine.view().get(Purse, "B").amount_minor == 12


def test_a_state_store_that_is_behind_is_brought_up() -> None:
    with Desk() as desk:
        desk.send(FILL)
        behind = copy_of(desk.store)
        desk.send(("B", Fill(currency="CNY", amount_minor=10)))
        desk.send(("A", Pay(to="B", amount_minor=2)))
        desk.send(("A", Leave(name="x", number=1)))
    assert behind.height() < desk.chain.state.tip.height
    after = Desk(disk=desk.disk, store=behind)
    assert after.chain.state.root() == desk.chain.state.root()
    with after:
        assert after.send(("B", Pay(to="A", amount_minor=1))).outcome is Outcome.ACCEPTED


def copy_of(store: StateStore) -> MemoryStore:
    """Another store at the same height."""
    made = MemoryStore()
    made.apply(store.height(), dict(store.scan(b"")), dict(store.side_scan(b"")))
    return made


def test_a_state_that_the_log_does_not_say_halts() -> None:
    before = filled()
    wrong = MemoryStore()
    Desk(disk=before.disk, store=wrong)
    wrong.apply(wrong.height() + 1, {}, {})
    with pytest.raises(Halted, match="ahead of the log"):
        Desk(disk=before.disk, store=wrong)
    changed = MemoryStore()
    chain = Desk(disk=before.disk, store=changed).chain
    other = Purse(party="A", currency="CNY", amount_minor=10**9)
    tampered = MemoryStore()
    tampered.apply(
        chain.state.tip.height,
        dict(changed.scan(b"")) | {key_bytes(other): b"\x80"},
        dict(changed.side_scan(b"")),
    )
    with pytest.raises(Halted, match="the state root is"):
        Desk(disk=before.disk, store=tampered)


def test_nothing_is_published_that_the_state_store_could_not_take() -> None:
    store = FailingStore()
    desk = Desk(store=store)
    desk.chain.next_block(OPENS_MS, [], force=True)
    store.failure = DiskFailed("write", "state", "on purpose")
    transaction = desk.transaction(desk.signed(FILL))
    with pytest.raises(Halted, match="the block is kept"):
        desk.chain.next_block(OPENS_MS, [transaction])
    again = Desk(disk=desk.disk)
    answer = again.engine.answer(transaction.id)
    assert answer is not None, "the block is durable: a restart knows the answer"


def test_a_full_disk_leaves_the_chain_as_it_was() -> None:
    desk = Desk()
    desk.chain.next_block(OPENS_MS, [], force=True)
    desk.disk.set_capacity(0)
    transaction = desk.transaction(desk.signed(FILL))
    with pytest.raises(DiskFull):
        desk.chain.next_block(OPENS_MS, [transaction])
    assert desk.chain.state.tip.height == 1
    desk.disk.set_capacity(None)
    made = desk.chain.next_block(OPENS_MS, [transaction])
    assert made is not None
    assert made.header.height == 2


def test_records_and_their_absence_are_proved() -> None:
    with filled_again() as desk:
        present = desk.engine.prove_record(key_bytes(desk.engine.view().get(Purse, "A")))
        absent = desk.engine.prove_record(key_bytes(Purse(party="nobody")))
    assert present is not None
    assert present.holds()
    assert present.record is not None
    assert absent is not None
    assert absent.holds()
    assert absent.record is None
    for proof in (present, absent):
        other_root = replace(proof.seal, state_root=bytes(32))
        assert not replace(proof, seal=other_root).holds(), "not the header's root"


def filled_again() -> Desk:
    """A running chain over blocks that were made before."""
    return Desk(disk=filled().disk)


def test_every_receipt_is_proved() -> None:
    desk = Desk()
    raws = [desk.signed(FILL) for _ in range(7)]
    with desk:
        replies = desk.offer(*raws)
        for reply in replies:
            proof = desk.engine.prove_receipt(reply.transaction_id or b"")
            assert proof is not None
            assert proof.holds()
            assert proof.receipt.transaction_id == reply.transaction_id
        assert desk.engine.prove_receipt(bytes(32)) is None


def test_before_the_first_block_nothing_can_be_proved() -> None:
    desk = Desk()
    assert desk.engine.prove_record(b"x") is None
    assert desk.engine.seal() is None
    assert desk.engine.standing().state_root == bytes(32)


def test_a_trial_opens_at_its_own_time() -> None:
    opens = OPENS_MS - 400 * 24 * 60 * MINUTE_MS
    desk = Desk(begins=genesis(trial=True, opens_at_ms=opens))
    assert desk.engine.now_ms() == opens
    assert desk.chain.ledger_ms == opens
    with desk:
        desk.send(("A", Leave(name="now", number=1)))
        assert desk.engine.view().peek(Note, "now", 1) is not None


def test_history_is_read_from_the_log() -> None:
    with filled_again() as desk:
        amounts = [
            past.after.amount_minor
            for past in desk.engine.view().history(Purse, "A")
            if isinstance(past.after, Purse)
        ]
    assert amounts == [1, 3, 6, 4]
