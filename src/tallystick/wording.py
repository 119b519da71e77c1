"""How people write messages and read answers: amounts as decimals, dates, percents, names of ids.

The command line and case files share this grammar; docs/reference/cases.md describes it. Everything
is derived from the types in the catalogue.

    receivables split --piece pc-0123456789abcdef --parts 333,333.33 666,666.67
"""

from __future__ import annotations

import enum
import inspect
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

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
from tallystick.values.time import at, format_at, is_day
from tallystick.values.units import KeyOf

ZONE_MINUTES = 480
"""Offset of the zone in which times are written, unless told otherwise: China."""

_PERCENT = re.compile(r"(\d+)(?:\.(\d{1,4}))?%")
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)")
_DURATION_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}):(\d{2}))?")
_YES = {"yes": True, "true": True, "no": False, "false": False}


class WordingProblem(ValueError):
    """What was written is not what the message or query takes."""


@dataclass(frozen=True)
class Option:
    """One option of a command."""

    flag: str
    """How it is written, e.g. `--amount`."""
    info: FieldInfo
    """The field it fills."""
    metavar: str
    """What is written after it, e.g. `1,000.00`; empty for a flag."""
    many: bool
    """Whether several values may follow, or the option may be repeated."""


Lookup = Callable[[str, str], Record | None]
"""Finds a record by class name and id, for its currency."""
Disclosed = Callable[[str], Mapping[str, object]]
"""Facts of a disclosed document, by name or file: root, strict, relaxed, currency, ..."""


