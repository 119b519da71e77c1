"""Read first: how a block becomes receipts, changes and a state root.

    block → references that expire → timers that are due → transactions → root
    transaction → may it happen at all? → who signed? → its calls, one by one → receipt

Nothing here reads a clock, a disk or the network. `Ledger.execute` is a function of the committed
state and what it is given; several candidates over one state may be alive.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import Any

from tallystick.errors import ReleaseTooOld
from tallystick.ledger.app import App
from tallystick.ledger.authority import Authority
from tallystick.ledger.block import Header, app_hash_of
from tallystick.ledger.candidate import Candidate, Done, LeftOut
from tallystick.ledger.context import Context, Moment, Work
from tallystick.ledger.genesis import Genesis
from tallystick.ledger.overlay import Overlay
from tallystick.ledger.receipt import (
    Outcome,
    Receipt,
    hash_of_changes,
    merkle_root,
    refused_receipt,
)
from tallystick.ledger.refusal import Refused, require
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.rules import Rules
from tallystick.ledger.side import MINUTE_MS, Use, use_of
from tallystick.ledger.state import State, tree_changes
from tallystick.ledger.system import Activation, PendingTimer, UsedMinute
from tallystick.ledger.transaction import Transaction, TransactionCodec
from tallystick.values.codec import decode_canonical, encode, encode_key
from tallystick.values.errors import Overflow

log = logging.getLogger(__name__)


class Ledger:
    """The rules of one chain: the applications, the authority and the genesis it was handed."""

    def __init__(
        self, apps: Sequence[App], authority: Authority, genesis: Genesis, *, strict: bool = False
    ) -> None:
        """Hold the rules. `strict` (tests): decode all that is written, and raise FAULTs again."""
        self.rules = Rules(apps)
        self.authority = authority
        self.genesis = genesis
        self.chain_id = genesis.chain_id
        self.codec = TransactionCodec(self.rules.sent)
        self.strict = strict

    # --- block

    def execute(
        self,
        state: State,
        time_ms: int,
        transactions: Sequence[Transaction],
        *,
        proposing: bool = False,
    ) -> Candidate:
        """Execute the next block over the committed state. Signatures are the caller's to check.

        Duplicates and expired transactions are left out of the block. So are, when `proposing`,
        those that are unauthorised or reuse a reference: they are answered and not ordered. In a
        block that was given they get a receipt. Executing the block so made again gives the same.
        """
        run = _Run(self, state, time_ms, proposing)
        run.expire_references()
        run.run_timers()
        for transaction in transactions:
            run.run_transaction(transaction)
        return run.seal()

    def next_wake_ms(self, state: State) -> int | None:
        """Block time at which a timer is due or references are to be dropped; None if none."""
        offset = state.offset_ms()
        due = [(minute + 1) * MINUTE_MS for minute in list(state.used_minutes())[:1]]
        for _, timer in state.scan(
            PendingTimer.spec.name, encode_key(PendingTimer.spec.name), None
        ):
            due.append(timer.due_at_ms)  # type: ignore[attr-defined]
            break
        return min(due) - offset if due else None

    def check_expiry(self, transaction: Transaction, now_ms: int) -> None:
        """Refuse another chain's transaction, an expired one, and one beyond the horizon."""
        body = transaction.body
        require(body.chain_id == self.chain_id, Refusal.WRONG_CHAIN, chain_id=body.chain_id)
        require(now_ms < body.expires_at_ms, Refusal.EXPIRED, expires_at_ms=body.expires_at_ms)
        require(
            body.expires_at_ms <= now_ms + self.genesis.horizon_ms,
            Refusal.EXPIRY_TOO_FAR,
            expires_at_ms=body.expires_at_ms,
            horizon_ms=self.genesis.horizon_ms,
        )


