"""Who takes part in the workloads that are measured, and what their chain begins with.

Ledger time begins on a fixed day, so that what is signed for a day means the same whenever the
bench is run, and no midnight falls into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from tallystick.apps import APPS
from tallystick.apps.cash.records import Balance, Supply
from tallystick.apps.founding import Founder, PublishedCalendar, first_records, supervised
from tallystick.apps.members.records import Member, Policy
from tallystick.bench.network import CENTRAL_BANK, MONEY, SUPERVISOR, Signer, founder
from tallystick.formats.calendars import CN_2026, CN_ZONE_MINUTES
from tallystick.ledger.app import Message, Record, key_bytes
from tallystick.ledger.transaction import Body, Call, assemble, transaction_id
from tallystick.node import Beginning
from tallystick.values.codec import encode, replace

OPENS_MS = 1_783_040_400_000
"""Ledger time at which every chain of the bench begins: 2026-07-03 09:00 in China, a Friday."""
EXPIRY_MS = 12 * 3_600_000
"""How long what is signed is good."""
START_MINOR = 1_000_000_000_000
"""What each account begins with: more than it can spend in a run."""
AT_ONCE = 250
"""Members that are founded at once."""
DEBTORS = 4
"""Core enterprises whose debts are passed on."""
PAYING = ("cash.transfer",)
"""What a small member that pays lets its boss sign alone."""
SUPPLYING = (
    "receivables.accept_offer",
    "receivables.accept_pass",
    "receivables.apply",
    "receivables.pass",
    "receivables.split",
)
"""What a supplier does."""


@dataclass(frozen=True)
class Cast:
    """How many there are of each kind, beside a central bank and a supervisor."""

    payers: int = 0
    """Members with an account."""
    suppliers: int = 0
    """Members that hold receivables, and have an account."""
    financiers: int = 0
    """Banks that finance them, and have an account."""
    alone: bool = True
    """Whether small members let one person sign; else maker and checker do."""

    def accounts(self) -> Iterator[str]:
        """Ids of everybody with an account."""
        yield from (payer(number) for number in range(self.payers))
        yield from (supplier(number) for number in range(self.suppliers))
        yield from (financier(number) for number in range(self.financiers))


def payer(number: int) -> str:
    """Id of a member that pays."""
    return f"payer-{number:05d}"


def supplier(number: int) -> str:
    """Id of a member that holds receivables."""
    return f"supplier-{number:02d}"


def financier(number: int) -> str:
    """Id of a bank that finances."""
    return f"bank-{number:02d}"


def debtor(number: int) -> str:
    """Id of a core enterprise."""
    return f"debtor-{number}"


def beginning(cast: Cast) -> Beginning:
    """What the genesis of a chain with such a cast says."""
    return Beginning("bench", records(cast), opens_at_ms=OPENS_MS, trial=True)


def records(cast: Cast) -> tuple[Record, ...]:
    """First records: members, policies, and money on every account."""
    accounts = list(cast.accounts())
    alone = dict(_signs_alone(cast))
    made = [_with_policies(each, alone) for each in _founded(cast)]
    made += [
        Policy(member=member, message=message, one_person=True)
        for member, messages in alone.items()
        for message in messages
    ]
    made += [
        Balance(party=party, money=MONEY, available_minor=START_MINOR, held_minor=0)
        for party in accounts
    ]
    issued = START_MINOR * len(accounts)
    made.append(Supply(money=MONEY, issuer=CENTRAL_BANK, issued_minor=issued, redeemed_minor=0))
    return tuple(made)


def _founded(cast: Cast) -> list[Record]:
    """Members by the rules that admit them; so many at a time as one work budget allows."""
    calendar = PublishedCalendar("cn", CN_ZONE_MINUTES, {2026: CN_2026})
    everybody = _founders(cast)
    supervisor = next(everybody)
    found: dict[bytes, Record] = {}
    while some := list(islice(everybody, AT_ONCE)):
        founding = supervised([supervisor, *some], calendar)
        for each in first_records(APPS, founding, OPENS_MS):
            found.setdefault(key_bytes(each), each)
    return list(found.values())


def _signs_alone(cast: Cast) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Members of which one person may sign, and what."""
    if cast.alone:
        yield from ((payer(number), PAYING) for number in range(cast.payers))
        yield from ((supplier(number), SUPPLYING) for number in range(cast.suppliers))


def _with_policies(record: Record, alone: Mapping[str, tuple[str, ...]]) -> Record:
    """A member's entry names the messages for which it has a policy."""
    if isinstance(record, Member) and record.member_id in alone:
        return replace(record, policies=alone[record.member_id])
    return record


def _founders(cast: Cast) -> Iterator[Founder]:
    """Everybody: a boss who makes and checks, a clerk who makes, an admin."""
    yield founder(SUPERVISOR, "supervisor", "large")
    yield founder(CENTRAL_BANK, "central_bank", "large")
    yield from (founder(payer(n), "supplier", "small") for n in range(cast.payers))
    yield from (founder(supplier(n), "supplier", "small") for n in range(cast.suppliers))
    yield from (founder(financier(n), "bank", "large") for n in range(cast.financiers))
    if cast.suppliers:
        yield from (founder(debtor(n), "core_enterprise", "large") for n in range(DEBTORS))


class Desk:
    """Signs for everybody of a cast, on one chain."""

    def __init__(self, chain_id: str) -> None:
        """All of it expires some hours after the chain's beginning."""
        self._chain_id = chain_id
        self._signer = Signer(chain_id, OPENS_MS)

    def signed(self, reference: str, *calls: tuple[str, Message]) -> tuple[bytes, bytes]:
        """A transaction's bytes and its id; who acts and signs is named as `S1.boss+clerk`."""
        named = [who.partition(".") for who, _ in calls]
        body = encode(
            Body(
                chain_id=self._chain_id,
                sender=named[0][0],
                reference=reference,
                expires_at_ms=OPENS_MS + EXPIRY_MS,
                calls=tuple(
                    Call(party=party, message=message)
                    for (party, _, _), (_, message) in zip(named, calls, strict=True)
                ),
            )
        )
        keys = [f"{party}.{each}" for party, _, who in named for each in who.split("+")]
        signatures = [self._signer.key(name).sign_body(body) for name in dict.fromkeys(keys)]
        return assemble(body, signatures), transaction_id(body)
