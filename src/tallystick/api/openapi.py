"""The node's door as an OpenAPI 3.1 document, made from the catalogue."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from tallystick.api.schema import Schema, Schemas
from tallystick.catalogue import Catalogue, FieldInfo, QueryInfo, RecordInfo, bare
from tallystick.gateway.reply import Reply
from tallystick.gateway.standing import BlockView, NodeStatus
from tallystick.gateway.wire import FRAMES, JSON, MSGPACK
from tallystick.ledger.proof import ReceiptProof, RecordProof

READ: list[dict[str, list[str]]] = [{"readToken": []}]
"""Reads carry a read token; on the node's own socket they need none."""


def document(catalogue: Catalogue) -> Schema:
    """The whole document."""
    schemas = Schemas()
    for each in (Reply, NodeStatus, RecordProof, ReceiptProof, BlockView):
        schemas.of(each)
    paths = _own_paths()
    records = [(each, "ledger") for each in catalogue.ledger_records]
    records += [(each, app.name) for app in catalogue.apps for each in app.records]
    for info, app_name in records:
        paths[f"/v1/records/{app_name}/{info.command}"] = {"get": _list(info, schemas)}
        keys = "/".join("{" + name + "}" for name in info.type.spec.key)
        paths[f"/v1/records/{app_name}/{info.command}/{keys}"] = {"get": _one(info, schemas)}
    for app in catalogue.apps:
        for query in app.queries:
            paths[f"/v1/queries/{app.name}/{query.command}"] = {"get": _query(query, schemas)}
        for message in app.messages:
            schemas.of(message.type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tallystick node",
            "version": version("tallystick"),
            "description": "For machines: over the node's Unix socket, or TCP with mutual TLS.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.components | {"Error": _error()},
            "securitySchemes": {
                "readToken": {"type": "apiKey", "in": "header", "name": "Authorization"}
            },
        },
    }


def _own_paths() -> dict[str, Any]:
    """Routes that no application adds to."""
    reply = {"$ref": "#/components/schemas/Reply"}
    many = {"type": "array", "items": reply}
    wait = _parameter("wait", {"type": "integer", "minimum": 0, "maximum": 60})
    return {
        "/v1/transactions": {
            "post": {
                "summary": "Hand in one signed transaction, or a stream of frames of them",
                "parameters": [wait],
                "requestBody": {
                    "required": True,
                    "content": {"application/octet-stream": {}, FRAMES: {}},
                },
                "responses": _responses({"anyOf": [reply, many]}),
            }
        },
        "/v1/transactions/{id}": {
            "get": {
                "summary": "What became of a transaction; with `proof`, its receipt's proof",
                "parameters": [_in_path("id", {"type": "string"}), wait, *_proof()],
                "security": READ,
                "responses": _responses(
                    {"anyOf": [reply, {"$ref": "#/components/schemas/ReceiptProof"}]}
                ),
            }
        },
        "/v1/blocks": {
            "get": {
                "summary": "Blocks from a height on, as a stream",
                "parameters": [_parameter("from", {"type": "integer"}), _flag("follow")],
                "security": READ,
                "responses": {"200": {"description": "Blocks", "content": {FRAMES: {}}}},
            }
        },
        "/v1/engine/{method}": {
            "get": {
                "summary": "What light clients need of a consortium's engine, in CometBFT's form:"
                " status, commit, validators or consensus_params",
                "parameters": [
                    _parameter(name, {"type": "integer"}) for name in ("height", "page", "per_page")
                ],
                "responses": {"200": {"description": "A JSON-RPC answer", "content": {JSON: {}}}},
            }
        },
        "/v1/status": {"get": _fixed("How the node is doing", "NodeStatus")},
        "/v1/catalogue": {"get": _fixed("What the applications say of themselves", None)},
        "/v1/genesis": {"get": _fixed("How the chain began", None)},
        "/v1/openapi.json": {"get": _fixed("This document", None)},
        "/v1/health": {"get": _probe("Whether the process does its work; else restart it")},
        "/v1/ready": {"get": _probe("Whether the node should be sent requests")},
        "/metrics": {"get": {"summary": "Gauges", "responses": {"200": {"description": "Text"}}}},
    }


