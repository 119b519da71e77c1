"""Handing transactions to the engine, and telling their senders what became of them.

Answers are found by the bytes that were sent, not by the transaction's id alone: under one id there
may be bytes with other signatures, and whoever strips one must not spoil the answer to the others.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from itertools import count

from tallystick.engine.base import Answer, Answers, Busy, Committed, Engine
from tallystick.gateway.admit import Admission
from tallystick.gateway.batch import Batch, Call
from tallystick.gateway.reply import (
    Happened,
    Made,
    Reply,
    busy_no,
    expired,
    not_here,
    rejected,
    reply_of,
)
from tallystick.gateway.room import Place, Room
from tallystick.ledger.refusal import Refused
from tallystick.ledger.side import FINAL
from tallystick.ledger.transaction import Transaction

ANSWERS_KEPT = 50_000
"""Answers outside the chain that are kept for whoever asks by id; they are not in the log."""

Waiter = tuple[bytes, Batch | None, int]
"""Bytes, the batch that waits for the answer to them, and the place in it; None: nobody waits."""
Several = dict[bytes, list[Waiter]]
"""Those who wait for one id, by the bytes: where there is more than one of them."""


class Gateway:
    """Takes transactions from any thread and answers each of them in the end."""

    def __init__(
        self, engine: Engine, admission: Admission, *, answers_kept: int = ANSWERS_KEPT
    ) -> None:
        """Listen to the engine."""
        self.room = Room()
        """What is being admitted, and in which order."""
        self.is_closing = False
        """Whether the node is about to stop: whoever waits or follows should end."""
        self._answers_kept = answers_kept
        self._engine = engine
        self._admission = admission
        self._lock = threading.Lock()
        self._waiting: dict[bytes, Waiter | Several] = {}
        self._count = 0
        self._asked: dict[bytes, list[Waiter]] = {}
        self._outside: OrderedDict[bytes, Reply] = OrderedDict()
        for transaction in engine.kept():
            self._must_order(transaction.id, (transaction.raw, None, 0))
        engine.listen(self._published)

    # --- in

    def offer(self, raws: Sequence[bytes], place: Place | None = None) -> Batch:
        """Take transactions: each is answered at once at the door, or when its block is durable.

        What is offered together stays in order. Several threads may offer; those with a place in
        `room` verify beside each other and are handed over in the order in which they came.
        """
        admitted = self._admission.admit(raws, self._engine.now_ms())
        ids = [each.id if isinstance(each, Transaction) else b"" for each in admitted]
        batch = Batch(ids, self._lock, is_kept=self._engine.keeps)
        if place is not None:
            place.wait_for_turn()
        fresh, again = self._sorted(admitted, batch)
        if place is not None and self._engine.keeps:
            place.leave()  # several wait for one flush together
        # What another caller hands over at this moment is kept only once that is done.
        known = [each for _, each in again] if self._engine.keeps else []
        busy = self._hand_over(fresh, known)
        if place is not None:
            place.leave()
        if busy is not None and known:
            with self._lock:
                for number, each in again:
                    batch.put(number, rejected(busy, each.id))
        return batch

    def _sorted(
        self, admitted: Sequence[Transaction | Refused], batch: Batch
    ) -> tuple[list[Transaction], list[tuple[int, Transaction]]]:
        """Answer what needs no engine: what is left is new, or on its way already."""
        fresh: list[Transaction] = []
        again: list[tuple[int, Transaction]] = []
        committed_ms = self._engine.standing().ledger_ms
        waiting = self._waiting
        with self._lock:
            for number, each in enumerate(admitted):
                if not isinstance(each, Transaction):
                    batch.put(number, rejected(each))
                    continue
                waiter = (each.raw, batch, number)
                if each.body.expires_at_ms <= committed_ms:
                    batch.put(number, self._too_late(each))
                elif waiting.setdefault(each.id, waiter) is waiter:  # as nearly all are
                    self._count += 1
                    fresh.append(each)
                elif self._must_order(each.id, waiter):
                    fresh.append(each)
                else:
                    again.append((number, each))
        return fresh, again

    def _too_late(self, transaction: Transaction) -> Answer | Reply:
        """What became of a transaction whose expiry a committed block's time has passed."""
        known = self._engine.answer(transaction.id)
        if known is not None:
            return known
        if transaction.body.expires_at_ms <= self._engine.not_here_until_ms():
            return not_here(transaction.id)
        return expired(transaction.id)

    def _must_order(self, transaction_id: bytes, waiter: Waiter) -> bool:
        """Note who waits; False when the same bytes are on their way already."""
        found = self._waiting.setdefault(transaction_id, waiter)
        if found is waiter:
            self._count += 1
            return True
        if isinstance(found, tuple):
            found = self._waiting[transaction_id] = {found[0]: [found]}
        same = found.setdefault(waiter[0], [])
        if same:
            same[1:] = _still_waiting(same[1:])
        same.append(waiter)
        is_new = len(same) == 1
        self._count += is_new
        return is_new

    def _hand_over(self, fresh: list[Transaction], again: list[Transaction]) -> Refused | None:
        """Hand over what is new; what a busy engine says is the door's answer to all of it."""
        if not fresh and not again:
            return None
        try:
            self._engine.submit([*fresh, *again])
        except Busy as busy:
            no = busy_no(busy)
            calls: list[Call] = []
            with self._lock:
                for each in fresh:
                    self._answer(each.raw, each.id, rejected(no, each.id), calls)
            for call in calls:
                call()
            return no
        return None

    # --- out

    def _published(self, committed: Committed) -> None:
        """Answer whoever waits; on the engine's thread."""
        calls: list[Call] = []
        answers = committed.answers
        with self._lock:
            if isinstance(answers, Answers) and not self._asked:
                answers = self._answered_once(answers, calls)
            for answer in answers:
                self._answer(answer.raw, answer.transaction_id, answer, calls)
                if not _is_final(answer):
                    self._keep(reply_of(answer))
        for call in calls:
            call()

    def _answered_once(self, answers: Answers, calls: list[Call]) -> Sequence[Answer]:
        """Hand out what was accepted and one request waits for, as nearly all is; what is left.

        The transactions of a request are neighbours in a block, too.
        """
        left: list[int] = []
        waiting, said = self._waiting, Happened(answers.height)
        last: Batch | None = None
        places: dict[int, Happened | Made] = {}
        each = zip(count(), answers.ids, answers.raws, answers.told, strict=False)
        for number, transaction_id, raw, told in each:
            found = waiting.get(transaction_id)
            if type(told) is not tuple or type(found) is not tuple or found[0] != raw:
                left.append(number)
                continue
            del waiting[transaction_id]
            batch = found[1]
            if batch is not last:
                _put(last, places, calls)
                last, places = batch, {}
            places[found[2]] = Made(said, told[1]) if told[1] else said
        _put(last, places, calls)
        self._count -= len(answers.ids) - len(left)
        return [*(answers[number] for number in left), *answers.others]

    def _answer(
        self, raw: bytes, transaction_id: bytes, answer: Answer | Reply, calls: list[Call]
    ) -> None:
        """Hand an answer to all who wait for these bytes or this id; adds what is to be called."""
        found = self._waiting.pop(transaction_id, None)
        waiters: Sequence[Waiter] = ()
        if isinstance(found, tuple):
            if found[0] == raw:
                waiters, found = (found,), None
        elif found is not None:
            waiters = found.pop(raw, ())
        if found:
            self._waiting[transaction_id] = found
        if waiters:
            self._count -= 1
        if self._asked and (not found or _is_final(answer)):
            waiters = (*waiters, *self._asked.pop(transaction_id, ()))
        for _, batch, place in waiters:
            if batch is not None and (call := batch.put(place, answer)) is not None:
                calls.append(call)

    def _keep(self, reply: Reply) -> None:
        """Remember an answer that the log does not."""
        if reply.transaction_id is None:
            return
        if len(self._outside) >= self._answers_kept:
            self._outside.popitem(last=False)
        self._outside[reply.transaction_id] = reply

    # --- asked by id

    def ask(self, transaction_id: bytes) -> Batch | None:
        """The answer to a transaction handed in earlier, now or later; None when it is unknown."""
        batch = Batch([transaction_id], self._lock, is_kept=self._engine.keeps)
        with self._lock:
            if transaction_id in self._waiting:
                others = _still_waiting(self._asked.get(transaction_id, ()))
                self._asked[transaction_id] = [*others, (b"", batch, 0)]
                return batch
            outside = self._outside.get(transaction_id)
        known = self._engine.answer(transaction_id) or outside
        if known is None:
            return None
        batch.put(0, known)
        return batch

    def waiting(self) -> int:
        """Transactions that have no answer yet."""
        return self._count

    def verified(self) -> int:
        """Signatures verified so far."""
        return self._admission.signatures

    def close(self) -> None:
        """Let go of everybody who waits: what has no answer stays `received`."""
        self.is_closing = True
        with self._lock:
            waiters = [each for asked in self._asked.values() for each in asked]
            for found in self._waiting.values():
                if isinstance(found, tuple):
                    waiters.append(found)
                else:
                    waiters += [each for same in found.values() for each in same]
            self._waiting.clear()
            self._asked.clear()
            self._count = 0
        for batch in {batch for _, batch, _ in waiters if batch is not None}:
            batch.give_up()


def _put(batch: Batch | None, told: dict[int, Happened | Made], calls: list[Call]) -> None:
    """Answer some places of a request, if anybody waits for it."""
    if batch is not None and (call := batch.put_happened(told)) is not None:
        calls.append(call)


def _still_waiting(waiters: Sequence[Waiter]) -> list[Waiter]:
    """Those whose request has no reply yet: while no block comes, a client may ask for ever."""
    return [each for each in waiters if each[1] is not None and not each[1].is_left]


def _is_final(answer: Answer | Reply) -> bool:
    """Whether nothing else can come of the transaction, whatever its signatures.

    Under a consortium's engine a block may hold that a transaction is unauthorised: the same one
    with better signatures may be accepted in a later block.
    """
    if isinstance(answer, Reply):
        return answer.height is not None
    if answer.outcome is None:
        return answer.height is not None
    return answer.outcome in FINAL
