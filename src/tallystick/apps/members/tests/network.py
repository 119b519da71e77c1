"""A small network for the tests of members and of governance."""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from tallystick.apps.founding import Founding, first_records
from tallystick.apps.governance import APP as GOVERNANCE
from tallystick.apps.governance.interface import Admits, Offset, Publication, Rules
from tallystick.apps.members import APP as MEMBERS
from tallystick.apps.members.authority import AUTHORITY
from tallystick.apps.members.interface import Kind, NewKey, NewMember, NewOfficer, Size
from tallystick.apps.members.tests.counter import APP as COUNTER
from tallystick.ledger.app import Record, Role
from tallystick.ledger.receipt import Receipt
from tallystick.ledger.system import Validator
from tallystick.testing.world import OPENS, ZONE_MINUTES, World, public_key
from tallystick.values.time import add_days, at, weekday

APPS = (MEMBERS, GOVERNANCE, COUNTER)
OPENS_AT_MS = at(*OPENS, ZONE_MINUTES)
DAY_MS = 86_400_000
ROLES = {
    "maker": Role.MAKER,
    "checker": Role.CHECKER,
    "approver": Role.APPROVER,
    "compliance": Role.COMPLIANCE,
    "admin": Role.ADMIN,
}
"""Officers of every member, named by their one role."""
CAST = (
    ("SUP", Kind.SUPERVISOR, Size.LARGE),
    ("SUP2", Kind.SUPERVISOR, Size.LARGE),
    ("bank-a", Kind.BANK, Size.LARGE),
    ("S1", Kind.SUPPLIER, Size.SMALL),
    ("D1", Kind.CORE_ENTERPRISE, Size.LARGE),
    ("AU", Kind.AUDITOR, Size.MEDIUM),
)


def key(name: str) -> NewKey:
    """A key derived from a name such as `S1.maker`."""
    return NewKey(public_key=public_key(name))


def person(member: str, name: str, *roles: Role, **more: Any) -> NewOfficer:
    """An officer with one key derived from the name."""
    told = {
        "officer_id": name,
        "identity": hashlib.sha256(f"{member}.{name}".encode()).digest(),
        "roles": roles,
        "keys": (key(f"{member}.{name}"),),
    }
    return NewOfficer(**{**told, **more})


def newcomer(member: str, kind: Kind = Kind.SUPPLIER, **more: Any) -> NewMember:
    """A member with one officer for each role."""
    officers = tuple(person(member, name, role) for name, role in ROLES.items())
    told = {"member_id": member, "legal_name": f"{member} Ltd.", "kind": kind, "officers": officers}
    return NewMember(**{**told, **more})


@cache
def weekdays(year: int) -> tuple[str, ...]:
    """Mondays to Fridays of a year: a calendar good enough for these tests."""
    days = (add_days(f"{year}-01-01", n) for n in range(366))
    return tuple(day for day in days if weekday(day) < 5 and day.startswith(f"{year}-"))


def publication(year: int = 2026, **more: Any) -> Publication:
    """A year of the calendar `cn`."""
    told = {
        "calendar_id": "cn",
        "year": year,
        "banking_days": weekdays(year),
        "utc_offsets": (Offset(from_ms=0, minutes=ZONE_MINUTES),),
        "payment_cutoff_minute": 17 * 60,
    }
    return Publication(**{**told, **more})


def rules(**more: Any) -> Rules:
    """A constitution: the supervisor admits and keeps everything, three members vote."""
    told = {
        "admits": Admits.SUPERVISOR,
        "voters": ("SUP", "bank-a", "D1"),
        "quorum_ppm": 500_000,
        "threshold_ppm": 666_666,
        "voting_ms": 7 * DAY_MS,
        "parameter_keepers": ("SUP",),
        "calendar_keepers": ("SUP",),
        "clock_keepers": ("SUP",),
        "calendar_id": "cn",
    }
    return Rules(**{**told, **more})


def network(
    *extra: Record,
    without: type[Record] | None = None,
    trial: bool = False,
    validators: Sequence[Validator] = (),
    **said: Any,
) -> World:
    """The network on its first morning; `extra` records stand in place of the usual ones."""
    founding = Founding(
        rules=rules(**said),
        calendars=(publication(),),
        members=tuple(newcomer(name, kind, size=size) for name, kind, size in CAST),
        validators=validators,
    )
    told = {_key(each): each for each in first_records(APPS, founding, OPENS_AT_MS)}
    told |= {_key(each): each for each in extra}
    records = tuple(each for each in told.values() if type(each) is not without)
    return World(APPS, AUTHORITY, records, trial=trial)


def _key(kept: Record) -> tuple[Any, ...]:
    return (kept.spec.name, kept.spec.key_of(kept))


def node(member: str, power: int = 10, *, name: str = "node") -> Validator:
    """A validator of a member, with a key derived from the names."""
    return Validator(public_key=public_key(f"{member}.{name}"), member=member, power=power)


def timer_receipts(world: World) -> list[Receipt]:
    """Receipts of all timers so far."""
    entries = list(world.chain.entries(1))
    return [each for entry in entries for each in entry.receipts if each.timer_id is not None]


def both(party: str) -> str:
    """Maker and checker of a party."""
    return f"{party}.maker+checker"


def house(party: str) -> str:
    """Admin and checker of a party, who keep its people and keys."""
    return f"{party}.admin+checker"
