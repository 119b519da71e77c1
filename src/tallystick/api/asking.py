"""One request: who asks, what the path and the arguments say, how the body is read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from litestar import Request

from tallystick.gateway.wire import STREAM_BYTES_MAX, TOKEN_MS_MAX, read_token
from tallystick.ledger.refusal import Refused, require
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.view import View

if TYPE_CHECKING:
    from tallystick.api.service import Service

Asked = Request[Any, Any, Any]

WAIT_SECONDS_MAX = 60
"""How long an answer is waited for."""


def target_of(request: Asked) -> str:
    """Path and query as they were sent."""
    raw: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return (raw + b"?" + query if query else raw).decode("latin-1")


def segments_of(request: Asked) -> list[str]:
    """Segments of the path, each decoded by itself: `%2F` does not part them."""
    raw: bytes = request.scope["raw_path"]
    try:
        return [unquote(each, errors="strict") for each in raw.decode("ascii").split("/")[1:]]
    except UnicodeDecodeError:
        raise Refused(Refusal.BAD_ARGUMENT, {"detail": "the path is not UTF-8"}) from None


def arguments_of(request: Asked) -> list[tuple[str, str]]:
    """Arguments of the query, in order."""
    query: bytes = request.scope["query_string"]
    try:
        return parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(query),
            errors="strict",
            max_num_fields=100,
        )
    except (UnicodeDecodeError, ValueError):
        raise Refused(Refusal.BAD_ARGUMENT, {"detail": "the query cannot be read"}) from None


def argument(request: Asked, name: str) -> str | None:
    """An argument by name; the last one when it is given twice."""
    return dict(arguments_of(request)).get(name)


def number(request: Asked, name: str, *, usual: int, most: int) -> int:
    """A whole number among the arguments."""
    text = argument(request, name)
    if text is None:
        return usual
    is_number = text.isascii() and text.isdigit() and len(text) <= 16
    require(is_number, Refusal.BAD_ARGUMENT, detail=f"{name} is not a number")
    return min(int(text), most)


def wait_seconds(request: Asked) -> int:
    """How long the client wants to wait for an answer."""
    return number(request, "wait", usual=0, most=WAIT_SECONDS_MAX)


def view_for(service: Service, request: Asked) -> View:
    """State as the asker may see it: by read token, or all of it on the node's own socket."""
    header = request.headers.get("authorization")
    if header is None:
        require(service.is_trusted, Refusal.NOT_A_READER, reason="there is no read token")
        return service.engine.view()
    token = read_token(header)
    reading = token.reading
    require(reading.target == target_of(request), Refusal.NOT_A_READER, reason="another path")
    require(
        reading.chain_id == service.ledger.chain_id, Refusal.NOT_A_READER, reason="another chain"
    )
    now_ms = service.wall_ms()
    is_now = now_ms < reading.expires_at_ms <= now_ms + TOKEN_MS_MAX
    require(is_now, Refusal.NOT_A_READER, reason="expired, or of the future")
    is_good = service.verify(token.public_key, token.signed(), token.signature)
    require(is_good, Refusal.NOT_A_READER, reason="the signature is not good")
    everything = service.engine.view()
    authority = service.ledger.authority
    party = authority.reader_of(everything, token.public_key)
    if party is None:
        raise Refused(Refusal.NOT_A_READER, {"reason": "a key in no use"})
    sees_all = authority.sees_all(everything, party)
    return service.engine.view(asker=party, sees_all=sees_all)


async def read_body(request: Asked, seconds: int, most: int = STREAM_BYTES_MAX) -> bytes:
    """The body, unless it is too large or too slow."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > most:
        raise Refused(Refusal.TOO_LARGE, {"bytes": declared[:20], "bytes_max": most})
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                event: Any = await request.receive()
                require(event["type"] == "http.request", Refusal.MALFORMED, detail="cut off")
                chunk: bytes = event.get("body", b"")
                size += len(chunk)
                require(size <= most, Refusal.TOO_LARGE, bytes=size, bytes_max=most)
                parts.append(chunk)
                if not event.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise Refused(Refusal.MALFORMED, {"detail": "the body came too slowly"}) from None
