"""The catalogue as plain data: what `GET /v1/catalogue` serves."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

import msgspec

from tallystick.api.schema import Schemas
from tallystick.catalogue import (
    AppInfo,
    Catalogue,
    FieldInfo,
    MessageInfo,
    QueryInfo,
    RecordInfo,
    RefusalInfo,
    StructInfo,
    marks,
    unit_of,
)
from tallystick.ledger.app import tag_of
from tallystick.values.codec import to_json
from tallystick.values.units import KeyOf

Plain = dict[str, Any]


def catalogue_data(catalogue: Catalogue) -> Plain:
    """Everything, with the schemas of all structs as components."""
    schemas = Schemas()
    return {
        "apps": [_app(app, schemas) for app in catalogue.apps],
        "ledger": {
            "records": [_record(each, schemas) for each in catalogue.ledger_records],
            "refusals": [_refusal(each) for each in catalogue.ledger_refusals],
            "words": catalogue.ledger_words,
        },
        "components": {"schemas": schemas.components},
    }


def _app(app: AppInfo, schemas: Schemas) -> Plain:
    return {
        "name": app.name,
        "doc": app.doc,
        "version": app.app.version,
        "verbs": {verb: list(kinds) for verb, kinds in app.app.verbs.items()},
        "messages": [_message(each, schemas) for each in app.messages],
        "records": [_record(each, schemas) for each in app.records],
        "queries": [_query(each, schemas) for each in app.queries],
        "refusals": [_refusal(each) for each in app.refusals],
        "words": app.words,
    }


def _message(info: MessageInfo, schemas: Schemas) -> Plain:
    spec = info.type.spec
    return {
        "name": info.name,
        "command": info.command,
        "tag": tag_of(info.type),
        "doc": info.struct.doc,
        "verb": spec.verb,
        "officers": [[role.value, count] for role, count in spec.officers],
        "limit_by": spec.limit_by,
        "duty": spec.duty,
        "one_person": spec.one_person,
        "timer": spec.timer,
        "since": spec.since,
        "until": spec.until,
        "fields": _fields(info.struct.fields, schemas),
        "refusals": [f"{each.app} {each.number} {each.name}" for each in info.refusals],
        "schema": schemas.of(info.type),
    }


def _record(info: RecordInfo, schemas: Schemas) -> Plain:
    spec = info.type.spec
    return {
        "name": info.name,
        "command": info.command,
        "tag": tag_of(info.type),
        "doc": info.struct.doc,
        "key": list(spec.key),
        "missing": None if spec.missing is None else f"{spec.missing.app} {spec.missing.number}",
        "moves": [
            [None if was is None else was.value, [each.value for each in now]]
            for was, now in spec.moves.items()
        ],
        "lists": [list(each) for each in spec.lists],
        "seen_by": list(spec.seen_by),
        "fields": _fields(info.struct.fields, schemas),
        "schema": schemas.of(info.type),
    }


def _query(info: QueryInfo, schemas: Schemas) -> Plain:
    returns: StructInfo | None = info.returns
    return {
        "name": info.name,
        "command": info.command,
        "doc": info.doc,
        "parameters": _fields(info.parameters, schemas),
        "returns": None if returns is None else returns.name,
        "many": info.many,
        "schema": {} if returns is None else schemas.of(returns.type),
    }


def _fields(fields: Iterable[FieldInfo], schemas: Schemas) -> list[Plain]:
    return [
        {
            "name": field.name,
            "doc": field.doc,
            "unit": unit_of(field.type),
            "refers_to": next((m.record for m in marks(field.type) if isinstance(m, KeyOf)), None),
            "required": field.required,
            "default": _default(field.default),
            "schema": schemas.of(field.type),
        }
        for field in fields
    ]


def _default(value: Any) -> Any:
    """A default as JSON shows it."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, msgspec.Struct):
        return msgspec.json.decode(to_json(value))
    if isinstance(value, bytes):
        return value.hex()
    return list(value) if isinstance(value, tuple) else value


def _refusal(info: RefusalInfo) -> Plain:
    return {
        "number": info.number,
        "name": info.name,
        "doc": info.doc,
        "rule": info.rule,
        "retry": info.retry,
    }
