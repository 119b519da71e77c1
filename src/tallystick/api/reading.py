"""Routes that read: records, lists of records, proofs, queries."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, cast

import msgspec
from litestar import Response, get

from tallystick.api.arguments import (
    parse_all,
    parse_filters,
    parse_key,
    read_cursor,
    write_cursor,
)
from tallystick.api.asking import Asked, arguments_of, number, segments_of, view_for
from tallystick.api.engine import exported, wants_file
from tallystick.api.problem import Absent
from tallystick.api.service import Service
from tallystick.api.submitting import packed_one
from tallystick.catalogue import QueryInfo, RecordInfo
from tallystick.gateway.wire import JSON
from tallystick.ledger.app import PUBLIC
from tallystick.ledger.context import missing
from tallystick.ledger.proof import RecordProof
from tallystick.ledger.refusal import Refused, require
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.view import View
from tallystick.values.codec import encode, encode_key, to_json

PAGE_MAX = 1_000
"""Most records of one page."""
ANSWER_MAX = 10_000
"""Most items of a query's answer."""
PROOF_TRIES = 8
"""How often a proof and a view of one height are asked for while blocks are made."""


def routes(service: Service) -> list[Any]:
    """The routes over a node."""

    @get("/v1/records/{rest:path}")
    async def records(request: Asked) -> Response[bytes]:
        """One record by its key (`?proof` proves it, or its absence), or a list by conditions."""
        return await service.read(lambda: _record(service, request))

    @get("/v1/queries/{rest:path}")
    async def queries(request: Asked) -> Response[bytes]:
        """A named read of an application."""
        return await service.read(lambda: _query(service, request))

    return [records, queries]


def _record(service: Service, request: Asked) -> Response[bytes]:
    """A record or a list."""
    _, _, *rest = segments_of(request)
    require(len(rest) >= 2, Refusal.NO_SUCH_QUERY, path="/".join(rest)[:200])
    app, command, *key = rest
    info = service.catalogue.record(app, command)
    if info is None:
        raise Refused(Refusal.NO_SUCH_QUERY, {"path": f"{app}/{command}"[:200]})
    if not key:
        return _list(request, info, view_for(service, request))
    found = parse_key(key, info)
    if any(name == "proof" for name, _ in arguments_of(request)):
        proof = _proof(service, request, info, found)
        return (
            exported(service, request, proof) if wants_file(request) else packed_one(request, proof)
        )
    view = view_for(service, request)
    kept = view.peek(info.type, *found)
    if kept is None:
        raise Absent.of(missing(info.type, found))
    return _answer(view, "record", to_json(kept))


def _list(request: Asked, info: RecordInfo, view: View) -> Response[bytes]:
    """A page of records that fit the conditions."""
    given = dict(arguments_of(request))
    cursor = read_cursor(given.pop("cursor", None), info)
    order = given.pop("order", None)
    limit = number(request, "limit", usual=100, most=PAGE_MAX)
    given.pop("limit", None)
    if order is not None:
        known = order.lstrip("-") in info.type.__struct_fields__ and cursor is None
        require(known, Refusal.BAD_ARGUMENT, detail="order: no such field, or a cursor too")
    found = view.find(
        info.type,
        order=order,
        cursor=cursor,
        limit=limit,
        **parse_filters(given.items(), info),
    )
    next_page = None
    if order is None and found and len(found) == limit:
        next_page = write_cursor(info.type.spec.key_of(found[-1]))
    listed = b"[" + b",".join([to_json(kept) for kept in found]) + b"]"
    return _answer(view, "records", listed, cursor=next_page)


def _proof(service: Service, request: Asked, info: RecordInfo, key: tuple[Any, ...]) -> RecordProof:
    """Proof that a record is there or that there is none, if the asker may know."""
    spec = info.type.spec
    for _ in range(PROOF_TRIES):
        view = view_for(service, request)
        proof = service.engine.prove_record(encode_key(spec.name, *key))
        if proof is not None and proof.seal.header.height == view.height:
            break
    else:
        raise Refused(Refusal.BUSY, {"reason": "blocks follow each other too quickly"})
    if view.sees_all:
        return proof
    if proof.record is None:
        is_open = spec.seen_by == PUBLIC
        require(is_open, Refusal.NOT_A_READER, reason="not everybody may know of such records")
        return proof
    shown = view.peek(info.type, *key)
    if shown is None or encode(shown) != proof.record:
        raise Absent.of(missing(info.type, key))
    return proof


def _query(service: Service, request: Asked) -> Response[bytes]:
    """Run a query."""
    _, _, *rest = segments_of(request)
    info = service.catalogue.query(*rest) if len(rest) == 2 else None
    if info is None:
        raise Refused(Refusal.NO_SUCH_QUERY, {"path": "/".join(rest)[:200]})
    parameters = parse_all(arguments_of(request), info.parameters)
    view = view_for(service, request)
    return _answer(view, "answer", _told(info, info.call(view, **parameters)))


def _told(info: QueryInfo, answer: Any) -> bytes:
    """A query's answer as JSON."""
    if not info.many:
        return _plain(answer)
    items = list(islice(cast("Iterable[Any]", answer), ANSWER_MAX + 1))
    require(len(items) <= ANSWER_MAX, Refusal.NEEDS_INDEX, record=f"{info.app}.{info.name}")
    return b"[" + b",".join([_plain(item) for item in items]) + b"]"


def _plain(item: Any) -> bytes:
    """A struct in the house's JSON; anything else as it is."""
    return to_json(item) if isinstance(item, msgspec.Struct) else msgspec.json.encode(item)


def _answer(view: View, name: str, body: bytes, **more: str | None) -> Response[bytes]:
    """What was read, with the height and ledger time it was read at."""
    parts = [
        b'"height":%d' % view.height,
        b'"ledger_ms":%d' % view.now_ms,
        b'"%s":%s' % (name.encode(), body),
    ]
    parts += [b'"%s":%s' % (key.encode(), msgspec.json.encode(text)) for key, text in more.items()]
    return Response(b"{" + b",".join(parts) + b"}", status_code=200, media_type=JSON)