def _list(info: RecordInfo, schemas: Schemas) -> Schema:
    """A page of records; any field may be a condition."""
    filters = [_parameter(f.name, schemas.of(f.type)) for f in info.struct.fields]
    paging = [_parameter(name, {"type": "string"}) for name in ("cursor", "order")]
    paging.append(_parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000}))
    page = _read_at("records", {"type": "array", "items": schemas.of(info.type)})
    page["properties"]["cursor"] = {"type": ["string", "null"]}
    return {
        "summary": f"Find: {info.struct.doc}",
        "parameters": filters + paging,
        "security": READ,
        "responses": _responses(page),
    }


def _one(info: RecordInfo, schemas: Schemas) -> Schema:
    """One record by its key."""
    fields = {field.name: field for field in info.struct.fields}
    keys = [_in_path(name, schemas.of(fields[name].type)) for name in info.type.spec.key]
    kept = _read_at("record", schemas.of(info.type))
    proof = {"$ref": "#/components/schemas/RecordProof"}
    return {
        "summary": f"Read: {info.struct.doc}",
        "parameters": [*keys, *_proof()],
        "security": READ,
        "responses": _responses({"anyOf": [kept, proof]}),
    }


def _query(info: QueryInfo, schemas: Schemas) -> Schema:
    """A named read."""
    answer: Schema = {} if info.returns is None else schemas.of(info.returns.type)
    if info.many:
        answer = {"type": "array", "items": answer}
    return {
        "summary": info.doc,
        "parameters": [_asked(field, schemas) for field in info.parameters],
        "security": READ,
        "responses": _responses(_read_at("answer", answer)),
    }


def _asked(field: FieldInfo, schemas: Schemas) -> Schema:
    """A parameter of a query; tuples are given by repeating it."""
    return _parameter(field.name, schemas.of(bare(field.type)), required=field.required)


def _read_at(name: str, schema: Schema) -> Schema:
    """What was read, with height and ledger time."""
    return {
        "type": "object",
        "properties": {
            "height": {"type": "integer"},
            "ledger_ms": {"type": "integer"},
            name: schema,
        },
        "required": ["height", "ledger_ms", name],
    }


def _parameter(name: str, schema: Schema, *, required: bool = False) -> Schema:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def _flag(name: str) -> Schema:
    return _parameter(name, {"type": "string", "const": ""}) | {"allowEmptyValue": True}


def _proof() -> list[Schema]:
    """How a proof is asked for: as data, or under a consortium as a file for who trusts a block."""
    how = _parameter("proof", {"type": "string", "enum": ["", "file"]}) | {"allowEmptyValue": True}
    return [how, _parameter("trusted", {"type": "integer", "minimum": 1})]


def _in_path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _fixed(summary: str, component: str | None) -> Schema:
    schema = {} if component is None else {"$ref": f"#/components/schemas/{component}"}
    return {"summary": summary, "responses": _responses(schema)}


def _probe(summary: str) -> Schema:
    """The answer to a probe: the same under either status."""
    check = {"name": {"type": "string"}, "ok": {"type": "boolean"}, "text": {"type": "string"}}
    told = {
        "ok": {"type": "boolean"},
        "checks": {
            "type": "array",
            "items": {"type": "object", "properties": check, "required": list(check)},
        },
    }
    schema = {"type": "object", "properties": told, "required": list(told)}
    answers = {"200": "All is well", "503": "Something is not"}
    return {
        "summary": summary,
        "responses": {
            code: {"description": text, "content": {JSON: {"schema": schema}}}
            for code, text in answers.items()
        },
    }


def _responses(schema: Schema) -> Schema:
    """The answer, and what a no looks like."""
    content = {JSON: {"schema": schema}, MSGPACK: {}}
    error = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        "200": {"description": "The answer", "content": content},
        "default": {"description": "A coded refusal", "content": error},
    }


def _error() -> Schema:
    """A coded refusal."""
    told = {
        "app": {"type": "string"},
        "code": {"type": "integer"},
        "name": {"type": "string"},
        "values": {"type": "object"},
        "message": {"type": "string"},
        "retry": {"type": "boolean"},
    }
    inner = {"type": "object", "properties": told, "required": list(told)}
    return {"type": "object", "properties": {"error": inner}, "required": ["error"]}
