"""What an application declares of itself: messages, records, and the one `App` that names them."""

from __future__ import annotations

import enum
import inspect
import keyword
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

import msgspec

from tallystick.ledger.refusal import RefusalCode, ensure
from tallystick.values.codec import Struct, encode_key

if TYPE_CHECKING:
    from tallystick.ledger.context import Context
    from tallystick.ledger.view import View


class Role(enum.Enum):
    """What a person may do for a member."""

    MAKER = "maker"
    CHECKER = "checker"
    APPROVER = "approver"
    COMPLIANCE = "compliance"
    ADMIN = "admin"
    VIEWER = "viewer"


Officers = tuple[tuple[Role, int], ...]
"""How many different persons of each role a message needs, e.g. one maker and one checker."""

MAKER_CHECKER: Officers = ((Role.MAKER, 1), (Role.CHECKER, 1))
COMPLIANCE: Officers = ((Role.COMPLIANCE, 1),)
ADMIN_CHECKER: Officers = ((Role.ADMIN, 1), (Role.CHECKER, 1))

PUBLIC = ("*",)
"""`seen_by` of a record that every member may read."""


@dataclass(frozen=True)
class MessageSpec:
    """What `@message` or `@timer` says of a message."""

    verb: str | None
    """Licence verb it needs, e.g. `warehouse.trade`; None when no licence is asked."""
    officers: Officers
    """Officers it needs by default; a member's own policy may tighten."""
    limit_by: str | None
    """Path to the amount that a limit applies to: a field, or `piece_id.amount_minor`."""
    duty: bool
    """Whether it is allowed while suspended or unlicensed (fund, pay, answer recourse)."""
    one_person: bool
    """Whether a small member's policy may let one person sign it."""
    timer: bool
    """Whether only the ledger itself runs it."""
    since: int
    """First version of the application's rules that accepts it."""
    until: int | None
    """Last version that accepts it; None while it is current."""


@dataclass(frozen=True)
class RecordSpec:
    """What `@record` says of a record."""

    name: str
    """Name without version, `app.record`; first element of every key."""
    key: tuple[str, ...]
    """Fields that make the key, in key order."""
    missing: RefusalCode | None
    """Refusal when a record asked for is absent; None for records that are only peeked at."""
    moves: Mapping[enum.Enum | None, tuple[enum.Enum, ...]]
    """Allowed moves of the status; from None: the first ones. Empty without a status."""
    lists: tuple[tuple[str, ...], ...]
    """Lists people need: SQL indexes and filters."""
    seen_by: tuple[str, ...]
    """Fields naming the parties that may read it, or `PUBLIC`; empty: supervisors only."""
    key_of: Callable[[Any], tuple[Any, ...]]
    """Reads the key fields of a record, in key order."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Message(Struct, tag_field="type"):
    """Base of what can be asked. The tag is written out: `tag="warehouse.assign.1"`."""

    spec: ClassVar[MessageSpec]


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record(Struct, tag_field="type"):
    """Base of what is kept. The tag is written out: `tag="warehouse.receipt.1"`."""

    spec: ClassVar[RecordSpec]


MessageT = TypeVar("MessageT", bound=type[Message])
RecordT = TypeVar("RecordT", bound=type[Record])


def message(
    *,
    verb: str | None,
    officers: Officers = MAKER_CHECKER,
    limit_by: str | None = None,
    duty: bool = False,
    one_person: bool = False,
    since: int = 1,
    until: int | None = None,
) -> Callable[[MessageT], MessageT]:
    """Declare a message that members send."""

    def declare(cls: MessageT) -> MessageT:
        cls.spec = MessageSpec(verb, officers, limit_by, duty, one_person, False, since, until)
        return cls

    return declare


def timer(*, since: int = 1, until: int | None = None) -> Callable[[MessageT], MessageT]:
    """Declare a message that only the ledger runs, when ledger time reaches it."""

    def declare(cls: MessageT) -> MessageT:
        cls.spec = MessageSpec(None, (), None, True, False, True, since, until)
        return cls

    return declare


def record(
    *,
    key: tuple[str, ...],
    missing: RefusalCode | None = None,
    moves: Mapping[Any, tuple[Any, ...]] | None = None,
    lists: tuple[tuple[str, ...], ...] = (),
    seen_by: tuple[str, ...] = (),
) -> Callable[[RecordT], RecordT]:
    """Declare a record that state keeps."""

    def declare(cls: RecordT) -> RecordT:
        name = tag_of(cls).rpartition(".")[0]
        cls.spec = RecordSpec(name, key, missing, moves or {}, lists, seen_by, _fields_of(key))
        return cls

    return declare


def _fields_of(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads fields of a record as a tuple, also when there is one alone."""
    read = attrgetter(*names)
    return read if len(names) > 1 else lambda kept: (read(kept),)


