"""Reading and writing: the types of the catalogue and the words that people use for values."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from tallystick.catalogue import (
    FieldInfo,
    MessageInfo,
    QueryInfo,
    bare,
    marks,
    struct_info,
    unit_of,
)
from tallystick.ledger.app import Record
from tallystick.values.codec import decode, encode, from_json
from tallystick.values.errors import ValueProblem
from tallystick.values.money import currency_of, format_minor, parse_decimal
from tallystick.values.time import format_at
from tallystick.values.units import (
    Currency,
    Day,
    KeyOf,
    Label,
    MoneyId,
    Name,
    OfficerId,
    OutletId,
    PartyId,
    Reference,
    ShortText,
    Text,
)
from tallystick.wording.facts import fact_for
from tallystick.wording.options import (
    Given,
    by_field,
    holds_money,
    in_options,
    is_optional,
    is_signed_type,
    is_struct,
    option_name,
    split_options,
    tag_name,
    takes_disclosure,
)
from tallystick.wording.plain import (
    YES,
    WordingProblem,
    choose,
    duration_of,
    member_of,
    percent_of,
    quoted,
    read_hex,
    read_instant,
    read_number,
    shell_words,
)

ZONE_MINUTES = 480
"""Offset of the zone in which times are written, unless told otherwise: China."""

Lookup = Callable[[str, str], Record | None]
"""Finds a record by class name and id, for its currency."""
Disclosed = Callable[[str], Mapping[str, object]]
"""Facts of a disclosed document, by name or file: root, strict, relaxed, currency, ..."""

_WORDS_OF_THEIR_OWN: tuple[Any, ...] = (
    *(PartyId, OfficerId, OutletId, Reference, Currency, MoneyId),
    *(Day, Label, Name, ShortText, Text),
)
_NEVER_AN_ID = tuple(mark for unit in _WORDS_OF_THEIR_OWN for mark in marks(unit))
"""What a bound name never stands for: `--to a` is the party `a`, whatever `a` is bound to."""


def nothing_found(_record: str, _key: str) -> Record | None:
    """Without a node, no record is found: write the currency with the amount."""
    return None


def nothing_disclosed(name: str) -> Mapping[str, object]:
    """Without disclosures at hand."""
    raise WordingProblem(f"no disclosure {name} is at hand")


@dataclass(frozen=True)
class Wording:
    """What is needed to read and write people's words."""

    zone_minutes: int = ZONE_MINUTES
    """Offset of the zone in which times are written."""
    names: Mapping[str, str] | None = None
    """Names bound to ids; None where no names are bound: what is written is the id itself."""
    lookup: Lookup = nothing_found
    """Finds records, for their currencies."""
    disclosed: Disclosed = nothing_disclosed
    """Finds the facts of disclosures."""

    # --- reading

    def message(self, info: MessageInfo, words: Sequence[str]) -> Any:
        """The message that `--option value …` words say."""
        return self.message_of(info, split_options(words))

    def message_of(self, info: MessageInfo, given: Given) -> Any:
        """The message that words say which are split into options already."""
        told, facts = self._told(info, given)
        return self._struct(info.type, told, facts, currency=None)

    def query(self, info: QueryInfo, words: Sequence[str]) -> dict[str, Any]:
        """The arguments that `--option value …` words give a query."""
        return self.query_of(info, split_options(words))

    def query_of(self, info: QueryInfo, given: Given) -> dict[str, Any]:
        """The arguments that words give which are split into options already, each checked."""
        told, facts = self._told(info, given)
        arguments = self._fields(info.parameters, told, facts, currency=None)
        types = {each.name: each.type for each in info.parameters}
        for name, value in arguments.items():
            try:
                arguments[name] = decode(types[name], encode(value))
            except ValueProblem as problem:
                raise WordingProblem(f"--{option_name(name)}: {problem}") from None
        return arguments

    def _told(
        self, info: MessageInfo | QueryInfo, given: Given
    ) -> tuple[Given, list[Mapping[str, object]]]:
        """The words without `--disclosure`, and the facts of what it names."""
        if not takes_disclosure(info) or "disclosure" not in given:
            return given, []
        if not given["disclosure"]:
            raise WordingProblem("--disclosure: takes the name of a disclosure")
        facts = [self.disclosed(name) for name in given["disclosure"]]
        return {name: texts for name, texts in given.items() if name != "disclosure"}, facts

    def _struct(
        self,
        type_: type[Any],
        given: Given,
        facts: Sequence[Mapping[str, object]],
        *,
        currency: str | None,
    ) -> Any:
        """A struct from its options, checked as if it had been decoded."""
        values = self._fields(struct_info(type_).fields, given, facts, currency=currency)
        try:
            return decode(type_, encode(type_(**values)))
        except ValueProblem as problem:
            raise WordingProblem(in_options(str(problem))) from None

    def _fields(
        self,
        fields: Sequence[FieldInfo],
        given: Given,
        facts: Sequence[Mapping[str, object]],
        *,
        currency: str | None,
    ) -> dict[str, Any]:
        """Values of fields from the words given; money comes last, when its currency is known."""
        words = by_field(fields, given)
        values: dict[str, Any] = {}
        for info in sorted(fields, key=lambda info: holds_money(info.type)):
            if info.name in words:
                known = self.currency_among(values, fields) or currency
                values[info.name] = self._value(info, words[info.name], known)
            elif (fact := fact_for(info, facts)) is not None:
                values[info.name] = fact
            elif info.required:
                raise WordingProblem(f"--{option_name(info.name)} is missing: {info.doc}")
        return values

    def currency_among(self, values: Mapping[str, Any], fields: Sequence[FieldInfo]) -> str | None:
        """Currency beside these values: a sibling's, or that of a record referred to."""
        if isinstance(values.get("currency"), str):
            return str(values["currency"])
        if isinstance(values.get("money"), str):
            return str(values["money"]).partition("@")[0]
        for info in fields:
            refers = [mark.record for mark in marks(info.type) if isinstance(mark, KeyOf)]
            key = values.get(info.name)
            if refers and isinstance(key, str):
                kept = self.lookup(refers[0], key)
                found = None if kept is None else currency_of_struct(kept)
                if found is not None:
                    return found
        return None

    def _value(self, info: FieldInfo, texts: Sequence[str], currency: str | None) -> Any:
        """Value of one field."""
        try:
            plain = bare(info.type)
            if get_origin(plain) is tuple:
                inner = get_args(plain)[0]
                return tuple([self.one(inner, text, currency) for text in texts])
            if plain is bool and not texts:
                return True
            if len(texts) != 1:
                raise WordingProblem("takes one value")
            return self.one(info.type, texts[0], currency)
        except (WordingProblem, ValueProblem) as problem:
            raise WordingProblem(f"--{option_name(info.name)}: {problem}") from None

    def one(self, type_: Any, text: str, currency: str | None = None) -> Any:
        """One value of a type from its text."""
        plain, unit = bare(type_), unit_of(type_)
        if text == "-" and is_optional(type_):
            return None
        if unit == "minor":
            return self.amount(text, currency, is_signed=is_signed_type(type_))
        if plain is int:
            return self._number(text, unit)
        if plain is str:
            return self._text(type_, text)
        if plain is bool:
            return choose(YES, text)
        if plain is bytes:
            return read_hex(text)
        if inspect.isclass(plain) and issubclass(plain, enum.Enum):
            return member_of(plain, text)
        if inspect.isclass(plain) and issubclass(plain, msgspec.Struct):
            return self.nested(plain, text, currency)
        if get_origin(plain) in (Union, UnionType):
            return self._tagged(plain, text, currency)
        raise WordingProblem(f"cannot be written: {plain}")

    def _text(self, type_: Any, text: str) -> str:
        """A text of a type, or the id that a name is bound to."""
        if self.names is None or any(mark in _NEVER_AN_ID for mark in marks(type_)):
            return _fitting(type_, text)
        try:
            return _fitting(type_, self.names.get(text, text))
        except WordingProblem:
            if any(isinstance(mark, KeyOf) for mark in marks(type_)):
                raise WordingProblem(f"no id is bound to {text!r}") from None
            raise

    def amount(self, text: str, currency: str | None, *, is_signed: bool = False) -> int:
        """Minor units of an amount such as `1,000.00` or `1,000.00 CNY`."""
        number, _, named = text.strip().partition(" ")
        if named and currency and named != currency:
            raise WordingProblem(f"the amount is in {named}, the rest in {currency}")
        known = named or currency
        if not known:
            raise WordingProblem(f"say the currency of {text}, e.g. '{text} CNY'")
        return parse_decimal(number, known, signed=is_signed)

    def _number(self, text: str, unit: str | None) -> int:
        """A whole number, or a percent, a time or a length of time where the unit allows it."""
        if unit == "ms since 1970 UTC" and not text.isdecimal():
            return self.instant(text)
        return read_number(text, unit or "")

    def currency_for(self, struct: Any) -> str | None:
        """Currency of a struct's amounts: its own, that of a record it refers to, or of a part."""
        fields = struct_info(type(struct)).fields
        values = {info.name: getattr(struct, info.name) for info in fields}
        inside = [currency_of_struct(each) for each in values.values() if is_struct(type(each))]
        return self.currency_among(values, fields) or next(filter(None, inside), None)

    def instant(self, text: str) -> int:
        """Milliseconds of a day or of a day and time in the zone: `2026-10-08 17:00`."""
        return read_instant(text, self.zone_minutes)

    def nested(self, type_: type[Any], text: str, currency: str | None) -> Any:
        """A struct inside a field: `name=value …` words, or JSON.

        A struct that needs only one thing may be written as that thing alone: a key as its hex.
        """
        if text.lstrip().startswith("{"):
            return from_json(type_, text)
        needed = [info.name for info in struct_info(type_).fields if info.required]
        if "=" not in text and len(needed) == 1:
            alone = " ".join(shell_words(text))
            return self._struct(type_, {option_name(needed[0]): [alone]}, [], currency=currency)
        given: dict[str, list[str]] = {}
        for word in shell_words(text):
            name, sign, value = word.partition("=")
            if not sign:
                raise WordingProblem(f"{word!r} is not name=value")
            given.setdefault(name.replace("_", "-"), []).append(value)
        return self._struct(type_, given, [], currency=currency)

    def _tagged(self, union: Any, text: str, currency: str | None) -> Any:
        """One of several structs: its name first, then `name=value …` words; or JSON."""
        if text.lstrip().startswith("{"):
            return from_json(union, text)
        name, _, rest = text.strip().partition(" ")
        choices = {tag_name(each): each for each in get_args(union) if is_struct(each)}
        return self.nested(choose(choices, name.replace("_", "-")), rest, currency)

    # --- writing

    def show(self, value: Any, type_: Any, currency: str | None = None) -> str:
        """A value as people read it; what is shown can be written again."""
        unit = str(unit_of(type_))
        if value is None:
            return "-"
        if isinstance(value, tuple):
            inner = (*get_args(bare(type_)), Any)[0]
            between = "; " if value and isinstance(value[0], msgspec.Struct) else " "
            return between.join(self.show(each, inner, currency) for each in value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, enum.Enum):
            return str(value.value)
        if isinstance(value, bytes):
            return value.hex()
        if isinstance(value, msgspec.Struct):
            return self.show_struct(value, currency)
        if unit == "minor" and currency:
            return format_minor(value, currency)
        if unit == "ms since 1970 UTC":
            return format_at(value, self.zone_minutes)
        if unit == "ms":
            return duration_of(value)
        return percent_of(value, unit) or str(value)

    def show_struct(self, value: msgspec.Struct, currency: str | None = None) -> str:
        """A struct as `name=value` words, the name of one of several kinds first."""
        known = currency_of_struct(value) or currency
        tag = value.__struct_config__.tag
        words = [] if tag is None or isinstance(value, Record) else [tag_name(type(value))]
        for info in struct_info(type(value)).fields:
            held = getattr(value, info.name)
            if info.required or held != info.default:
                shown = self.show(held, info.type, known)
                words.append(f"{option_name(info.name)}={quoted(shown)}")
        return " ".join(words)


def currency_of_struct(value: Any) -> str | None:
    """Currency that a struct states, or that of the money it states."""
    currency = getattr(value, "currency", None)
    if isinstance(currency, str):
        return currency
    money = getattr(value, "money", None)
    return currency_of(money) if isinstance(money, str) and "@" in money else None


def _fitting(type_: Any, text: str) -> str:
    """The text, if the type takes it."""
    try:
        return str(decode(type_, encode(text)))
    except ValueProblem as problem:
        said = [m.description for m in marks(type_) if isinstance(m, Meta) and m.description]
        if not said or "matching regex" not in str(problem):
            raise
        what = said[0][0].lower() + said[0][1:].rstrip(".")
        raise WordingProblem(f"{text!r} is not {what}") from None
