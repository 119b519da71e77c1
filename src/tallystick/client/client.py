"""The public client: what programs use to write to a node and to read from it.

keys = KeyStore(folder, passphrase)
client = Client("unix:.tally/api.sock", keys=keys)
reply = client.send(("S1.maker+checker", Transfer(...)))
for balance in client.as_reader("S1.viewer").query("cash", "balances", party="S1"):
    ...
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec

from tallystick.client.http import Answer, Tls, Transport
from tallystick.client.keys import KeyStore, OfficerKey
from tallystick.engine.cometbft.light.blocks import VALIDATORS_MAX, LightBlock
from tallystick.engine.cometbft.light.export import Export, export_from_bytes
from tallystick.engine.cometbft.light.rpcform import PER_PAGE_MAX, light_block
from tallystick.errors import BadAnswer, KeysError, Unreachable
from tallystick.gateway.reply import RETRY_MS, Outcome, Reply
from tallystick.gateway.standing import BlockView, NodeStatus
from tallystick.gateway.wire import FRAMES, MSGPACK, STREAM_MAX, Reading, pack_frames, write_token
from tallystick.ledger.app import Message
from tallystick.ledger.proof import ReceiptProof, RecordProof
from tallystick.ledger.transaction import Body, Call, assemble
from tallystick.values.codec import decode, encode, settle_types
from tallystick.values.errors import CodecError

# Clients are used by several threads at once.
settle_types()

EXPIRY_MS = 10 * 60_000
"""How long a transaction may wait before it can no longer happen, unless told otherwise."""
WAIT_SECONDS = 30
"""How long one request waits for an answer."""
PATIENCE_SECONDS = 120
"""How long a node that does not answer is tried again."""
PAUSE_SECONDS = 0.05
"""First pause before bytes are handed in again; it doubles up to a second."""
BUSY_SECONDS_MAX = 5.0
"""Longest pause that a busy node may ask for."""
TOKEN_MS = 5 * 60_000

T = TypeVar("T")

Calls = tuple[str, Message]
"""Who signs (`S1.maker+checker`) and what is asked."""


class NodeRefused(BadAnswer):
    """The node refused a read; carries the same (app, code, values) as everywhere."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        """Keep what the node said."""
        super().__init__(str(error.get("message", f"HTTP {status}")))
        self.status = status
        self.app = str(error.get("app", ""))
        self.code = int(error.get("code", 0))
        self.name = str(error.get("name", ""))
        self.values: dict[str, Any] = dict(error.get("values", {}))
        self.retry = bool(error.get("retry", False))

    @property
    def retry_ms(self) -> int:
        """After how many milliseconds a busy node wants the same again; 0: it does not say."""
        said = self.values.get(RETRY_MS)
        return said if isinstance(said, int) else 0

    def __str__(self) -> str:
        """The sentence alone."""
        return self.reason


class Client:
    """Talks to one node. May be used from several threads."""

    def __init__(
        self,
        address: str,
        *,
        keys: KeyStore | None = None,
        tls: Tls | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`address` is `unix:PATH` or `https://HOST:PORT` (then with `tls`)."""
        self.address = address
        self.keys = keys
        self._transport = Transport(address, tls)
        self._patience_seconds = patience_seconds
        self._reader: OfficerKey | None = None
        self._chain_id = ""

    def as_reader(self, officer: str | OfficerKey) -> Client:
        """The same client, reading as an officer: what its member may see."""
        made = Client(self.address, keys=self.keys, patience_seconds=self._patience_seconds)
        made._transport = self._transport
        made._chain_id = self._chain_id
        made._reader = self._store().load(officer) if isinstance(officer, str) else officer
        return made

    def close(self) -> None:
        """Close the connections that are kept."""
        self._transport.close()

    # --- about the node

    def status(self) -> NodeStatus:
        """How the node is doing."""
        return self._decoded(NodeStatus, self._get("/v1/status", accept=MSGPACK))

    def chain_id(self) -> str:
        """Name of the node's chain; asked once."""
        if not self._chain_id:
            self._chain_id = self.status().chain_id
        return self._chain_id

    def catalogue(self) -> dict[str, Any]:
        """What the node's applications say of themselves."""
        return self._json("/v1/catalogue")

    # --- writing

    def body(
        self,
        *calls: Calls,
        reference: str | None = None,
        outlet: str | None = None,
        expires_at_ms: int | None = None,
    ) -> bytes:
        """The body of a transaction, to be signed.

        The reference is random unless given; the expiry is ten minutes from the node's ledger time.
        """
        if not calls:
            raise KeysError("a transaction needs at least one call")
        made = tuple(
            Call[Any](party=who.partition(".")[0], message=message, outlet=outlet)
            for who, message in calls
        )
        return encode(
            Body[Any](
                chain_id=self.chain_id(),
                sender=made[0].party,
                reference=reference or secrets.token_hex(12),
                expires_at_ms=expires_at_ms or self._usual_expiry_ms(),
                calls=made,
            )
        )

    def _usual_expiry_ms(self) -> int:
        status = self.status()
        return status.ledger_ms + min(EXPIRY_MS, status.horizon_ms)

    def sign(self, *calls: Calls, **options: Any) -> bytes:
        """A transaction's bytes, signed by every officer that the calls name; as `body`."""
        made = self.body(*calls, **options)
        names = [f"{p}.{o}" for who, _ in calls for p, o in officers_of(who)]
        store = self._store()
        return assemble(made, [store.sign(name, made) for name in dict.fromkeys(names)])

    def send(self, *calls: Calls, **options: Any) -> Reply:
        """Sign and submit calls as one transaction, and wait for the answer."""
        return self.submit(self.sign(*calls, **options))

    def submit(self, raw: bytes) -> Reply:
        """Hand in a transaction until there is a final answer, through restarts of the node.

        `Unreachable` when no node answers for long; the same bytes may then be handed in later.
        """
        return self._persist([raw])[0]

    def submit_many(
        self, raws: Iterable[bytes], *, chunk: int = 500, in_flight: int = 2
    ) -> Iterator[Reply]:
        """Hand in many transactions; their final answers, in order.

        They travel in streams of `chunk`, several at a time, so that the node is never idle.
        """
        chunk = min(chunk, STREAM_MAX)
        source = iter(raws)
        with ThreadPoolExecutor(in_flight) as threads:
            flying: list[Future[list[Reply]]] = []
            while True:
                while len(flying) < in_flight and (part := list(islice(source, chunk))):
                    flying.append(threads.submit(self._persist, part))
                if not flying:
                    return
                yield from flying.pop(0).result()

    def offer(self, raws: Sequence[bytes], *, wait_seconds: int = 0) -> list[Reply]:
        """Hand in transactions once; `received` or `kept` where there is no answer yet."""
        answer = self._transport.request(
            "POST",
            f"/v1/transactions?wait={wait_seconds}",
            pack_frames(raws),
            {"Content-Type": FRAMES, "Accept": MSGPACK},
        )
        if answer.status != 200:
            raise _refused(answer)
        return list(self._decoded(tuple[Reply, ...], answer.body))

    def ask(self, transaction_id: bytes, *, wait_seconds: int = 0) -> Reply | None:
        """What became of a transaction; None when the node does not know it."""
        target = f"/v1/transactions/{transaction_id.hex()}?wait={wait_seconds}"
        try:
            return self._decoded(Reply, self._get(target, accept=MSGPACK))
        except NodeRefused as no:
            if no.status == 404:
                return None
            raise

    def _persist(self, raws: Sequence[bytes]) -> list[Reply]:
        """Hand bytes in again until each has its final answer; not before a busy node says so."""
        final: dict[int, Reply] = {}
        left = list(range(len(raws)))
        pause, give_up_at = PAUSE_SECONDS, time.monotonic() + self._patience_seconds
        while left:
            try:
                got = self.offer([raws[place] for place in left], wait_seconds=WAIT_SECONDS)
            except (Unreachable, NodeRefused) as problem:
                lasting = isinstance(problem, NodeRefused) and not problem.retry
                if lasting or time.monotonic() > give_up_at:
                    raise
                wanted_ms = problem.retry_ms if isinstance(problem, NodeRefused) else 0
            else:
                answers = zip(left, got, strict=True)
                news = {place: reply for place, reply in answers if reply.is_final}
                final |= news
                left = [place for place in left if place not in news]
                wanted_ms = max([each.retry_ms for each in got if each.retry], default=0)
                if news:
                    pause, give_up_at = PAUSE_SECONDS, time.monotonic() + self._patience_seconds
                elif time.monotonic() > give_up_at:
                    raise Unreachable(self.address, "the node takes bytes and decides nothing")
                else:
                    pause = min(pause * 2, 1.0)
            if left:
                time.sleep(max(pause, min(wanted_ms / 1000, BUSY_SECONDS_MAX)))
        return [final[place] for place in range(len(raws))]

    # --- reading

    def query(self, app: str, query: str, **parameters: Any) -> Any:
        """A named read: plain JSON data."""
        target = f"/v1/queries/{app}/{query}{_arguments(parameters)}"
        return self._json(target)["answer"]

    def record(self, app: str, record: str, *key: Any) -> dict[str, Any] | None:
        """A record by its key, as plain JSON data; None when there is none."""
        try:
            found: dict[str, Any] = self._json(_record_path(app, record, key))["record"]
        except NodeRefused as no:
            if no.status == 404:
                return None
            raise
        return found

    def find(self, app: str, record: str, **where: Any) -> Iterator[dict[str, Any]]:
        """Records that fit, `field=value` or `field__ge=value`, page by page."""
        limit, cursor = where.pop("limit", None), None
        while True:
            page = self._json(
                f"/v1/records/{app}/{record}"
                + _arguments({**where, "cursor": cursor, "limit": limit})
            )
            yield from page["records"]
            cursor = page.get("cursor")
            if cursor is None or limit is not None:
                return

    def prove(self, app: str, record: str, *key: Any) -> RecordProof:
        """Proof that a record is there or that there is none; check it with `client.verify`."""
        target = _record_path(app, record, key) + "?proof="
        return self._decoded(RecordProof, self._get(target, accept=MSGPACK))

    def prove_receipt(self, transaction_id: bytes) -> ReceiptProof:
        """Proof of what became of a transaction; check it with `client.verify`."""
        target = f"/v1/transactions/{transaction_id.hex()}?proof="
        return self._decoded(ReceiptProof, self._get(target, accept=MSGPACK))

    def prove_file(self, app: str, record: str, *key: Any, trusted: int | None = None) -> Export:
        """As `prove`, under a consortium: with the light blocks for who trusts a height."""
        target = _record_path(app, record, key) + _file_arguments(trusted)
        return export_from_bytes(self._get(target, accept=MSGPACK))

    def prove_receipt_file(self, transaction_id: bytes, *, trusted: int | None = None) -> Export:
        """As `prove_receipt`, under a consortium: with the light blocks for who trusts a height."""
        target = f"/v1/transactions/{transaction_id.hex()}" + _file_arguments(trusted)
        return export_from_bytes(self._get(target, accept=MSGPACK))

    def engine(self, method: str, **parameters: int | None) -> dict[str, Any]:
        """What CometBFT's RPC tells of a consortium's engine, e.g. `commit`: the whole answer."""
        target = f"/v1/engine/{method}{_arguments(parameters)}"
        answer = self._transport.request("GET", target, headers={"Accept": "application/json"})
        try:
            return msgspec.json.decode(answer.body, type=dict)
        except msgspec.DecodeError as problem:
            raise BadAnswer(str(problem)) from None

    def light_block(self, height: int) -> LightBlock:
        """The light block of a height, as the node has it: nothing is verified."""
        commit = self._engine_result("commit", height=height)
        validators: list[dict[str, Any]] = []
        total = 1
        while len(validators) < total:
            page = len(validators) // PER_PAGE_MAX + 1
            told = self._engine_result(
                "validators", height=height, page=page, per_page=PER_PAGE_MAX
            )
            try:
                total = int(told["total"]) if told["validators"] else 0
                validators += told["validators"]
            except (KeyError, TypeError, ValueError):
                raise BadAnswer("validators: not a list of them") from None
            if len(validators) > VALIDATORS_MAX:
                raise BadAnswer("validators: too many of them")
        return light_block(commit, validators)

    def _engine_result(self, method: str, **parameters: int) -> dict[str, Any]:
        answer = self.engine(method, **parameters)
        if isinstance(answer.get("result"), dict):
            return cast("dict[str, Any]", answer["result"])
        error = answer.get("error", {})
        words = error.get("data") or error.get("message") or "no result"
        raise BadAnswer(f"{method}: {words}")

    def blocks(self, from_height: int = 1, *, follow: bool = False) -> Iterator[BlockView]:
        """Blocks from a height on, as the reader may see them; with `follow` without an end."""
        target = f"/v1/blocks?from={from_height}" + ("&follow=" if follow else "")
        with self._transport.stream(target, self._headers(target, FRAMES)) as (status, response):
            if status != 200:
                raise _refused(Answer(status, response.read()))
            while head := response.read(4):
                body = response.read(int.from_bytes(head, "big"))
                yield self._decoded(BlockView, body)

    # --- the wire

    def _store(self) -> KeyStore:
        if self.keys is None:
            raise KeysError("this client was made without keys")
        return self.keys

    def _headers(self, target: str, accept: str) -> dict[str, str]:
        headers = {"Accept": accept}
        if self._reader is not None:
            reading = Reading(
                chain_id=self.chain_id(),
                expires_at_ms=time.time_ns() // 1_000_000 + TOKEN_MS,
                target=target,
            )
            headers["Authorization"] = write_token(
                reading, self._reader.public_key, self._reader.sign
            )
        return headers

    def _get(self, target: str, *, accept: str) -> bytes:
        is_open = target.startswith(("/v1/status", "/v1/catalogue"))
        headers = {"Accept": accept} if is_open else self._headers(target, accept)
        answer = self._transport.request("GET", target, headers=headers)
        if answer.status != 200:
            raise _refused(answer)
        return answer.body

    def _json(self, target: str) -> dict[str, Any]:
        try:
            return msgspec.json.decode(self._get(target, accept="application/json"), type=dict)
        except msgspec.DecodeError as problem:
            raise BadAnswer(str(problem)) from None

    def _decoded(self, type_: type[T], data: bytes) -> T:
        try:
            return decode(type_, data)
        except CodecError as problem:
            raise BadAnswer(str(problem)) from None


