"""Options: how a field is named on the command line, what is written after it, words by field."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from tallystick.values.units import KeyOf
from tallystick.wording.plain import WordingProblem

Given = Mapping[str, Sequence[str]]
"""Words by option name, as `split_options` gives them."""

_METAVARS = {
    "minor": "1,000.00",
    "ppm": "4.35%|PPM",
    "ppm a day": "0.05%|PPM",
    "bps": "4.35%|BPS",
    "ms since 1970 UTC": "'2026-10-08 17:00'",
    "ms": "24h|7d",
    "day": "2026-10-08",
}
_PLACE = re.compile(r"(.*) - at `\$\.([a-z0-9_]+)[^`]*`(.*)")


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


def options(fields: Sequence[FieldInfo]) -> tuple[Option, ...]:
    """The options of a message or query."""
    return tuple(
        Option(
            flag="--" + option_name(info.name),
            info=info,
            metavar=_metavar_of(info),
            many=get_origin(bare(info.type)) is tuple,
        )
        for info in fields
    )


def _metavar_of(info: FieldInfo) -> str:
    """What is written after a field's option; a yes or no that must be said, or is yes, is said."""
    is_asked = bare(info.type) is bool and (info.required or info.default is True)
    return "yes|no" if is_asked else metavar(info.type)


def metavar(type_: Any) -> str:
    """What is written after an option."""
    plain, unit = bare(type_), str(unit_of(type_))
    if get_origin(plain) is tuple:
        return metavar(get_args(plain)[0])
    if plain is bool:
        return ""
    if inspect.isclass(plain) and issubclass(plain, enum.Enum):
        return "|".join(str(each.value) for each in plain)
    refers = [mark.record for mark in marks(type_) if isinstance(mark, KeyOf)]
    if refers:
        return refers[0].upper()
    if unit in _METAVARS:
        return _METAVARS[unit]
    if is_struct(plain):
        needed = [info for info in struct_info(plain).fields if info.required]
        return metavar(needed[0].type) if len(needed) == 1 else "'NAME=VALUE …'"
    if get_origin(plain) in (Union, UnionType):
        return "'KIND NAME=VALUE …'"
    return {int: "NUMBER", str: "TEXT", bytes: "HEX"}.get(plain, "VALUE")


def takes_disclosure(info: MessageInfo | QueryInfo) -> bool:
    """Whether `--disclosure` fills some of its fields: roots and fingerprints of documents."""
    fields = info.parameters if isinstance(info, QueryInfo) else info.struct.fields
    return any(each.name in ("strict", "root", "fingerprints") for each in fields)


def split_options(words: Sequence[str]) -> dict[str, list[str]]:
    """`--name value value --flag` → values by option name; repeating an option adds to it."""
    given: dict[str, list[str]] = {}
    current: list[str] | None = None
    for word in words:
        if word.startswith("--") and len(word) > len("--"):
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
    """`piece_id` → `piece`, `amount_minor` → `amount`, `expires_at_ms` → `expires`."""
    for ending in ("_minor", "_at_ms", "_ms", "_id"):
        if name.endswith(ending) and len(name) > len(ending):
            name = name.removesuffix(ending)
            break
    return name.replace("_", "-")


def spellings(name: str) -> set[str]:
    """Both the short name of an option and the field's own."""
    return {option_name(name), name.replace("_", "-")}


def by_field(fields: Sequence[FieldInfo], given: Given) -> dict[str, list[str]]:
    """Words by field; a field's full name comes before the short name of another."""
    by_flag = {option_name(info.name): info.name for info in fields}
    by_flag.update({info.name.replace("_", "-"): info.name for info in fields})
    words: dict[str, list[str]] = {}
    for flag, texts in given.items():
        if flag not in by_flag:
            known = ", ".join("--" + option_name(info.name) for info in fields)
            raise WordingProblem(f"no option --{flag}; there are: {known or 'none'}")
        words.setdefault(by_flag[flag], []).extend(texts)
    return words


def in_options(text: str) -> str:
    """A decoder's complaint, with the option in the place of the path."""
    found = _PLACE.fullmatch(text)
    return f"--{option_name(found[2])}: {found[1]}{found[3]}" if found else text


def is_struct(type_: Any) -> bool:
    """Whether a type is a struct."""
    return inspect.isclass(type_) and issubclass(type_, msgspec.Struct)


def tag_name(type_: type[msgspec.Struct]) -> str:
    """Name of one of several structs."""
    return str(type_.__struct_config__.tag).replace("_", "-")


def holds_money(type_: Any) -> int:
    """1 for fields that hold amounts, alone or nested, which are read after the others; else 0."""
    plain = bare(type_)
    if get_origin(plain) is tuple:
        return holds_money(get_args(plain)[0])
    return int(unit_of(type_) == "minor" or is_struct(plain))


def is_optional(type_: Any) -> bool:
    """Whether a type admits None."""
    return NoneType in get_args(type_) or any(
        NoneType in get_args(each) for each in get_args(type_) if get_origin(each)
    )


def is_signed_type(type_: Any) -> bool:
    """Whether a number may be below zero."""
    bounds = [mark.ge for mark in marks(type_) if isinstance(mark, msgspec.Meta)]
    return any(bound is not None and bound < 0 for bound in bounds)
