"""The one encoding: frozen structs as MessagePack maps, keys in tuple order, JSON for people.

msgspec leaves out a field only when its value *is* the default, not when it equals it. So that a
value has one encoding, a struct may only have defaults of which Python keeps a single copy: None,
a truth value, an integer from -5 to 256, an enum's member, or an empty text, bytes or tuple.
"""

from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, dataclass_transform, get_origin, overload

import msgspec
from msgspec import inspect
from msgspec.msgpack import Decoder, Encoder

from tallystick.values.errors import CodecError
from tallystick.values.jsonform import from_json, to_json
from tallystick.values.keys import decode_key, encode_key, prefix_end
from tallystick.values.problems import plain_reason

__all__ = [
    "Struct",
    "StructMeta",
    "check_type",
    "decode",
    "decode_canonical",
    "decode_key",
    "decoder",
    "encode",
    "encode_key",
    "from_json",
    "prefix_end",
    "replace",
    "settle_types",
    "to_json",
]

T = TypeVar("T")


class StructMeta(msgspec.StructMeta):
    """Makes fields keyword-only in every subclass, and refuses ambiguous defaults."""

    def __new__(
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        **options: Any,
    ) -> "StructMeta":
        """Define a struct; `options` are msgspec's, such as the tag."""
        options.setdefault("kw_only", True)
        made = super().__new__(mcls, name, bases, namespace, **options)
        for value in made.__struct_defaults__:
            if not _is_single(value):
                raise TypeError(f"{name} has an ambiguous default: {value!r}")
        return made


def _is_single(value: object) -> bool:
    """Is this default the only copy of its value, or no default at all?"""
    if value is None or value is msgspec.NODEFAULT or isinstance(value, Enum):
        return True
    if isinstance(value, int):
        return -5 <= value <= 256
    return type(value) in (str, bytes, tuple) and not value


replace = msgspec.structs.replace
"""A struct with some fields changed: `replace(receipt, holder=party)`."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Struct(
    msgspec.Struct,
    metaclass=StructMeta,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """Base of everything that is encoded: immutable, named fields, no field that is not known."""


_encode: Final = Encoder().encode


def encode(obj: object) -> bytes:
    """The MessagePack form of a value."""
    try:
        return _encode(obj)
    except (OverflowError, UnicodeEncodeError) as problem:
        raise CodecError(plain_reason(problem)) from problem


@overload
def decoder(type_: type[T]) -> Decoder[T]: ...
@overload
def decoder(type_: object) -> Decoder[Any]: ...
def decoder(type_: Any) -> Decoder[Any]:
    """The decoder of a type, built once. For a type alias or a union the result is `Any`."""
    return _decoder(type_)


@cache
def _decoder(type_: Any) -> Decoder[Any]:
    """Check a type, then build its decoder."""
    check_type(type_)
    return Decoder(type_)


@overload
def decode(type_: type[T], data: bytes) -> T: ...
@overload
def decode(type_: object, data: bytes) -> Any: ...
def decode(type_: Any, data: bytes) -> Any:
    """The value of a MessagePack form; a problem names the field."""
    try:
        return _decoder(type_).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise CodecError(plain_reason(problem)) from problem


@overload
def decode_canonical(type_: type[T], data: bytes) -> T: ...
@overload
def decode_canonical(type_: object, data: bytes) -> Any: ...
def decode_canonical(type_: Any, data: bytes) -> Any:
    """The value of bytes that are exactly what `encode` would write for it."""
    value = decode(type_, data)
    if _encode(value) != data:
        raise CodecError("not canonical")
    return value


def settle_types() -> None:
    """Have msgspec prepare every struct that is loaded now, in this one thread.

    It does so at a struct's first use otherwise, and two threads that use one first at the same
    time crash the interpreter (msgspec 0.22). So: before a program starts threads that decode.
    """
    waiting: list[type[msgspec.Struct]] = [msgspec.Struct]
    while waiting:
        found = waiting.pop()
        waiting.extend(found.__subclasses__())
        _settle(found)


@cache
def _settle(struct: type[msgspec.Struct]) -> None:
    """Prepare one struct; one that cannot be decoded by itself is prepared where it is used."""
    with suppress(TypeError, NameError):
        Decoder(struct)


_LEAVES: Final = (
    inspect.IntType,
    inspect.BoolType,
    inspect.StrType,
    inspect.BytesType,
    inspect.NoneType,
    inspect.EnumType,
)


def check_type(type_: Any) -> None:
    """Refuse a type that could be encoded in more than one way, or not exactly."""
    seen: set[type] = set()
    waiting = [inspect.type_info(type_)]
    while waiting:
        info = waiting.pop()
        if isinstance(info, inspect.StructType):
            if not issubclass(get_origin(info.cls) or info.cls, Struct):
                raise CodecError("not a struct of ours", struct=info.cls.__name__)
            if info.cls not in seen:
                seen.add(info.cls)
                waiting.extend(field.type for field in info.fields)
        elif not isinstance(info, _LEAVES):
            waiting.extend(_parts(info))


def _parts(info: inspect.Type) -> Iterator[inspect.Type]:
    """The types inside a composed one."""
    if isinstance(info, inspect.Metadata):
        yield info.type
    elif isinstance(info, inspect.UnionType):
        yield from info.types
    elif isinstance(info, inspect.VarTupleType):
        yield info.item_type
    elif isinstance(info, inspect.TupleType):
        yield from info.item_types
    else:
        raise CodecError("no type for the ledger", type=type(info).__name__)
