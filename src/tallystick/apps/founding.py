"""The first records of a network: constitution, calendars, licences of each kind, founding members.

Founding members are admitted by the same rule that admits later ones, over an empty state.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from tallystick.apps.governance.interface import (
    CONSTITUTION,
    Admits,
    Constitution,
    Offset,
    Parameter,
    Publication,
    Rules,
    awaited_block,
    found,
    publish,
    stays_behind,
)
from tallystick.apps.members.interface import (
    Kind,
    KindLicence,
    LegalNumber,
    NewKey,
    NewMember,
    NewOfficer,
    NumberScheme,
    Size,
    admit,
)
from tallystick.ledger.app import App, Record, Role, key_bytes
from tallystick.ledger.context import Context, Moment, Work
from tallystick.ledger.genesis import BUDGET, carried_over
from tallystick.ledger.overlay import Overlay
from tallystick.ledger.rules import Rules as LedgerRules
from tallystick.ledger.system import CONSENSUS, Consensus, Validator

KINDS = tuple(kind.value for kind in Kind)
"""Kinds of member, e.g. `bank`."""
SIZES = tuple(size.value for size in Size)
"""Sizes of member: `small`, `medium`, `large`."""

DEFAULT_CONSENSUS = Consensus(
    name=CONSENSUS,
    block_bytes=4_194_304,
    block_transactions=5_000,
    evidence_blocks=100_000,
    evidence_ms=48 * 3_600_000,
)
"""What the engine of a consortium keeps to unless its founders say otherwise."""


@dataclass(frozen=True)
class Founding:
    """What the founders of a network agree on."""

    rules: Rules
    """What the constitution says."""
    calendars: Sequence[Publication]
    """Calendars published from the beginning, years in order."""
    members: Sequence[NewMember]
    """Founding members, at least a supervisor or the voters."""
    parameters: Mapping[str, int] = field(default_factory=dict)
    """Parameters set from the beginning, by name."""
    licences: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)
    """Verbs of a kind, where they differ from what the applications say."""
    validators: Sequence[Validator] = ()
    """Nodes that decide on the first blocks, run by founding members; none under one node alone."""
    consensus: Consensus | None = None
    """What their engine keeps to; None: `DEFAULT_CONSENSUS` where there are validators."""


@dataclass(frozen=True)
class Founder:
    """A founding member, told in plain words."""

    party: str
    """Its id, e.g. `bank-a`."""
    kind: str
    """What sort of institution it is, e.g. `bank`."""
    officers: Mapping[str, tuple[tuple[str, ...], bytes]]
    """Officer → (roles, public key), e.g. `{"maker": (("maker",), key)}`."""
    legal_name: str = ""
    """Name in the company register; the id when empty."""
    size: str = "large"
    """How large it is: `small`, `medium` or `large`."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """Register → number, e.g. `{"uscc": "91310000MA1FL0001X"}`."""
    salt: str = ""
    """Hides the persons in their identity commitments; secret to the member."""

    def newcomer(self) -> NewMember:
        """The member to be admitted."""
        return NewMember(
            member_id=self.party,
            legal_name=self.legal_name or self.party,
            kind=Kind(self.kind),
            size=Size(self.size),
            numbers=tuple(
                LegalNumber(scheme=NumberScheme(scheme), number=number)
                for scheme, number in self.numbers.items()
            ),
            officers=tuple(
                NewOfficer(
                    officer_id=officer,
                    identity=self._identity(officer),
                    roles=tuple(Role(role) for role in roles),
                    keys=(NewKey(public_key=key),),
                )
                for officer, (roles, key) in self.officers.items()
            ),
        )

    def _identity(self, officer: str) -> bytes:
        """Commitment to a person; the name itself stays with the member."""
        return hashlib.sha256(f"{self.salt}/{self.party}.{officer}".encode()).digest()


@dataclass(frozen=True)
class PublishedCalendar:
    """Years of one place's banking days, and its zone."""

    calendar_id: str
    """Its id, e.g. `cn`."""
    zone_minutes: int
    """Minutes east of UTC, e.g. 480."""
    years: Mapping[int, tuple[str, ...]]
    """Year → banking days, one by one."""
    payment_cutoff_minute: int = 17 * 60
    """When payments of a day end, in minutes after midnight."""

    def publications(self) -> tuple[Publication, ...]:
        """One publication a year, in order."""
        return tuple(
            Publication(
                calendar_id=self.calendar_id,
                year=year,
                banking_days=days,
                utc_offsets=(Offset(from_ms=0, minutes=self.zone_minutes),),
                payment_cutoff_minute=self.payment_cutoff_minute,
            )
            for year, days in sorted(self.years.items())
        )


