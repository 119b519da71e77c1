"""Text of a path or a query as a value of a declared type, and back: keys, filters, parameters."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from tallystick.catalogue import FieldInfo, RecordInfo, bare
from tallystick.ledger.refusal import Refused, require
from tallystick.ledger.refusals import Refusal
from tallystick.values.codec import decode_key, encode_key
from tallystick.values.errors import CodecError

COMPARISONS = frozenset({"ge", "gt", "le", "lt"})
"""What may stand behind two underscores in a filter: `amount_minor__ge=100`."""


def parse(text: str, type_: Any, name: str) -> Any:
    """A value of a type from its text; BAD_ARGUMENT says what is wrong."""
    plain: Any = text
    if bare(type_) is bytes:
        try:
            plain = bytes.fromhex(text)
        except ValueError:
            raise _bad(name, "not hex") from None
    try:
        return msgspec.convert(plain, type_, strict=False, builtin_types=(bytes,))
    except (msgspec.ValidationError, UnicodeError) as problem:
        raise _bad(name, str(problem)) from None


def parse_all(given: Iterable[tuple[str, str]], fields: Sequence[FieldInfo]) -> dict[str, Any]:
    """Parameters of a query from arguments; a repeated argument is a tuple's next item."""
    known = {field.name: field for field in fields}
    texts: dict[str, list[str]] = {}
    for name, text in given:
        require(name in known, Refusal.BAD_ARGUMENT, detail=f"{name[:64]}: unknown")
        texts.setdefault(name, []).append(text)
    values = {}
    for field in fields:
        if field.name in texts:
            values[field.name] = _parse_field(texts[field.name], field)
        else:
            is_given = not field.required
            require(is_given, Refusal.BAD_ARGUMENT, detail=f"{field.name}: missing")
    return values


def _parse_field(texts: list[str], field: FieldInfo) -> Any:
    """One value, or several for a field that takes several."""
    plain = bare(field.type)
    if get_origin(plain) is tuple:
        inner = get_args(plain)[0]
        items = tuple(parse(text, inner, field.name) for text in texts)
        try:
            return msgspec.convert(items, field.type, builtin_types=(bytes,))
        except msgspec.ValidationError as problem:
            raise _bad(field.name, str(problem)) from None
    require(len(texts) == 1, Refusal.BAD_ARGUMENT, detail=f"{field.name}: given twice")
    return parse(texts[0], field.type, field.name)


def parse_key(texts: Sequence[str], info: RecordInfo) -> tuple[Any, ...]:
    """A record's key from the segments of a path."""
    names = info.type.spec.key
    fits = len(texts) == len(names)
    require(fits, Refusal.BAD_ARGUMENT, detail=f"the key is {'/'.join(names)}")
    hints = get_type_hints(info.type, include_extras=True)
    return tuple(parse(text, hints[name], name) for text, name in zip(texts, names, strict=True))


def parse_filters(given: Iterable[tuple[str, str]], info: RecordInfo) -> dict[str, Any]:
    """Conditions on a record's fields: `holder=S1`, `amount_minor__ge=100`."""
    hints = get_type_hints(info.type, include_extras=True)
    filters = {}
    for name, text in given:
        field, _, how = name.partition("__")
        is_field = field in info.type.__struct_fields__ and (not how or how in COMPARISONS)
        require(is_field, Refusal.BAD_ARGUMENT, detail=f"{name[:64]}: no such field")
        filters[name] = parse(text, hints[field], field)
    return filters


def write_cursor(key: tuple[Any, ...]) -> str:
    """A place in a list, from the key of its last record."""
    return base64.urlsafe_b64encode(encode_key("cursor", *key)).decode("ascii")


def read_cursor(text: str | None, info: RecordInfo) -> tuple[Any, ...] | None:
    """The key in a cursor; None without one."""
    if text is None:
        return None
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
        name, *key = decode_key(raw)
    except (binascii.Error, CodecError, ValueError):
        raise _bad("cursor", "not a cursor") from None
    is_ours = name == "cursor" and len(key) == len(info.type.spec.key)
    require(is_ours, Refusal.BAD_ARGUMENT, detail="cursor: of another list")
    return tuple(key)


def _bad(name: str, detail: str) -> Refused:
    return Refused(Refusal.BAD_ARGUMENT, {"detail": f"{name[:64]}: {detail[:200]}"})