def nothing_found(record: str, key: str) -> Record | None:
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
    names: Mapping[str, str] = field(default_factory=dict)
    """Names bound to ids."""
    lookup: Lookup = nothing_found
    """Finds records, for their currencies."""
    disclosed: Disclosed = nothing_disclosed
    """Finds the facts of disclosures."""

    # --- reading

    def message(self, info: MessageInfo, words: Sequence[str]) -> Any:
        """The message that `--option value …` words say."""
        given = split_options(words)
        facts: list[Mapping[str, object]] = []
        if takes_disclosure(info):
            facts = [self.disclosed(name) for name in given.pop("disclosure", [])]
        return self._struct(info.type, given, facts, currency=None)

    def query(self, info: QueryInfo, words: Sequence[str]) -> dict[str, Any]:
        """The arguments that `--option value …` words give a query."""
        given = split_options(words)
        return self._fields(info.parameters, given, [], currency=None)

    def _struct(
        self,
        type_: type[Any],
        given: dict[str, list[str]],
        facts: Sequence[Mapping[str, object]],
        *,
        currency: str | None,
    ) -> Any:
        """A struct from its options, checked as if it had been decoded."""
        values = self._fields(struct_info(type_).fields, given, facts, currency=currency)
        try:
            return decode(type_, encode(type_(**values)))
        except ValueProblem as problem:
            raise WordingProblem(str(problem)) from None

    def _fields(
        self,
        fields: Sequence[FieldInfo],
        given: dict[str, list[str]],
        facts: Sequence[Mapping[str, object]],
        *,
        currency: str | None,
    ) -> dict[str, Any]:
        """Values of fields from the words given; money comes last, when its currency is known."""
        by_flag = {flag: info for info in fields for flag in spellings(info.name)}
        unknown = [flag for flag in given if flag not in by_flag]
        if unknown:
            known = ", ".join("--" + option_name(info.name) for info in fields)
            raise WordingProblem(f"no option --{unknown[0]}; there are: {known or 'none'}")
        words = {by_flag[flag].name: texts for flag, texts in given.items()}
        values: dict[str, Any] = {}
        ordered = sorted(fields, key=lambda info: _holds_money(info.type))
        for info in ordered:
            if info.name in words:
                known_currency = self._currency(values, fields) or currency
                values[info.name] = self._value(info, words[info.name], known_currency)
            elif (fact := _fact(info, facts)) is not None:
                values[info.name] = fact
            elif info.required:
                raise WordingProblem(f"--{option_name(info.name)} is missing: {info.doc}")
        return values

    def _currency(self, values: Mapping[str, Any], fields: Sequence[FieldInfo]) -> str | None:
        """Currency of the amounts beside these values: a sibling's, or that of a record referred to."""
        if isinstance(values.get("currency"), str):
            return str(values["currency"])
        if isinstance(values.get("money"), str):
            return currency_of(values["money"])
        for info in fields:
            refers = [mark.record for mark in marks(info.type) if isinstance(mark, KeyOf)]
            key = values.get(info.name)
            if refers and isinstance(key, str):
                kept = self.lookup(refers[0], key)
                found = None if kept is None else currency_of_struct(kept)
                if found is not None:
                    return found
        return None

    def _value(self, info: FieldInfo, texts: list[str], currency: str | None) -> Any:
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
        if text == "-" and plain is not type_ and _is_optional(type_):
            return None
        if unit == "minor":
            return self.amount(text, currency)
        if plain is int:
            return self._number(text, unit)
        if plain is str:
            return self.names.get(text, text)
        if plain is bool:
            return _choice(_YES, text)
        if plain is bytes:
            return _hex(text)
        if inspect.isclass(plain) and issubclass(plain, enum.Enum):
            return _member(plain, text)
        if inspect.isclass(plain) and issubclass(plain, msgspec.Struct):
            return self.nested(plain, text, currency)
        if get_origin(plain) in (Union, UnionType):
            return self._tagged(plain, text, currency)
        raise WordingProblem(f"cannot be written: {plain}")

    def amount(self, text: str, currency: str | None) -> int:
        """Minor units of an amount such as `1,000.00` or `1,000.00 CNY`."""
        number, _, named = text.strip().partition(" ")
        if named and currency and named != currency:
            raise WordingProblem(f"the amount is in {named}, the rest in {currency}")
        known = named or currency
        if not known:
            raise WordingProblem(f"say the currency of {text}, e.g. `{text} CNY`")
        return parse_decimal(number, known)

    def _number(self, text: str, unit: str | None) -> int:
        """A whole number, or a percent, a time or a length of time where the unit allows it."""
        percent = _PERCENT.fullmatch(text)
        if unit == "ppm" and percent:
            return int(percent[1]) * 10_000 + int((percent[2] or "").ljust(4, "0"))
        duration = _DURATION.fullmatch(text)
        if unit == "ms" and duration:
            return int(duration[1]) * _DURATION_MS[duration[2]]
        if unit == "ms since 1970 UTC" and not text.isdecimal():
            return self.instant(text)
        try:
            return int(text.replace(",", "").replace("_", ""))
        except ValueError:
            raise WordingProblem(f"{text!r} is no whole number") from None

    def instant(self, text: str) -> int:
        """Milliseconds of a day or of a day and time in the zone: `2026-10-08 17:00`."""
        found = _TIME.fullmatch(text)
        if not found or not is_day(found[1]):
            raise WordingProblem(f"{text!r} is no time; write 2026-10-08 17:00")
        minute = int(found[2] or 0) * 60 + int(found[3] or 0)
        return at(found[1], minute, self.zone_minutes)

    def nested(self, type_: type[Any], text: str, currency: str | None) -> Any:
        """A struct inside a field: `name=value …` words, or JSON."""
        if text.lstrip().startswith("{"):
            return from_json(type_, text)
        given: dict[str, list[str]] = {}
        for word in shlex.split(text):
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
        choices = {
            str(each.__struct_config__.tag).replace("_", "-"): each
            for each in get_args(union)
            if inspect.isclass(each) and issubclass(each, msgspec.Struct)
        }
        return self.nested(_choice(choices, name.replace("_", "-")), rest, currency)

    # --- writing

    def show(self, value: Any, type_: Any, currency: str | None = None) -> str:
        """A value as people read it."""
        unit = unit_of(type_)
        if value is None:
            return "-"
        if isinstance(value, tuple):
            inner = get_args(bare(type_))
            return " ".join(self.show(each, inner[0] if inner else Any, currency) for each in value)
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
        return str(value)

    def show_struct(self, value: msgspec.Struct, currency: str | None = None) -> str:
        """A struct as `name=value` words."""
        known = currency_of_struct(value) or currency
        return ", ".join(
            f"{option_name(info.name)}={self.show(getattr(value, info.name), info.type, known)}"
            for info in struct_info(type(value)).fields
            if getattr(value, info.name) != info.default
        )


def options(fields: Sequence[FieldInfo]) -> tuple[Option, ...]:
    """The options of a message or query."""
    return tuple(
        Option(
            flag="--" + option_name(info.name),
            info=info,
            metavar=metavar(info.type),
            many=get_origin(bare(info.type)) is tuple,
        )
        for info in fields
    )


def metavar(type_: Any) -> str:
    """What is written after an option."""
    plain, unit = bare(type_), unit_of(type_)
    if get_origin(plain) is tuple:
        return metavar(get_args(plain)[0])
    if plain is bool:
        return ""
    if inspect.isclass(plain) and issubclass(plain, enum.Enum):
        return "|".join(str(each.value) for each in plain)
    refers = [mark.record for mark in marks(type_) if isinstance(mark, KeyOf)]
    if refers:
        return refers[0].upper()
    by_unit = {
        "minor": "1,000.00",
        "ppm": "PPM|4.35%",
        "ms since 1970 UTC": "'2026-10-08 17:00'",
        "ms": "24h|7d",
        "day": "2026-10-08",
    }
    if unit in by_unit:
        return by_unit[unit]
    if plain is bytes:
        return "HEX"
    return {int: "NUMBER", str: "TEXT"}.get(plain, "'name=value …'")


