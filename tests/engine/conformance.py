"""What every engine does, whatever orders its transactions; each body runs this suite."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pytest

from tallystick.engine.base import Busy, Committed, Engine
from tallystick.ledger.app import Message, key_bytes
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.transaction import Transaction
from tests.till.desk import MINUTE_MS, OPENS_MS, outcome_of, until
from tests.till.messages import Fill, Leave, Pay
from tests.till.records import Note, Purse

ROOT_AFTER_STORY = "15c8082127815e8c7f4f165ee1ff406a3d721f6f4a4e917fb6db1611e7a0ec85"
"""State root after `story`: the same through any engine that makes one block of each step."""


class Bench(Protocol):
    """An engine of one kind, over a till that opens at `OPENS_MS`."""

    @property
    def engine(self) -> Engine:
        """The engine."""

    @property
    def published(self) -> list[Committed]:
        """What it has told its listeners."""


class Signer(Protocol):
    """Signs for the parties of the till."""

    def signed(
        self,
        *calls: tuple[str, Message],
        keys: Sequence[str] = (),
        reference: str | None = None,
        expires_at_ms: int | None = None,
    ) -> bytes:
        """A transaction's bytes."""

    def transaction(self, raw: bytes) -> Transaction:
        """Bytes, decoded."""


class EngineConformance:
    """Tests of the seam. A subclass says how its engine is made."""

    @abstractmethod
    def made(self, folder: Path) -> AbstractContextManager[Bench]:
        """A running engine."""

    @abstractmethod
    def signer(self, bench: Bench) -> Signer:
        """Who signs for its chain."""

    @abstractmethod
    def pass_time(self, bench: Bench, ms: int) -> None:
        """Let ledger time pass."""

    def root_after_story(self, bench: Bench) -> str:
        """The state root that `story` must end with."""
        return ROOT_AFTER_STORY

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[Bench]:
        with self.made(tmp_path) as made:
            yield made

    @pytest.fixture
    def desk(self, bench: Bench) -> Signer:
        """Signs."""
        return self.signer(bench)

    def send(self, bench: Bench, desk: Signer, *raws: bytes) -> list[str]:
        """Submit, wait for the answers, and tell the outcomes."""
        before = sum(len(each.answers) for each in bench.published)
        bench.engine.submit([desk.transaction(raw) for raw in raws])
        until(lambda: sum(len(e.answers) for e in bench.published) >= before + len(raws))
        answers = {a.raw: outcome_of(a) for e in bench.published for a in e.answers}
        return [answers[raw] for raw in raws]

    def story(self, bench: Bench, desk: Signer) -> None:
        """A few steps, each in a block of its own."""
        steps = (
            ("A", Fill(currency="CNY", amount_minor=100)),
            ("B", Fill(currency="CNY", amount_minor=5)),
            ("A", Pay(to="B", amount_minor=30)),
            ("A", Pay(to="B", amount_minor=300)),
            ("A", Leave(name="later", number=1, at_ms=OPENS_MS + MINUTE_MS)),
        )
        expires = OPENS_MS + 60 * MINUTE_MS
        outcomes = [
            self.send(bench, desk, desk.signed(step, expires_at_ms=expires))[0] for step in steps
        ]
        assert outcomes == ["accepted", "accepted", "accepted", "refused", "accepted"]
        self.pass_time(bench, MINUTE_MS)
        until(lambda: bench.engine.view().peek(Note, "later", 1) is not None)

    def test_the_same_steps_give_the_same_root(self, bench: Bench, desk: Signer) -> None:
        self.story(bench, desk)
        assert bench.engine.standing().state_root.hex() == self.root_after_story(bench)

    def test_blocks_are_heard_in_order_and_read_back(self, bench: Bench, desk: Signer) -> None:
        self.story(bench, desk)
        heard = [each for each in bench.published if each.header_hash]
        heights = [each.header.height for each in heard]
        assert heights == sorted(heights)
        for each in heard:
            entry = bench.engine.entry(each.header.height)
            assert entry.header == each.header
            assert entry.block_hash == each.header_hash
        entries = list(bench.engine.entries(1))
        assert [entry.header.height for entry in entries] == list(range(1, len(entries) + 1))
        for before, after in itertools.pairwise(entries):
            assert after.header.previous_hash == before.block_hash

    def test_a_listener_may_read_what_it_hears_of(self, bench: Bench, desk: Signer) -> None:
        heights: list[tuple[int, int]] = []
        bench.engine.listen(lambda c: heights.append((c.header.height, bench.engine.view().height)))
        self.send(bench, desk, desk.signed(("A", Fill(currency="CNY", amount_minor=1))))
        until(lambda: heights)  # who sent may be answered before this listener is told
        assert heights[0][0] <= heights[0][1]

    def test_a_duplicate_has_the_first_ones_answer(self, bench: Bench, desk: Signer) -> None:
        raw = desk.signed(("A", Fill(currency="CNY", amount_minor=1)))
        assert self.send(bench, desk, raw) == ["accepted"]
        assert self.send(bench, desk, raw) == ["accepted"]
        answer = bench.engine.answer(desk.transaction(raw).id)
        assert answer is not None
        assert answer.receipt is not None
        assert answer.receipt.outcome is Outcome.ACCEPTED
        assert bench.engine.view().get(Purse, "A").amount_minor == 1

    def test_expiry_is_told_once_a_blocks_time_has_passed_it(
        self, bench: Bench, desk: Signer
    ) -> None:
        raw = desk.signed(
            ("A", Fill(currency="CNY", amount_minor=1)), expires_at_ms=OPENS_MS + MINUTE_MS
        )
        self.pass_time(bench, 2 * MINUTE_MS)
        assert self.send(bench, desk, raw) == ["expired"]
        assert bench.engine.standing().ledger_ms >= OPENS_MS + MINUTE_MS
        assert bench.engine.answer(desk.transaction(raw).id) is None

    def test_a_stranger_does_not_spoil_a_reference(self, bench: Bench, desk: Signer) -> None:
        call = ("A", Fill(currency="CNY", amount_minor=1))
        raw = desk.signed(call, keys=["B.clerk"], reference="mine")
        assert self.send(bench, desk, raw) == ["unauthorised"]
        heights = [a.height for e in bench.published for a in e.answers if a.raw == raw]
        assert heights == [None], "it is answered, and in no block"
        assert bench.engine.answer(desk.transaction(raw).id) is None
        assert self.send(bench, desk, desk.signed(call, reference="mine")) == ["accepted"]

    def test_a_reference_is_good_for_one_transaction(self, bench: Bench, desk: Signer) -> None:
        raws = [
            desk.signed(("A", Fill(currency="CNY", amount_minor=each)), reference="once")
            for each in (1, 2)
        ]
        assert self.send(bench, desk, raws[0]) == ["accepted"]
        assert self.send(bench, desk, raws[1]) == ["reused"]
        assert bench.engine.view().get(Purse, "A").amount_minor == 1

    def test_proofs_hold_against_the_seal(self, bench: Bench, desk: Signer) -> None:
        self.story(bench, desk)
        present = bench.engine.prove_record(key_bytes(Purse(party="A")))
        absent = bench.engine.prove_record(key_bytes(Purse(party="C")))
        assert present is not None
        assert absent is not None
        assert present.holds()
        assert absent.holds()
        assert (present.record is None, absent.record is None) == (False, True)
        entry = bench.engine.entry(present.seal.header.height)
        assert present.seal.header == entry.header

    def test_ledger_time_passes_and_never_goes_back(self, bench: Bench) -> None:
        before_ms = bench.engine.now_ms()
        assert before_ms >= OPENS_MS
        self.pass_time(bench, MINUTE_MS)
        assert bench.engine.now_ms() >= before_ms + MINUTE_MS

    def test_what_it_keeps_it_can_tell(self, bench: Bench) -> None:
        assert isinstance(bench.engine.keeps, bool)
        assert list(bench.engine.kept()) == []
        assert bench.engine.not_here_until_ms() == 0

    def test_an_engine_that_has_ended_takes_nothing(self, bench: Bench, desk: Signer) -> None:
        raw = desk.signed(("A", Fill(currency="CNY", amount_minor=1)))
        bench.engine.stop()
        with pytest.raises(Busy):
            bench.engine.submit([desk.transaction(raw)])
