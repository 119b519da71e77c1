"""The stream of blocks: each as the asker may see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from litestar import get
from litestar.response import Stream

from tallystick.api.asking import Asked, argument, number, view_for
from tallystick.api.service import Service
from tallystick.api.submitting import parties_of
from tallystick.errors import NoSuchBlock
from tallystick.gateway.standing import BlockView, TransactionView
from tallystick.gateway.wire import FRAMES, pack_frames
from tallystick.ledger.block import Entry
from tallystick.ledger.proof import seal_of
from tallystick.ledger.receipt import Change
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.view import View
from tallystick.values.codec import decode_key, encode, to_json

LINES = "application/x-ndjson"
"""Blocks as lines of JSON; the default is frames of MessagePack."""
FOLLOW_SECONDS = 0.1
"""How often a stream that follows looks for the next block."""


def routes(service: Service) -> list[Any]:
    """The route over a node."""

    @get("/v1/blocks")
    async def blocks(request: Asked) -> Stream:
        """Blocks from `?from=HEIGHT` to the last; with `?follow` also those to come."""
        view = await service.read(lambda: view_for(service, request))
        first = max(number(request, "from", usual=1, most=2**53), 1)
        await service.read(partial(_require_here, service, first))
        follows = argument(request, "follow") is not None
        as_lines = request.headers.get("accept") == LINES
        found = _blocks(service, view, first, follows=follows)
        return Stream(_packed(found, as_lines=as_lines), media_type=LINES if as_lines else FRAMES)

    return [blocks]


async def _blocks(
    service: Service, view: View, first: int, *, follows: bool
) -> AsyncIterator[BlockView]:
    """Blocks one by one, read on the threads for readers."""
    height = first
    while not service.gateway.is_closing:
        if height > service.engine.standing().height:
            if not follows:
                return
            await asyncio.sleep(FOLLOW_SECONDS)
            continue
        yield await service.read(partial(_block_at, service, view, height))
        height += 1


def _require_here(service: Service, first: int) -> None:
    """Refuse at once what would begin with a gap: this node's blocks may not begin with the first.

    A block above the last one may be waited for.
    """
    if first <= service.engine.standing().height:
        try:
            service.engine.entry(first)
        except NoSuchBlock as problem:
            raise Refused(Refusal.NOT_HERE, {"first": problem.first}) from None


def _block_at(service: Service, view: View, height: int) -> BlockView:
    """The block of a height."""
    return block_view(service, view, service.engine.entry(height))


async def _packed(found: AsyncIterator[BlockView], *, as_lines: bool) -> AsyncIterator[bytes]:
    """Blocks as they travel."""
    async for block in found:
        yield to_json(block) + b"\n" if as_lines else pack_frames([encode(block)])


def block_view(service: Service, view: View, entry: Entry) -> BlockView:
    """A block as the asker may see it: others' transactions by id and size alone."""
    first = len(entry.receipts) - len(entry.transactions)
    transactions = []
    for raw, receipt in zip(entry.transactions, entry.receipts[first:], strict=True):
        transaction = service.ledger.codec.decode(raw)
        is_own = view.sees_all or view.asker in parties_of(transaction)
        transactions.append(
            TransactionView(
                transaction_id=transaction.id,
                size=len(raw),
                raw=raw if is_own else None,
                receipt=receipt if is_own else None,
            )
        )
    changes = [change for each in (*entry.changes, entry.own_changes) for change in each]
    return BlockView(
        seal=seal_of(entry),
        ledger_ms=entry.ledger_ms,
        transactions=tuple(transactions),
        changes=tuple(_seen(service, view, changes)),
    )


def _seen(service: Service, view: View, changes: list[Change]) -> list[Change]:
    """The changes that the asker may see; that a record was dropped is told to who sees all."""
    if view.sees_all:
        return changes
    seen: list[Change] = []
    for key, raw in changes:
        if raw is None:
            continue
        name = str(decode_key(key)[0])
        shown = view.shown(service.ledger.rules.decoders[name].decode(raw))
        if shown is not None:
            seen.append((key, encode(shown)))
    return seen