def supervised(
    founders: Sequence[Founder],
    calendar: PublishedCalendar,
    *,
    parameters: Mapping[str, int] | None = None,
    validators: Sequence[Validator] = (),
    consensus: Consensus | None = None,
) -> Founding:
    """The usual founding: supervisors keep members, calendars and clock; banks vote."""
    supervisors = tuple(each.party for each in founders if each.kind == Kind.SUPERVISOR.value)
    voting = (Kind.SUPERVISOR.value, Kind.CENTRAL_BANK.value, Kind.BANK.value)
    rules = Rules(
        admits=Admits.SUPERVISOR,
        voters=tuple(each.party for each in founders if each.kind in voting),
        quorum_ppm=500_000,
        threshold_ppm=666_666,
        voting_ms=7 * 86_400_000,
        parameter_keepers=supervisors,
        calendar_keepers=supervisors,
        clock_keepers=supervisors,
        calendar_id=calendar.calendar_id,
    )
    return Founding(
        rules=rules,
        calendars=calendar.publications(),
        members=tuple(each.newcomer() for each in founders),
        parameters=parameters or {},
        validators=validators,
        consensus=consensus,
    )


class _Kept:
    """Records that are there before anything is founded."""

    def __init__(self, kept: Iterable[Record] = ()) -> None:
        """Hold them by key."""
        self._kept = {key_bytes(each): each for each in kept}
        self._keys = sorted(self._kept)

    def load(self, name: str, key: bytes) -> Record | None:
        """The record of a key."""
        return self._kept.get(key)

    def scan(self, name: str, prefix: bytes, start: bytes | None) -> Iterator[tuple[bytes, Record]]:
        """Records whose key begins with the prefix, from `start` on, in key order."""
        rest = islice(self._keys, bisect_left(self._keys, start or prefix), None)
        found = takewhile(lambda key: key.startswith(prefix), rest)
        return ((key, self._kept[key]) for key in found)


def first_records(apps: Sequence[App], founding: Founding, now_ms: int) -> tuple[Record, ...]:
    """The records that a genesis begins with; `now_ms` is ledger time at genesis.

    Refused says why a member or validator cannot be among them.
    """
    if founding.consensus is not None and not founding.validators:
        raise ValueError("parameters of an engine without validators")
    work, ctx = _begin(apps, (), now_ms)
    ctx.add(Constitution(name=CONSTITUTION, rules=founding.rules, amended_at_ms=now_ms))
    for name, value in sorted(founding.parameters.items()):
        ctx.add(Parameter(name=name, value=value, set_at_ms=now_ms))
    for publication in founding.calendars:
        publish(ctx, publication)
    for kind in Kind:
        verbs = founding.licences.get(kind, verbs_of_kind(apps, kind))
        ctx.add(KindLicence(kind=kind, verbs=verbs))
    for member in founding.members:
        admit(ctx, member)
    if founding.validators:
        found(ctx, founding.validators, founding.consensus or DEFAULT_CONSENSUS)
    return _made(work)


def _begin(apps: Sequence[App], kept: Iterable[Record], now_ms: int) -> tuple[Work, Context]:
    """A block 0 over some records, in which rules of governance may write."""
    moment = Moment(LedgerRules(apps), BUDGET, now_ms, 0)
    work = Work(Overlay(_Kept(kept)), moment, b"genesis")
    ctx = Context(work, party="", acting=frozenset())
    ctx.governs = True
    return work, ctx


def _made(work: Work) -> tuple[Record, ...]:
    """What it wrote, in key order."""
    return tuple(kept for _, (_, kept) in sorted(work.changes.items()) if kept is not None)


# --- with the state of another chain


def travelling(kept: Iterable[Record], height: int) -> tuple[Record, ...]:
    """What a new chain begins with of the state of another after the block at a height.

    Everything but what belongs to the old chain's blocks and nodes. ValueError when a vote is open
    that names one of its blocks.
    """
    found: list[Record] = []
    for each in kept:
        awaited = awaited_block(each)
        if awaited is not None:
            raise ValueError(
                f"a proposal that is not decided names block {awaited} of this chain, which the new"
                " one does not have: decide it or withdraw it first"
            )
        after = None if stays_behind(each) else carried_over(each, height)
        if after is not None:
            found.append(after)
    return tuple(found)


def continued(
    apps: Sequence[App],
    kept: Sequence[Record],
    now_ms: int,
    validators: Sequence[Validator],
    consensus: Consensus,
) -> tuple[Record, ...]:
    """The records of a network of several nodes that goes on with such a state, in key order.

    Refused says why a validator cannot be among them; `now_ms` is ledger time at its genesis.
    """
    work, ctx = _begin(apps, kept, now_ms)
    found(ctx, validators, consensus)
    return tuple(sorted((*kept, *_made(work)), key=key_bytes))


def verbs_of_kind(apps: Sequence[App], kind: Kind) -> tuple[str, ...]:
    """Verbs that the applications give to a kind of member by default, in order."""
    return tuple(
        sorted(
            verb
            for app in apps
            for verb, kinds in app.verbs.items()
            if kind.value in kinds or "*" in kinds
        )
    )
