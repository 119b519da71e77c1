"""Routes for transactions: handing them in, one or a thousand, and asking what became of them."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any

import msgspec
from litestar import Response, get, post

from tallystick.api.asking import Asked, argument, read_body, view_for, wait_seconds
from tallystick.api.engine import exported, wants_file
from tallystick.api.service import Service
from tallystick.gateway.batch import Batch
from tallystick.gateway.reply import Reply
from tallystick.gateway.wire import FRAMES, JSON, MSGPACK, unpack_frames
from tallystick.ledger.refusal import Refused, require
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.transaction import BYTES_MAX, Transaction
from tallystick.ledger.view import View
from tallystick.values.codec import encode, to_json


def routes(service: Service) -> list[Any]:
    """The routes over a node."""

    @post("/v1/transactions")
    async def submit(request: Asked) -> Response[bytes]:
        """Take one signed transaction, or a stream of frames of them.

        `?wait=SECONDS` waits until each has its answer. One is answered by one reply, a stream by
        a list in the same order.
        """
        seconds = wait_seconds(request)
        is_stream = request.headers.get("content-type", "").startswith(FRAMES)
        if is_stream:
            raws = unpack_frames(await read_body(request, service.patience_seconds))
            require(bool(raws), Refusal.MALFORMED, detail="no transaction")
        else:
            raws = [await read_body(request, service.patience_seconds, BYTES_MAX)]
        batch = await handed_in(service, raws, seconds)
        if is_stream:
            return packed(request, batch)
        return packed_one(request, batch.replies()[0])

    @get("/v1/transactions/{transaction_id:str}")
    async def ask(request: Asked) -> Response[bytes]:
        """What became of a transaction; `?wait=SECONDS` waits, `?proof` proves its receipt."""
        transaction_id = str(request.path_params["transaction_id"])
        wanted = id_of(transaction_id)
        view = await service.read(lambda: view_for(service, request))
        if argument(request, "proof") is not None:
            proof = await service.read(lambda: service.engine.prove_receipt(wanted))
            if proof is None:
                raise unknown(transaction_id)
            height = proof.seal.header.height
            may = await service.read(lambda: may_read(service, view, wanted, height))
            require(may, Refusal.NOT_A_READER, reason="another party's transaction")
            if wants_file(request):
                return await service.read(lambda: exported(service, request, proof))
            return packed_one(request, proof)
        batch = await service.read(lambda: service.gateway.ask(wanted))
        if batch is None:
            raise unknown(transaction_id)
        await wait_for(batch, wait_seconds(request))
        reply = batch.replies()[0]
        if not await service.read(lambda: may_read(service, view, wanted, reply.height)):
            reply = Reply(outcome=reply.outcome, transaction_id=wanted, height=reply.height)
        return packed_one(request, reply)

    return [submit, ask]


def unknown(transaction_id: str) -> Refused:
    """Nobody here has heard of it."""
    return Refused(Refusal.NO_SUCH_TRANSACTION, {"transaction_id": transaction_id})


async def handed_in(service: Service, raws: list[bytes], seconds: int) -> Batch:
    """Hand transactions in and wait until each has its answer, or the time is over.

    The thread that admits them wakes this one once: when it failed, or all answers are there.
    """
    news = _News()

    def offer(inside: ExitStack) -> Batch:
        with inside:
            batch = service.gateway.offer(raws, place)
        if seconds:
            batch.when_done(news.tell)
        return batch

    with ExitStack() as inside:
        place = inside.enter_context(service.gateway.room.taken(len(raws), sum(map(len, raws))))
        offered = service.writers.submit(offer, inside.pop_all())

    def failed(future: Future[Batch]) -> None:
        if future.exception() is not None:
            news.tell()

    offered.add_done_callback(failed)
    try:
        await news.come(seconds)
        if offered.done():
            return offered.result()
        return await asyncio.shield(asyncio.wrap_future(offered))
    finally:
        offered.add_done_callback(_leave)


def _leave(offered: Future[Batch]) -> None:
    """Nobody waits for the answers any more."""
    if offered.exception() is None:
        offered.result().leave()


async def wait_for(batch: Batch, seconds: int) -> None:
    """Wait until every answer is there, or the time is over; nobody waits for it afterwards."""
    news = _News()
    try:
        if seconds:
            batch.when_done(news.tell)
            await news.come(seconds)
    finally:
        batch.leave()


class _News:
    """Something that a request waits for, and that other threads tell of."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._has_come = asyncio.Event()

    def tell(self) -> None:
        """It is there; on any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._has_come.set)

    async def come(self, seconds: int) -> None:
        """Wait until it is there, or the time is over; not at all when that is 0."""
        if not seconds:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._has_come.wait()
        except TimeoutError:
            return


def may_read(service: Service, view: View, transaction_id: bytes, height: int | None) -> bool:
    """Whether the asker may read what came of a transaction: its parties, and who sees all."""
    if view.sees_all:
        return True
    if height is None:
        return False
    entry = service.engine.entry(height)
    first = len(entry.receipts) - len(entry.transactions)
    for raw, receipt in zip(entry.transactions, entry.receipts[first:], strict=True):
        if receipt.transaction_id == transaction_id:
            return view.asker in parties_of(service.ledger.codec.decode(raw))
    return False


def parties_of(transaction: Transaction) -> set[str]:
    """Parties of all calls."""
    return {call.party for call in transaction.body.calls}


def id_of(text: str) -> bytes:
    """A transaction's id from 64 hex digits."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    is_id = len(found) == 32 and len(text) == 64
    require(is_id, Refusal.BAD_ARGUMENT, detail="an id is 64 hex digits")
    return found


def packed_one(request: Asked, answer: msgspec.Struct) -> Response[bytes]:
    """One struct, as MessagePack if the client asks for it, else as JSON."""
    if request.headers.get("accept") == MSGPACK:
        return Response(encode(answer), status_code=200, media_type=MSGPACK)
    return Response(to_json(answer), status_code=200, media_type=JSON)


def packed(request: Asked, batch: Batch) -> Response[bytes]:
    """A list of replies."""
    if request.headers.get("accept") == MSGPACK:
        return Response(batch.packed(), status_code=200, media_type=MSGPACK)
    listed = b"[" + b",".join([to_json(reply) for reply in batch.replies()]) + b"]"
    return Response(listed, status_code=200, media_type=JSON)
