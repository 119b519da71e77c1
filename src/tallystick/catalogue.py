"""What the applications say of themselves, as plain data.

Command line, API, OpenAPI, case files, console, index and reference pages read the catalogue and
nothing else of an application. Field docs and each message's refusals are read from the source with
`ast` (`catalogue_source.py`); words from each application's `words.toml`.
"""

from __future__ import annotations

import inspect
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from tallystick import ledger as ledger_package
from tallystick.catalogue_source import Source, refusals_of
from tallystick.ledger import system
from tallystick.ledger.app import App, Message, Record, snake, structs_of, tag_of
from tallystick.ledger.refusal import RefusalCode
from tallystick.ledger.refusals import Refusal as LedgerRefusal
from tallystick.values.money import CURRENCIES, format_minor

LANGUAGES = ("zh", "en")

Words = Mapping[str, Any]
"""A parsed `words.toml`."""


@dataclass(frozen=True)
class FieldInfo:
    """One field of a message, record, nested struct or answer; or a parameter of a query."""

    name: str
    """Name, e.g. `amount_minor`."""
    type: Any
    """Its type, with its unit and bounds in `Annotated`."""
    doc: str
    """Meaning, unit and example, as written under the field."""
    required: bool
    """Whether it must be given."""
    default: Any
    """What holds when it is left out; None for required ones."""


@dataclass(frozen=True)
class StructInfo:
    """A struct with its fields: nested in messages and records, or answered by a query."""

    name: str
    """Name of the class."""
    doc: str
    """First sentence."""
    type: type[Any]
    """The class."""
    fields: tuple[FieldInfo, ...]
    """Fields in order."""


@dataclass(frozen=True)
class RefusalInfo:
    """A refusal code."""

    app: str
    """Application, e.g. `receivables`."""
    number: int
    """Permanent number."""
    name: str
    """Name, e.g. `NOT_HOLDER`."""
    rule: str
    """Where the rule comes from; empty when it is the house's own."""
    retry: bool
    """Whether the same request may pass later."""
    doc: str
    """What it means."""


@dataclass(frozen=True)
class MessageInfo:
    """A message that members send, or one that the ledger runs."""

    app: str
    """Application."""
    name: str
    """Name of the class, e.g. `AcceptPass`."""
    command: str
    """Name on the command line and in the API, e.g. `accept-pass`."""
    type: type[Message]
    """The class; its `spec` has verb, officers and limits."""
    struct: StructInfo
    """Docs and fields."""
    rule: Callable[..., Any] = field(repr=False)
    """What decides it."""

    @cached_property
    def refusals(self) -> tuple[RefusalInfo, ...]:
        """What it may be refused with, in the order of the checks; read when first asked for."""
        codes = dict.fromkeys(refusals_of(self.rule))
        docs: dict[type[RefusalCode], dict[str, RefusalInfo]] = {}
        for code in codes:
            docs.setdefault(type(code), {info.name: info for info in refusal_infos(type(code))})
        return tuple(docs[type(code)][code.name] for code in codes)


@dataclass(frozen=True)
class RecordInfo:
    """A kind of record."""

    app: str
    """Application."""
    name: str
    """Name of the class, e.g. `Piece`."""
    command: str
    """Name in the API, e.g. `piece`."""
    type: type[Record]
    """The class; its `spec` has key, moves, lists and who may read."""
    struct: StructInfo
    """Docs and fields."""


@dataclass(frozen=True)
class QueryInfo:
    """A named read."""

    app: str
    """Application."""
    name: str
    """Name of the function, e.g. `held`."""
    command: str
    """Name on the command line and in the API, e.g. `held`."""
    doc: str
    """First sentence."""
    call: Callable[..., Any]
    """The function: view first, then the parameters."""
    parameters: tuple[FieldInfo, ...]
    """Parameters in order."""
    returns: StructInfo | None
    """Struct or record that it answers, None for a plain value."""
    many: bool
    """Whether it answers several."""


@dataclass(frozen=True)
class AppInfo:
    """One application."""

    name: str
    """Name."""
    doc: str
    """First sentence of its package."""
    app: App
    """What it declares."""
    messages: tuple[MessageInfo, ...]
    """Messages in order, timers included."""
    records: tuple[RecordInfo, ...]
    """Records in order."""
    queries: tuple[QueryInfo, ...]
    """Queries in order."""
    refusals: tuple[RefusalInfo, ...]
    """Refusals in order of declaration."""
    words: Words = field(repr=False)
    """Its words in Chinese and English."""


