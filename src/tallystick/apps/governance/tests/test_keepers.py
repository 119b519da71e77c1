"""SetParameter, PublishCalendar, AdvanceClock: what keepers do without a vote."""

from typing import Any

import pytest

from tallystick.apps.governance.interface import (
    Admits,
    admission,
    banking_day,
    calendar,
    default_calendar,
    parameter,
    registrar,
    today,
)
from tallystick.apps.governance.messages import AdvanceClock, Propose, PublishCalendar, SetParameter
from tallystick.apps.governance.records import (
    Calendar,
    CalendarYear,
    Constitution,
    ExpelMember,
    Offset,
    Publication,
)
from tallystick.apps.governance.refusals import Refusal
from tallystick.apps.members.messages import Admit, Expel
from tallystick.apps.members.tests.counter.messages import Greet
from tallystick.apps.members.tests.network import (
    DAY_MS,
    OPENS_AT_MS,
    both,
    network,
    newcomer,
    publication,
    weekdays,
)
from tallystick.testing.world import World
from tallystick.values.codec import replace
from tallystick.values.time import at
from tallystick.values.units import AT_MS_MAX

SUP = both("SUP")


@pytest.fixture
def world() -> World:
    return network()


# --- SetParameter


def test_a_parameter_is_set(world: World) -> None:
    change = SetParameter(name="x.max", value=5, reason="circular")
    world.refuses(both("bank-a"), change, Refusal.NOT_PARAMETER_KEEPER, member="bank-a")
    world.accepts(SUP, change)
    world.refuses(SUP, change, Refusal.NOTHING_TO_CHANGE, name="x.max")
    world.accepts(SUP, replace(change, value=-1))
    assert parameter(world.view(), "x.max", default=0) == -1


def test_without_a_constitution_nobody_decides() -> None:
    world = network(without=Constitution)
    for who, message in (
        (SUP, SetParameter(name="x.max", value=5, reason="x")),
        (SUP, PublishCalendar(publication=publication(2027))),
        (SUP, Admit(newcomer=newcomer("N"))),
        (SUP, Expel(member="S1", reason="x")),
        (SUP, Propose(action=ExpelMember(member="S1"), reason="x")),
    ):
        world.refuses(who, message, Refusal.NO_CONSTITUTION, name="constitution")
    world.accepts(both("S1"), Greet())
    trial = network(without=Constitution, trial=True)
    trial.refuses(SUP, AdvanceClock(by_ms=1), Refusal.NO_CONSTITUTION)


# --- PublishCalendar


def publish(year: int = 2027, **more: Any) -> PublishCalendar:
    return PublishCalendar(publication=publication(year, **more))


def test_the_next_year_is_published(world: World) -> None:
    world.accepts(SUP, publish(2027))
    head = world.view().get(Calendar, "cn")
    assert (head.version, head.first_year, head.last_year) == (2, 2026, 2027)
    banking = calendar(world.view(), "cn")
    assert banking.roll("2027-01-02") == ("2027-01-04", False)
    assert banking.shift("2026-12-31", 1) == ("2027-01-01", False)
    assert banking.roll("2028-01-01") == ("2028-01-01", True)
    assert banking.shift("2027-12-30", 5) == ("2028-01-04", True)


def test_another_place_has_its_own_calendar(world: World) -> None:
    world.accepts(SUP, publish(2030, calendar_id="us", payment_cutoff_minute=18 * 60))
    assert world.view().get(Calendar, "us").version == 1
    assert world.view().get(Calendar, "cn").version == 1


def test_a_published_year_is_corrected_where_it_lies_ahead(world: World) -> None:
    holiday = tuple(day for day in weekdays(2026) if day != "2026-09-03")
    world.accepts(SUP, publish(2026, banking_days=holiday))
    kept = world.view().get(CalendarYear, "cn", 2026)
    assert (kept.version, "2026-09-03" in kept.banking_days) == (2, False)
    assert calendar(world.view(), "cn").days.roll("2026-09-03") == "2026-09-04"
    assert world.view().get(Calendar, "cn").last_year == 2026


@pytest.mark.parametrize(
    "days",
    (
        ("2026-04-31",),
        ("2026-02-29",),
        ("2025-12-31",),
        ("2027-01-01",),
        ("2026-01-05", "2026-01-04"),
        ("2026-01-05", "2026-01-05"),
    ),
)
def test_days_that_are_none(world: World, days: tuple[str, ...]) -> None:
    world.refuses(SUP, publish(2026, banking_days=days), Refusal.BAD_DAYS, day=days[-1])


