"""Replaying a node's data without the node: every byte, root, signature, receipt and invariant.

An audit trusts the genesis and nothing else. It reads the block log, executes every block again
from the first one in memory, and compares what comes out with what was written down. It changes
nothing; a folder in use is refused.

Where the log does not begin at the genesis (a node that began at a snapshot, or pruned its blocks),
the state to begin with is the oldest snapshot kept beside it that the log follows. Its records are
checked against its roots, and those against what the log says of that block; that this is what
came out of all blocks before is then believed, and the report says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NoReturn

from tallystick.accel import Body, load
from tallystick.audit.reading import Block, Reader, Wrong, ahead, must
from tallystick.engine.base_block import BaseBlock, base_of
from tallystick.engine.chain import Decoded
from tallystick.engine.cometbft.kept import find_kept
from tallystick.engine.cometbft.receiving import WrongSnapshot, reread
from tallystick.engine.folder import BLOCKS, LOCK, SNAPSHOTS, STATE, read_genesis
from tallystick.errors import Damage, StoreError
from tallystick.ledger.app import App
from tallystick.ledger.authority import Authority
from tallystick.ledger.block import Entry
from tallystick.ledger.candidate import Candidate, entry_bytes, entry_of
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import first_records
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.state import State, genesis_tip
from tallystick.ledger.view import View
from tallystick.store.base import StateStore
from tallystick.store.check import check
from tallystick.store.disk import OsDisk
from tallystick.store.kinds import kind_of, read_state
from tallystick.store.log import LogReader
from tallystick.store.memory import MemoryStore
from tallystick.values.codec import decode, decode_canonical
from tallystick.values.errors import CodecError

INVARIANTS_EVERY = 1_000
"""Blocks between two looks at the invariants; they are looked at after the last block too."""
PROBLEMS_MAX = 20
"""After so many problems an audit gives up."""

Progress = Callable[[int, int], None]
"""Called with the blocks replayed so far and the blocks there are."""


@dataclass
class AuditReport:
    """What an audit found."""

    ok: bool = False
    """Whether everything is as it should be."""
    chain_id: str = ""
    """Chain that was audited."""
    began_at: int = 0
    """Block whose state was the beginning; 0 for the genesis."""
    relied_on: str = "the genesis"
    """What was believed, for people."""
    height: int = 0
    """Height of the last block replayed."""
    state_root: str = ""
    """Root of the state after it, in hex."""
    transactions: int = 0
    """Transactions in the blocks."""
    accepted: int = 0
    """Those that were accepted."""
    refused: int = 0
    """Those that were not."""
    timers: int = 0
    """Timers that the ledger ran."""
    signatures: int = 0
    """Signatures checked, headers' and transactions'."""
    invariants_checked: int = 0
    """How many times an invariant was looked at."""
    seconds: float = 0.0
    """Time taken."""
    problems: list[str] = field(default_factory=list)
    """What is wrong, each naming its block; empty when nothing is."""

    def as_data(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Audited:
    """What an audit found, and what came out of the replay."""

    report: AuditReport
    """What was found; when it is not ok, the rest is of no use."""
    state: State
    """The state after the last block."""
    store: MemoryStore
    """Its records."""


def audit(
    folder: Path,
    apps: Sequence[App],
    authority: Authority,
    *,
    progress: Progress | None = None,
    accel: str = "python",
) -> AuditReport:
    """Audit the data folder of a chain; `DataFolderInUse` while a node runs over it."""
    return audited(folder, apps, authority, progress=progress, accel=accel).report


def audited(
    folder: Path,
    apps: Sequence[App],
    authority: Authority,
    *,
    progress: Progress | None = None,
    accel: str = "python",
) -> Audited:
    """The same, and the state after the last block that was replayed."""
    began = time.monotonic()
    report = AuditReport()
    genesis = read_genesis(folder, apps)
    with ExitStack() as stack:
        lock = OsDisk().lock(str(folder / LOCK))
        stack.callback(lock.release)
        ledger = Ledger(apps, authority, genesis)
        report.chain_id = ledger.chain_id
        said = progress or (lambda _done, _all: None)
        own = _Audit(folder, ledger, load(accel), report, said)
        own.run()
    report.ok = not report.problems
    report.seconds = round(time.monotonic() - began, 3)
    return Audited(report, own.state, own.store)


class _Audit:
    """One audit."""

    def __init__(
        self, folder: Path, ledger: Ledger, body: Body, report: AuditReport, progress: Progress
    ) -> None:
        """Begin at the genesis."""
        self._folder = folder
        self._ledger = ledger
        self._body = body
        self._report = report
        self._progress = progress
        self.store = MemoryStore()
        self.store.apply(0, first_records(ledger.genesis, ledger.rules.record_types), {})
        self.state = State(
            self.store,
            ledger.rules.decoders,
            genesis_tip(ledger.genesis.time_ms),
            tree=body.tree(),
            body=body,
        )

    def run(self) -> None:
        """Check the log's bytes, then replay it; compare the state store on the way."""
        report = self._report
        found = check(OsDisk(), str(self._folder / BLOCKS), self._ledger.genesis.hash)
        report.problems += [problem.message for problem in found.problems]
        if found.log.start.height:
            try:
                self._begin_at_snapshot(found.log)
            except (Wrong, Damage) as wrong:
                report.problems.append(str(wrong))
                return
        report.state_root = self.state.root().hex()
        with ExitStack() as stack:
            stored = self._open_store(stack)
            try:
                self._compare_store(stored)
                reader = Reader(self._ledger, self._body)
                blocks = ahead(found.log.entries(report.began_at + 1), reader.read)
                for block in stack.enter_context(closing(blocks)):
                    self._replay(block)
                    self._compare_store(stored)
                    self._progress(report.height, found.height)
                    if report.height % INVARIANTS_EVERY == 0:
                        self._check_invariants()
            except Wrong as wrong:
                report.problems.append(f"block {report.height + 1}: {wrong}")
                return
            except Damage as damage:
                if str(damage) not in report.problems:
                    report.problems.append(str(damage))
            if stored is not None and stored.height() > report.height:
                where = f"block {stored.height()}"
                report.problems.append(f"state store: it is at {where}, ahead of the log")
        self._check_invariants()

    def _begin_at_snapshot(self, log: LogReader) -> None:
        """Begin at the oldest snapshot that the log follows, instead of the genesis."""
        start = log.start.height
        all_kept = find_kept(self._folder / SNAPSHOTS, self._ledger.chain_id)
        found = [kept for kept in all_kept if start <= kept.manifest.base.height <= log.height()]
        must(
            bool(found),
            f"the log begins with block {start + 1}, and no snapshot is kept that it follows:"
            " nothing was replayed",
        )
        base = found[-1].manifest.base
        where = f"the snapshot of block {base.height}"
        raw = log.start.note if base.height == start else log.read(base.height)
        try:
            said = decode(BaseBlock, raw) if base.height == start else base_of(decode(Entry, raw))
            must(said == base, f"{where} is not of the block that the log has")
            records = reread(found[-1], self._body.tree())
        except (CodecError, WrongSnapshot) as problem:
            raise Wrong(f"{where}: {problem}") from None
        self.store.refill(base.height, records.batches(), lambda: None)
        tree, version = records.plant()
        decoders = self._ledger.rules.decoders
        self.state = State(
            self.store, decoders, base.tip(), tree=tree, tree_version=version, body=self._body
        )
        report = self._report
        report.height = report.began_at = base.height
        report.relied_on = f"{where} in {SNAPSHOTS}/, whose roots are those that the log says"

    # --- one block

    def _replay(self, block: Block) -> None:
        """Execute a block again; every byte that it says must come out of it."""
        said = block.said
        must(said.header.time_ms >= self.state.tip.time_ms, "its time goes back")
        self._report.signatures += block.signatures
        candidate = self._ledger.execute(self.state, said.header.time_ms, block.transactions)
        again = entry_of(candidate, signature=said.signature, engine_hash=said.engine_hash)
        if entry_bytes(candidate, again) != block.raw:
            _tell_difference(block.raw, candidate)
        self.state.commit(candidate, said.block_hash)
        self._count(candidate)

    def _count(self, candidate: Candidate) -> None:
        """Add a block to the report."""
        report = self._report
        timers = len(candidate.done) - len(candidate.ids)
        own = list(candidate.done)[timers:]
        accepted = sum([done.outcome is Outcome.ACCEPTED for done in own])
        report.height = candidate.header.height
        report.state_root = candidate.state_root.hex()
        report.transactions += len(own)
        report.accepted += accepted
        report.refused += len(own) - accepted
        report.timers += timers

    # --- the state

    def _check_invariants(self) -> None:
        """Every invariant of every application."""
        report = self._report
        tip = self.state.tip
        view = View(
            Decoded(self.store, self._ledger.rules.decoders),
            height=tip.height,
            now_ms=tip.time_ms + self.state.offset_ms(),
        )
        for app in self._ledger.rules.apps:
            for invariant in app.invariant_functions:
                report.invariants_checked += 1
                for sentence in invariant(view):
                    where = f"block {tip.height}: {app.name}.{invariant.__name__}"
                    report.problems.append(f"{where}: {sentence}")
                    if len(report.problems) >= PROBLEMS_MAX:
                        return

    def _open_store(self, stack: ExitStack) -> StateStore | None:
        """The state store, read only; None while there is none: the log can make it again."""
        path = self._folder / STATE
        if kind_of(path) is None:
            return None
        try:
            store = read_state(path)
        except StoreError as problem:
            self._report.problems.append(f"state store: {problem}")
            return None
        stack.callback(store.close)
        return store

    def _compare_store(self, stored: StateStore | None) -> None:
        """At the store's own height, which may be behind the log, it says what the replay says."""
        if stored is None or stored.height() != self._report.height:
            return
        for mine, theirs in _pairs(stored.scan(b""), self.store.scan(b"")):
            if mine != theirs:
                name = (mine or theirs or (b"",))[0]
                self._report.problems.append(
                    f"block {stored.height()}: the state store differs from the log at key {name!r}"
                )
                return