def officers_of(who: str) -> list[tuple[str, str]]:
    """`S1.maker+checker` → (S1, maker), (S1, checker)."""
    party, _, officers = who.partition(".")
    return [(party, officer) for officer in officers.split("+") if officer]


def _arguments(values: dict[str, Any]) -> str:
    """Arguments as they are written in a query; None is left out, a tuple is repeated."""
    plain: list[tuple[str, str]] = []
    for name, value in values.items():
        several = value if isinstance(value, tuple | list) else (value,)
        plain += [(name, _text(each)) for each in several if each is not None]
    return "?" + urlencode(plain) if plain else ""


def _file_arguments(trusted: int | None) -> str:
    """Ask for a proof as a file."""
    return "?proof=file" + ("" if trusted is None else f"&trusted={trusted}")


def _record_path(app: str, record: str, key: Sequence[Any]) -> str:
    """Path of a record; each field of its key is one segment."""
    return "/".join(["/v1/records", app, record, *(quote(_text(each), safe="") for each in key)])


def _text(value: Any) -> str:
    """A value as it is written in a path or a query."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.hex()
    return str(getattr(value, "value", value))


def _refused(answer: Answer) -> NodeRefused:
    """The node's no."""
    try:
        error = msgspec.json.decode(answer.body)["error"]
    except (msgspec.DecodeError, KeyError, TypeError):
        error = {"message": f"HTTP {answer.status}", "retry": answer.status == 503}
    return NodeRefused(answer.status, error)


__all__ = ["Client", "NodeRefused", "Outcome", "Reply", "Tls", "officers_of"]