class Catalogue:
    """All applications of a node, and the ledger's own refusals and records."""

    def __init__(self, apps: Sequence[App]) -> None:
        """Read what the applications say of themselves."""
        self.ledger_refusals = refusal_infos(LedgerRefusal)
        self.ledger_words = _words(Path(str(ledger_package.__file__)).parent)
        self.ledger_records = tuple(_record("ledger", each) for each in structs_of(system, Record))
        self.apps = tuple(app_info(app) for app in apps)

    @cached_property
    def _by_app(self) -> dict[str, AppInfo]:
        return {app.name: app for app in self.apps}

    def app(self, name: str) -> AppInfo | None:
        """An application by name."""
        return self._by_app.get(name)

    def message(self, app: str, command: str) -> MessageInfo | None:
        """A message by application and command name; timers are not commands."""
        found = self._by_app.get(app)
        wanted = command.replace("_", "-")
        sent = () if found is None else found.messages
        return next((m for m in sent if m.command == wanted and not m.type.spec.timer), None)

    def query(self, app: str, command: str) -> QueryInfo | None:
        """A query by application and command name."""
        found = self._by_app.get(app)
        wanted = command.replace("_", "-")
        return next((q for q in (found.queries if found else ()) if q.command == wanted), None)

    def record(self, app: str, command: str) -> RecordInfo | None:
        """A kind of record by application and command name."""
        found = self._by_app.get(app)
        records = self.ledger_records if app == "ledger" else found.records if found else ()
        return next((r for r in records if r.command == command.replace("_", "-")), None)

    def refusal(self, app: str, number: int) -> RefusalInfo | None:
        """A refusal by application and number."""
        found = self._by_app.get(app)
        codes = self.ledger_refusals if app == "ledger" else found.refusals if found else ()
        return next((code for code in codes if code.number == number), None)

    def sentence(
        self, app: str, number: int, values: Mapping[str, object], language: str = "en"
    ) -> str:
        """What a refusal says: `receivables 27 NOT_HOLDER: party A does not hold piece 7`."""
        code = self.refusal(app, number)
        if code is None:
            return f"{app} {number}"
        words = self.ledger_words if app == "ledger" else self._by_app[app].words
        text = str(words.get("refusal", {}).get(code.name, {}).get(language, code.doc))
        return f"{app} {number} {code.name}: {fill(text, values)}"

    def word(self, app: str, *path: str, language: str = "en") -> str | None:
        """A word of an application, e.g. `word("receivables", "message", "Split")`."""
        found = self._by_app.get(app)
        words: Any = self.ledger_words if app == "ledger" else found.words if found else {}
        for name in path:
            words = words.get(name, {})
        return words.get(language) if isinstance(words, dict) else None


class _Values(dict[str, object]):
    """Values of a sentence; a name that has none stays as it is written."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


def fill(text: str, values: Mapping[str, object]) -> str:
    """A sentence with its values filled in; amounts as decimals of the currency or money told."""
    currency = str(values.get("currency") or values.get("money") or "").partition("@")[0]
    told = _Values(values)
    for name, value in values.items():
        if name.endswith("_minor") and isinstance(value, int) and currency in CURRENCIES:
            told[name] = format_minor(value, currency)
    return text.format_map(told)


def app_info(app: App) -> AppInfo:
    """What one application says of itself."""
    folder = Path(inspect.getfile(app.refusals)).parent
    codes = refusal_infos(app.refusals)
    return AppInfo(
        name=app.name,
        doc=_package_doc(app),
        app=app,
        messages=tuple(_message(app, each) for each in app.message_types),
        records=tuple(_record(app.name, each) for each in app.record_types),
        queries=tuple(_query(app.name, each) for each in app.query_functions),
        refusals=codes,
        words=_words(folder),
    )


@cache
def refusal_infos(codes: type[RefusalCode]) -> tuple[RefusalInfo, ...]:
    """The refusals of an application, in order of declaration."""
    docs = Source.of(codes).attribute_docs(codes.__name__)
    return tuple(
        RefusalInfo(codes.app, c.number, c.name, c.rule, c.retry, docs.get(c.name, ""))
        for c in codes
    )


def struct_info(type_: type[Any]) -> StructInfo:
    """Docs and fields of a struct; fields of bases are documented at the base."""
    return _struct_info(cast("Any", type_))


@cache
def _struct_info(type_: Any) -> StructInfo:
    """Each struct is read once."""
    docs: dict[str, str] = {}
    for base in reversed(type_.__mro__):
        if issubclass(base, msgspec.Struct) and base.__module__ != "msgspec":
            docs.update(Source.of(base).attribute_docs(base.__name__))
    hints = get_type_hints(type_, include_extras=True)
    fields = tuple(
        FieldInfo(
            name=each.name,
            type=hints[each.name],
            doc=docs.get(each.name, ""),
            required=each.required,
            default=None if each.required else each.default,
        )
        for each in msgspec.structs.fields(type_)
    )
    return StructInfo(type_.__name__, first_sentence(type_.__doc__), type_, fields)


def nested_struct(type_: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """The struct inside a field's type, if it is one or several of one: (struct, several)."""
    plain = bare(type_)
    if get_origin(plain) is tuple:
        inner, _ = nested_struct(get_args(plain)[0])
        return inner, True
    if inspect.isclass(plain) and issubclass(plain, msgspec.Struct):
        return plain, False
    return None, False


