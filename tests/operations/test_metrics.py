"""What a node shows to those who watch it: figures, health, readiness."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tallystick.api.health import STALL_SECONDS, Disk, Lasting, liveness, readiness
from tallystick.api.tls import DAYS
from tallystick.api.watched import Outcomes
from tallystick.engine.base import Answer, Committed
from tallystick.engine.timing import Timing
from tallystick.ledger.block import Header
from tallystick.network.ports import free_ports
from tallystick.settings import Listen, Settings
from tests.till.messages import Pay
from tests.till.running import Running, running


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    (port,) = free_ports(1)
    settings = Settings(listen=Listen(probes=f"127.0.0.1:{port}"))
    with running(tmp_path_factory.mktemp("till") / "data", settings) as found:
        found.client.send(("A.clerk", Pay(to="B", amount_minor=1)))
        found.client.send(("A.clerk", Pay(to="Z", amount_minor=1)))
        yield found


def get(till: Running, path: str) -> tuple[int, bytes]:
    """What the door for probes answers."""
    connection = http.client.HTTPConnection(till.node.settings.listen.probes, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def get_raw(till: Running, path: str) -> bytes:
    """What the node's own socket answers, head and body."""
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    return till.raw(head.encode(), shut=False)


def samples(till: Running) -> dict[str, float]:
    """Every figure on the page, by name and labels."""
    status, body = get(till, "/metrics")
    assert status == 200
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def answer(till: Running, path: str) -> tuple[int, Any]:
    status, body = get(till, path)
    return status, json.loads(body)


# --- figures


def test_every_family_has_a_text_and_a_unit_or_counts_things(till: Running) -> None:
    _, body = get(till, "/metrics")
    for family in text_string_to_metric_families(body.decode()):
        assert family.name.startswith("tally_")
        assert family.documentation


def test_outcomes_are_counted_apart(till: Running) -> None:
    found = samples(till)
    assert found["tally_transactions_total[accepted]"] >= 1
    assert found["tally_transactions_total[refused]"] >= 1
    assert found["tally_transactions_total[expired]"] == 0


def test_blocks_are_timed(till: Running) -> None:
    found = samples(till)
    assert found["tally_execution_seconds_count"] >= 3
    assert found["tally_commit_seconds_count"] == found["tally_height"]
    assert found["tally_execution_seconds_bucket[+Inf]"] == found["tally_execution_seconds_count"]
    assert 0 < found["tally_commit_seconds_sum"] < 10


def test_what_is_kept_is_measured(till: Running) -> None:
    found = samples(till)
    logs = (till.folder / "blocks").glob("*.log")
    assert found["tally_log_bytes"] == sum(path.stat().st_size for path in logs)
    assert found["tally_state_records"] == len(list(till.node.engine.chain.state._store.scan(b"")))
    assert found["tally_used_references"] == 2
    assert found["tally_disk_free_bytes"] > 0


def test_the_trees_memory_is_measured_where_the_body_counts_it(till: Running) -> None:
    found = samples(till)
    memory = till.node.engine.chain.state.tree.memory()
    assert (memory is None) == ("tally_tree_bytes" not in found)
    if memory is not None:
        assert 0 <= found["tally_tree_idle_bytes"] < found["tally_tree_bytes"]


def test_certificates_say_when_they_end(till: Running) -> None:
    found = samples(till)
    days = timedelta(days=DAYS).total_seconds()
    block_s = found["tally_block_timestamp_seconds"]
    for name in ("node", "client"):
        until_s = found[f"tally_certificate_expiry_timestamp_seconds[{name}]"]
        assert abs(until_s - block_s - days) < 3600


def test_the_page_names_no_party_and_no_amount(till: Running) -> None:
    _, body = get(till, "/metrics")
    assert not any(word in body.decode() for word in ("clerk", "reference="))


