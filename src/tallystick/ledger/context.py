"""What a rule may do: find records, change them, make ids, set timers. Nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tallystick.ledger.app import Message, Record
from tallystick.ledger.keys import Keys
from tallystick.ledger.memory import Remembered
from tallystick.ledger.receipt import IDS_MAX
from tallystick.ledger.refusal import Fault, Refused, ensure
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.system import GOVERNED, OWN_RECORDS, PendingTimer
from tallystick.values.codec import encode, encode_key
from tallystick.values.ids import derive_id

if TYPE_CHECKING:
    from tallystick.ledger.authority import Signed
    from tallystick.ledger.genesis import Budget
    from tallystick.ledger.overlay import Overlay
    from tallystick.ledger.rules import Rules

R = TypeVar("R", bound=Record)
T = TypeVar("T")

_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class Moment:
    """What is the same for everything in one block."""

    rules: Rules
    """Applications of the chain."""
    budget: Budget
    """Work budget of each transaction and timer."""
    now_ms: int
    """Ledger time, in milliseconds."""
    height: int
    """Height of the block."""
    keys: Keys = field(default_factory=Keys)
    """Encoded keys, shared by many blocks."""


class Work:
    """One transaction or timer being executed: its changes so far, its ids, its work budget."""

    __slots__ = (
        "absent",
        "before",
        "budget",
        "changes",
        "committed",
        "encoded",
        "ids",
        "is_authorised",
        "keys",
        "memory",
        "moment",
        "names",
        "now",
        "origin",
        "overlay",
        "reads",
        "reads_max",
        "records",
        "writes",
    )

    def __init__(self, overlay: Overlay, moment: Moment, origin: bytes) -> None:
        """Begin with nothing changed. `origin` is the transaction's id, or the timer's as bytes."""
        self.overlay = overlay
        self.records = overlay.changes
        self.committed = overlay.committed
        self.memory = overlay.memory
        self.names = overlay.names
        self.absent = overlay.absent
        self.moment = moment
        self.keys = moment.keys
        self.budget = budget = moment.budget
        self.reads_max = budget.reads
        self.origin = origin
        self.changes: dict[bytes, tuple[str, Record | None]] = {}
        self.now: dict[bytes, Record | None] = {}
        """What was looked for, as it is now: most that is changed was found before."""
        self.before: dict[bytes, Record | None] = {}
        """What was kept of the changed records before the first change."""
        self.encoded: list[tuple[bytes, bytes | None]] = []
        self.ids: list[str] = []
        self.reads = 0
        self.writes = 0
        self.is_authorised = False
        """Whether all its calls are."""

    def load(self, name: str, key: bytes) -> Any:
        """The record of a key as this transaction sees it, or None; counts as one read."""
        self.reads += 1
        if self.reads > self.reads_max:
            raise self.too_many_reads()
        found = self.now.get(key, _MISSING)
        return self.look(name, key) if found is _MISSING else found

    def look(self, name: str, key: bytes) -> Any:
        """The record of a key that this transaction has not looked for yet, or None."""
        found: Any = self.records.get(key, _MISSING)
        if found is _MISSING:
            found = self.committed.load(name, key)
        self.now[key] = found
        return found

    def scan(
        self,
        type_: type[R],
        prefix: tuple[Any, ...],
        after: tuple[Any, ...] | None,
        limit: int | None,
    ) -> Iterator[R]:
        """Records whose key begins with the prefix; the scan and each record count as a read."""
        name = type_.spec.name
        start = None if after is None else encode_key(name, *after) + b"\x00"
        self.count_reads(1)
        found = self.overlay.scan(name, encode_key(name, *prefix), start, self.changes)
        for _, kept in islice(found, limit):
            self.count_reads(1)
            yield cast("R", kept)

    def count_reads(self, count: int) -> None:
        """Take reads from the budget."""
        self.reads += count
        if self.reads > self.reads_max:
            raise self.too_many_reads()

    def too_many_reads(self) -> Refused:
        """The refusal when more is read than the budget allows."""
        return Refused(Refusal.TOO_MUCH_WORK, {"what": "reads", "most": self.reads_max})

    def put(self, name: str, key: bytes, after: Record | None, before: Record | None) -> None:
        """Change a record that was `before` until now; counts as one write."""
        self.writes += 1
        if self.writes > self.budget.writes:
            raise Refused(Refusal.TOO_MUCH_WORK, {"what": "writes", "most": self.budget.writes})
        changes = self.changes
        if key not in changes:
            self.before[key] = before
            if name in self.absent:
                self.absent -= {name}
        changes[key] = (name, after)
        self.now[key] = after

    # --- memory

    def holds(self, found: Remembered) -> bool:
        """Whether a remembered answer counts here, in all that this transaction may see."""
        if found.now_ms is not None and found.now_ms != self.moment.now_ms:
            return False
        mine = self.changes
        for key in found.keys:
            if key in mine:
                return False
        return found.names.isdisjoint(self.names) or not any(
            self.overlay.is_changed(key) for key in found.keys
        )

    def find_out(self, function: Callable[..., T], args: tuple[Any, ...]) -> T:
        """Run a function that is to be remembered; a refusal is passed on and forgotten."""
        lookup = Lookup(self)
        before = self.reads
        value = function(lookup, *args)
        keys = tuple(lookup.keys)
        is_lasting = not lookup.is_fleeting and not any(
            key in self.changes or self.overlay.is_changed(key) for key in keys
        )
        if is_lasting:
            now_ms = self.moment.now_ms if lookup.is_timed else None
            names, reads = self.memory.names_of(lookup.names), self.reads - before
            found = Remembered(value=value, keys=keys, names=names, reads=reads, now_ms=now_ms)
            self.memory.keep((function, args), found)
        return value


class Lookup:
    """What a remembered function reads through: it notes what the answer follows from."""

    __slots__ = ("_work", "is_fleeting", "is_timed", "keys", "names")

    def __init__(self, work: Work) -> None:
        """Read what a transaction or timer sees."""
        self._work = work
        self.keys: dict[bytes, None] = {}
        self.names: set[str] = set()
        self.is_timed = False
        """Whether it asked for ledger time."""
        self.is_fleeting = False
        """Whether it asked for what is not noted: a list, a height."""

    @property
    def now_ms(self) -> int:
        """Ledger time, in milliseconds."""
        self.is_timed = True
        return self._work.moment.now_ms

    @property
    def height(self) -> int:
        """Height of the block."""
        self.is_fleeting = True
        return self._work.moment.height

    def get(self, type_: type[R], *key: Any) -> R:
        """The record of a key; its `missing` refusal if there is none."""
        found = self.peek(type_, *key)
        if found is None:
            raise missing(type_, key)
        return found

    def peek(self, type_: type[R], *key: Any) -> R | None:
        """The record of a key, or None."""
        work, name = self._work, type_.spec.name
        where = work.keys[name][key]
        self.keys[where] = None
        self.names.add(name)
        return cast("R | None", work.load(name, where))

    def scan(
        self,
        type_: type[R],
        *prefix: Any,
        after: tuple[Any, ...] | None = None,
        limit: int | None = None,
    ) -> Iterator[R]:
        """Records whose key begins with the given fields; what follows is not remembered."""
        self.is_fleeting = True
        return self._work.scan(type_, prefix, after, limit)

    def recall(self, function: Callable[..., T], *args: Any) -> T:
        """What the function says; it is part of what is remembered already."""
        return function(self, *args)


class Context:
    """One call of a transaction after the other, or one timer, as a rule sees it."""

    __slots__ = (
        "_call",
        "_counter",
        "_work",
        "acting",
        "due_at_ms",
        "governs",
        "height",
        "is_timer",
        "now_ms",
        "officers",
        "outlet",
        "party",
        "rules",
        "transaction_id",
    )

    def __init__(
        self,
        work: Work,
        *,
        party: str,
        acting: frozenset[str],
        call: int = 0,
        due_at_ms: int | None = None,
    ) -> None:
        """Stand for one call; `due_at_ms` is given for timers alone."""
        self._work = work
        self._call = call
        self._counter = 0
        self.party = party
        """Party that this call acts for; empty under a timer."""
        self.acting = acting
        """Parties of all calls of the transaction; empty under a timer, which acts for nobody."""
        self.outlet: str | None = None
        """Branch the call is done at, if any."""
        self.officers: tuple[str, ...] = ()
        """Persons who signed for the party, makers first."""
        self.due_at_ms = due_at_ms
        """Under a timer: when it was due; interest is computed from this, not from `now_ms`."""
        self.is_timer = due_at_ms is not None
        """Whether the ledger itself runs this."""
        moment = work.moment
        self.now_ms = moment.now_ms
        """Ledger time of the block, in milliseconds."""
        self.rules = moment.rules
        """Applications of the chain; for the authority, not for contracts."""
        self.governs = False
        """Whether the rule may write clock and rules in force; set by the ledger."""
        self.height = moment.height
        """Height of the block."""
        self.transaction_id = work.origin
        """Id of the transaction; under a timer, bytes derived from the timer's id."""

    def stand_for(self, call: int, party: str, hands: Signed) -> None:
        """Stand for the next call of the transaction, made under these hands."""
        self._call = call
        self._counter = 0
        self.party = party
        self.outlet = hands.outlet
        self.officers = hands.officers

    # --- find

    def get(self, type_: type[R], *key: Any) -> R:
        """The record of a key; its `missing` refusal if there is none."""
        found = self.peek(type_, *key)
        if found is None:
            raise missing(type_, key)
        return found

    def peek(self, type_: type[R], *key: Any) -> R | None:
        """The record of a key, or None."""
        work, name = self._work, type_.spec.name
        work.reads += 1  # from here on as `work.load`, without a call: rules do this most
        if work.reads > work.reads_max:
            raise work.too_many_reads()
        if name in work.absent:
            return None
        where = work.keys[name][key]
        kept: Any = work.now.get(where, _MISSING)
        found: R | None = work.look(name, where) if kept is _MISSING else kept
        return found

    def scan(
        self,
        type_: type[R],
        *prefix: Any,
        after: tuple[Any, ...] | None = None,
        limit: int | None = None,
    ) -> Iterator[R]:
        """Records whose key begins with the given fields, in key order, own changes included.

        `after` is the whole key after which to begin. The scan and each record that it gives count
        in the work budget.
        """
        return self._work.scan(type_, prefix, after, limit)

    def recall(self, function: Callable[..., T], *args: Any) -> T:
        """What a function of a reader says, remembered until something that it read has changed.

        The arguments are texts, bytes, types or enum members, or tuples of these. The answer is not
        to be changed. The work budget is the same as if the function had run.
        """
        work = self._work
        found: Remembered | None = work.memory[function].get(args)
        if found is None or not (
            (found.now_ms is None and not work.changes and found.names.isdisjoint(work.names))
            or work.holds(found)
        ):
            return work.find_out(function, args)
        work.reads += found.reads
        if work.reads > work.reads_max:
            raise work.too_many_reads()
        value: T = found.value
        return value

    # --- change

    def add(self, kept: Record) -> None:
        """Keep a new record."""
        spec, work = kept.spec, self._work
        after: Any = kept
        name = spec.name
        key = work.keys[name][spec.key_of(kept)]
        if work.load(name, key) is not None:
            raise Fault(f"{name} is there already")
        if spec.moves and None in spec.moves and after.status not in spec.moves[None]:
            raise Fault(f"{name} cannot begin so")
        if name in OWN_RECORDS:
            self._require_own(name)
        work.put(name, key, kept, None)

    def save(self, kept: Record) -> None:
        """Change a record that is there; its status may move only as its `moves` say."""
        spec, work = kept.spec, self._work
        name, moves = spec.name, spec.moves
        key = work.keys[name][spec.key_of(kept)]
        work.reads += 1  # as `work.load`, without a call
        if work.reads > work.reads_max:
            raise work.too_many_reads()
        before: Any = work.now.get(key, _MISSING)
        if before is _MISSING:
            before = work.look(name, key)
        if before is None:
            raise Fault(f"{name} is not there")
        if moves:
            after: Any = kept
            was, now = before.status, after.status
            if was is not now and now not in moves.get(was, ()):
                raise Fault(f"{name} cannot move from {was} to {now}")
        if name in OWN_RECORDS:
            self._require_own(name)
        work.put(name, key, kept, before)

    def delete(self, type_: type[Record], *key: Any) -> None:
        """Drop a record that is there."""
        name, work = type_.spec.name, self._work
        where = work.keys[name][key]
        before = work.load(name, where)
        if before is None:
            raise Fault(f"{name} is not there")
        if name in OWN_RECORDS:
            self._require_own(name)
        work.put(name, where, None, before)

    def _require_own(self, name: str) -> None:
        """Only a rule that governs writes the ledger's own records, and not all of them."""
        ensure(self.governs and name in GOVERNED, f"{name} is not this rule's to write")

    def new_id(self, prefix: str) -> str:
        """A new id, derived from the transaction, the call and a counter; listed in the receipt."""
        made = self._derive(prefix)
        ids = self._work.ids
        if len(ids) == IDS_MAX:
            raise Refused(Refusal.TOO_MUCH_WORK, {"what": "ids", "most": IDS_MAX})
        ids.append(made)
        return made

    def _derive(self, prefix: str) -> str:
        """The next id of this call."""
        made = derive_id(prefix, self._work.origin, self._call, self._counter)
        self._counter += 1
        return made

    # --- later

    def at(self, due_at_ms: int, msg: Message) -> str:
        """Have the ledger run a message when its time comes, in a later block at the earliest."""
        if not msg.spec.timer:
            raise Fault(f"{type(msg).__name__} is not a timer's message")
        timer_id = self._derive("tmr")
        pending = PendingTimer(due_at_ms=due_at_ms, timer_id=timer_id, message=encode(msg))
        name = PendingTimer.spec.name
        self._work.put(name, encode_key(name, due_at_ms, timer_id), pending, None)
        return timer_id

    def cancel(self, due_at_ms: int, timer_id: str) -> None:
        """Have a timer not run; no error if it has run."""
        before = self.peek(PendingTimer, due_at_ms, timer_id)
        if before is not None:
            name = PendingTimer.spec.name
            self._work.put(name, encode_key(name, due_at_ms, timer_id), None, before)


def missing(type_: type[Record], key: tuple[Any, ...]) -> Refused:
    """The refusal for a record that is not there."""
    spec = type_.spec
    code = spec.missing
    if code is None:
        return Refused(Refusal.NO_SUCH_RECORD, {"record": spec.name})
    told = {
        name: value if isinstance(value, str | int) else str(value)
        for name, value in zip(spec.key, key, strict=True)
    }
    return Refused(code, told)
