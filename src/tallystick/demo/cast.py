"""The institutions of the story, and who is recognised by a register's number on an invoice."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tallystick.apps.founding import Founder
from tallystick.formats.ubl_document import Party

CENTRAL_BANK = "central-bank"
SUPERVISOR = "supervisor"
BANK = "bank-a"
FACTOR = "factor-a"

OFFICERS = {"admin": ("admin",), "maker": ("maker",), "checker": ("checker",)}
"""Three people of every institution, each with one role and one key."""

_SLUG = re.compile(r"[^a-z0-9]+")
_NUMBER = re.compile(r"[^A-Z0-9]+")


@dataclass(frozen=True)
class Player:
    """An institution of the story."""

    party: str
    """Its id on the ledger."""
    name: str
    """What people call it."""
    kind: str
    """What sort of institution it is."""
    size: str = "large"
    """How large it is."""
    licences: tuple[str, ...] = ()
    """Verbs beyond those of its kind."""
    number: str = ""
    """Its number in a public register; empty when none is needed."""


INSTITUTIONS = (
    Player(CENTRAL_BANK, "the central bank", "central_bank"),
    Player(SUPERVISOR, "the supervisor", "supervisor"),
    Player(BANK, "Bank A", "bank"),
    Player(FACTOR, "Factor A", "factoring", "medium"),
)
"""Institutions that are there whatever the invoices say. The first two found the chain."""

KNOWN = (
    Player(
        "huayue", "Huayue Heavy Industry", "core_enterprise", "large", number="91310115MA1TT0011J"
    ),
    Player("linhai", "Linhai Appliances", "core_enterprise", "large", number="91330106MA2TT00211"),
    Player("hengtong", "Hengtong Precision", "supplier", "medium", number="91320505MA3TT0031A"),
    Player("ruifeng", "Ruifeng Motors", "supplier", "medium", number="91330212MA4TT0041A"),
    Player("hongyuan", "Hongyuan Castings", "supplier", "small", number="91320281MA5TT0051B"),
    Player("anda", "Anda Fasteners", "supplier", "small", number="91340104MA6TT00615"),
)
"""Companies of the example invoices, under the names that the story uses."""


class Players:
    """Everybody in the story."""

    def __init__(self) -> None:
        """Begin with those who are there whatever the invoices say."""
        self._by_party = {player.party: player for player in INSTITUTIONS}
        self._by_number: dict[str, Player] = {}

    def __iter__(self) -> Iterator[Player]:
        """All, in the order in which they came."""
        return iter(self._by_party.values())

    def name(self, party: str) -> str:
        """What people call a party."""
        known = self._by_party.get(party)
        return known.name if known else party

    def of(self, party: Party) -> Player:
        """The player that an invoice's party is."""
        return self._by_number[known_by(party)]

    def numbers(self) -> dict[str, str]:
        """Register number → party, for the import."""
        return {number: player.party for number, player in self._by_number.items()}

    def join(self, party: Party, *, buys_only: bool) -> Player | None:
        """Take in an invoice's party; None if it is known already."""
        number = known_by(party)
        if number in self._by_number:
            return None
        known = next((each for each in KNOWN if each.number == number), None)
        if known is None:
            kind, size = ("core_enterprise", "large") if buys_only else ("supplier", "small")
            known = Player(
                self._free_id(party.name, number),
                party.name,
                kind,
                size,
                number=register_number(party.number),
            )
        self._by_number[number] = known
        self._by_party[known.party] = known
        return known

    def _free_id(self, name: str, number: str) -> str:
        """An id made of the name, or of the number where the name has no Latin letters."""
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        slug = (
            _SLUG.sub("-", plain).strip("-")[:24].strip("-")
            or f"party-{register_number(number).lower()[:20]}"
        )
        taken = slug in self._by_party
        return f"{slug}-{number.lower()[-6:]}" if taken else slug


def known_by(party: Party) -> str:
    """What tells an invoice's party from others: its number, else its name."""
    return register_number(party.number) or party.name


def register_number(text: str) -> str:
    """A register's number as members state it: capitals and digits alone."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return _NUMBER.sub("", plain)[:32]


def scheme_of(number: str) -> str:
    """Which register a number seems to be of."""
    if len(number) == 18:
        return "uscc"
    return "vat" if number[:2].isalpha() else "company"


class Keys(Protocol):
    """Who makes officers' keys."""

    def public_key(self, officer: str) -> bytes:
        """Public key of `MEMBER.OFFICER`; made when there is none yet."""


def founder(player: Player, keys: Keys) -> Founder:
    """A player as a member to be admitted, with its three people and their keys."""
    officers = dict(OFFICERS)
    if player.kind == "supervisor":
        officers["compliance"] = ("compliance",)
    return Founder(
        party=player.party,
        kind=player.kind,
        size=player.size,
        legal_name=player.name,
        numbers={scheme_of(player.number): player.number} if player.number else {},
        officers={
            officer: (roles, keys.public_key(f"{player.party}.{officer}"))
            for officer, roles in officers.items()
        },
        salt=hashlib.sha256(player.party.encode()).hexdigest()[:16],
    )
