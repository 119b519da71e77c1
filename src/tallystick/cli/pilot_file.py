"""A pilot's state in a proposal: where it is read, what people compare, the genesis made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.apps.cash.records import Supply
from tallystick.apps.founding import continued
from tallystick.cli.derive import catalogue
from tallystick.cli.output import progress
from tallystick.errors import FormatError
from tallystick.ledger.app import Record
from tallystick.ledger.genesis import AppVersion, Genesis, first_records, record_union, root_of
from tallystick.ledger.refusal import Refused
from tallystick.ledger.rules import Rules
from tallystick.ledger.system import Consensus, Validator
from tallystick.network.ceremony import genesis_of
from tallystick.node import Beginning, shipped
from tallystick.operations.pilot import (
    Pilot,
    clock_of,
    read_folder,
    read_pilot,
    records_of,
    versions_of,
)
from tallystick.values.codec import decode, replace
from tallystick.values.money import currency_of, format_minor
from tallystick.wording import values_in_words


@dataclass(frozen=True)
class Figures:
    """What people read to each other to know that they begin with the same state."""

    records: int
    """How many records there are."""
    state_root: str
    """Root of the state tree over them, in hex."""
    circulation: dict[str, str]
    """Money → how much of it is about, e.g. `CNY@CB` → `1,000.00`."""

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"{self.records:,} records, state root {self.state_root}",
            *(f"in circulation: {amount} {money}" for money, amount in self.circulation.items()),
        ]


def figures_of_genesis(genesis: Genesis) -> Figures:
    """Those of the state with which a chain begins."""
    types = Rules(shipped()[0]).record_types
    union = record_union(types)
    first = first_records(genesis, types)
    about = circulation(decode(union, raw) for raw in first.values())
    return Figures(len(first), root_of(genesis, types).hex(), about)


def figures_of_pilot(pilot: Pilot) -> Figures:
    """Those of what travels."""
    records = records_of(pilot, shipped()[0])
    return Figures(len(records), pilot.root, circulation(records))


def circulation(records: Iterable[Record]) -> dict[str, str]:
    """Money → what was issued less what was redeemed."""
    return {
        each.money: format_minor(each.issued_minor - each.redeemed_minor, currency_of(each.money))
        for each in records
        if isinstance(each, Supply)
    }


def pilot_at(path: Path) -> Pilot:
    """A pilot's state from its export, or from the data folder of its stopped node."""
    if path.is_file():
        return read_pilot(path)
    apps, authority = shipped()
    with progress("audit") as step:
        return read_folder(path, apps, authority, progress=step)


def ledger_ms_at(pilot: Pilot, time_ms: int) -> int:
    """Ledger time of a block time under the pilot's clock; FormatError when it would go back."""
    if time_ms < pilot.time_ms:
        raise FormatError("proposal", "it begins before the last block of the pilot")
    return time_ms + clock_of(records_of(pilot, shipped()[0])).offset_ms


@dataclass(frozen=True)
class Next:
    """The network that goes on with a pilot's state."""

    name: str
    """Name of its chain."""
    time_ms: int
    """Block time of its first block."""
    horizon_ms: int
    """How far ahead of ledger time a transaction may expire."""
    validators: Sequence[Validator]
    """Nodes that decide on its first blocks."""
    consensus: Consensus
    """What their engine keeps to."""


def genesis_after(pilot: Pilot, following: Next) -> Genesis:
    """The genesis that takes the pilot's state over; FormatError says why it cannot."""
    apps, _ = shipped()
    records = records_of(pilot, apps)
    now_ms, clock = ledger_ms_at(pilot, following.time_ms), clock_of(records)
    try:
        first = continued(apps, records, now_ms, following.validators, following.consensus)
    except Refused as no:
        values = values_in_words(no.values)
        said = catalogue().sentence(no.code.app, no.code.number, values)
        raise FormatError("validators", said) from None
    beginning = Beginning(
        name=following.name,
        records=first,
        opens_at_ms=now_ms if clock.trial else None,
        trial=clock.trial,
        budget=pilot.budget,
        horizon_ms=following.horizon_ms,
    )
    genesis = genesis_of(beginning, following.time_ms)
    in_force = versions_of(records)
    versions = tuple(
        AppVersion(app=app.name, version=in_force[app.name]) for app in apps if app.name in in_force
    )
    return replace(genesis, apps=versions, timers_per_block=pilot.timers_per_block)
