"""From a request's bytes to a response's: which thread it is for, and which method answers it."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from google.protobuf.message import DecodeError

from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.application import Application
from tallystick.engine.cometbft.frames import BadFrame, frame


class Route(enum.Enum):
    """Where a request is answered."""

    HERE = "here"
    """On the loop: it costs nothing."""
    READ = "read"
    """On a thread of several that only read."""
    MEMPOOL = "mempool"
    """On the one thread that looks at bundles that are to wait."""
    EXECUTE = "execute"
    """On the one thread that may change the ledger."""


ROUTES = {
    "echo": Route.HERE,
    "flush": Route.HERE,
    "info": Route.READ,
    "query": Route.READ,
    "list_snapshots": Route.READ,
    "load_snapshot_chunk": Route.READ,
    "check_tx": Route.MEMPOOL,
    "offer_snapshot": Route.EXECUTE,
    "apply_snapshot_chunk": Route.EXECUTE,
    "init_chain": Route.EXECUTE,
    "prepare_proposal": Route.EXECUTE,
    "process_proposal": Route.EXECUTE,
    "extend_vote": Route.EXECUTE,
    "verify_vote_extension": Route.EXECUTE,
    "finalize_block": Route.EXECUTE,
    "commit": Route.EXECUTE,
}
"""Where each kind of request is answered; the names are those of the fields of `Request`."""

_BYTES_FIELD = 2
"""Wire type of a message inside another."""
_BY_TAG = {
    field.number << 3 | _BYTES_FIELD: ROUTES[field.name] for field in abci.Request.DESCRIPTOR.fields
}

STILL_ANSWERED = frozenset({"echo", "flush"})
"""What is answered even after the application has halted."""


def route_of(message: bytes) -> Route:
    """Where a request is answered, by its first bytes; what cannot be told is read and refused."""
    tag = message[0] if message else 0
    if tag > 0x7F and len(message) > 1:
        tag = tag & 0x7F | message[1] << 7
    return _BY_TAG.get(tag, Route.READ)


def answer(application: Application, message: bytes, route: Route) -> bytes:
    """The framed response to one request.

    `BadFrame` when it is no request of ABCI. What is wrong with this node comes through.
    """
    try:
        request = abci.Request.FromString(message)
    except DecodeError:
        raise BadFrame(f"{len(message)} bytes that are no request") from None
    kind = request.WhichOneof("value")
    if kind is None:
        return exception(f"unknown request: {message[:20].hex()}")
    if ROUTES[kind] is not route:
        raise BadFrame("a request of two kinds")
    if application.problem is not None and kind not in STILL_ANSWERED:
        return exception(f"the ledger has halted: {application.problem}")
    said = getattr(application, kind)(getattr(request, kind))
    return frame(abci.Response(**{kind: said}).SerializeToString())


def answer_all(
    application: Application, messages: Sequence[bytes], route: Route, answers: list[bytes]
) -> None:
    """Answer requests one after the other; `answers` holds those before what went wrong."""
    answers.extend(answer(application, message, route) for message in messages)


def exception(problem: str) -> bytes:
    """The framed response that stops the engine."""
    said = abci.Response(exception=abci.ResponseException(error=problem))
    return frame(said.SerializeToString())