class _Run:
    """One block being executed."""

    def __init__(self, ledger: Ledger, state: State, time_ms: int, proposing: bool) -> None:
        """Begin over the committed state."""
        self.proposing = proposing
        self.ledger = ledger
        self.state = state
        self.time_ms = time_ms
        self.overlay = Overlay(state)
        self.moment = Moment(
            ledger.rules, ledger.genesis.budget, time_ms + state.offset_ms(), state.tip.height + 1
        )
        self.versions = self._versions_in_force()
        self.done: list[Done] = []
        self.kept: list[Transaction] = []
        self.left_out: list[LeftOut] = []
        self.used: dict[int, list[Use]] = {}
        self.used_now: dict[tuple[str, str], bytes] = {}
        self.own: dict[bytes, bytes | None] = {}
        self.writes: dict[bytes, bytes | None] = {}
        self.dropped: tuple[int, ...] = ()

    def _versions_in_force(self) -> dict[str, int]:
        """Version of each application's rules at this height; stops a node that lacks one."""
        versions = {}
        for app in self.ledger.rules.apps:
            key = encode_key(Activation.spec.name, app.name)
            kept = self.state.load(Activation.spec.name, key)
            if isinstance(kept, Activation):
                versions[app.name] = kept.at(self.moment.height)
                if versions[app.name] > app.version:
                    raise ReleaseTooOld(
                        app=app.name, version=versions[app.name], height=self.moment.height
                    )
        return versions

    # --- the ledger's own part

    def expire_references(self) -> None:
        """Drop the lists of references whose minute has passed."""
        now = self.moment.now_ms
        self.dropped = tuple(m for m in self.state.used_minutes() if (m + 1) * MINUTE_MS <= now)
        for minute in self.dropped:
            self._own(UsedMinute, (minute,), None)

    def _own(self, type_: type[Any], key: tuple[Any, ...], after: Any) -> None:
        """Change one of the ledger's own records."""
        name = type_.spec.name
        where = encode_key(name, *key)
        self.overlay.merge({where: (name, after)})
        self.own[where] = None if after is None else encode(after)

    def _note_use(self, transaction: Transaction) -> None:
        """Use up (sender, reference) until expiry."""
        minute, use = use_of(transaction)
        self.used_now[use[0], use[1]] = transaction.id
        self.used.setdefault(minute, []).append(use)

    def _seal_uses(self) -> None:
        """Chain what this block used into the record of each minute."""
        name = UsedMinute.spec.name
        for minute, uses in sorted(self.used.items()):
            before = self.overlay.load(name, encode_key(name, minute))
            count, running = (
                (before.count, before.running_hash)
                if isinstance(before, UsedMinute)
                else (0, bytes(32))
            )
            for use in uses:
                running = hashlib.sha256(running + encode(use)).digest()
            after = UsedMinute(minute=minute, count=count + len(uses), running_hash=running)
            self._own(UsedMinute, (minute,), after)

    # --- timers

    def run_timers(self) -> None:
        """Run the timers that are due, by (due time, id), at most so many in a block."""
        name = PendingTimer.spec.name
        due: list[PendingTimer] = []
        for _, kept in self.state.scan(name, encode_key(name), None):
            if not isinstance(kept, PendingTimer) or kept.due_at_ms > self.moment.now_ms:
                break
            if len(due) == self.ledger.genesis.timers_per_block:
                break
            due.append(kept)
        for timer in due:
            if (
                self.overlay.load(name, encode_key(name, timer.due_at_ms, timer.timer_id))
                is not None
            ):
                self._run_timer(timer)

    def _run_timer(self, timer: PendingTimer) -> None:
        """Run one timer; it is removed whatever comes of it."""
        self._own(PendingTimer, (timer.due_at_ms, timer.timer_id), None)
        work = Work(self.overlay, self.moment, hashlib.sha256(timer.timer_id.encode()).digest())
        ctx = Context(work, party="", acting=frozenset(), due_at_ms=timer.due_at_ms)
        decoder = self.ledger.rules.timer_decoder
        message = None if decoder is None else decoder.decode(timer.message)
        no = self._attempt(work, lambda: self._call(ctx, message))
        self._finish(work, no, transaction=None, timer_id=timer.timer_id)

    # --- transactions

    def run_transaction(self, transaction: Transaction) -> None:
        """Decide one transaction, or leave it out of the block with an answer."""
        body = transaction.body
        used_by = self.used_now.get((body.sender, body.reference)) or self.state.used_by(
            body.sender, body.reference
        )
        if used_by == transaction.id:
            self.left_out.append(LeftOut(transaction, None))
            return
        try:
            self.ledger.check_expiry(transaction, self.moment.now_ms)
        except Refused:
            self.left_out.append(LeftOut(transaction, None))
            return
        if used_by is not None:
            reused = Refused(Refusal.REFERENCE_REUSED, {"reference": body.reference})
            self._turn_away(transaction, Outcome.REUSED, reused)
            return
        work = Work(self.overlay, self.moment, transaction.id)
        contexts = self._authorised(work, transaction)
        if contexts is None:
            return
        no = self._attempt(work, lambda: self._calls(contexts, transaction))
        self.kept.append(transaction)
        self._note_use(transaction)
        self._finish(work, no, transaction=transaction, timer_id=None)

    def _turn_away(self, transaction: Transaction, outcome: Outcome, no: Refused) -> None:
        """Answer a transaction whose reference is not used up: outside the block, if it can be."""
        receipt = refused_receipt(outcome, no, transaction_id=transaction.id, timer_id=None)
        if self.proposing:
            self.left_out.append(LeftOut(transaction, receipt))
        else:
            self.kept.append(transaction)
            self.done.append(Done(receipt, encode(receipt)))

    def _authorised(self, work: Work, transaction: Transaction) -> list[Context] | None:
        """A context for each call, all authorised; None if the policies are not satisfied."""
        calls = transaction.body.calls
        acting = frozenset([call.party for call in calls])
        contexts = [
            Context(work, party=call.party, acting=acting, call=number)
            for number, call in enumerate(calls)
        ]
        signed: list[Any] = []
        asker = Context(work, party=transaction.body.sender, acting=acting, call=len(calls))
        authorize = self.ledger.authority.authorize
        no = self._attempt(work, lambda: signed.extend(authorize(asker, calls, transaction.keys())))
        if no is not None:
            self._turn_away(transaction, Outcome.UNAUTHORISED, no)
            return None
        for ctx, hands in zip(contexts, signed, strict=True):
            ctx.outlet = hands.outlet
            ctx.officers = hands.officers
        return contexts

    def _calls(self, contexts: list[Context], transaction: Transaction) -> None:
        """Run the calls in order."""
        for ctx, call in zip(contexts, transaction.body.calls, strict=True):
            self._call(ctx, call.message)

    def _call(self, ctx: Context, message: Any) -> None:
        """Run one message under the rules in force."""
        app = self.ledger.rules.app_of[type(message)]
        version = self.versions.get(app.name)
        if version is None:
            raise Refused(Refusal.NOT_ACTIVE, {"message": type(message).__name__, "version": 0})
        self.ledger.rules.handler(type(message), version)(ctx, message)

    # --- outcome

    def _attempt(self, work: Work, act: Any) -> Refused | None:
        """Run rules; the one place where a no, an overflow or our own bug is caught."""
        try:
            act()
            self._encode(work)
        except Refused as no:
            return no
        except (Overflow, OverflowError):
            return Refused(Refusal.OVERFLOW, {})
        except (MemoryError, OSError):
            raise
        except Exception:
            if self.ledger.strict:
                raise
            log.exception("a rule failed; its changes are dropped")
            return Refused(Refusal.FAULT, {})
        return None

    def _encode(self, work: Work) -> None:
        """Encode what changed, in key order; bytes are counted, and under test decoded again."""
        changes = [
            (key, None if after is None else encode(after))
            for key, (_, after) in sorted(work.changes.items())
        ]
        size = sum([len(raw) for _, raw in changes if raw is not None])
        most = self.moment.budget.bytes
        require(size <= most, Refusal.TOO_MUCH_WORK, what="bytes", most=most)
        if self.ledger.strict:
            for key, raw in changes:
                if raw is not None:
                    decode_canonical(type(work.changes[key][1]), raw)
        work.encoded = changes

    def _finish(
        self,
        work: Work,
        no: Refused | None,
        *,
        transaction: Transaction | None,
        timer_id: str | None,
    ) -> None:
        """Write the receipt; keep the changes if all went well."""
        transaction_id = None if transaction is None else transaction.id
        if no is not None:
            receipt = refused_receipt(
                Outcome.REFUSED, no, transaction_id=transaction_id, timer_id=timer_id
            )
            self.done.append(Done(receipt, encode(receipt)))
            return
        changes = work.encoded
        self.overlay.merge(work.changes)
        self.writes.update(changes)
        receipt = Receipt(
            outcome=Outcome.ACCEPTED,
            transaction_id=transaction_id,
            timer_id=timer_id,
            ids=tuple(work.ids),
            changes_hash=hash_of_changes(changes),
        )
        self.done.append(Done(receipt, encode(receipt), tuple(changes)))

    def seal(self) -> Candidate:
        """Compute the roots and close the block."""
        self._seal_uses()
        self.writes.update(self.own)
        state = self.state
        tree = state.tree
        version = state.tree_version
        if self.writes:
            version = tree.apply(version, tree_changes(self.writes.items()))
        receipts_root = state.tip.receipts_root
        if self.done:
            receipts_root = merkle_root([done.encoded for done in self.done])
        root = tree.root(version)
        header = Header(
            chain_id=self.ledger.chain_id,
            height=self.moment.height,
            time_ms=self.time_ms,
            previous_hash=state.tip.header_hash,
            transactions_root=merkle_root([transaction.id for transaction in self.kept]),
            app_hash=app_hash_of(receipts_root, root),
        )
        return Candidate(
            header=header,
            ledger_ms=self.moment.now_ms,
            transactions=tuple(self.kept),
            done=tuple(self.done),
            left_out=tuple(self.left_out),
            own_changes=tuple(sorted(self.own.items())),
            records=self.overlay.changes,
            writes=self.writes,
            used=self.used,
            minutes_dropped=self.dropped,
            receipts_root=receipts_root,
            tree_version=version,
            state_root=root,
        )
