"""The socket: answers in order, whatever comes, from whomever, while a block is executed."""

from __future__ import annotations

import logging
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.application import Application
from tallystick.engine.cometbft.bundle import BundleCache, encode_bundle, encode_tick
from tallystick.engine.cometbft.dispatch import ROUTES
from tallystick.engine.cometbft.frames import frame
from tallystick.engine.cometbft.server import (
    REPLY_BYTES_MAX,
    WAITING_BYTES_MAX,
    WAITING_MAX,
    AbciServer,
)
from tallystick.errors import NodeError, StateDamaged
from tests.engine.cometbft.caller import Caller, echo, framed, serving
from tests.engine.cometbft.stand import Stand
from tests.till.desk import until
from tests.till.messages import Fill

FILL = ("A", Fill(currency="CNY", amount_minor=1))


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def server(stand: Stand, tmp_path: Path) -> Iterator[AbciServer]:
    with serving(stand.application, tmp_path / "abci.sock") as made:
        yield made


# --- order


def test_ten_thousand_checks_at_once_are_answered_in_order(
    stand: Stand, server: AbciServer
) -> None:
    kinds = {encode_tick(1): 0, encode_tick(9): 2, stand.bundle(FILL): 0, b"": 1}
    asked = [(raw, code) for _ in range(2_500) for raw, code in kinds.items()]
    stream = bytearray()
    for number, (raw, _) in enumerate(asked):
        stream += framed(check_tx=abci.RequestCheckTx(tx=raw))
        if number % 100 == 0:
            stream += framed(**echo(number)) + framed(flush=abci.RequestFlush())
    with Caller(server.path) as caller:
        sender = threading.Thread(target=caller.sock.sendall, args=(bytes(stream),))
        sender.start()
        for number, (_, code) in enumerate(asked):
            assert caller.read().check_tx.code == code
            if number % 100 == 0:
                assert caller.read().echo.message == str(number)
                assert caller.read().WhichOneof("value") == "flush"
        sender.join()


def test_a_flush_is_answered_at_once(server: AbciServer) -> None:
    with Caller(server.path) as caller:
        assert caller.ask(flush=abci.RequestFlush()).WhichOneof("value") == "flush"


def test_requests_may_come_byte_by_byte(stand: Stand, server: AbciServer) -> None:
    stream = framed(**echo("a")) + framed(info=abci.RequestInfo()) + framed(**echo("b"))
    with Caller(server.path) as caller:
        for byte in stream:
            caller.sock.sendall(bytes([byte]))
        kinds = [caller.read().WhichOneof("value") for _ in range(3)]
    assert kinds == ["echo", "info", "echo"]


# --- what never comes from CometBFT


def test_who_hangs_up_in_the_middle_of_a_frame_disturbs_nobody(server: AbciServer) -> None:
    with Caller(server.path) as other:
        with Caller(server.path) as caller:
            caller.sock.sendall(framed(**echo("x" * 1_000))[:500])
        with Caller(server.path) as caller:
            caller.sock.sendall(framed(**echo("x")) * 100)
        assert other.ask(**echo("still here")).echo.message == "still here"
        until(lambda: len(server.connections) == 1)


