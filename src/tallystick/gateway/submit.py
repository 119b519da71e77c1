"""Handing transactions to the engine, and telling their senders what became of them.

Answers are found by the bytes that were sent, not by the transaction's id: under one id there may
be bytes with other signatures, and whoever strips one must not spoil the answer to the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from tallystick.engine.base import Answer, Busy, Committed, Engine
from tallystick.gateway.admit import Admission
from tallystick.gateway.reply import Reply, answered, expired, not_here, rejected, taken
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.side import FINAL
from tallystick.ledger.transaction import Transaction

ANSWERS_KEPT = 50_000
"""Answers outside the chain that are kept for whoever asks by id; they are not in the log."""


class Batch:
    """Transactions that came together; done when each has an answer."""

    def __init__(self, count: int, *, is_kept: bool = False) -> None:
        """Wait for so many answers; `is_kept` when the node itself hands in until they come."""
        self._is_kept = is_kept
        self._answers: list[Answer | Reply | None] = [None] * count
        self._ids: list[bytes] = [b""] * count
        self._left = count
        self._when_done: Callable[[], None] | None = None
        self._lock = threading.Lock()

    def when_done(self, call: Callable[[], None]) -> None:
        """Call once, from any thread, when every answer is there."""
        with self._lock:
            self._when_done = call
            is_done = self._left == 0
        if is_done:
            call()

    def give_up(self) -> None:
        """Call those who wait although answers are missing."""
        with self._lock:
            call, self._left = self._when_done, 0
        if call is not None:
            call()

    def replies(self) -> list[Reply]:
        """What can be said now: answers, and `received` or `kept` where there is none yet."""
        return [
            taken(self._ids[place], is_kept=self._is_kept)
            if answer is None
            else (answered(answer) if isinstance(answer, Answer) else answer)
            for place, answer in enumerate(self._answers)
        ]

    def expect(self, place: int, transaction_id: bytes) -> None:
        """Note which transaction an answer will be for."""
        self._ids[place] = transaction_id

    def put(self, place: int, answer: Answer | Reply) -> None:
        """Note an answer."""
        with self._lock:
            is_first = self._answers[place] is None
            if is_first:
                self._left -= 1
            self._answers[place] = answer
            call = self._when_done if is_first and self._left == 0 else None
        if call is not None:
            call()


Waiter = tuple[Batch, int]
"""A batch, and the place in it that waits for an answer."""


class Gateway:
    """Takes transactions from any thread and answers each of them in the end."""

    def __init__(
        self, engine: Engine, admission: Admission, *, answers_kept: int = ANSWERS_KEPT
    ) -> None:
        """Listen to the engine."""
        self._answers_kept = answers_kept
        self._engine = engine
        self._admission = admission
        self._admitting = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: dict[bytes, list[Waiter]] = {}
        self._asked: dict[bytes, list[Waiter]] = {}
        self._pending: dict[bytes, int] = {}
        self._outside: dict[bytes, Reply] = {}
        self.is_closing = False
        """Whether the node is about to stop: whoever waits or follows should end."""
        for transaction in engine.kept():
            self._must_order(transaction, None)
        engine.listen(self._published)

    # --- in

    def offer(self, raws: Sequence[bytes]) -> Batch:
        """Take transactions: each is answered at once at the door, or when its block is durable."""
        batch = Batch(len(raws), is_kept=self._engine.keeps)
        with self._admitting:
            admitted = self._admission.admit(raws, self._engine.now_ms())
        fresh: list[Transaction] = []
        again: list[tuple[int, Transaction]] = []
        committed_ms = self._engine.standing().ledger_ms
        with self._lock:
            for place, each in enumerate(admitted):
                if isinstance(each, Refused):
                    batch.put(place, rejected(each))
                    continue
                batch.expect(place, each.id)
                if each.body.expires_at_ms <= committed_ms:
                    batch.put(place, self._too_late(each))
                elif self._must_order(each, (batch, place)):
                    fresh.append(each)
                else:
                    again.append((place, each))
        # What another caller hands over at this moment is kept only once that is done.
        known = [each for _, each in again] if self._engine.keeps else []
        busy = self._hand_over(fresh, known)
        if busy is not None and known:
            for place, each in again:
                batch.put(place, rejected(busy, each.id))
        return batch

    def _too_late(self, transaction: Transaction) -> Answer | Reply:
        """What became of a transaction whose expiry a committed block's time has passed."""
        known = self._engine.answer(transaction.id)
        if known is not None:
            return known
        if transaction.body.expires_at_ms <= self._engine.not_here_until_ms():
            return not_here(transaction.id)
        return expired(transaction.id)

    def _must_order(self, transaction: Transaction, waiter: Waiter | None) -> bool:
        """Note who waits; False when the same bytes are on their way already."""
        waiters = [] if waiter is None else [waiter]
        waiting = self._waiting.get(transaction.raw)
        if waiting is not None:
            waiting += waiters
            return False
        self._waiting[transaction.raw] = waiters
        self._pending[transaction.id] = self._pending.get(transaction.id, 0) + 1
        return True

    def _hand_over(self, fresh: list[Transaction], again: list[Transaction]) -> Refused | None:
        """Hand over what is new; what a busy engine says is the door's answer to all of it."""
        if not fresh and not again:
            return None
        try:
            self._engine.submit([*fresh, *again])
        except Busy as busy:
            no = Refused(Refusal.BUSY, {"reason": busy.reason})
            with self._lock:
                for transaction in fresh:
                    self._answer(transaction.raw, transaction.id, rejected(no, transaction.id))
            return no
        return None

    # --- out

    def _published(self, committed: Committed) -> None:
        """Answer whoever waits; on the engine's thread."""
        with self._lock:
            for answer in committed.answers:
                self._answer(answer.raw, answer.transaction_id, answer)
                if not _is_final(answer):
                    self._keep(answered(answer))

    def _answer(self, raw: bytes, transaction_id: bytes, answer: Answer | Reply) -> None:
        """Hand an answer to everyone who waits for these bytes, or for this id."""
        for batch, place in self._waiting.pop(raw, ()):
            batch.put(place, answer)
        left = self._pending.get(transaction_id, 0) - 1
        if left > 0:
            self._pending[transaction_id] = left
        else:
            self._pending.pop(transaction_id, None)
        if self._asked and (left <= 0 or _is_final(answer)):
            for batch, place in self._asked.pop(transaction_id, ()):
                batch.put(place, answer)

    def _keep(self, reply: Reply) -> None:
        """Remember an answer that the log does not."""
        if reply.transaction_id is None:
            return
        if len(self._outside) >= self._answers_kept:
            del self._outside[next(iter(self._outside))]
        self._outside[reply.transaction_id] = reply

    # --- asked by id

    def ask(self, transaction_id: bytes) -> Batch | None:
        """The answer to a transaction handed in earlier, now or later; None when it is unknown."""
        batch = Batch(1, is_kept=self._engine.keeps)
        batch.expect(0, transaction_id)
        with self._lock:
            if transaction_id in self._pending:
                self._asked.setdefault(transaction_id, []).append((batch, 0))
                return batch
            outside = self._outside.get(transaction_id)
        known = self._engine.answer(transaction_id) or outside
        if known is None:
            return None
        batch.put(0, known)
        return batch

    def waiting(self) -> int:
        """Transactions that have no answer yet."""
        return len(self._waiting)

    def verified(self) -> int:
        """Signatures verified so far."""
        return self._admission.signatures

    def close(self) -> None:
        """Let go of everybody who waits: what has no answer stays `received`."""
        self.is_closing = True
        with self._lock:
            waiters = [each for waiting in self._waiting.values() for each in waiting]
            waiters += [each for asked in self._asked.values() for each in asked]
            self._waiting.clear()
            self._asked.clear()
        for batch in {id(batch): batch for batch, _ in waiters}.values():
            batch.give_up()


def _is_final(answer: Answer | Reply) -> bool:
    """Whether nothing else can come of the transaction, whatever its signatures.

    Under a consortium's engine a block may hold that a transaction is unauthorised: the same one
    with better signatures may be accepted in a later block.
    """
    if isinstance(answer, Reply):
        return answer.height is not None
    if answer.receipt is None:
        return answer.height is not None
    return answer.receipt.outcome in FINAL
