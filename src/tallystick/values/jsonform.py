"""The JSON form: what the API, the command line and files of people show of an encoded value.

The same names as in MessagePack, with every field written out. Two things differ: an amount of
unit `minor` is a string of digits, because many readers of JSON lose integers beyond 2^53, and
bytes are lower hex. One converter is built per type, from the type alone.
"""

import re
from collections.abc import Callable, Collection
from functools import cache
from typing import Any, Final, TypeVar, overload

import msgspec
from msgspec import inspect

from tallystick.values.errors import CodecError
from tallystick.values.problems import plain_reason
from tallystick.values.units import UNIT_MINOR

T = TypeVar("T")

Write = Callable[[Any], Any]
"""From a value to plain JSON data."""

Read = Callable[[Any, str], Any]
"""From plain JSON data, found at a path, to what msgspec converts; it reports what does not fit."""

_DIGITS: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_HEX: Final = re.compile(r"([0-9a-f]{2})*")


def to_json(obj: object) -> bytes:
    """The JSON form of a struct."""
    kind: Any = type(obj)
    return msgspec.json.encode(_writer(kind)(obj))


@overload
def from_json(type_: type[T], data: bytes | str) -> T: ...
@overload
def from_json(type_: object, data: bytes | str) -> Any: ...
def from_json(type_: Any, data: bytes | str) -> Any:
    """The value of a JSON form; a problem names the field."""
    try:
        plain = _reader(type_)(msgspec.json.decode(data), "$")
        return msgspec.convert(plain, type_, builtin_types=(bytes,))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
        raise CodecError(plain_reason(problem)) from problem


@cache
def _writer(type_: Any) -> Write:
    """The writer of a type, built once."""
    return _build_writer(inspect.type_info(type_), "")


@cache
def _reader(type_: Any) -> Read:
    """The reader of a type, built once."""
    return _build_reader(inspect.type_info(type_), "")


def _as_is(value: Any, _path: str = "") -> Any:
    """The value itself: JSON has it."""
    return value


def _build_writer(info: inspect.Type, unit: str) -> Write:
    """The writer of a type whose field has this unit."""
    if isinstance(info, inspect.Metadata):
        return _build_writer(info.type, _unit_of(info))
    if isinstance(info, inspect.StructType):
        return _struct_writer(info)
    if isinstance(info, inspect.VarTupleType):
        write = _build_writer(info.item_type, unit)
        return lambda value: [write(item) for item in value]
    if isinstance(info, inspect.TupleType):
        writes = [_build_writer(item, unit) for item in info.item_types]
        return lambda value: [write(item) for write, item in zip(writes, value, strict=True)]
    if isinstance(info, inspect.UnionType):
        return _union_writer(info, unit)
    if isinstance(info, inspect.BytesType):
        return bytes.hex
    if isinstance(info, inspect.EnumType):
        return lambda value: value.value
    return str if isinstance(info, inspect.IntType) and unit == UNIT_MINOR else _as_is


def _struct_writer(info: inspect.StructType) -> Write:
    """A struct as an object: its tag, then every field; as a list if it is one when encoded."""
    head = {} if info.tag_field is None else {info.tag_field: info.tag}
    fields = [(each.name, each.encode_name, _build_writer(each.type, "")) for each in info.fields]

    def write_struct(value: Any) -> Any:
        return head | {shown: write(getattr(value, name)) for name, shown, write in fields}

    if info.array_like:
        return lambda value: [*write_struct(value).values()]
    return write_struct


def _union_writer(info: inspect.UnionType, unit: str) -> Write:
    """One of several types, told apart by the class of the value."""
    writers = {_class_of(each): _build_writer(each, unit) for each in info.types}

    def write_union(value: Any) -> Any:
        return writers[type(value)](value)

    return write_union


_CLASSES: Final[dict[type[inspect.Type], type]] = {
    inspect.NoneType: type(None),
    inspect.BoolType: bool,
    inspect.IntType: int,
    inspect.StrType: str,
    inspect.BytesType: bytes,
    inspect.VarTupleType: tuple,
    inspect.TupleType: tuple,
}


def _class_of(info: inspect.Type) -> type:
    """The class of the values of a type."""
    inner = info.type if isinstance(info, inspect.Metadata) else info
    if isinstance(inner, inspect.StructType | inspect.EnumType):
        return inner.cls
    return _CLASSES[type(inner)]


def _unit_of(info: inspect.Metadata) -> str:
    """The unit that a field's metadata states, if any."""
    return str((info.extra or {}).get("unit", ""))


