"""Routes for transactions: handing them in, one or a thousand, and asking what became of them."""

from __future__ import annotations

import asyncio
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
        with service.gateway.room.taken(len(raws), sum(map(len, raws))) as place:
            batch = await service.write(lambda: service.gateway.offer(raws, place))
        await wait_for(batch, seconds)
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


async def wait_for(batch: Batch, seconds: int) -> None:
    """Wait until every answer is there, or the time is over; nobody waits for it afterwards."""
    try:
        if seconds:
            await _done(batch, seconds)
    finally:
        batch.leave()


async def _done(batch: Batch, seconds: int) -> None:
    """Wait until every answer is there, or the time is over."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def tell() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(done.set)

    batch.when_done(tell)
    try:
        async with asyncio.timeout(seconds):
            await done.wait()
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
