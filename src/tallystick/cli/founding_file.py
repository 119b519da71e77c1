"""The file that founds a network: `tally init --members FILE.toml`. docs/reference/founding.md.

[[members]]
id = "bank-a"
kind = "bank"
name = "Bank A Co., Ltd."
officers = { li-wei = ["maker"], chen-bo = ["checker", "admin"] }
keys = { li-wei = "5d0e…" }        # made elsewhere; the others are made here
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.apps import APPS
from tallystick.apps.founding import Founder, PublishedCalendar, first_records, supervised
from tallystick.cli.derive import catalogue
from tallystick.errors import FormatError
from tallystick.formats.calendars import CN_2026, CN_ZONE_MINUTES
from tallystick.ledger.app import Record
from tallystick.ledger.refusal import Refused
from tallystick.ledger.system import Consensus, Validator
from tallystick.testing.cast import CAST, OFFICERS
from tallystick.values.codec import decode, encode
from tallystick.values.errors import ValueProblem
from tallystick.wording import values_in_words


class MemberEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A founding member."""

    id: str
    """Its id, e.g. `bank-a`."""
    kind: str
    """What sort of institution it is, e.g. `bank`."""
    name: str = ""
    """Name in the company register; the id when empty."""
    size: str = "large"
    """`small`, `medium` or `large`."""
    numbers: Mapping[str, str] = {}
    """Register → number, e.g. `{ uscc = "91310000MA1FL0001X" }`."""
    officers: Mapping[str, tuple[str, ...]]
    """Officer → roles, e.g. `{ li-wei = ["maker"] }`."""
    keys: Mapping[str, str] = {}
    """Officer → public key in hex, where it was made elsewhere."""


class CalendarEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Banking days of one place."""

    id: str = "cn"
    """Its id, e.g. `cn`."""
    zone_minutes: int = CN_ZONE_MINUTES
    """Minutes east of UTC, e.g. 480."""
    payment_cutoff_minute: int = 17 * 60
    """When payments of a day end, in minutes after midnight, e.g. 1020 for 17:00."""
    years: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=lambda: {"2026": CN_2026})
    """Year → its banking days, one by one."""


class FoundingFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a founding file says."""

    members: tuple[MemberEntry, ...]
    """Founding members; the supervisors among them admit others and keep calendar and clock."""
    calendar: CalendarEntry = CalendarEntry()
    """Banking days; China's of 2026 unless said."""
    parameters: Mapping[str, int] = {}
    """Governance parameters set from the beginning."""

    @property
    def zone_minutes(self) -> int:
        """Zone of the calendar."""
        return self.calendar.zone_minutes


class FoundersKeys:
    """Keys of founding officers, made before there is a folder to keep them in."""

    def __init__(self) -> None:
        """Begin with none."""
        self.made: dict[str, Ed25519PrivateKey] = {}

    def public_key(self, officer: str, given: str | None) -> bytes:
        """The public key given, or that of a key made now."""
        if given is not None:
            try:
                return bytes.fromhex(given)
            except ValueError:
                raise FormatError(officer, "its key is not hex") from None
        made = self.made.setdefault(officer, Ed25519PrivateKey.generate())
        return made.public_key().public_bytes_raw()


def read_founding(path: Path) -> FoundingFile:
    """A founding file; FormatError says what is wrong."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=FoundingFile)
    except OSError as problem:
        raise FormatError(str(path), f"cannot be read: {problem.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise FormatError(str(path), str(problem)) from None


def cast_file() -> FoundingFile:
    """The members of the case files."""
    return FoundingFile(
        members=tuple(
            MemberEntry(id=party, kind=kind, size=size, officers=OFFICERS)
            for party, (kind, size) in CAST.items()
        )
    )


def founding_records(
    file: FoundingFile,
    keys: FoundersKeys,
    now_ms: int,
    validators: Sequence[Validator] = (),
    consensus: Consensus | None = None,
) -> tuple[Record, ...]:
    """The first records of the network; FormatError says why it cannot begin so."""
    calendar = file.calendar
    try:
        founders = [_founder(entry, keys) for entry in file.members]
        published = PublishedCalendar(
            calendar_id=calendar.id,
            zone_minutes=calendar.zone_minutes,
            years={int(year): days for year, days in calendar.years.items()},
            payment_cutoff_minute=calendar.payment_cutoff_minute,
        )
        founding = supervised(
            founders,
            published,
            parameters=file.parameters,
            validators=validators,
            consensus=consensus,
        )
        records = first_records(APPS, founding, now_ms)
        # What is made here was never decoded: hold it to its bounds.
        return tuple(decode(type(each), encode(each)) for each in records)
    except Refused as no:
        values = values_in_words(no.values)
        said = catalogue().sentence(no.code.app, no.code.number, values)
        raise FormatError("founding", said) from None
    except (ValueProblem, ValueError) as problem:
        raise FormatError("founding", str(problem)) from None


def _founder(entry: MemberEntry, keys: FoundersKeys) -> Founder:
    """A founding member with its officers' keys."""
    return Founder(
        party=entry.id,
        kind=entry.kind,
        legal_name=entry.name,
        size=entry.size,
        numbers=entry.numbers,
        officers={
            officer: (roles, keys.public_key(f"{entry.id}.{officer}", entry.keys.get(officer)))
            for officer, roles in entry.officers.items()
        },
    )
