"""A small network for the tests of cash and of documents."""

from collections.abc import Sequence

from tallystick.apps.cash import APP as CASH
from tallystick.apps.cash.tests.desk import APP as DESK
from tallystick.apps.documents import APP as DOCUMENTS
from tallystick.apps.founding import Founding, first_records
from tallystick.apps.governance import APP as GOVERNANCE
from tallystick.apps.governance.records import Admits, Constitution, Offset, Publication, Rules
from tallystick.apps.members import APP as MEMBERS
from tallystick.apps.members.authority import MembersAuthority
from tallystick.apps.members.interface import Kind, NewKey, NewMember, NewOfficer
from tallystick.ledger.app import Record, Role
from tallystick.testing.world import OPENS, ZONE_MINUTES, World, public_key
from tallystick.values.time import at

CNY = "CNY@central-bank"
"""Central bank money."""
APPS = (MEMBERS, GOVERNANCE, CASH, DOCUMENTS, DESK)

KINDS = {
    "central-bank": Kind.CENTRAL_BANK,
    "bank-a": Kind.BANK,
    "factor": Kind.FACTORING,
    "D1": Kind.CORE_ENTERPRISE,
    "S1": Kind.SUPPLIER,
    "S2": Kind.SUPPLIER,
    "registrar": Kind.FINTECH,
    "supervisor": Kind.SUPERVISOR,
}
"""Who there is."""

WEEKDAYS = tuple(f"2026-07-{day:02}" for day in range(1, 32) if day % 7 not in (4, 5))
"""Banking days of July 2026, enough for these tests."""


def founder(member_id: str, kind: Kind) -> NewMember:
    """A member with a maker who administers, a checker and a compliance officer."""
    people = {
        "maker": (Role.MAKER, Role.ADMIN),
        "checker": (Role.CHECKER,),
        "compliance": (Role.COMPLIANCE,),
    }
    return NewMember(
        member_id=member_id,
        legal_name=f"{member_id} Ltd.",
        kind=kind,
        officers=tuple(
            NewOfficer(
                officer_id=name,
                roles=roles,
                keys=(NewKey(public_key=public_key(f"{member_id}.{name}")),),
            )
            for name, roles in people.items()
        ),
    )


def network(
    extra: Sequence[Record] = (), banks: Sequence[str] = (), *, constitution: bool = True
) -> World:
    """The network on its first morning, with further records and further banks."""
    kinds = KINDS | dict.fromkeys(banks, Kind.BANK)
    founding = Founding(
        rules=Rules(
            admits=Admits.SUPERVISOR,
            voters=("bank-a",),
            quorum_ppm=500_000,
            threshold_ppm=500_000,
            voting_ms=1,
            registrar="registrar",
            calendar_id="cn",
        ),
        calendars=(
            Publication(
                calendar_id="cn",
                year=2026,
                banking_days=WEEKDAYS,
                utc_offsets=(Offset(from_ms=0, minutes=ZONE_MINUTES),),
                payment_cutoff_minute=17 * 60,
            ),
        ),
        members=tuple(founder(each, kind) for each, kind in kinds.items()),
    )
    records = [
        each
        for each in first_records(APPS, founding, at(*OPENS, ZONE_MINUTES))
        if constitution or not isinstance(each, Constitution)
    ]
    return World(APPS, MembersAuthority(), (*records, *extra))


def by(party: str) -> str:
    """Maker and checker of a party."""
    return f"{party}.maker+checker"
