"""The cast of tests and case files: members of every needed kind, with keys derived from names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from tallystick.apps import APPS, AUTHORITY
from tallystick.apps.founding import (
    Founder,
    Founding,
    PublishedCalendar,
    first_records,
    supervised,
)
from tallystick.formats.calendars import CN_2026, CN_ZONE_MINUTES
from tallystick.ledger.app import App, Record
from tallystick.ledger.system import Validator
from tallystick.testing.world import OPENS, ZONE_MINUTES, World, public_key
from tallystick.values.time import at

CALENDAR = PublishedCalendar(calendar_id="cn", zone_minutes=CN_ZONE_MINUTES, years={2026: CN_2026})
"""China's banking days of 2026."""

OFFICERS: Mapping[str, tuple[str, ...]] = {
    "maker": ("maker",),
    "checker": ("checker",),
    "approver": ("approver",),
    "compliance": ("compliance",),
    "admin": ("admin",),
}
"""Every member's officers, named by their one role."""

CAST: Mapping[str, tuple[str, str]] = {
    "CB": ("central_bank", "large"),
    "SUP": ("supervisor", "large"),
    "D1": ("core_enterprise", "large"),
    "D2": ("core_enterprise", "large"),
    "D3": ("core_enterprise", "large"),
    "S1": ("supplier", "medium"),
    "S2": ("supplier", "medium"),
    "S3": ("supplier", "small"),
    "S4": ("supplier", "small"),
    "S5": ("supplier", "small"),
    "S6": ("supplier", "small"),
    "T1": ("supplier", "medium"),
    "T2": ("supplier", "small"),
    "T3": ("supplier", "small"),
    "bank-a": ("bank", "large"),
    "bank-b": ("bank", "large"),
    "factor-a": ("factoring", "medium"),
    "factor-b": ("factoring", "medium"),
}
"""Party → kind and size."""


def founder(party: str, kind: str, size: str = "large") -> Founder:
    """A member with one officer for each role, keys derived from `party.officer`."""
    return Founder(
        party=party,
        kind=kind,
        size=size,
        officers={
            officer: (roles, public_key(f"{party}.{officer}"))
            for officer, roles in OFFICERS.items()
        },
    )


def cast_world(
    *,
    members: Mapping[str, tuple[str, str]] | None = None,
    apps: Sequence[App] = APPS,
    opens: tuple[str, int] = OPENS,
    calendar: PublishedCalendar = CALENDAR,
    parameters: Mapping[str, int] | None = None,
    validators: Mapping[str, int] | None = None,
    trial: bool = False,
    strict: bool = True,
) -> World:
    """A world with the usual cast, or with other members, on China's calendar of 2026.

    `validators`: member → power of the node that it runs, with the key `MEMBER.node`.
    """
    told = tuple((party, *each) for party, each in (members or CAST).items())
    set_from_the_start = tuple(sorted((parameters or {}).items()))
    nodes = tuple(node(member, power) for member, power in (validators or {}).items())
    now_ms = at(opens[0], opens[1], ZONE_MINUTES)
    is_usual = apps is APPS and calendar is CALENDAR
    records = (
        _usual_records(told, set_from_the_start, nodes, now_ms)
        if is_usual
        else first_records(apps, _founding(calendar, told, set_from_the_start, nodes), now_ms)
    )
    return World(apps, AUTHORITY, records, opens=opens, trial=trial, strict=strict)


Told = tuple[tuple[str, str, str], ...]
"""Party, kind and size of each member."""


def node(member: str, power: int) -> Validator:
    """The validator that a member runs, with the test key `MEMBER.node`."""
    return Validator(public_key=public_key(f"{member}.node"), member=member, power=power)


def _founding(
    calendar: PublishedCalendar,
    members: Told,
    parameters: tuple[tuple[str, int], ...],
    nodes: tuple[Validator, ...],
) -> Founding:
    """What the founders of such a network agree on."""
    founders = [founder(*each) for each in members]
    return supervised(founders, calendar, parameters=dict(parameters), validators=nodes)


@lru_cache(maxsize=32)
def _usual_records(
    members: Told,
    parameters: tuple[tuple[str, int], ...],
    nodes: tuple[Validator, ...],
    now_ms: int,
) -> tuple[Record, ...]:
    """First records with all applications and the usual calendar; tests open many such worlds."""
    return first_records(APPS, _founding(CALENDAR, members, parameters, nodes), now_ms)
