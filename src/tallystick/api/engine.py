"""Routes that tell of a consortium's engine: what light clients and state sync of members need.

In CometBFT's own JSON-RPC form. A client certificate of this node opens them, as it does status and
genesis: a node that joins has no key on the ledger yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response, get

from tallystick.api.asking import Asked, arguments_of, number
from tallystick.engine.base import Busy
from tallystick.engine.cometbft.light.export import Export
from tallystick.engine.cometbft.light.serving import METHODS
from tallystick.errors import BadAnswer, NoSuchBlock
from tallystick.gateway.reply import busy_no
from tallystick.gateway.wire import JSON, MSGPACK
from tallystick.ledger.proof import ReceiptProof, RecordProof
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal

if TYPE_CHECKING:
    from tallystick.api.service import Service

FILE = "file"
"""Value of `?proof=` that asks for a file with light blocks."""


def routes(service: Service) -> list[Any]:
    """The routes over a node."""

    @get("/v1/engine/{method:str}")
    async def engine(request: Asked) -> Response[bytes]:
        """`status`, `commit`, `validators` or `consensus_params`, as CometBFT's RPC tells them."""
        method = str(request.path_params["method"])
        light = service.light
        if light is None or method not in METHODS:
            raise Refused(Refusal.NO_SUCH_QUERY, {"path": f"engine/{method}"[:200]})
        given = dict(arguments_of(request))
        answer = await service.read(lambda: light.answer(method, given))
        status = 500 if "error" in answer else 200
        return Response(msgspec.json.encode(answer), status_code=status, media_type=JSON)

    return [engine]


def wants_file(request: Asked) -> bool:
    """Whether a proof is asked for as a file: `?proof=file`."""
    return ("proof", FILE) in arguments_of(request)


def exported(
    service: Service, request: Asked, proof: RecordProof | ReceiptProof
) -> Response[bytes]:
    """A proof as a file for who trusts block `?trusted=HEIGHT`; the first one that is kept."""
    if service.light is None:
        detail = "proof=file: only a consortium's proofs have light blocks"
        raise Refused(Refusal.BAD_ARGUMENT, {"detail": detail})
    height = number(request, "trusted", usual=0, most=2**53)
    try:
        made: Export = service.light.export(proof, height or None)
    except Busy as problem:
        raise busy_no(problem) from None
    except (NoSuchBlock, BadAnswer) as problem:
        raise Refused(Refusal.BAD_ARGUMENT, {"detail": f"trusted: {problem}"}) from None
    return Response(made.to_bytes(), status_code=200, media_type=MSGPACK)
