"""Reading: five verbs, and nothing that the asker may not see."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from tallystick.ledger.app import PUBLIC, Record, record
from tallystick.ledger.refusal import Fault, Refused
from tallystick.ledger.refusals import Refusal as LedgerRefusal
from tallystick.ledger.view import Past, SeenBy, Totals, View, narrowed_fields
from tallystick.testing.world import World
from tallystick.values.codec import replace
from tallystick.values.units import Count, PartyId
from tests.ledger.toy.messages import CountUp, Drop, Open
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.queries import counters
from tests.ledger.toy.records import Counter, Note, Secret, Status
from tests.ledger.toy.refusals import Refusal


def counter(number: int, owner: str, amount: int, **more: Any) -> Counter:
    return Counter(
        counter_id=f"ctr-{number:016x}",
        owner=owner,
        currency=more.pop("currency", "CNY"),
        amount_minor=amount,
        status=more.pop("status", Status.OPEN),
        **more,
    )


ONE = counter(1, "A", 30, note="mine", hint=7, watchers=("C",))
TWO = counter(2, "A", 10, status=Status.CLOSED)
THREE = counter(3, "B", 20, currency="EUR", hint=3)
SECRETS = (Secret(party="A", value=5), Secret(party="B"))


@pytest.fixture(scope="module")
def world() -> World:
    return toy_world(records=(ONE, TWO, THREE, *SECRETS, Note(name="n", number=1)))


def ids(found: list[Counter]) -> list[int]:
    return [int(each.counter_id[-1]) for each in found]


# --- who sees what


def test_the_node_itself_and_supervisors_see_all(world: World) -> None:
    for asker in (None, "S"):
        view = world.view(asker)
        assert list(view.scan(Counter)) == [ONE, TWO, THREE]
        assert view.get(Counter, ONE.counter_id) == ONE
        assert list(view.scan(Secret)) == list(SECRETS)


def test_others_see_the_records_that_name_them(world: World) -> None:
    view = world.view("A")
    assert list(view.scan(Counter)) == [ONE, TWO]
    assert view.peek(Counter, THREE.counter_id) is None
    with pytest.raises(Refused) as no:
        view.get(Counter, THREE.counter_id)
    with pytest.raises(Refused) as absent:
        view.get(Counter, "ctr-0000000000000009")
    assert no.value.code is absent.value.code is Refusal.NO_SUCH_COUNTER  # not to be told apart
    assert list(view.scan(Secret)) == []
    assert len(list(view.scan(Note))) == 1


def test_watchers_read_defaults_for_what_is_the_owners(world: World) -> None:
    (seen,) = world.view("C").scan(Counter)
    assert seen == replace(ONE, note="", hint=None)
    assert world.view("C").find(Counter, note="mine") == []
    assert world.view("A").find(Counter, note="mine") == [ONE]


def test_a_stranger_sees_what_is_public(world: World) -> None:
    view = View(world.chain.state, height=0, now_ms=0, asker=None, sees_all=False)
    assert list(view.scan(Counter)) == []
    assert view.peek(Secret, "A") is None
    assert len(list(view.scan(Note))) == 1


def test_a_field_that_is_narrowed_needs_a_default() -> None:
    @record(key=("party",), seen_by=PUBLIC)
    class Bare(Record, tag="toy.bare.1"):
        """A record whose narrowed field would have nothing to show."""

        party: PartyId
        """Whose."""
        value: Annotated[Count, SeenBy("party")]
        """How much."""

    with pytest.raises(Fault, match=r"Bare\.value"):
        narrowed_fields(Bare)


# --- scan


def test_scan_goes_on_after_a_key_and_stops_at_a_limit(world: World) -> None:
    view = world.view()
    assert list(view.scan(Counter, after=(ONE.counter_id,))) == [TWO, THREE]
    assert list(view.scan(Counter, limit=2)) == [ONE, TWO]
    assert list(world.view("B").scan(Counter, limit=1)) == [THREE]
    assert list(view.scan(Note, "n")) == list(view.scan(Note))
    assert list(view.scan(Note, "none")) == []


# --- find


@pytest.mark.parametrize(
    ("where", "found"),
    (
        ({}, [1, 2, 3]),
        ({"owner": "A"}, [1, 2]),
        ({"owner": "A", "status": Status.OPEN}, [1]),
        ({"amount_minor__ge": 20}, [1, 3]),
        ({"amount_minor__gt": 20}, [1]),
        ({"amount_minor__le": 20}, [2, 3]),
        ({"amount_minor__lt": 20}, [2]),
        ({"hint__lt": 99}, [1, 3]),
        ({"hint": None}, [2]),
        ({"status__ge": Status.OPEN}, [1, 3]),
    ),
)
def test_find(world: World, where: dict[str, Any], found: list[int]) -> None:
    assert ids(world.view().find(Counter, **where)) == found


@pytest.mark.parametrize(
    ("order", "found"),
    (
        ("amount_minor", [2, 3, 1]),
        ("-amount_minor", [1, 3, 2]),
        ("hint", [2, 3, 1]),
        ("-hint", [1, 3, 2]),
        ("status", [2, 1, 3]),
    ),
)
def test_find_in_order(world: World, order: str, found: list[int]) -> None:
    view = world.view()
    assert ids(view.find(Counter, order=order)) == found
    assert ids(view.find(Counter, order=order, limit=1)) == found[:1]


def test_find_page_by_page(world: World) -> None:
    view = world.view()
    page = view.find(Counter, limit=2)
    assert ids(page) == [1, 2]
    assert ids(view.find(Counter, cursor=(page[-1].counter_id,), limit=2)) == [3]
    with pytest.raises(Fault, match="cursor"):
        view.find(Counter, cursor=("x",), order="owner")


def test_too_wide_a_search_needs_an_index(world: World) -> None:
    """Hidden records are read too: what a stranger asks costs the node the same."""

    def view(asker: str | None) -> View:
        return View(
            world.chain.state,
            height=0,
            now_ms=0,
            asker=asker,
            sees_all=asker is None,
            find_reads_max=2,
        )

    with pytest.raises(Refused) as no:
        view("B").find(Counter)
    assert (no.value.code, no.value.values) == (
        LedgerRefusal.NEEDS_INDEX,
        {"record": "toy.counter"},
    )
    with pytest.raises(Refused):
        view("A").total(Counter, "amount_minor")
    assert view("A").find(Counter, limit=2) == [ONE, TWO]
    assert len(view(None).find(Counter)) == 3


def test_a_query_is_a_function_over_a_view(world: World) -> None:
    assert list(counters(world.view("A"), "A")) == [ONE, TWO]


# --- total


def test_totals(world: World) -> None:
    view = world.view()
    assert view.total(Counter, "amount_minor") == [Totals(None, 60, 3)]
    assert view.total(Counter, "amount_minor", by="owner") == [
        Totals("A", 40, 2),
        Totals("B", 20, 1),
    ]
    assert view.total(Counter, "amount_minor", by="status", owner="A") == [
        Totals(Status.CLOSED, 10, 1),
        Totals(Status.OPEN, 30, 1),
    ]
    assert view.total(Counter, "amount_minor", by="hint") == [
        Totals(None, 10, 1),
        Totals(3, 20, 1),
        Totals(7, 30, 1),
    ]
    assert view.total(Secret, "value") == [Totals(None, 5, 2)]
    assert view.total(Note, "number", name="none") == []
    assert world.view("B").total(Counter, "amount_minor") == [Totals(None, 20, 1)]


# --- history


def test_history_of_a_record() -> None:
    world = toy_world()
    made = world.accepts("A.m", Open(currency="CNY", watchers=("C",), note="n")).id
    raised = world.accepts("A.m", CountUp(counter_id=made, by_minor=5))
    closing = world.accepts("A.m", Open(currency="CNY", closes_at_ms=world.ledger_ms + 60_000)).id
    world.passes(hours=1)
    world.accepts("A.m", Drop(counter_id=made))

    def told(asker: str | None, counter_id: str) -> list[tuple[int, int | None]]:
        return [
            (past.height, getattr(past.after, "amount_minor", None))
            for past in world.view(asker).history(Counter, counter_id)
        ]

    height = world.chain.state.tip.height
    assert told(None, made) == told("A", made) == [(1, 0), (2, 5), (height, None)]
    assert told("C", made) == told("A", made)
    assert told("B", made) == []
    whole: list[Past] = list(world.view("C").history(Counter, made))
    assert whole[1].transaction_id == raised.receipt.transaction_id
    assert isinstance(whole[0].after, Counter)
    assert whole[0].after.note == ""
    by_timer = list(world.view().history(Counter, closing))[-1]
    assert by_timer.transaction_id is None
    assert isinstance(by_timer.after, Counter)
    assert by_timer.after.status is Status.CLOSED


def test_without_a_log_there_is_no_history(world: World) -> None:
    view = View(world.chain.state, height=0, now_ms=0)
    with pytest.raises(Refused) as no:
        list(view.history(Counter, ONE.counter_id))
    assert no.value.code is LedgerRefusal.NEEDS_INDEX
