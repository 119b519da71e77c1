"""Routes that tell of the node itself: status, catalogue, OpenAPI, genesis."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Response, get

from tallystick.api.asking import Asked
from tallystick.api.openapi import document
from tallystick.api.plain import catalogue_data
from tallystick.api.service import Service
from tallystick.api.submitting import packed_one
from tallystick.gateway.standing import NodeStatus
from tallystick.gateway.wire import JSON
from tallystick.ledger.genesis import genesis_to_json


def routes(service: Service) -> list[Any]:
    """The routes over a node. What never changes is made once, when it is first asked for."""
    made: dict[str, bytes] = {}

    @get("/v1/status")
    async def status(request: Asked) -> Response[bytes]:
        """How the node is doing."""
        return packed_one(request, node_status(service))

    @get("/v1/catalogue")
    async def catalogue() -> Response[bytes]:
        """What the applications say of themselves."""
        if "catalogue" not in made:
            made["catalogue"] = msgspec.json.encode(catalogue_data(service.catalogue))
        return Response(made["catalogue"], media_type=JSON)

    @get("/v1/openapi.json")
    async def openapi() -> Response[bytes]:
        """This door, as an OpenAPI document."""
        if "openapi" not in made:
            made["openapi"] = msgspec.json.encode(document(service.catalogue))
        return Response(made["openapi"], media_type=JSON)

    @get("/v1/genesis")
    async def genesis() -> Response[bytes]:
        """The genesis, without its first records: name, node key, limits."""
        plain = msgspec.structs.replace(service.ledger.genesis, records=())
        return Response(genesis_to_json(plain, service.ledger.rules.record_types), media_type=JSON)

    return [status, catalogue, openapi, genesis]


def node_status(service: Service) -> NodeStatus:
    """How the node is doing."""
    standing, genesis = service.engine.standing(), service.ledger.genesis
    return NodeStatus(
        chain_id=service.ledger.chain_id,
        genesis_hash=genesis.hash,
        release=version("tallystick"),
        height=standing.height,
        block_ms=standing.block_ms,
        ledger_ms=service.engine.now_ms(),
        committed_ms=standing.ledger_ms,
        horizon_ms=genesis.horizon_ms,
        state_root=standing.state_root,
        queued=standing.queued,
        trial=genesis.trial,
        demo=genesis.demo,
        trouble=standing.trouble,
        clock_trouble=service.clock_trouble(),
    )