def takes_disclosure(info: MessageInfo) -> bool:
    """Whether `--disclosure` fills fields of a message: roots and fingerprints of documents."""
    return any(each.name in ("strict", "root", "fingerprints") for each in info.struct.fields)


def split_options(words: Sequence[str]) -> dict[str, list[str]]:
    """`--name value value --flag` → values by option name; repeating an option adds to it."""
    given: dict[str, list[str]] = {}
    current: list[str] | None = None
    for word in words:
        if word.startswith("--") and len(word) > 2:
            name, sign, value = word[2:].partition("=")
            current = given.setdefault(name.replace("_", "-"), [])
            if sign:
                current.append(value)
        elif current is None:
            raise WordingProblem(f"{word!r} follows no option")
        else:
            current.append(word)
    return given


def option_name(name: str) -> str:
    """`piece_id` → `piece`, `amount_minor` → `amount`, `valid_until_ms` → `valid-until`."""
    for ending in ("_minor", "_at_ms", "_ms", "_id"):
        if name.endswith(ending) and len(name) > len(ending):
            name = name.removesuffix(ending)
            break
    return name.replace("_", "-")


def spellings(name: str) -> set[str]:
    """Both the short name of an option and the field's own."""
    return {option_name(name), name.replace("_", "-")}


def currency_of_struct(value: Any) -> str | None:
    """Currency that a struct states, or that of the money it states."""
    currency = getattr(value, "currency", None)
    if isinstance(currency, str):
        return currency
    money = getattr(value, "money", None)
    return currency_of(money) if isinstance(money, str) and "@" in money else None


def _holds_money(type_: Any) -> int:
    """1 for fields that hold amounts, alone or nested, which are read after the others; else 0."""
    plain = bare(type_)
    if get_origin(plain) is tuple:
        return _holds_money(get_args(plain)[0])
    is_struct = inspect.isclass(plain) and issubclass(plain, msgspec.Struct)
    return int(unit_of(type_) == "minor" or is_struct)


def _fact(info: FieldInfo, facts: Sequence[Mapping[str, object]]) -> Any:
    """Value of a field that disclosures tell; None if they do not."""
    if not facts:
        return None
    plain = bare(info.type)
    if get_origin(plain) is tuple:
        inner = bare(get_args(plain)[0])
        made = [_struct_of_facts(inner, each) for each in facts]
        return None if None in made else tuple(made)
    if inspect.isclass(plain) and issubclass(plain, msgspec.Struct):
        return _struct_of_facts(plain, facts[0])
    fact = facts[0].get(info.name)
    if inspect.isclass(plain) and issubclass(plain, enum.Enum) and isinstance(fact, str):
        return _member(plain, fact)
    return fact if isinstance(fact, plain if inspect.isclass(plain) else object) else None


def _struct_of_facts(type_: Any, facts: Mapping[str, object]) -> Any:
    """A struct all of whose required fields the facts tell; None otherwise."""
    if not (inspect.isclass(type_) and issubclass(type_, msgspec.Struct)):
        return None
    infos = struct_info(type_).fields
    if any(info.required and info.name not in facts for info in infos):
        return None
    return type_(**{info.name: facts[info.name] for info in infos if info.name in facts})


def _is_optional(type_: Any) -> bool:
    """Whether a type admits None."""
    return NoneType in get_args(type_) or any(
        NoneType in get_args(each) for each in get_args(type_) if get_origin(each)
    )


def _member(type_: type[enum.Enum], text: str) -> enum.Enum:
    """A member of an enum by its value or its name, in any case."""
    wanted = text.lower().replace("-", "_")
    for each in type_:
        if wanted in (str(each.value).lower().replace("-", "_"), each.name.lower()):
            return each
    raise WordingProblem(f"{text!r} is none of {', '.join(str(each.value) for each in type_)}")


def _choice(choices: Mapping[str, Any], text: str) -> Any:
    """One of several by name."""
    if text.lower() not in choices:
        raise WordingProblem(f"{text!r} is none of {', '.join(choices)}")
    return choices[text.lower()]


def _hex(text: str) -> bytes:
    """Bytes from hex digits."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise WordingProblem(f"{text!r} is not hex") from None
