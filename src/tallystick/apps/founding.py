"""The first records of a network: constitution, calendars, licences of each kind, founding members.

Founding members are admitted by the same rule that admits later ones, over an empty state.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tallystick.apps.governance.interface import Constitution, Publication, Rules, publish
from tallystick.apps.governance.interface import CONSTITUTION, Parameter
from tallystick.apps.members.interface import Kind, KindLicence, NewMember, admit
from tallystick.ledger.app import App, Record
from tallystick.ledger.context import Context, Moment, Work
from tallystick.ledger.genesis import BUDGET
from tallystick.ledger.overlay import Overlay
from tallystick.ledger.rules import Rules as LedgerRules


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


class _Nothing:
    """A state without records."""

    def load(self, name: str, key: bytes) -> Record | None:
        """No record."""
        return None

    def scan(self, name: str, prefix: bytes, start: bytes | None) -> Iterator[tuple[bytes, Record]]:
        """No records."""
        return iter(())


def first_records(apps: Sequence[App], founding: Founding, now_ms: int) -> tuple[Record, ...]:
    """The records that a genesis begins with; `now_ms` is ledger time at genesis."""
    moment = Moment(LedgerRules(apps), BUDGET, now_ms, 0)
    work = Work(Overlay(_Nothing()), moment, b"genesis")
    ctx = Context(work, party="", acting=frozenset())
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
    return tuple(kept for _, (_, kept) in sorted(work.changes.items()) if kept is not None)


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