def _tell_difference(raw: bytes, candidate: Candidate) -> NoReturn:
    """Say in what a block differs from what comes out of executing it again."""
    try:
        entry = decode_canonical(Entry, raw)
    except CodecError as problem:
        raise Wrong(f"it cannot be read: {problem}") from None
    must(entry.header.previous_hash == candidate.header.previous_hash, "it does not follow")
    must(len(candidate.ids) == len(entry.transactions), "a transaction was left out")
    must(entry.ledger_ms == candidate.ledger_ms, "its ledger time is another")
    receipts = tuple(done.receipt for done in candidate.done)
    for number, (said, made) in enumerate(zip(entry.receipts, receipts, strict=False)):
        must(said == made, f"receipt {number} is another")
    must(len(entry.receipts) == len(receipts), "it has another number of receipts")
    changes = tuple(done.changes for done in candidate.done)
    must(entry.changes == changes, "its changes are others")
    must(entry.own_changes == candidate.own_changes, "the ledger's own changes are others")
    must(entry.receipts_root == candidate.receipts_root, "its receipts root is another")
    must(entry.state_root == candidate.state_root, "its state root is another")
    must(entry.header == candidate.header, "its header is another")
    raise Wrong("its bytes are others")


def _pairs(
    left: Iterator[tuple[bytes, bytes]], right: Iterator[tuple[bytes, bytes]]
) -> Iterator[tuple[tuple[bytes, bytes] | None, tuple[bytes, bytes] | None]]:
    """Both sequences side by side, to the end of the longer one."""
    while True:
        pair = next(left, None), next(right, None)
        if pair == (None, None):
            return
        yield pair