@pytest.mark.parametrize(
    ("garbage", "why"),
    (
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3, "that are no request"),
        (b"\xff" * 10, "begins with no length"),
        (b"\xff\xff\xff\x7f", "at most"),
        (frame(b"\x0a\xff"), "that are no request"),
        (
            frame(
                abci.Request(query=abci.RequestQuery()).SerializeToString()
                + abci.Request(commit=abci.RequestCommit()).SerializeToString()
            ),
            "two kinds",
        ),
    ),
)
def test_garbage_closes_its_connection_with_a_clear_line(
    stand: Stand,
    server: AbciServer,
    garbage: bytes,
    why: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Caller(server.path) as other, Caller(server.path) as caller:
        caller.sock.sendall(garbage)
        assert caller.is_closed()
        assert other.ask(**echo("still here")).echo.message == "still here"
    (line,) = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert why in line
    assert not stand.halted


def test_a_giant_frame_is_refused_before_it_is_read(stand: Stand, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with serving(stand.application, path, frame_bytes_max=1_000), Caller(path) as caller:
        assert caller.ask(**echo("x" * 900)).echo.message == "x" * 900
        caller.sock.sendall(framed(**echo("x" * 1_001))[:10])
        assert caller.is_closed()


def test_an_unknown_request_is_an_exception(stand: Stand, server: AbciServer) -> None:
    with Caller(server.path) as caller:
        for message in (b"", b"\xaa\x01\x00", b"\xfa\x7f\x00"):
            caller.sock.sendall(frame(message))
            assert "unknown request" in caller.read().exception.error
    assert not stand.halted


@pytest.mark.parametrize("kind", ROUTES)
def test_an_empty_request_of_each_kind_is_answered(
    kind: str, stand: Stand, server: AbciServer
) -> None:
    request = abci.Request()
    getattr(request, kind).SetInParent()
    with Caller(server.path) as caller:
        caller.sock.sendall(frame(request.SerializeToString()))
        answer = caller.read().WhichOneof("value")
    assert answer == ("exception" if kind in {"init_chain", "finalize_block"} else kind)
    with Caller(server.path) as caller:
        assert caller.ask(**echo("still here")).echo.message == "still here"


# --- slow and fast


def test_who_reads_slowly_is_waited_for(server: AbciServer) -> None:
    """Neither requests nor answers pile up, and no answer is lost."""
    count, text = 40_000, "x" * 1_000
    stream = framed(**echo(text)) * 100
    with Caller(server.path) as caller:
        assert caller.ask(**echo("here")).echo.message == "here"
        caller.sock.settimeout(1)
        sent = 0
        while sent < count // 100:
            try:
                caller.sock.sendall(stream)
            except TimeoutError:
                break
            sent += 1
        assert 0 < sent < count // 100, "nobody held the sender up"
        (connection,) = server.connections
        assert connection._transport is not None
        assert connection._transport.get_write_buffer_size() < REPLY_BYTES_MAX + 2_000_000
        assert connection._waiting_bytes < WAITING_BYTES_MAX + 2_000_000
        caller.sock.settimeout(60)
        for _ in range(sent * 100):
            assert caller.read().echo.message == text


def test_requests_that_wait_for_the_ledger_are_bounded(stand: Stand, tmp_path: Path) -> None:
    application = Held(stand)
    with serving(application, tmp_path / "s") as server, Caller(server.path) as caller:
        stream = framed(check_tx=abci.RequestCheckTx(tx=b"")) * 4 * WAITING_MAX
        sender = threading.Thread(
            target=caller.sock.sendall, args=(framed(commit=abci.RequestCommit()) + stream * 8,)
        )
        sender.start()
        assert application.is_held.wait(60)
        until(lambda: any(each._is_reading_paused for each in server.connections))
        (connection,) = server.connections
        assert len(connection._waiting) < WAITING_MAX + 262_144 // 4
        application.go.set()
        assert caller.read().WhichOneof("value") == "commit"
        for _ in range(4 * WAITING_MAX * 8):
            assert caller.read().check_tx.code == 1
        sender.join()


class Held(Application):
    """An application whose Commit waits until a test lets it go on."""

    def __init__(self, stand: Stand) -> None:
        """Stand where the stand's own application does."""
        super().__init__(
            stand.chain, stand.verdicts, bundles=BundleCache(stand.ledger), published=print
        )
        self.is_held = threading.Event()
        self.go = threading.Event()

    def commit(self, request: abci.RequestCommit) -> abci.ResponseCommit:
        """Wait."""
        self.is_held.set()
        self.go.wait(60)
        return abci.ResponseCommit()


def test_the_others_are_answered_while_a_block_takes_its_time(stand: Stand, tmp_path: Path) -> None:
    application = Held(stand)
    with serving(application, tmp_path / "s") as server, ExitStack() as stack:
        query, snapshot, mempool, consensus = [
            stack.enter_context(Caller(server.path)) for _ in range(4)
        ]
        consensus.send(commit=abci.RequestCommit())
        consensus.send(flush=abci.RequestFlush())
        assert application.is_held.wait(60)
        assert query.ask(info=abci.RequestInfo()).info.app_version == 1
        assert query.ask(query=abci.RequestQuery(path="/p2p/filter/id/x")).query.code == 0
        checked = mempool.ask(check_tx=abci.RequestCheckTx(tx=encode_tick(1)))
        assert checked.check_tx.code == 0
        listed = snapshot.ask(list_snapshots=abci.RequestListSnapshots())
        assert listed.WhichOneof("value") == "list_snapshots"
        application.go.set()
        assert consensus.read().WhichOneof("value") == "commit"
        assert consensus.read().WhichOneof("value") == "flush"


def test_an_engine_may_come_back_again_and_again(stand: Stand, server: AbciServer) -> None:
    for turn in range(25):
        with ExitStack() as stack:
            callers = [stack.enter_context(Caller(server.path)) for _ in range(4)]
            for number, caller in enumerate(callers):
                said = f"{turn}/{number}"
                assert caller.ask(**echo(said)).echo.message == said
                caller.send(check_tx=abci.RequestCheckTx(tx=b"never read"))
    until(lambda: not server.connections)


# --- what is wrong with this node


class Broken(Application):
    """An application in which something is wrong with this node."""

    problem_met: Exception = StateDamaged("state", "it cannot be read")

    def __init__(self, stand: Stand, **options: Any) -> None:
        """Stand where the stand's own application does."""
        bundles = BundleCache(stand.ledger)
        super().__init__(
            stand.chain,
            stand.verdicts,
            bundles=bundles,
            published=print,
            halted=stand.halted.append,
        )

    def finalize_block(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
        """Meet it."""
        raise self.problem_met


@pytest.mark.parametrize("problem", (StateDamaged("state", "unreadable"), KeyError("a bug")))
def test_a_damaged_node_stops_its_engine_and_says_why_once(
    problem: Exception, stand: Stand, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    application = Broken(stand)
    application.problem_met = problem
    with serving(application, tmp_path / "s") as server, Caller(server.path) as caller:
        request = {"finalize_block": abci.RequestFinalizeBlock()}
        caller.sock.sendall(framed(**echo(1)) + framed(**request) * 3 + framed(**echo(2)))
        assert caller.read().echo.message == "1"
        assert str(problem) in caller.read().exception.error
        assert "has halted" in caller.read().exception.error
        assert "has halted" in caller.read().exception.error
        assert caller.read().echo.message == "2"
        assert "has halted" in caller.ask(commit=abci.RequestCommit()).exception.error
        checked = caller.ask(check_tx=abci.RequestCheckTx(tx=encode_tick(1)))
        assert "has halted" in checked.exception.error
    assert stand.halted == [problem]
    assert len([each for each in caplog.records if each.levelno == logging.CRITICAL]) == 1


def test_what_fails_ahead_of_a_decision_is_told_and_forgotten(
    stand: Stand, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Stumbling(Application):
        def execute_ahead(self) -> None:
            raise KeyError("a bug")

    application = Stumbling(
        stand.chain, stand.verdicts, bundles=stand.bundles, published=stand.published.append
    )
    raws = [stand.bundle(FILL)]
    hash_, height, time = stand.named(raws, None)
    said: dict[str, Any] = {"txs": raws, "hash": hash_, "height": height, "time": time}
    with serving(application, tmp_path / "s") as server, Caller(server.path) as caller:
        accepted = caller.ask(process_proposal=abci.RequestProcessProposal(**said))
        assert accepted.process_proposal.status == abci.ResponseProcessProposal.ACCEPT
        finalized = caller.ask(finalize_block=abci.RequestFinalizeBlock(**said))
        assert len(finalized.finalize_block.tx_results) == 1
        assert caller.ask(commit=abci.RequestCommit()).WhichOneof("value") == "commit"
    assert stand.chain.state.tip.height == 1
    assert "could wait" in caplog.text


def test_an_accepted_proposal_is_executed_after_the_answer(
    stand: Stand, server: AbciServer
) -> None:
    raws = [stand.bundle(FILL)]
    hash_, height, time = stand.named(raws, None)
    said: dict[str, Any] = {"txs": raws, "hash": hash_, "height": height, "time": time}
    with Caller(server.path) as caller:
        caller.ask(process_proposal=abci.RequestProcessProposal(**said))
        until(lambda: hash_ in stand.application._blocks._candidates)
        caller.ask(finalize_block=abci.RequestFinalizeBlock(**said))
    assert stand.application.reused == 1


# --- life


def test_the_socket_is_for_this_user_alone_and_goes_with_the_server(
    stand: Stand, tmp_path: Path
) -> None:
    path = tmp_path / "abci.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    with serving(stand.application, path) as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        server.stop()
        server.stop()
    assert not path.exists()


def test_a_socket_that_cannot_be_made_is_told(stand: Stand, tmp_path: Path) -> None:
    for path, why in (
        (tmp_path / ("x" * 100) / ("y" * 20), "shorter path"),
        (tmp_path / "none" / "abci.sock", "cannot be made"),
        (tmp_path, "cannot be made"),
    ):
        with pytest.raises(NodeError, match=why):
            AbciServer(stand.application, path).start()


def test_stopping_finishes_the_request_at_hand_and_no_other(stand: Stand, tmp_path: Path) -> None:
    application = Held(stand)
    server = AbciServer(application, tmp_path / "s")
    server.start()
    with Caller(server.path) as caller:
        caller.sock.sendall(framed(commit=abci.RequestCommit()) * 3)
        assert application.is_held.wait(60)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert caller.is_closed()
        application.go.set()
        stopping.join(60)
        assert not stopping.is_alive()


def test_bundles_of_the_largest_size_travel(stand: Stand, server: AbciServer) -> None:
    raw = encode_bundle(0, [stand.signed(FILL) for _ in range(1_000)])
    blocks = [raw] * 20
    request = abci.RequestPrepareProposal(max_tx_bytes=20_000_000, txs=blocks, height=1)
    with Caller(server.path) as caller:
        sender = threading.Thread(target=caller.send, kwargs={"prepare_proposal": request})
        sender.start()
        answer = caller.read().prepare_proposal
        sender.join()
    assert len(answer.txs) == 1  # a block takes 1,000 transactions


def test_a_server_that_ends_by_itself_halts_the_application(stand: Stand, tmp_path: Path) -> None:
    server = AbciServer(stand.application, tmp_path / "s")
    server.start()
    loop = server._loop
    assert loop is not None
    loop.call_soon_threadsafe(loop.stop)
    until(lambda: stand.halted)
    server.stop()
    assert not server.path.exists()


def test_nothing_is_begun_once_it_stops(
    stand: Stand, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    application = Held(stand)
    server = AbciServer(application, tmp_path / "s")
    server.start()
    with Caller(server.path) as caller:
        caller.send(commit=abci.RequestCommit())
        assert application.is_held.wait(60)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert caller.is_closed()
        application.go.set()
        stopping.join(60)
    assert caplog.text == ""
