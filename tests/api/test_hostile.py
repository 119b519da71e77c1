"""Hostile and broken clients get a code or are hung up on; the node lives and serves others."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from tallystick.gateway.reply import Outcome
from tallystick.gateway.wire import (
    STREAM_BYTES_MAX,
    STREAM_MAX,
    TOKEN_MS_MAX,
    Reading,
    pack_frames,
    write_token,
)
from tallystick.settings import Limits, Settings
from tallystick.testing.world import private_key, public_key
from tests.till.messages import Pay
from tests.till.running import Running, running

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = Settings(limits=Limits(patience_seconds=1))
    with running(tmp_path_factory.mktemp("till") / "data", settings) as made:
        yield made


@pytest.fixture(autouse=True)
def _lives(till: Running) -> Iterator[None]:
    """After every test the node still takes a payment."""
    yield
    reply = till.client.send(("A.clerk", Pay(to="B", amount_minor=1)))
    assert reply.outcome is Outcome.ACCEPTED


def request(line: str, body: bytes = b"", **headers: str) -> bytes:
    """An HTTP request as bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [line, "Host: x", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def code_of(answer: bytes) -> tuple[int, str]:
    """HTTP status and name of the refusal."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    return status, msgspec.json.decode(body)["error"]["name"]


def post(till: Running, body: bytes, **headers: str) -> tuple[int, Any]:
    answer = till.client._transport.request("POST", "/v1/transactions?wait=5", body, headers)
    return answer.status, msgspec.json.decode(answer.body)


@pytest.mark.parametrize(
    "data",
    (
        b"",
        b"\x00" * 1_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600),
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        (
            b"POST /v1/transactions HTTP/1.1\r\nHost: x\r\n"
            b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx"
        ),
        b"POST /v1/transactions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ),
)
def test_what_is_no_http_is_hung_up_on(till: Running, data: bytes) -> None:
    answer = till.raw(data)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("body", (b"", b"garbage", b"\xff" * 60_000, b"\x91" * 5_000, b"{}"))
def test_a_body_that_is_no_transaction_is_rejected(till: Running, body: bytes) -> None:
    status, reply = post(till, body)
    assert (status, reply["outcome"], reply["code"]) == (200, "rejected", 10)
    assert reply["transaction_id"] is None


def test_a_body_of_100_mb_is_turned_away_before_it_comes(till: Running) -> None:
    began = time.monotonic()
    head = request("POST /v1/transactions HTTP/1.1", Content_Length=str(100 * MIB))
    assert code_of(till.raw(head, shut=False)) == (413, "TOO_LARGE")
    assert time.monotonic() - began < 20


def test_a_body_of_100_mb_in_chunks_is_cut_off(till: Running) -> None:
    head = request(
        "POST /v1/transactions HTTP/1.1",
        Transfer_Encoding="chunked",
        Content_Type="application/x-tallystick-frames",
    )
    chunk = b"100000\r\n" + bytes(MIB) + b"\r\n"
    answer = till.raw(head + chunk * 100 + b"0\r\n\r\n")
    assert answer == b"" or code_of(answer) == (413, "TOO_LARGE")


def test_one_transaction_has_its_own_limit(till: Running) -> None:
    answer = till.client._transport.request("POST", "/v1/transactions", bytes(65_537))
    assert answer.status == 413


def test_a_stream_has_a_limit_of_frames(till: Running) -> None:
    frames = {"Content-Type": "application/x-tallystick-frames"}
    answer = till.client._transport.request(
        "POST", "/v1/transactions", pack_frames([b"x"] * (STREAM_MAX + 1)), frames
    )
    assert answer.status == 400
    assert b"more than 1000 in one stream" in answer.body
    status, replies = post(till, pack_frames([b"x"] * STREAM_MAX), **frames)
    assert (status, len(replies)) == (200, STREAM_MAX)


@pytest.mark.parametrize(
    "body",
    (b"", b"\x00", b"\x00\x00\x00\x05abc", b"\xff\xff\xff\xff", pack_frames([b"x"]) + b"\x00\x01"),
)
def test_frames_that_do_not_fit_are_malformed(till: Running, body: bytes) -> None:
    status, answer = post(till, body, **{"Content-Type": "application/x-tallystick-frames"})
    assert (status, answer["error"]["name"]) == (400, "MALFORMED")


def test_frames_within_the_stream_are_judged_one_by_one(till: Running) -> None:
    good = till.client.sign(("A.clerk", Pay(to="B", amount_minor=1)))
    body = pack_frames([b"", good, bytes(70_000)])
    assert len(body) < STREAM_BYTES_MAX
    _, replies = post(till, body, **{"Content-Type": "application/x-tallystick-frames"})
    assert [(each["outcome"], each["code"]) for each in replies] == [
        ("rejected", 10),
        ("accepted", 0),
        ("rejected", 16),
    ]


def test_a_client_that_sends_its_body_too_slowly_is_turned_away(till: Running) -> None:
    head = request("POST /v1/transactions HTTP/1.1", b"x", Content_Length="100")
    assert code_of(till.raw(head, shut=False)) == (400, "MALFORMED")


def test_a_client_that_says_nothing_is_hung_up_on(till: Running) -> None:
    began = time.monotonic()
    assert till.raw(b"", shut=False) == b""
    assert time.monotonic() - began < 20


def test_a_client_that_leaves_in_the_middle_hurts_nobody(till: Running) -> None:
    head = request("POST /v1/transactions HTTP/1.1", b"x", Content_Length="100")
    assert till.raw(head) == b"" or True
    stream = request("GET /v1/blocks?from=1&follow= HTTP/1.1")
    with pytest.raises(TimeoutError):
        till.raw(stream, shut=False, seconds=0.5)


def test_many_clients_at_a_time_are_served(till: Running) -> None:
    def pay(number: int) -> Outcome:
        return till.client.send(("A.clerk", Pay(to="B", amount_minor=number))).outcome

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(pay, range(1, 65))) == {Outcome.ACCEPTED}


# --- read tokens

TARGET = "/v1/queries/till/total"


def token(
    till: Running,
    *,
    target: str = TARGET,
    ahead_ms: int = 60_000,
    signer: str = "A.clerk",
    **how: str,
) -> str:
    """A header `Authorization`, right unless told otherwise."""
    reading = Reading(
        chain_id=how.get("chain_id", till.node.ledger.chain_id),
        expires_at_ms=time.time_ns() // 1_000_000 + ahead_ms,
        target=target,
    )
    key = public_key(how.get("key", signer))
    return write_token(reading, key, private_key(signer).sign)


def asked(till: Running, header: str, target: str = TARGET) -> tuple[int, str]:
    """Status and reason of a read with a header."""
    answer = till.client._transport.request("GET", target, headers={"Authorization": header})
    found = msgspec.json.decode(answer.body)
    reason = found["error"]["values"]["reason"] if "error" in found else ""
    return answer.status, reason


def test_a_good_token_reads(till: Running) -> None:
    assert asked(till, token(till)) == (200, "")


def test_a_token_is_for_one_path_one_chain_and_a_short_time(till: Running) -> None:
    listed = "/v1/records/till/purse"
    assert asked(till, token(till, target=listed), listed + "?limit=5") == (403, "another path")
    assert asked(till, token(till), "/v1/queries/till/purses") == (403, "another path")
    assert asked(till, token(till, chain_id="till-00000000")) == (403, "another chain")
    assert asked(till, token(till, ahead_ms=0)) == (403, "expired, or of the future")
    late = token(till, ahead_ms=TOKEN_MS_MAX + 60_000)
    assert asked(till, late) == (403, "expired, or of the future")


def test_a_token_is_signed_by_an_officer_in_use(till: Running) -> None:
    assert asked(till, token(till, key="sup.viewer")) == (403, "the signature is not good")
    assert asked(till, token(till, signer="X.clerk")) == (403, "a key in no use")


@pytest.mark.parametrize(
    "header",
    (
        "",
        "Basic YTpi",
        "Tallystick",
        "Tallystick ",
        "Tallystick ****",
        "Tallystick " + base64.urlsafe_b64encode(b"garbage").decode(),
        "Tallystick " + "A" * 20_000,
        "tallystick x",
    ),
)
def test_a_token_that_is_none_is_refused_even_on_the_nodes_own_socket(
    till: Running, header: str
) -> None:
    assert asked(till, header) == (403, "the token cannot be read")
