"""The applications that a ledger was handed, looked up by message and by record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Union, cast, get_args, get_type_hints

import msgspec
from msgspec import inspect
from msgspec.structs import astuple

from tallystick.accel import AllShown, Body, Field
from tallystick.errors import ReleaseTooOld
from tallystick.ledger import system
from tallystick.ledger.app import App, Handler, Message, Record, structs_of
from tallystick.ledger.readable import field_of
from tallystick.ledger.references import References, references_of
from tallystick.ledger.refusal import Fault, ensure, require
from tallystick.ledger.refusals import Refusal
from tallystick.values.codec import decode, decoder, encode
from tallystick.values.money import currency_of
from tallystick.values.units import KeyOf

if TYPE_CHECKING:
    from tallystick.ledger.view import Reader

Limit = Callable[["Reader", Any], "tuple[str, int] | None"]
"""Finds currency and amount of a message."""
Checks = Mapping[type[Record], AllShown]
"""Of each record, what says whether its fields are shown to read back."""


class Rules:
    """Every rule, message and record of one chain's applications."""

    def __init__(self, apps: Sequence[App]) -> None:
        """Index the applications; two messages or records of one tag are our own bug."""
        self.apps = tuple(apps)
        self.by_name = {app.name: app for app in apps}
        ensure(len(self.by_name) == len(self.apps), "two applications have one name")
        self.app_of: dict[type[Message], App] = {}
        for app in apps:
            for message in app.message_types:
                self.app_of[message] = app
        records = [kept for app in apps for kept in app.record_types]
        self.record_types: tuple[type[Record], ...] = (*structs_of(system, Record), *records)
        self.sent = tuple(cls for cls in self.app_of if not cls.spec.timer)
        self.timed = tuple(cls for cls in self.app_of if cls.spec.timer)
        self.decoders = decoders_by_name(self.record_types)
        self._checks: dict[Callable[..., AllShown], Checks] = {}
        """What looks at the fields of each record, by the body that made it."""
        self._last: dict[type[Record], tuple[Any, ...]] = {}
        """Fields of the last record of each type that was read back."""
        self.limits = self._limits()
        self.limited_by_record = frozenset(
            [message for message in self.limits if "." in (message.spec.limit_by or "")]
        )
        """Messages whose limited amount is a record's."""
        self.references = self._references()
        self.text_keyed = frozenset(
            [kept.spec.name for kept in self.record_types if _is_text_keyed(kept)]
        )
        """Names of records whose keys can always be made: of texts, bytes and enum members."""
        self._handlers: dict[tuple[type[Message], int], Handler] = {}

    def handler(self, message: type[Message], version: int) -> Handler:
        """The rule for a message under a version of its application's rules, or NOT_ACTIVE."""
        known = self._handlers.get((message, version))
        if known is None:
            spec = message.spec
            in_force = spec.since <= version and (spec.until is None or version <= spec.until)
            require(in_force, Refusal.NOT_ACTIVE, message=message.__name__, version=version)
            known = self.app_of[message].handler(message, version)
            self._handlers[message, version] = known
        return known

    def require_known(self, app: str, version: int, *, height: int) -> None:
        """Stop a node that lacks a version of the rules in force from a height on."""
        known = self.by_name.get(app)
        if version > (0 if known is None else known.version):
            raise ReleaseTooOld(app=app, version=version, height=height)

    def checks_by(self, body: Body) -> Checks:
        """What a body looks at the fields of each record by, for `reads_back`."""
        checks = self._checks.get(body.fields_shown)
        if checks is None:
            checks = {kept: body.fields_shown(_fields_of(kept)) for kept in self.record_types}
            self._checks[body.fields_shown] = checks
        return checks

    def reads_back(self, checks: Checks, after: Record, raw: bytes, before: Record | None) -> bool:
        """Whether the bytes of a record say what it says; what is not readable raises.

        The whole record decides, decoded: what was kept before can only spare it the decoding. A
        field that is the very same object as in what is kept already, or as in the last record of
        its type, was read back with that; of each other its type may show it.
        """
        kind, fields = type(after), astuple(after)
        known = astuple(before) if type(before) is kind else self._last.get(kind)
        try:
            is_shown = known is not None and checks[kind](fields, known)
        except (TypeError, ValueError):  # a field cannot be encoded or read by itself
            is_shown = False
        if not is_shown:
            decoded = self.decoders[after.spec.name].decode(raw)
            if decoded != after or encode(decoded) != raw:
                return False
        self._last[kind] = fields
        return True

    def timer(self, raw: bytes) -> Message:
        """The message of a timer."""
        return cast(Message, decode(Union[self.timed], raw))

    def _limits(self) -> dict[type[Message], Limit]:
        """How to find the limited amount of each message that has one."""
        limits = {}
        for app in self.apps:
            by_class = self._by_class(app)
            for message in app.message_types:
                path = message.spec.limit_by
                if path is not None:
                    limits[message] = _limit(message, path, by_class)
        return limits

    def _references(self) -> References:
        """What the messages and records refer to."""
        found = {}
        for app in self.apps:
            by_class = self._by_class(app)
            for holder in (*app.message_types, *app.record_types):
                references = references_of(holder, by_class)
                if references:
                    found[holder] = references
        return found

    def _by_class(self, app: App) -> dict[str, type[Record]]:
        """Records by the names of their classes; of two that share one, the application's own."""
        everyones = {kept.__name__: kept for kept in self.record_types}
        return everyones | {kept.__name__: kept for kept in app.record_types}


