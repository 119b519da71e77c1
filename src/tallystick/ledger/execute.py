"""Read first: how a block becomes receipts, changes and a state root.

    block → references that expire → timers that are due → transactions → root
    transaction → may it happen at all? → who signed? → its calls, one by one → receipt

Nothing here reads a clock, a disk or the network. `Ledger.run` is a function of what came before
and what it is given, so that a block may run before the one before it is durable; `Ledger.seal`
computes the roots. Several candidates over one state may be alive.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, takewhile
from typing import Any, cast

from tallystick.accel import Accepted
from tallystick.errors import TallystickError
from tallystick.ledger.app import App, Handler, Message
from tallystick.ledger.authority import Authority, Signed
from tallystick.ledger.block import Header, app_hash_of
from tallystick.ledger.candidate import Candidate, Done, LeftOut, Run, done_of, sealed_by
from tallystick.ledger.context import Context, Moment, Work
from tallystick.ledger.genesis import Genesis
from tallystick.ledger.keys import Keys
from tallystick.ledger.overlay import Base, Overlay
from tallystick.ledger.receipt import (
    Change,
    Outcome,
    Receipt,
    hash_of_changes,
    refused_receipt,
)
from tallystick.ledger.references import referred
from tallystick.ledger.refusal import Fault, Refused, ensure, require
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.rules import Rules
from tallystick.ledger.side import MINUTE_MS, Use
from tallystick.ledger.state import State
from tallystick.ledger.system import Activation, PendingTimer, UsedMinute
from tallystick.ledger.transaction import Transaction, TransactionCodec
from tallystick.values.codec import encode, encode_key
from tallystick.values.errors import Overflow

log = logging.getLogger(__name__)


class Ledger:
    """The rules of one chain: the applications, the authority and the genesis it was handed."""

    def __init__(
        self, apps: Sequence[App], authority: Authority, genesis: Genesis, *, strict: bool = False
    ) -> None:
        """Hold the rules. `strict` (tests): a bug that would end in a FAULT is raised instead.

        ReleaseTooOld when the chain begins with rules that this release does not have.
        """
        self.rules = Rules(apps)
        for each in genesis.apps:
            self.rules.require_known(each.app, each.version, height=1)
        self.authority = authority
        self.genesis = genesis
        self.chain_id = genesis.chain_id
        self.codec = TransactionCodec(self.rules.sent)
        self.keys = Keys()
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
        """Execute the next block over the committed state, and compute its roots."""
        return self.seal(self.run(state, time_ms, transactions, proposing=proposing), state)

    def run(
        self,
        base: Base,
        time_ms: int,
        transactions: Sequence[Transaction],
        *,
        proposing: bool = False,
    ) -> Run:
        """Execute the block after `base`. Signatures are the caller's to check.

        Duplicates and expired transactions are left out of the block. So are, when `proposing`,
        those that are unauthorised or reuse a reference: they are answered and not ordered. In a
        block that was given they get a receipt. Executing the block so made again gives the same.
        """
        self._fetch(base, transactions)
        block = _Block(self, base, time_ms, proposing)
        block.expire_references()
        block.run_timers()
        references = [(each.body.sender, each.body.reference) for each in transactions]
        block.used_before = base.used_among(references, block.moment.now_ms)
        for transaction, reference in zip(transactions, references, strict=True):
            block.run_transaction(transaction, reference)
        return block.close()

    def _fetch(self, base: Base, transactions: Sequence[Transaction]) -> None:
        """Have at hand what messages refer to, and what that refers to: read all at once."""
        asked = [call.message for each in transactions for call in each.body.calls]
        references, keys = self.rules.references, self.keys
        found = base.fetch(referred(asked, references, keys))
        if found:
            base.fetch(referred(found, references, keys))

    def seal(self, run: Run, state: State) -> Candidate:
        """Compute the roots of a block over the committed state, which is the one before it."""
        ensure(run.height == state.tip.height + 1, "a block is sealed over the one before it")
        tree, version, body = state.tree, state.tree_version, state.body
        done = sealed_by(body, run)
        if run.writes:
            version = tree.apply_records(version, run.writes.items())
        receipts_root = state.tip.receipts_root
        if run.done:
            receipts_root = done.sealed.receipts_root
        root = tree.root(version)
        header = Header(
            chain_id=self.chain_id,
            height=run.height,
            time_ms=run.time_ms,
            previous_hash=state.tip.header_hash,
            transactions_root=done.sealed.ids_root,
            app_hash=app_hash_of(receipts_root, root),
        )
        return Candidate(
            header=header,
            ledger_ms=run.ledger_ms,
            ids=run.ids,
            raws=run.raws,
            done=done,
            left_out=run.left_out,
            own_changes=run.own_changes,
            records=run.records,
            touched=run.changed.touched,
            writes=run.writes,
            used=run.used,
            used_by=run.used_by,
            minutes_dropped=run.minutes_dropped,
            receipts_root=receipts_root,
            tree_version=version,
            state_root=root,
        )

    def next_wake_ms(self, base: Base) -> int | None:
        """Block time at which a timer is due or references are to be dropped; None if none."""
        due = [timer.due_at_ms for timer in islice(pending_timers(base), 1)]
        over = base.next_minute_over_ms()
        due += [] if over is None else [over]
        return min(due) - base.offset_ms() if due else None

    def may_happen(self, transaction: Transaction, now_ms: int) -> bool:
        """Whether it was made for this chain and its expiry lies ahead, within the horizon."""
        body, horizon_ms = transaction.body, self.genesis.horizon_ms
        is_ahead = now_ms < body.expires_at_ms <= now_ms + horizon_ms
        return is_ahead and body.chain_id == self.chain_id

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

    # --- one transaction

    def unauthorised(
        self, overlay: Overlay, moment: Moment, transaction: Transaction
    ) -> Refused | None:
        """Why nobody may do this over some records; None when it is authorised. For any thread.

        What authority is checked by is what a block does; here all changes are thrown away.
        """
        return self.attempt(self.authorise, Work(overlay, moment, transaction.id), transaction)

    def authorise(self, work: Work, transaction: Transaction) -> tuple[Context, tuple[Signed, ...]]:
        """Have all calls authorised before the first runs: a context, and the hands of each."""
        calls = transaction.body.calls
        most = work.budget.calls
        if len(calls) > most:
            raise Refused(Refusal.TOO_MUCH_WORK, {"what": "calls", "most": most})
        one = len(calls) == 1  # as nearly always
        acting = frozenset((calls[0].party,) if one else [call.party for call in calls])
        ctx = Context(work, party=transaction.body.sender, acting=acting, call=len(calls))
        signed = self.authority.authorize(ctx, calls, transaction.public_keys)
        ensure(len(signed) == len(calls), "the authority answers for each call")
        return ctx, signed

    def attempt(self, act: Callable[..., object], *args: Any) -> Refused | None:
        """Run rules; the one place where a no, an overflow or our own bug is caught.

        What is wrong with this machine or its data is not the transaction's: it stops the node.
        """
        try:
            act(*args)
        except Refused as no:
            return no.kept()
        except (Overflow, OverflowError):
            return Refused(Refusal.OVERFLOW, {})
        except (MemoryError, OSError, TallystickError):
            raise
        except Exception:
            if self.strict:
                raise
            log.exception("a rule failed; its changes are dropped")
            return Refused(Refusal.FAULT, {})
        return None


class _Block:
    """One block being executed."""

    def __init__(self, ledger: Ledger, base: Base, time_ms: int, proposing: bool) -> None:
        """Begin over what came before it."""
        self.proposing = proposing
        self.ledger = ledger
        self.base = base
        self.time_ms = time_ms
        absent = base.absent() & ledger.rules.text_keyed
        self.overlay = Overlay(base, memory=base.memory, ahead=base.ahead, absent=absent)
        self.moment = Moment(
            rules=ledger.rules,
            budget=ledger.genesis.budget,
            now_ms=time_ms + base.offset_ms(),
            height=base.height + 1,
            keys=ledger.keys,
        )
        self.checks = ledger.rules.checks_by(base.body)
        self.versions = self._versions_in_force()
        self.handlers: dict[type[Message], tuple[Handler, bool]] = {}
        self.done: list[Done | Accepted] = []
        self.ids: list[bytes] = []
        self.raws: list[bytes] = []
        self.left_out: list[LeftOut] = []
        self.used: dict[int, list[Use]] = {}
        self.used_lists: dict[int, bytes] = {}
        self.used_now: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.used_before: dict[tuple[str, str], bytes] = {}
        self.own: dict[bytes, bytes | None] = {}
        self.writes: dict[bytes, bytes | None] = {}
        self.dropped: tuple[int, ...] = ()

    def _versions_in_force(self) -> dict[str, int]:
        """Version of each application's rules at this height; stops a node that lacks one."""
        height, name = self.moment.height, Activation.spec.name
        versions = {}
        for _, kept in self.base.scan(name, encode_key(name), None):
            activation = cast(Activation, kept)
            version = activation.at(height)
            self.ledger.rules.require_known(activation.app, version, height=height)
            versions[activation.app] = version
        return versions

    # --- the ledger's own part

    def expire_references(self) -> None:
        """Drop the lists of references whose minute has passed."""
        self.dropped = self.base.minutes_over(self.moment.now_ms)
        for minute in self.dropped:
            self._own(UsedMinute, (minute,), None)

    def _own(self, type_: type[Any], key: tuple[Any, ...], after: Any) -> None:
        """Change one of the ledger's own records."""
        name = type_.spec.name
        where = encode_key(name, *key)
        self.overlay.merge({where: (name, after)})
        self.own[where] = None if after is None else encode(after)

    def _note_use(self, transaction: Transaction, reference: tuple[str, str]) -> None:
        """Use up (sender, reference) until expiry."""
        used_by, minute = transaction.id, transaction.body.expires_at_ms // MINUTE_MS
        self.used_now[reference] = (minute, used_by)
        uses = self.used.get(minute)
        if uses is None:
            uses = self.used[minute] = []
        uses.append((*reference, used_by))

    def _chain_uses(self) -> None:
        """Chain what this block used into the record of each minute."""
        name = UsedMinute.spec.name
        for minute, uses in sorted(self.used.items()):
            before = self.overlay.load(name, encode_key(name, minute))
            count, running = (
                (before.count, before.running_hash)
                if isinstance(before, UsedMinute)
                else (0, bytes(32))
            )
            encoded = self.used_lists[minute] = encode(uses)
            running = self.base.body.chained(running, encoded)
            after = UsedMinute(minute=minute, count=count + len(uses), running_hash=running)
            self._own(UsedMinute, (minute,), after)

    # --- timers

    def run_timers(self) -> None:
        """Run the timers that are due, by (due time, id), at most so many in a block."""
        now, name = self.moment.now_ms, PendingTimer.spec.name
        if self.base.first_timer() >= encode_key(name, now + 1):  # all later, as nearly always
            return
        due = takewhile(lambda timer: timer.due_at_ms <= now, pending_timers(self.base))
        for timer in list(islice(due, self.ledger.genesis.timers_per_block)):
            key = encode_key(name, timer.due_at_ms, timer.timer_id)
            if self.overlay.load(name, key) is not None:  # not cancelled by an earlier one
                self._run_timer(timer)

    def _run_timer(self, timer: PendingTimer) -> None:
        """Run one timer; it is removed whatever comes of it."""
        self._own(PendingTimer, (timer.due_at_ms, timer.timer_id), None)
        work = Work(self.overlay, self.moment, hashlib.sha256(timer.timer_id.encode()).digest())
        ctx = Context(work, party="", acting=frozenset(), due_at_ms=timer.due_at_ms)
        no = self.ledger.attempt(self._timer, work, ctx, timer)
        if no is not None:
            self._refuse(no, timer_id=timer.timer_id)
            return
        changes = self._keep(work)
        receipt = Receipt(
            outcome=Outcome.ACCEPTED,
            timer_id=timer.timer_id,
            ids=tuple(work.ids),
            changes_hash=hash_of_changes(changes),
        )
        self.done.append(done_of(receipt, changes))

    def _timer(self, work: Work, ctx: Context, timer: PendingTimer) -> None:
        """Run the message of a timer."""
        self._call(ctx, self.ledger.rules.timer(timer.message))
        self._encode(work)

    # --- transactions

    def run_transaction(self, transaction: Transaction, reference: tuple[str, str]) -> None:
        """Decide one transaction, or leave it out of the block with an answer.

        Its reference is (sender, name).
        """
        used_now = self.used_now.get(reference)
        used_by = used_now[1] if used_now else self.used_before.get(reference)
        is_timely = self.ledger.may_happen(transaction, self.moment.now_ms)
        if used_by == transaction.id or not is_timely:
            self.left_out.append(LeftOut(transaction, None))
            return
        if used_by is not None:
            reused = Refused(Refusal.REFERENCE_REUSED, {"reference": reference[1]})
            self._turn_away(transaction, Outcome.REUSED, reused)
            return
        work = Work(self.overlay, self.moment, transaction.id)
        no = self.ledger.attempt(self._decide, work, transaction)
        if no is not None and not work.is_authorised:
            self._turn_away(transaction, Outcome.UNAUTHORISED, no)
            return
        self._take(transaction)
        self._note_use(transaction, reference)
        if no is None:
            self.done.append((transaction.id, tuple(work.ids), self._keep(work)))
        else:
            self._refuse(no, transaction_id=transaction.id)

    def _take(self, transaction: Transaction) -> None:
        """Have a transaction in the block: what stays of it are its id and its bytes."""
        self.ids.append(transaction.id)
        self.raws.append(transaction.raw)

    def _decide(self, work: Work, transaction: Transaction) -> None:
        """Have the calls authorised, then run them in order."""
        ctx, signed = self.ledger.authorise(work, transaction)
        work.is_authorised = True
        for number, call in enumerate(transaction.body.calls):
            ctx.stand_for(number, call.party, signed[number])
            self._call(ctx, call.message)
        self._encode(work)

    def _turn_away(self, transaction: Transaction, outcome: Outcome, no: Refused) -> None:
        """Answer a transaction whose reference is not used up: outside the block, if it can be."""
        receipt = refused_receipt(outcome, no, transaction_id=transaction.id, timer_id=None)
        if self.proposing:
            self.left_out.append(LeftOut(transaction, receipt))
        else:
            self._take(transaction)
            self.done.append(done_of(receipt))

    def _call(self, ctx: Context, message: Message) -> None:
        """Run one message under the rules in force."""
        known = self.handlers.get(type(message))
        rule, ctx.governs = self._handler(type(message)) if known is None else known
        try:
            rule(ctx, message)
        except Refused as no:
            name = type(message).__struct_config__.tag
            log.debug("%s refused: %s %s", name, no.code.app, no.code.name)
            raise

    def _handler(self, message: type[Message]) -> tuple[Handler, bool]:
        """The rule for a message under the rules in force, and whether its application governs."""
        app = self.ledger.rules.app_of[message]
        rule = self.ledger.rules.handler(message, self.versions.get(app.name, 0))
        found = self.handlers[message] = (rule, app.governs)
        return found

    # --- outcome

    def _encode(self, work: Work) -> None:
        """Encode what changed, in key order, and read it back: what is kept must be readable."""
        reads_back, changes, before = self.ledger.rules.reads_back, work.changes, work.before
        checks = self.checks
        size, most = 0, self.moment.budget.bytes
        for key in sorted(changes):
            name, after = changes[key]
            raw = None
            if after is not None:
                raw = encode(after)
                if not reads_back(checks, after, raw, before[key]):
                    raise Fault(f"{name} does not read back the same")
                size += len(raw)
            work.encoded.append((key, raw))
        if size > most:
            raise Refused(Refusal.TOO_MUCH_WORK, {"what": "bytes", "most": most})

    def _keep(self, work: Work) -> tuple[Change, ...]:
        """Keep what was changed, as all went well."""
        changes = tuple(work.encoded)
        self.overlay.merge(work.changes)
        self.writes.update(changes)
        return changes

    def _refuse(
        self, no: Refused, *, transaction_id: bytes | None = None, timer_id: str | None = None
    ) -> None:
        """Write the receipt of what a rule said no to."""
        receipt = refused_receipt(
            Outcome.REFUSED, no, transaction_id=transaction_id, timer_id=timer_id
        )
        self.done.append(done_of(receipt))

    def close(self) -> Run:
        """What came of the block."""
        self._chain_uses()
        self.writes.update(self.own)
        return Run(
            height=self.moment.height,
            time_ms=self.time_ms,
            ledger_ms=self.moment.now_ms,
            ids=tuple(self.ids),
            raws=tuple(self.raws),
            done=tuple(self.done),
            left_out=tuple(self.left_out),
            own_changes=tuple(sorted(self.own.items())),
            changed=self.overlay.changed,
            writes=self.writes,
            used=self.used_lists,
            used_by=self.used_now,
            minutes_dropped=self.dropped,
        )


def pending_timers(base: Base) -> Iterator[PendingTimer]:
    """Timers that wait, by (due time, id)."""
    name = PendingTimer.spec.name
    return (cast(PendingTimer, kept) for _, kept in base.scan(name, encode_key(name), None))
