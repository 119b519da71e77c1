"""The node's door: what it answers to whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tallystick.client.client import Client, NodeRefused
from tallystick.client.keys import officer_key
from tallystick.gateway.reply import Outcome
from tallystick.gateway.wire import FRAMES, pack_frames
from tallystick.ledger.refusals import Refusal
from tallystick.testing.world import private_key
from tests.till.messages import Leave, Pay
from tests.till.running import Running, running


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("till") / "data") as made:
        client = made.client
        client.send(("A.clerk", Pay(to="B", amount_minor=5)))
        client.send(("A.clerk", Leave(name="a/b ?#%", number=1, secret=7)))
        for number in range(5):
            client.send(("B.clerk", Leave(name="list", number=number)))
        yield made


def get(till: Running, target: str, **headers: str) -> tuple[int, bytes]:
    answer = till.client._transport.request("GET", target, headers=headers)
    return answer.status, answer.body


def error(body: bytes) -> dict[str, object]:
    found: dict[str, object] = msgspec.json.decode(body)["error"]
    return found


# --- writing


def test_one_transaction_is_answered_by_one_reply_in_json(till: Running) -> None:
    raw = till.client.sign(("A.clerk", Pay(to="B", amount_minor=1)))
    answer = till.client._transport.request("POST", "/v1/transactions?wait=10", raw)
    found = msgspec.json.decode(answer.body)
    assert answer.status == 200
    assert found["outcome"] == "accepted"
    again = till.client.submit(raw)
    assert found["transaction_id"] == (again.transaction_id or b"").hex()


def test_a_stream_is_answered_by_a_list_in_order(till: Running) -> None:
    raws = [till.client.sign(("A.clerk", Pay(to="B", amount_minor=each))) for each in (1, 2)]
    body = pack_frames([raws[0], b"garbage", raws[1]])
    answer = till.client._transport.request(
        "POST", "/v1/transactions?wait=10", body, {"Content-Type": FRAMES}
    )
    found = msgspec.json.decode(answer.body)
    assert [each["outcome"] for each in found] == ["accepted", "rejected", "accepted"]
    assert found[1]["code"] == Refusal.MALFORMED.number


def test_without_waiting_the_answer_is_received(till: Running) -> None:
    raw = till.client.sign(("A.clerk", Pay(to="B", amount_minor=1)))
    reply = till.client.offer([raw])[0]
    assert reply.outcome in {Outcome.RECEIVED, Outcome.ACCEPTED}
    final = till.client.ask(reply.transaction_id or b"", wait_seconds=10)
    assert final is not None
    assert final.outcome is Outcome.ACCEPTED


def test_an_unknown_transaction_is_not_found(till: Running) -> None:
    assert till.client.ask(bytes(32)) is None
    status, body = get(till, "/v1/transactions/xyz")
    assert (status, error(body)["name"]) == (400, "BAD_ARGUMENT")


# --- reading


def test_a_record_is_read_by_its_key(till: Running) -> None:
    found = till.client.record("till", "purse", "C")
    assert found == {
        "type": "till.purse.1",
        "party": "C",
        "currency": "CNY",
        "amount_minor": "10000000000",
        "payments": 0,
    }
    assert till.client.record("till", "purse", "nobody") is None


def test_a_key_may_contain_anything(till: Running) -> None:
    found = till.client.record("till", "note", "a/b ?#%", 1)
    assert found is not None
    assert found["secret"] == 7


def test_the_ledgers_own_records_can_be_read(till: Running) -> None:
    found = till.client.record("ledger", "clock", "clock")
    assert found is not None
    assert found["offset_ms"] == 0


def test_records_are_listed_page_by_page(till: Running) -> None:
    names = [each["number"] for each in till.client.find("till", "note", name="list")]
    assert names == [0, 1, 2, 3, 4]
    first = msgspec.json.decode(get(till, "/v1/records/till/note?name=list&limit=2")[1])
    assert [each["number"] for each in first["records"]] == [0, 1]
    after = f"/v1/records/till/note?name=list&limit=2&cursor={first['cursor']}"
    assert [each["number"] for each in msgspec.json.decode(get(till, after)[1])["records"]] == [
        2,
        3,
    ]
    falling = get(till, "/v1/records/till/note?name=list&limit=2&order=-number")[1]
    assert [each["number"] for each in msgspec.json.decode(falling)["records"]] == [4, 3]
    assert len(list(till.client.find("till", "note", number__ge=3, number__lt=4))) == 1


@pytest.mark.parametrize(
    ("target", "status", "name"),
    (
        ("/v1/records/till/purse/A/B", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/note/x/y", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse/%ff", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse/%0a", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse?party=..%2f", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse?colour=red", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse?party__is=A", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse?amount_minor__ge=1.5", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse?cursor=AAAA", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse?cursor=%25", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse?limit=-1", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse?limit=%C2%B2", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse?order=spec", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse?&&&", 400, "BAD_ARGUMENT"),
        ("/v1/records/till/purse?" + "&".join(["party=A"] * 200), 400, "BAD_ARGUMENT"),
        ("/v1/records/till/none/A", 404, "NO_SUCH_QUERY"),
        ("/v1/records/none/purse/A", 404, "NO_SUCH_QUERY"),
        ("/v1/records/till", 404, "NO_SUCH_QUERY"),
        ("/v1/records/../../etc/passwd", 404, "NO_SUCH_QUERY"),
        ("/v1/records/till/%2e%2e/%2e%2e", 404, "NO_SUCH_QUERY"),
        ("/v1/queries/till/none", 404, "NO_SUCH_QUERY"),
        ("/v1/queries/till/purses/more", 404, "NO_SUCH_QUERY"),
        ("/v1/queries/till/purses?at_least_minor=x", 400, "BAD_ARGUMENT"),
        ("/v1/queries/till/purses?at_least_minor=-1", 400, "BAD_ARGUMENT"),
        ("/v1/queries/till/purses?at_least_minor=9223372036854775808", 400, "BAD_ARGUMENT"),
        ("/v1/queries/till/purses?at_least_minor=1&at_least_minor=2", 400, "BAD_ARGUMENT"),
        ("/v1/queries/till/purses?view=1", 400, "BAD_ARGUMENT"),
        ("/v1/queries/till/broken", 400, "BAD_ARGUMENT"),
        ("/v1/queries/till/broken?party=nobody", 422, "NO_SUCH_PURSE"),
        ("/v1/queries/till/broken?party=A", 500, "FAULT"),
        ("/v1/transactions", 405, "BAD_ARGUMENT"),
        ("/v1/blocks?from=x", 400, "BAD_ARGUMENT"),
        ("/", 404, "NO_SUCH_QUERY"),
        ("/../../etc/passwd", 404, "NO_SUCH_QUERY"),
        ("/v1/status%00", 404, "NO_SUCH_QUERY"),
    ),
)
def test_what_cannot_be_answered_has_a_code(
    till: Running, target: str, status: int, name: str
) -> None:
    found, body = get(till, target)
    told = error(body)
    assert (found, told["name"]) == (status, name)
    assert "Traceback" not in body.decode()
    assert str(told["message"]).startswith(f"{told['app']} {told['code']} {name}: ")


def test_a_query_answers_structs_as_json(till: Running) -> None:
    listed = till.client.query("till", "purses", at_least_minor=10_000_000_000)
    assert {each["party"] for each in listed} == {"B", "C"}
    total = till.client.query("till", "total")
    assert total == {"amount_minor": "30000000000", "purses": 3}


# --- who may read what


def test_a_reader_sees_what_its_member_may_see(till: Running) -> None:
    as_a = till.client.as_reader("A.clerk")
    assert as_a.query("till", "total")["purses"] == 1
    assert as_a.record("till", "purse", "B") is None
    note = as_a.record("till", "note", "a/b ?#%", 1)
    assert note is not None
    assert note["secret"] == 7
    as_b = till.client.as_reader("B.clerk").record("till", "note", "a/b ?#%", 1)
    assert as_b is not None
    assert as_b["secret"] is None
    assert till.client.as_reader("sup.viewer").query("till", "total")["purses"] == 3


def test_whose_key_is_in_no_use_reads_nothing(till: Running) -> None:
    stranger = till.client.as_reader(officer_key("X.clerk", private_key("X.clerk")))
    with pytest.raises(NodeRefused, match="NOT_A_READER") as caught:
        stranger.query("till", "total")
    assert caught.value.status == 403


def test_others_transactions_are_told_by_outcome_alone(till: Running) -> None:
    reply = till.client.send(("A.clerk", Pay(to="nobody", amount_minor=1)))
    seen = till.client.as_reader("B.clerk").ask(reply.transaction_id or b"")
    assert seen is not None
    assert (seen.outcome, seen.height, seen.app, seen.values) == (
        Outcome.REFUSED,
        reply.height,
        None,
        (),
    )
    assert till.client.as_reader("A.clerk").ask(reply.transaction_id or b"") == reply
    with pytest.raises(NodeRefused, match="NOT_A_READER"):
        till.client.as_reader("B.clerk").prove_receipt(reply.transaction_id or b"")


def test_proofs_are_given_to_whom_may_see_the_whole_record(till: Running) -> None:
    as_a, as_b = till.client.as_reader("A.clerk"), till.client.as_reader("B.clerk")
    assert as_a.prove("till", "purse", "A").holds()
    with pytest.raises(NodeRefused, match="NO_SUCH_PURSE"):
        as_b.prove("till", "purse", "A")
    with pytest.raises(NodeRefused, match="NO_SUCH_NOTE"):
        as_b.prove("till", "note", "a/b ?#%", 1)
    assert as_b.prove("till", "note", "none", 1).record is None
    with pytest.raises(NodeRefused, match="NOT_A_READER"):
        as_b.prove("till", "purse", "nobody")
    assert till.client.prove("till", "purse", "nobody").holds()


def test_blocks_show_others_transactions_by_id_and_size(till: Running) -> None:
    whole = list(till.client.blocks())
    assert [block.seal.header.height for block in whole] == list(range(1, len(whole) + 1))
    own = list(till.client.as_reader("C.clerk").blocks(2))
    assert all(each.raw is None and each.size > 0 for block in own for each in block.transactions)
    assert all(each.receipt is None for block in own for each in block.transactions)
    changed = [change for block in own for change in block.changes]
    assert changed
    assert all(b"purse" not in key for key, _ in changed)


def test_blocks_can_be_followed(till: Running) -> None:
    stream = till.client.blocks(till.client.status().height + 1, follow=True)
    reply = till.client.send(("A.clerk", Pay(to="B", amount_minor=1)))
    block = next(stream)
    assert block.seal.header.height == reply.height
    assert [each.transaction_id for each in block.transactions] == [reply.transaction_id]
    stream.close()  # type: ignore[attr-defined]


def test_blocks_may_come_as_lines_of_json(till: Running) -> None:
    status, body = get(till, "/v1/blocks?from=2", Accept="application/x-ndjson")
    lines = [msgspec.json.decode(line) for line in body.splitlines()]
    assert status == 200
    assert lines[0]["seal"]["header"]["height"] == 2


# --- about the node


def test_status_names_the_chain_and_its_root(till: Running) -> None:
    status = till.client.status()
    seal = till.node.engine.seal()
    assert seal is not None
    assert status.chain_id == till.node.ledger.chain_id
    assert status.height >= 7
    assert status.demo
    assert status.trouble == status.clock_trouble == ""


def test_gauges_are_there_for_prometheus(till: Running) -> None:
    status, body = get(till, "/metrics")
    assert status == 200
    gauges = dict(
        line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#")
    )
    assert float(gauges["tally_height"]) >= 7
    assert float(gauges["tally_queued_transactions"]) == 0
    assert float(gauges["tally_signatures_verified_total"]) >= 7


def test_the_genesis_is_served_without_its_records(till: Running) -> None:
    _, body = get(till, "/v1/genesis")
    found = msgspec.json.decode(body)
    assert found["node_key"] == (till.node.ledger.genesis.node_key or b"").hex()
    assert found["records"] == []


def test_the_catalogue_tells_of_every_message_with_a_schema(till: Running) -> None:
    found = till.client.catalogue()
    app = found["apps"][0]
    pay = next(each for each in app["messages"] if each["command"] == "pay")
    amount = next(each for each in pay["fields"] if each["name"] == "amount_minor")
    assert (amount["unit"], amount["required"], amount["doc"]) == ("minor", True, "How much.")
    assert amount["schema"]["type"] == "string"
    assert pay["refusals"] == ["till 1 NO_SUCH_PURSE", "till 2 NOT_ENOUGH"]
    assert (
        pay["schema"]["$ref"].removeprefix("#/components/schemas/")
        in (found["components"]["schemas"])
    )


def test_the_openapi_document_refers_to_nothing_that_is_not_there(till: Running) -> None:
    _, body = get(till, "/v1/openapi.json")
    document = msgspec.json.decode(body)
    paths = document["paths"]
    assert document["openapi"] == "3.1.0"
    assert {"/v1/records/till/note/{name}/{number}", "/v1/queries/till/total"} <= set(paths)
    known = document["components"]["schemas"]
    for part in body.decode().split('"$ref":"#/components/schemas/')[1:]:
        assert part.split('"')[0] in known


def test_json_is_what_the_schema_says(till: Running) -> None:
    _, body = get(till, "/v1/openapi.json")
    schema = msgspec.json.decode(body)["components"]["schemas"]["till.purse.1"]
    record = till.client.record("till", "purse", "A")
    assert record is not None
    assert set(record) == set(schema["properties"])
    assert set(schema["required"]) == {"type", "party"}


def test_a_client_without_keys_says_so(till: Running) -> None:
    bare = Client(till.node.address)
    with pytest.raises(Exception, match="without keys"):
        bare.send(("A.clerk", Pay(to="B", amount_minor=1)))


def test_the_socket_is_its_owners_alone(till: Running) -> None:
    path: Path = till.node.socket_path
    assert path.stat().st_mode & 0o777 == 0o600


# --- a consortium's engine


def test_a_node_of_its_own_has_no_engine_to_tell_of(till: Running) -> None:
    for method in ("status", "commit", "unheard-of"):
        status, body = get(till, f"/v1/engine/{method}?height=1")
        assert status == 404
        assert error(body)["name"] == Refusal.NO_SUCH_QUERY.name
    status, body = get(till, "/v1/records/till/note/list/1?proof=file")
    assert status == 400
    assert "light blocks" in str(error(body)["message"])