def _build_reader(info: inspect.Type, unit: str) -> Read:
    """The reader of a type whose field has this unit."""
    if isinstance(info, inspect.Metadata):
        return _build_reader(info.type, _unit_of(info))
    if isinstance(info, inspect.StructType):
        return _list_struct_reader(info) if info.array_like else _struct_reader(info)
    if isinstance(info, inspect.VarTupleType):
        return _tuple_reader(_build_reader(info.item_type, unit))
    if isinstance(info, inspect.TupleType):
        return _fixed_tuple_reader([_build_reader(item, unit) for item in info.item_types])
    if isinstance(info, inspect.UnionType):
        return _union_reader(info, unit)
    if isinstance(info, inspect.BytesType):
        return _read_hex
    return _read_minor if isinstance(info, inspect.IntType) and unit == UNIT_MINOR else _as_is


def _read_minor(value: Any, path: str) -> int:
    """An amount from its digits."""
    if isinstance(value, str) and _DIGITS.fullmatch(value) and value != "-0":
        return int(value)
    raise CodecError(f"Expected a string of digits - at `{path}`")


def _read_hex(value: Any, path: str) -> bytes:
    """Bytes from lower hex."""
    if isinstance(value, str) and _HEX.fullmatch(value):
        return bytes.fromhex(value)
    raise CodecError(f"Expected lower hex - at `{path}`")


def _struct_reader(info: inspect.StructType) -> Read:
    """An object whose known fields are read; msgspec refuses the others."""
    fields = {each.encode_name: _build_reader(each.type, "") for each in info.fields}

    def read_struct(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            name: fields.get(name, _as_is)(item, f"{path}.{name}") for name, item in value.items()
        }

    return read_struct


def _list_struct_reader(info: inspect.StructType) -> Read:
    """A list of a struct's fields, after its tag if it has one."""
    tag: list[Read] = [] if info.tag_field is None else [_as_is]
    return _fixed_tuple_reader(tag + [_build_reader(each.type, "") for each in info.fields])


def _tuple_reader(read: Read) -> Read:
    """A list of items of one type."""

    def read_tuple(value: Any, path: str) -> Any:
        if not isinstance(value, list):
            return value
        return [read(item, f"{path}[{index}]") for index, item in enumerate(value)]

    return read_tuple


def _fixed_tuple_reader(reads: list[Read]) -> Read:
    """A list of items each of its own type."""

    def read_tuple(value: Any, path: str) -> Any:
        if not isinstance(value, list) or len(value) != len(reads):
            return value
        return [read(value[index], f"{path}[{index}]") for index, read in enumerate(reads)]

    return read_tuple


def _union_reader(info: inspect.UnionType, unit: str) -> Read:
    """One of several types: objects told apart by their tag, anything else by its kind of JSON."""
    structs = [each for each in info.types if isinstance(each, inspect.StructType)]
    objects = {each.tag: _struct_reader(each) for each in structs if not each.array_like}
    tag_field = structs[0].tag_field if structs else None
    others: dict[type, Read] = {}
    for each in info.types:
        for kind in _json_kinds(each, unit):
            if kind in others:
                raise CodecError("types that JSON cannot tell apart", kind=kind.__name__)
            others[kind] = _build_reader(each, unit)

    def read_union(value: Any, path: str) -> Any:
        if isinstance(value, dict):
            tag = value.get(tag_field)
            return objects.get(tag, _as_is)(value, path) if _is_tag(tag) else value
        return others.get(type(value), _as_is)(value, path)

    return read_union


def _json_kinds(info: inspect.Type, unit: str) -> Collection[type]:
    """What the JSON of a type may be, apart from objects.

    An amount counts as a number too, so that one is read, and refused.
    """
    if isinstance(info, inspect.Metadata):
        return _json_kinds(info.type, _unit_of(info))
    if isinstance(info, inspect.StructType):
        return (list,) if info.array_like else ()
    if isinstance(info, inspect.EnumType):
        return {type(each.value) for each in info.cls}
    if isinstance(info, inspect.VarTupleType | inspect.TupleType):
        return (list,)
    if isinstance(info, inspect.BytesType):
        return (str,)
    if isinstance(info, inspect.IntType) and unit == UNIT_MINOR:
        return (str, int)
    return (_class_of(info),)


def _is_tag(value: Any) -> bool:
    """Can this be a tag at all?"""
    return isinstance(value, str | int | None)