def test_the_same_page_is_behind_every_door(till: Running) -> None:
    found = till.raw(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", shut=False)
    assert b"\ntally_height " in found


def test_a_duration_falls_into_one_bucket() -> None:
    timing = Timing(bounds_s=(0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7):
        timing.observe(seconds)
    assert timing.read().counts == (2, 1, 1)
    assert timing.read().total_s == pytest.approx(7.65)


# --- probes


def test_the_door_for_probes_shows_nothing_else(till: Running) -> None:
    assert get(till, "/v1/status")[0] == 404
    assert get(till, "/v1/blocks")[0] == 404


def test_a_node_that_works_is_healthy_and_ready(till: Running) -> None:
    for path in ("/v1/health", "/v1/ready"):
        status, found = answer(till, path)
        assert (status, found["ok"]) == (200, True), found
        assert [each["text"] for each in found["checks"]] == [""] * len(found["checks"])


def test_a_disk_that_takes_nothing_is_not_healthy() -> None:
    disk = Disk(lambda: "no space left", seconds=60)
    assert {check.name: check.text for check in liveness(Lasting(lambda: ""), disk)} == {
        "engine": "",
        "disk": "no space left",
    }


def test_an_engine_may_be_away_for_a_while() -> None:
    said = iter(["gone", "", "gone", "gone"])
    engine = Lasting(lambda: next(said), seconds=60)
    assert [engine.trouble() for _ in range(3)] == [""] * 3
    engine._well_s -= 61
    assert engine.trouble() == "gone"


def test_a_disk_is_not_asked_at_every_probe() -> None:
    said = iter(["", "full", "never asked"])
    disk = Disk(lambda: next(said), seconds=60)
    assert [disk.trouble() for _ in range(3)] == [""] * 3
    quick = Disk(lambda: next(said), seconds=0)
    assert [quick.trouble() for _ in range(2)] == ["full", "never asked"]


def test_the_probe_leaves_its_own_file_and_no_other(till: Running, tmp_path: Path) -> None:
    watched = till.node._service(False).watched
    before = {path.name for path in till.folder.iterdir()}
    assert watched.disk_trouble() == ""
    assert {path.name for path in till.folder.iterdir()} - before <= {".probe"}


def test_a_node_that_stops_is_not_ready_but_lives(tmp_path: Path) -> None:
    with running(tmp_path / "data") as till:
        service = till.node._service(False)
        till.node.gateway.is_closing = True
        assert [check.name for check in readiness(service) if not check.ok] == ["stopping"]
        assert get_raw(till, "/v1/health").startswith(b"HTTP/1.1 200")
        assert get_raw(till, "/v1/ready").startswith(b"HTTP/1.1 503")


def test_an_idle_embedded_node_is_ready_however_old_its_block_is(till: Running) -> None:
    outcomes = till.node._service(False).watched.outcomes
    outcomes._last_s -= 2 * STALL_SECONDS
    assert outcomes.quiet_seconds() > STALL_SECONDS
    assert all(check.ok for check in readiness(till.node._service(False)))
    till.client.send(("A.clerk", Pay(to="B", amount_minor=1)))
    assert outcomes.quiet_seconds() < STALL_SECONDS


def test_outcomes_start_at_nothing() -> None:
    assert set(Outcomes().read().values()) == {0}
    said = {"accepted", "refused", "unauthorised", "reused", "expired", "not_here"}
    assert set(Outcomes().read()) == said


def test_what_is_in_a_block_that_is_not_here_did_not_expire() -> None:
    zero = bytes(32)
    header = Header(
        chain_id="till-1",
        height=9,
        time_ms=0,
        previous_hash=zero,
        transactions_root=zero,
        app_hash=zero,
    )
    outcomes = Outcomes()
    outcomes(Committed(header, b"", 0, (Answer(zero, None, None), Answer(zero, None, 5))))
    counted = outcomes.read()
    assert (counted["expired"], counted["not_here"]) == (1, 1)