_TAG = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+\.[0-9]+")


def tag_of(cls: type[Message] | type[Record]) -> str:
    """The tag written at the class, `app.name.version`."""
    tag = str(cls.__struct_config__.tag)
    ensure(_TAG.fullmatch(tag) is not None, f"{cls.__name__} has no tag like app.name.1")
    return tag


def key_fields(kept: Record) -> tuple[Any, ...]:
    """Key fields of a record, in key order."""
    return kept.spec.key_of(kept)


def key_bytes(kept: Record) -> bytes:
    """State key of a record."""
    return encode_key(kept.spec.name, *key_fields(kept))


Handler = Callable[["Context", Any], None]
"""A rule: one function per message."""

Invariant = Callable[["View"], Iterator[str]]
"""Yields a sentence for each thing that does not hold."""


@dataclass(frozen=True)
class App:
    """One financial application: the modules it is made of; the rest is read from them.

    `contract` has one function per message, named like it in snake case; `queries` and `invariants`
    have one public function each per query and invariant.
    """

    name: str
    """Name of the folder, of the tags' first part and of the CLI's command group."""
    version: int
    """Newest version of the rules that this release knows."""
    messages: ModuleType | None
    """What can be asked."""
    records: ModuleType | None
    """What is kept."""
    refusals: type[RefusalCode]
    """Why it says no."""
    contract: ModuleType | None
    """What happens."""
    queries: ModuleType | None = None
    """Named reads."""
    invariants: ModuleType | None = None
    """What must always hold."""
    verbs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Licence verbs that it declares, and the kinds of member that have each by default:
    `{"cash.issue": ("central_bank", "bank")}`; `("*",)` for every kind."""
    governs: bool = False
    """Whether it may write the ledger's own records (clock, activation of rules)."""
    earlier: Mapping[tuple[str, int], Handler] = field(default_factory=dict)
    """Old rules: (message name, last version of the rules it belongs to) → function."""

    @property
    def message_types(self) -> tuple[type[Message], ...]:
        """All message structs, timers included, in the order of `messages.py`."""
        return tuple(structs_of(self.messages, Message))

    @property
    def record_types(self) -> tuple[type[Record], ...]:
        """All record structs, in the order of `records.py`."""
        return tuple(structs_of(self.records, Record))

    @property
    def query_functions(self) -> tuple[Callable[..., Any], ...]:
        """All queries, in the order of `queries.py`."""
        return tuple(functions_of(self.queries))

    @property
    def invariant_functions(self) -> tuple[Invariant, ...]:
        """All invariants, in the order of `invariants.py`."""
        return tuple(functions_of(self.invariants))

    def handler(self, cls: type[Message], version: int) -> Handler:
        """The rule that decides a message under a version of the rules."""
        name = snake(cls.__name__)
        old = [
            (last, rule)
            for (of, last), rule in self.earlier.items()
            if of == name and last >= version
        ]
        if old:
            return min(old, key=lambda pair: pair[0])[1]
        rule: Handler = getattr(self.contract, rule_name(cls))
        return rule


def snake(name: str) -> str:
    """`AcceptPass` → `accept_pass`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def rule_name(cls: type[Message]) -> str:
    """Name of a message's rule: `Pass` → `pass_`, for Python keeps `pass` for itself."""
    name = snake(cls.__name__)
    return f"{name}_" if keyword.iskeyword(name) else name


StructT = TypeVar("StructT", bound=msgspec.Struct)


def structs_of(module: ModuleType | None, base: type[StructT]) -> Iterable[type[StructT]]:
    """Declared structs of a module, or re-exported by a package, in source order."""
    if module is None:
        return ()
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, base)
        and value is not base
        and value.__module__.startswith(module.__name__)
        and "spec" in vars(value)
    ]


def functions_of(module: ModuleType | None) -> Iterable[Callable[..., Any]]:
    """Public functions of a module, or re-exported by a package, in source order."""
    if module is None:
        return ()
    return [
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and not name.startswith("_")
        and value.__module__.startswith(module.__name__)
    ]
