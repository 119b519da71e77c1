"""What is encoded has one encoding and a stated size: few types, all of them frozen and bounded."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect as types

from tallystick.values.codec import Struct
from tests.house.tree import layer_of, loaded, module_of, name_of, pure_files

ALLOWED = (
    types.IntType, types.BoolType, types.StrType, types.BytesType, types.NoneType, types.EnumType,
    types.LiteralType, types.TupleType, types.VarTupleType, types.StructType, types.UnionType,
)  # fmt: skip
SIZED = (types.StrType, types.VarTupleType)

SUFFIX_OF_UNIT = {"minor": "_minor", "ppm": "_ppm", "bps": "_bps", "ms since 1970 UTC": "_ms"}
BARE_NAMES = {"amount", "time", "rate", "price", "duration", "deadline", "interest", "fee"}


@cache
def structs(path: Path) -> tuple[type[msgspec.Struct], ...]:
    """Every struct that a module defines."""
    module = module_of(path)
    return tuple(
        value
        for value in vars(loaded(module)).values()
        if isinstance(value, type) and issubclass(value, Struct) and value.__module__ == module
    )


def fields(cls: type[msgspec.Struct]) -> tuple[types.Field, ...]:
    """Fields of a struct with the types that msgspec reads."""
    info = types.type_info(cls)
    return info.fields if isinstance(info, types.StructType) else ()


def parts(info: types.Type) -> Iterator[types.Type]:
    """A type and what it is made of; structs are looked at on their own."""
    yield info
    match info:
        case types.Metadata(type=inner):
            yield from parts(inner)
        case types.UnionType(types=several):
            for inner in several:
                yield from parts(inner)
        case types.TupleType(item_types=several):
            for inner in several:
                yield from parts(inner)
        case types.VarTupleType(item_type=inner):
            yield from parts(inner)


def unit_of(info: types.Type) -> str:
    """Unit of a field's type, e.g. `minor`; empty when it has none."""
    for part in parts(info):
        if isinstance(part, types.Metadata) and part.extra and "unit" in part.extra:
            return str(part.extra["unit"])
    return ""


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_structs_are_frozen_and_closed(path: Path) -> None:
    """A value never changes; an unknown field is refused instead of dropped."""
    open_ones = [
        cls.__name__
        for cls in structs(path)
        for config in [cls.__struct_config__]
        if not (config.frozen and config.forbid_unknown_fields and config.omit_defaults)
        or (config.array_like and layer_of(path) == "apps")
    ]
    assert open_ones == []


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_fields_have_few_types(path: Path) -> None:
    """No dict, set, list, float, moment, Decimal, Ext or Any: these have several encodings.

    A type parameter stands for a struct that is put in before decoding.
    """
    odd = [
        f"{cls.__name__}.{field.name}: {type(part).__name__}"
        for cls in structs(path)
        for field in fields(cls)
        for part in parts(field.type)
        if not isinstance(part, (*ALLOWED, types.Metadata))
        if not (isinstance(part, types.AnyType) and vars(cls).get("__parameters__"))
    ]
    assert odd == []


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_fields_have_a_greatest_length(path: Path) -> None:
    """A transaction that fits its limits cannot make a record that does not."""
    endless = [
        f"{cls.__name__}.{field.name}: {type(part).__name__}"
        for cls in structs(path)
        for field in fields(cls)
        for part in parts(field.type)
        if isinstance(part, SIZED) and part.max_length is None
    ]
    assert endless == []


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_no_struct_holds_itself(path: Path) -> None:
    """A recursive type has no greatest size, and decoding it needs no limit but the stack."""
    assert [cls.__name__ for cls in structs(path) if cls in inside(cls)] == []


def inside(cls: type[msgspec.Struct]) -> set[type]:
    """All structs that a struct holds, however deep."""
    seen: set[type] = set()
    ahead = [cls]
    while ahead:
        for field in fields(ahead.pop()):
            inner = [part.cls for part in parts(field.type) if isinstance(part, types.StructType)]
            ahead += [each for each in inner if each not in seen]
            seen.update(inner)
    return seen


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_names_end_in_their_unit(path: Path) -> None:
    """`amount_minor`, `rate_ppm`, `due_at_ms`: the name says the unit, and the type agrees."""
    wrong = [
        f"{cls.__name__}.{field.name} ({unit or 'no unit'})"
        for cls in structs(path)
        for field in fields(cls)
        for unit in [unit_of(field.type)]
        if not field.name.endswith(SUFFIX_OF_UNIT.get(unit, ""))
        or field.name in BARE_NAMES
        or (field.name.endswith("_minor") and unit != "minor")
    ]
    assert wrong == []
