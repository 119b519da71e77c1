"""How a year of a calendar is published, and how the published years are read."""

from itertools import pairwise

from tallystick.apps.governance.banking import Banking, banking_of, offset_at
from tallystick.apps.governance.records.standing import (
    Calendar,
    CalendarYear,
    Offset,
    Publication,
)
from tallystick.apps.governance.refusals import Refusal
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.ledger.view import Reader
from tallystick.values.codec import replace
from tallystick.values.time import day_of, is_day


def calendar(reader: Reader, calendar_id: str) -> Banking:
    """The banking days, zone and cut-off of a calendar, as published so far."""
    return reader.recall(_calendar, calendar_id)


def _calendar(reader: Reader, calendar_id: str) -> Banking:
    """Put the calendar together from its records."""
    head = reader.get(Calendar, calendar_id)
    years = range(head.first_year, head.last_year + 1)
    return banking_of(head, tuple(reader.get(CalendarYear, calendar_id, year) for year in years))


def check_publication(reader: Reader, new: Publication) -> None:
    """Refuse days or offsets that are none, a year out of turn, and a change of what has passed."""
    previous = f"{new.year - 1:04}-12-31"
    for day in new.banking_days:
        fits = is_day(day) and previous < day <= f"{new.year:04}-12-31"
        require(fits, Refusal.BAD_DAYS, day=day)
        previous = day
    starts = [offset.from_ms for offset in new.utc_offsets]
    in_order = starts[0] == 0 and all(a < b for a, b in pairwise(starts))
    require(in_order, Refusal.BAD_OFFSETS, calendar_id=new.calendar_id)
    head = reader.peek(Calendar, new.calendar_id)
    if head is not None:
        next_year = head.last_year + 1
        in_turn = head.first_year <= new.year <= next_year
        require(in_turn, Refusal.NOT_NEXT_YEAR, year=new.year, next_year=next_year)
        kept = _is_past_kept(reader, head, new)
        require(kept, Refusal.PAST_CHANGED, calendar_id=new.calendar_id)


def publish(ctx: Context, new: Publication) -> None:
    """Keep a year of a calendar; its first publication makes the calendar."""
    check_publication(ctx, new)
    head = ctx.peek(Calendar, new.calendar_id)
    version = 1 if head is None else head.version + 1
    after = Calendar(
        calendar_id=new.calendar_id,
        version=version,
        first_year=new.year if head is None else head.first_year,
        last_year=new.year if head is None else max(head.last_year, new.year),
        utc_offsets=new.utc_offsets,
        payment_cutoff_minute=new.payment_cutoff_minute,
        published_at_ms=ctx.now_ms,
    )
    if head is None:
        ctx.add(after)
    else:
        ctx.save(after)
    _keep_year(ctx, new, version)


def _keep_year(ctx: Context, new: Publication, version: int) -> None:
    """Keep the banking days of one year, in place of those published before."""
    before = ctx.peek(CalendarYear, new.calendar_id, new.year)
    if before is not None:
        ctx.save(replace(before, banking_days=new.banking_days, version=version))
        return
    year = CalendarYear(
        calendar_id=new.calendar_id,
        year=new.year,
        banking_days=new.banking_days,
        version=version,
    )
    ctx.add(year)


def _is_past_kept(reader: Reader, head: Calendar, new: Publication) -> bool:
    """Are the offsets and days that have passed as they were?"""
    now_ms = reader.now_ms
    if _passed(head.utc_offsets, now_ms) != _passed(new.utc_offsets, now_ms):
        return False
    before = reader.peek(CalendarYear, new.calendar_id, new.year)
    if before is None:
        return True
    today = day_of(now_ms, offset_at(head.utc_offsets, now_ms))
    old = [day for day in before.banking_days if day <= today]
    return old == [day for day in new.banking_days if day <= today]


def _passed(offsets: tuple[Offset, ...], now_ms: int) -> list[Offset]:
    """Offsets that hold or held."""
    return [offset for offset in offsets if offset.from_ms <= now_ms]