def _fields_of(kept: type[Record]) -> tuple[Field, ...]:
    """What each of a record's fields may hold."""
    return tuple([field_of(each.type, each.default) for each in msgspec.structs.fields(kept)])


def _is_text_keyed(kept: type[Record]) -> bool:
    """Whether the key has no number, which might be too large for one."""
    types = {field.name: inspect.type_info(field.type) for field in msgspec.structs.fields(kept)}
    plain = (inspect.StrType, inspect.BytesType, inspect.EnumType)
    return all(isinstance(_inner(types[field]), plain) for field in kept.spec.key)


def _inner(info: inspect.Type) -> inspect.Type:
    """A type without what is said of it."""
    return _inner(info.type) if isinstance(info, inspect.Metadata) else info


def decoders_by_name(types: Sequence[type[Record]]) -> dict[str, msgspec.msgpack.Decoder[Any]]:
    """For each record name, a decoder of all its versions."""
    versions: dict[str, list[type[Record]]] = {}
    for kept in types:
        versions.setdefault(kept.spec.name, []).append(kept)
    return {name: decoder(Union[tuple(each)]) for name, each in versions.items()}


def _limit(message: type[Message], path: str, by_class: dict[str, type[Record]]) -> Limit:
    """Compile a path such as `amount_minor` or `piece_id.amount_minor`."""
    *references, field = path.split(".")
    ensure(len(references) <= 1, f"{message.__name__}: limit_by goes through one reference at most")
    if not references:
        return _amount(message, field)
    name = references[0]
    kept, key_of = by_class[_referred(message, name)], attrgetter(name)
    kept_amount_of = _amount(kept, field)
    return lambda reader, asked: kept_amount_of(reader, reader.get(kept, key_of(asked)))


def _amount(holder: type[Any], field: str) -> Limit:
    """How to read currency and amount of a message or record that holds them."""
    minor_of = attrgetter(field)
    of_money = attrgetter("money") if hasattr(holder, "money") else None
    of_currency = attrgetter("currency") if hasattr(holder, "currency") else None

    def amount_of(_: Reader, found: Any) -> tuple[str, int] | None:
        """Currency and amount; None where there is no amount."""
        minor: int | None = minor_of(found)
        if minor is None:
            return None
        money: str | None = None if of_money is None else of_money(found)
        if money is not None:
            return currency_of(money), minor
        currency: str | None = None if of_currency is None else of_currency(found)
        if currency is None:
            raise Fault(f"{holder.__name__} has an amount without a currency")
        return currency, minor

    return amount_of


def _referred(struct: type[Any], name: str) -> str:
    """Class name of the record that a field refers to by `KeyOf`."""
    hint = get_type_hints(struct, include_extras=True)[name]
    marks = [mark for mark in get_args(hint) if isinstance(mark, KeyOf)]
    ensure(len(marks) == 1, f"{struct.__name__}.{name} refers to no record")
    return marks[0].record