def offsets(*told: tuple[int, int]) -> tuple[Offset, ...]:
    return tuple(Offset(from_ms=from_ms, minutes=minutes) for from_ms, minutes in told)


@pytest.mark.parametrize(
    "told",
    (offsets((1, 480)), offsets((0, 480), (0, 540)), offsets((0, 480), (9, 0), (8, 0))),
)
def test_offsets_that_are_none(world: World, told: tuple[Offset, ...]) -> None:
    world.refuses(SUP, publish(2027, utc_offsets=told), Refusal.BAD_OFFSETS, calendar_id="cn")


@pytest.mark.parametrize("year", (2025, 2028))
def test_a_year_out_of_turn(world: World, year: int) -> None:
    world.refuses(SUP, publish(year), Refusal.NOT_NEXT_YEAR, year=year, next_year=2027)


def test_what_has_passed_is_not_changed(world: World) -> None:
    for told in (
        publish(2026, banking_days=weekdays(2026)[1:]),
        publish(2026, banking_days=tuple(d for d in weekdays(2026) if d != "2026-07-03")),
        publish(2027, utc_offsets=offsets((0, 540))),
        publish(2027, utc_offsets=offsets((0, 480), (1, 540))),
    ):
        world.refuses(SUP, told, Refusal.PAST_CHANGED, calendar_id="cn")
    world.accepts(
        SUP, publish(2026, banking_days=tuple(d for d in weekdays(2026) if d != "2026-07-06"))
    )


def test_refused_in_this_order(world: World) -> None:
    bad = publish(2028, banking_days=("2028-02-30",), utc_offsets=offsets((1, 480)))
    world.refuses(both("bank-a"), bad, Refusal.NOT_CALENDAR_KEEPER, member="bank-a")
    world.refuses(SUP, bad, Refusal.BAD_DAYS)
    good_days = replace(bad.publication, banking_days=())
    world.refuses(SUP, PublishCalendar(publication=good_days), Refusal.BAD_OFFSETS)
    out_of_turn = replace(good_days, utc_offsets=offsets((0, 540)))
    world.refuses(SUP, PublishCalendar(publication=out_of_turn), Refusal.NOT_NEXT_YEAR)


def test_a_zone_changes_its_offset(world: World) -> None:
    summer = at("2026-08-01", 0, 480)
    told: Publication = publication(2026, utc_offsets=offsets((0, 480), (summer, 540)))
    world.accepts(SUP, PublishCalendar(publication=told))
    banking = calendar(world.view(), "cn")
    assert banking.offset_minutes(summer - 1) == 480
    assert banking.offset_minutes(summer) == 540
    assert banking.at("2026-07-31", 600) == at("2026-07-31", 600, 480)
    assert banking.at("2026-08-02", 600) == at("2026-08-02", 600, 540)
    assert banking.day_of(at("2026-08-02", 0, 540)) == "2026-08-02"
    assert banking.payment_cutoff("2026-08-03") == at("2026-08-03", 1020, 540)


# --- AdvanceClock


def test_the_clock_of_a_trial_moves_forward() -> None:
    world = network(trial=True)
    before = world.ledger_ms
    world.accepts(SUP, AdvanceClock(by_ms=97 * DAY_MS))
    assert world.ledger_ms == before + 97 * DAY_MS + 1
    assert today(world.view(), "cn") == "2026-10-08"
    world.accepts(SUP, AdvanceClock(by_ms=DAY_MS))
    assert today(world.view(), "cn") == "2026-10-09"
    for who, by_ms, code in (
        (both("bank-a"), 0, Refusal.NOT_CLOCK_KEEPER),
        (SUP, 0, Refusal.NOT_FORWARD),
        (SUP, AT_MS_MAX, Refusal.TOO_FAR),
    ):
        world.refuses(who, AdvanceClock(by_ms=by_ms), code)


def test_only_a_trial_has_a_clock_to_move(world: World) -> None:
    world.refuses(both("bank-a"), AdvanceClock(by_ms=0), Refusal.NOT_TRIAL)


# --- what applications ask


def test_what_applications_ask(world: World) -> None:
    view = world.view()
    assert (admission(view), registrar(view)) == (Admits.SUPERVISOR, None)
    assert default_calendar(view) == "cn"
    assert parameter(view, "x.max", default=9) == 9
    assert today(view, "cn") == banking_day(view) == "2026-07-03"
    world.passes(days=1)
    assert (today(world.view(), "cn"), banking_day(world.view())) == ("2026-07-04", "2026-07-06")
    world.passes(days=200)
    assert banking_day(world.view()) == today(world.view(), "cn") == "2027-01-20"
    assert world.ledger_ms == OPENS_AT_MS + 201 * DAY_MS
