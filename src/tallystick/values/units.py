r"""The types of fields: what is counted, in which unit, within which bounds.

A unit stands in `Meta.extra["unit"]`; the catalogue, the command line and the JSON form read it
there. Patterns end in `(?!\n)$`: `$` alone also matches before a last newline.
msgspec takes each bound once: a narrower type is written out, not put around a wider one.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Meta

INT64_MAX: Final = 2**63 - 1
"""Largest amount that the ledger can hold."""

INT64_MIN: Final = -(2**63)
"""Smallest signed amount that the ledger can hold."""

PPM: Final = 1_000_000
"""One whole, in parts per million."""

AT_MS_MAX: Final = 2**53
"""Latest instant: the largest integer that JSON readers keep exact."""

UNIT_MINOR: Final = "minor"
"""Unit of money; a number of this unit is a string of digits in JSON."""


@dataclass(frozen=True, slots=True)
class KeyOf:
    """Marks an id as the key of a record: `Annotated[Id, KeyOf("Piece")]`."""

    record: str
    """Name of the record's class, e.g. `Piece`."""


Minor = Annotated[
    int,
    Meta(ge=0, le=INT64_MAX, description="Money in minor units.", extra={"unit": UNIT_MINOR}),
]
"""Money in the minor units of its currency: 12345 is 123.45 CNY."""

SignedMinor = Annotated[
    int,
    Meta(
        ge=INT64_MIN,
        le=INT64_MAX,
        description="Money in minor units, negative when owed the other way.",
        extra={"unit": UNIT_MINOR},
    ),
]
"""Money that may be negative, in minor units: a change of a balance."""

Ppm = Annotated[
    int,
    Meta(ge=0, le=10_000_000_000, description="Parts per million.", extra={"unit": "ppm"}),
]
"""A rate or a share in parts per million: 43500 is 4.35 %."""

SharePpm = Annotated[
    int,
    Meta(ge=0, le=PPM, description="A share, parts per million.", extra={"unit": "ppm"}),
]
"""A part of one whole, in parts per million: 600000 is 60 %."""

YearlyCostPpm = Annotated[
    int,
    Meta(ge=0, le=INT64_MAX, description="Yearly cost, parts per million.", extra={"unit": "ppm"}),
]
"""A computed yearly cost in parts per million, which a small sum received can make very large."""

Bps = Annotated[int, Meta(ge=0, le=100_000_000, description="Basis points.", extra={"unit": "bps"})]
"""A rate in basis points: 435 is 4.35 %."""

AtMs = Annotated[
    int,
    Meta(
        ge=0,
        le=AT_MS_MAX,
        description="Milliseconds since 1970-01-01 00:00 UTC.",
        extra={"unit": "ms since 1970 UTC"},
    ),
]
"""An instant of ledger time, in milliseconds since 1970-01-01 00:00 UTC."""

DurationMs = Annotated[
    int, Meta(ge=0, le=AT_MS_MAX, description="Milliseconds.", extra={"unit": "ms"})
]
"""A length of time in milliseconds."""

Count = Annotated[int, Meta(ge=0, le=2**31 - 1, description="A count.", extra={"unit": "count"})]
"""How many of something."""

PositiveCount = Annotated[
    int, Meta(ge=1, le=2**31 - 1, description="A count from 1.", extra={"unit": "count"})
]
"""How many of something, at least one; also a version."""

Days = Annotated[int, Meta(ge=0, le=36_500, description="Days.", extra={"unit": "days"})]
"""A number of days, at most a hundred years."""

Minutes = Annotated[int, Meta(ge=0, le=525_600, description="Minutes.", extra={"unit": "minutes"})]
"""A number of minutes, at most a year."""

MinuteOfDay = Annotated[
    int,
    Meta(ge=0, le=1_440, description="Minutes after midnight.", extra={"unit": "minutes"}),
]
"""A time of day: 1020 is 17:00, 1440 is the end of the day."""

OffsetMinutes = Annotated[
    int,
    Meta(ge=-720, le=840, description="Minutes east of UTC.", extra={"unit": "minutes"}),
]
"""Offset of a zone from UTC: 480 is China."""

Height = Annotated[int, Meta(ge=0, le=AT_MS_MAX, description="Block height.")]
"""Number of a block; 0 is genesis."""

Day = Annotated[
    str,
    Meta(
        max_length=10,
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?!\n)$",
        description="A day, YYYY-MM-DD.",
        extra={"unit": "day"},
    ),
]
"""A calendar day, `2026-10-08`. That the month has the day is asked with `time.is_day`."""

PartyId = Annotated[
    str,
    Meta(max_length=32, pattern=r"^[A-Za-z0-9-]{1,32}(?!\n)$", description="A party."),
]
"""A party as records name it: `bank-a`."""

OfficerId = Annotated[
    str,
    Meta(max_length=32, pattern=r"^[A-Za-z0-9-]{1,32}(?!\n)$", description="An officer."),
]
"""An officer within its member: `maker`."""

OutletId = Annotated[
    str,
    Meta(max_length=32, pattern=r"^[A-Za-z0-9-]{1,32}(?!\n)$", description="An outlet."),
]
"""A branch within its member: `head-office`."""

Id = Annotated[
    str,
    Meta(
        max_length=32,
        pattern=r"^[a-z][a-z0-9]{0,14}-[0-9a-f]{16}(?!\n)$",
        description="The id of a record.",
    ),
]
"""The derived id of a record: `piece-0123456789abcdef`."""

Reference = Annotated[
    str,
    Meta(max_length=64, pattern=r"^[ -~]{1,64}(?!\n)$", description="A reference."),
]
"""A business number or a client's own reference, printable ASCII: `PO 2026/17`."""

Currency = Annotated[
    str, Meta(max_length=3, pattern=r"^[A-Z]{3}(?!\n)$", description="ISO 4217 code.")
]
"""A currency: `CNY`."""

MoneyId = Annotated[
    str,
    Meta(
        max_length=36,
        pattern=r"^[A-Z]{3}@[A-Za-z0-9-]{1,32}(?!\n)$",
        description="A currency and who issued it.",
    ),
]
"""Whose money it is: `CNY@central-bank`."""

# Without control characters and marks that turn the direction of writing: with them one name can
# be made to look like another.
_LINE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=140,
        pattern=rf"^{_LINE}{{1,140}}(?!\n)$",
        description="A name, one line.",
    ),
]
"""A name in any script, one line."""

ShortText = Annotated[
    str,
    Meta(max_length=140, pattern=rf"^{_LINE}{{0,140}}(?!\n)$", description="One line of text."),
]
"""A line of text, may be empty."""

Text = Annotated[str, Meta(max_length=500, description="Text.")]
"""A text of several lines, may be empty."""

Label = Annotated[
    str,
    Meta(max_length=64, pattern=r"^[a-z0-9_.-]{1,64}(?!\n)$", description="A name of ours."),
]
"""A name that programs use, such as a verb or a parameter: `warehouse.trade`."""

Hash32 = Annotated[bytes, Meta(min_length=32, max_length=32, description="SHA-256 hash.")]
"""A SHA-256 hash."""

PublicKey = Annotated[bytes, Meta(min_length=32, max_length=32, description="A public key.")]
"""An Ed25519 public key."""

Signature64 = Annotated[bytes, Meta(min_length=64, max_length=64, description="A signature.")]
"""An Ed25519 signature."""

Salt16 = Annotated[bytes, Meta(min_length=16, max_length=16, description="A salt.")]
"""Random bytes that keep a committed field from being guessed."""
