"""The node's log: one object a line for programs, columns for people, no secret and no amount."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick.operations.logs import Where, set_up
from tests.till.messages import Break, Pay
from tests.till.running import running

AMOUNT = 987_654_321


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Loggers belong to the process: what a test sets up is taken down."""
    names = ("", "tallystick", "uvicorn.error")
    loggers = [logging.getLogger(name) for name in names]
    before = [(each, each.level, list(each.handlers)) for each in loggers]
    yield
    logging.captureWarnings(capture=False)
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_for_programs_has_all_that_is_known() -> None:
    out = io.StringIO()
    where = Where("data")
    set_up("json", where, out=out)
    log = logging.getLogger("tallystick.node")
    log.info("opening %s", "it", extra={"blocks": 3})
    where.chain, where.member, where.height = "till-1", "bank-a", lambda: 17
    logging.getLogger("uvicorn.error").warning("a strange request")
    first, second = lines(out)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("time"))
    assert first == {
        "level": "info",
        "event": "opening it",
        "node": "data",
        "blocks": 3,
        "logger": "tallystick.node",
    }
    assert second["height"] == 17
    assert (second["chain"], second["member"]) == ("till-1", "bank-a")
    assert second["logger"] == "uvicorn.error"


def test_a_traceback_stays_on_its_line() -> None:
    out = io.StringIO()
    set_up("json", Where("data"), out=out)
    log = logging.getLogger("tallystick.node")
    try:
        raise OSError("gone")
    except OSError as problem:
        log.critical("the engine has ended", exc_info=problem)
    (line,) = lines(out)
    assert line["exception"].endswith("OSError: gone")


def test_a_line_for_people_is_in_columns_and_tells_less() -> None:
    out = io.StringIO()
    set_up("text", Where("data", chain="till-1"), out=out)
    log = logging.getLogger("tallystick.node")
    log.info("nobody reads this")
    log.warning("cut 13 bytes")
    (line,) = out.getvalue().splitlines()
    assert "cut 13 bytes" in line
    assert "warning" in line
    assert "chain=till-1" in line
    assert "\x1b" not in line


def test_auto_writes_for_programs_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    set_up("auto", Where("data"), out=out)
    logging.getLogger("tallystick").warning("x")
    assert lines(out)[0]["event"] == "x"


def test_debug_tells_more_and_libraries_only_from_warnings_on() -> None:
    out = io.StringIO()
    set_up("json", Where("data"), out=out)
    logging.getLogger("uvicorn.error").info("noise")
    logging.getLogger("tallystick.node").debug("detail")
    assert lines(out) == []
    set_up("json", Where("data"), debug=True, out=out)
    logging.getLogger("tallystick.node").debug("detail")
    assert [line["event"] for line in lines(out)] == ["detail"]


def test_no_amount_party_or_secret_is_in_the_log(tmp_path: Path) -> None:
    out = io.StringIO()
    set_up("json", Where("data"), debug=True, out=out)
    with running(tmp_path / "data") as till:
        till.client.send(("A.clerk", Pay(to="B", amount_minor=AMOUNT)))
        till.client.send(("A.clerk", Pay(to="Z", amount_minor=AMOUNT)))
        till.client.send(("A.clerk", Break(how="key")))
        till.raw(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
    passphrase = (tmp_path / "data" / "passphrase").read_text().strip()
    told = out.getvalue()
    assert "its changes are dropped" in told
    for word in (str(AMOUNT), passphrase, "clerk"):
        assert word not in told


def test_a_node_without_a_terminal_writes_objects(tmp_path: Path) -> None:
    tally = [sys.executable, "-m", "tallystick.cli"]
    subprocess.run([*tally, "init", str(tmp_path / "d")], check=True, capture_output=True)
    with subprocess.Popen(
        [*tally, "node", str(tmp_path / "d")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert b"Ctrl-C stops" in process.stdout.readline()
        finally:
            process.terminate()
            _, errors = process.communicate(timeout=60)
    told = [json.loads(line) for line in errors.splitlines()]
    assert [line["event"] for line in told] == ["the node answers", "the node has stopped"]
    assert told[0]["address"].endswith("api.sock")
    assert told[0]["body"] in {"python", "native"}
    assert all(line["height"] == 1 and line["chain"] for line in told)