def bare(type_: Any) -> Any:
    """A type without `Annotated` and without `| None`."""
    while True:
        if hasattr(type_, "__metadata__"):
            type_ = type_.__origin__
        elif get_origin(type_) in (Union, UnionType):
            inner = [each for each in get_args(type_) if each is not NoneType]
            if len(inner) != 1:
                return type_
            type_ = inner[0]
        else:
            return type_


def marks(type_: Any) -> list[Any]:
    """Everything that `Annotated` says of a type, through `| None` and nested annotations."""
    found: list[Any] = []
    while True:
        if hasattr(type_, "__metadata__"):
            found += type_.__metadata__
            type_ = type_.__origin__
        elif get_origin(type_) in (Union, UnionType):
            inner = [each for each in get_args(type_) if each is not NoneType]
            if len(inner) != 1:
                return found
            type_ = inner[0]
        else:
            return found


def unit_of(type_: Any) -> str | None:
    """Unit of a field, e.g. `minor`."""
    for mark in marks(type_):
        if isinstance(mark, msgspec.Meta) and mark.extra and "unit" in mark.extra:
            return str(mark.extra["unit"])
    return None


def first_sentence(doc: str | None) -> str:
    """First sentence of a docstring, its full stop kept."""
    text = " ".join(inspect.cleandoc(doc or "").split("\n\n")[0].split())
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]


def _message(app: App, cls: type[Message]) -> MessageInfo:
    """One message."""
    return MessageInfo(
        app=app.name,
        name=cls.__name__,
        command=snake(cls.__name__).replace("_", "-"),
        type=cls,
        struct=struct_info(cls),
        rule=app.handler(cls, app.version),
    )


def _record(app: str, cls: type[Record]) -> RecordInfo:
    """One kind of record."""
    command = tag_of(cls).split(".")[1].replace("_", "-")
    return RecordInfo(app, cls.__name__, command, cls, struct_info(cls))


def _query(app: str, call: Callable[..., Any]) -> QueryInfo:
    """One query, from the function's signature; its parameters are documented by their types."""
    hints = get_type_hints(call, include_extras=True)
    signature = inspect.signature(call)
    parameters = tuple(
        FieldInfo(
            name=each.name,
            type=hints[each.name],
            doc=_description(hints[each.name]),
            required=each.default is inspect.Parameter.empty,
            default=None if each.default is inspect.Parameter.empty else each.default,
        )
        for each in list(signature.parameters.values())[1:]
    )
    answer = bare(hints["return"])
    many = get_origin(answer) is not None
    answered = bare(get_args(answer)[0]) if many else answer
    is_struct = inspect.isclass(answered) and issubclass(answered, msgspec.Struct)
    return QueryInfo(
        app=app,
        name=call.__name__,
        command=call.__name__.replace("_", "-"),
        doc=first_sentence(call.__doc__),
        call=call,
        parameters=parameters,
        returns=struct_info(answered) if is_struct else None,
        many=many,
    )


def _description(type_: Any) -> str:
    """What a type's `Meta` says."""
    said = [m.description for m in marks(type_) if isinstance(m, msgspec.Meta) and m.description]
    return (
        said[0]
        if said
        else first_sentence(bare(type_).__doc__ if inspect.isclass(bare(type_)) else "")
    )


def _package_doc(app: App) -> str:
    """First sentence of the application's package."""
    package = inspect.getmodule(app.refusals)
    parent = sys.modules.get(str(package.__package__)) if package else None
    return first_sentence(parent.__doc__ if parent else "")


def _words(folder: Path) -> Words:
    """The words beside an application's code; none while there is no file."""
    path = folder / "words.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def all_refusals(apps: Iterable[AppInfo]) -> Iterable[tuple[MessageInfo, RefusalInfo]]:
    """Every (message, refusal) pair of the given applications."""
    for app in apps:
        for message in app.messages:
            for code in message.refusals:
                yield message, code
