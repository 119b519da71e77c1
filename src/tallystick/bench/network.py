"""The network that is measured: a central bank, a supervisor and small payers that sign alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.apps.cash.messages import Mint, Transfer
from tallystick.apps.founding import Founder, PublishedCalendar, first_records, supervised
from tallystick.apps.members.messages import SetPolicy
from tallystick.client.client import Client
from tallystick.client.keys import OfficerKey, officer_key
from tallystick.formats.calendars import CN_2026, CN_ZONE_MINUTES
from tallystick.ledger.app import App, Message, Record
from tallystick.ledger.system import Validator
from tallystick.ledger.transaction import Body, Call, assemble
from tallystick.values.codec import encode

PAYERS = 64
"""Members that pay, each with one key: as many keys as sign."""
CENTRAL_BANK = "central-bank"
SUPERVISOR = "supervisor"
MONEY = f"CNY@{CENTRAL_BANK}"
START_MINOR = 1_000_000_00
"""What each payer begins with: more than it can spend in a run."""
EXPIRY_MS = 6 * 3_600_000


def key_of(name: str) -> OfficerKey:
    """Key of an officer, derived from the name: a bench keeps no secrets."""
    seed = hashlib.sha256(b"tallystick/bench-key/1" + name.encode()).digest()
    return officer_key(name, Ed25519PrivateKey.from_private_bytes(seed))


def payer(number: int) -> str:
    """Id of a paying member."""
    return f"payer-{number:02d}"


def records(
    apps: Sequence[App], now_ms: int, validators: Sequence[Validator] = ()
) -> tuple[Record, ...]:
    """First records of the chain; with validators, of a consortium's."""
    calendar = PublishedCalendar("cn", CN_ZONE_MINUTES, {2026: CN_2026})
    founders = [
        founder(SUPERVISOR, "supervisor", "large"),
        founder(CENTRAL_BANK, "central_bank", "large"),
        *(founder(payer(number), "supplier", "small") for number in range(PAYERS)),
    ]
    return first_records(apps, supervised(founders, calendar, validators=validators), now_ms)


def founder(party: str, kind: str, size: str) -> Founder:
    """A member with a boss who makes and checks, a clerk and an admin."""
    officers = {"boss": ("maker", "checker"), "clerk": ("maker",), "admin": ("admin",)}
    return Founder(
        party=party,
        kind=kind,
        size=size,
        officers={
            officer: (roles, key_of(f"{party}.{officer}").public_key)
            for officer, roles in officers.items()
        },
    )


class Signer:
    """Makes signed transactions for one chain."""

    def __init__(self, chain_id: str, ledger_ms: int) -> None:
        """All of them expire some hours after `ledger_ms`."""
        self._chain_id = chain_id
        self._expires_at_ms = ledger_ms + EXPIRY_MS
        self._keys: dict[str, OfficerKey] = {}
        self._count = 0

    def signed(self, party: str, officers: Sequence[str], message: Message) -> bytes:
        """One transaction of one call."""
        self._count += 1
        body = encode(
            Body(
                chain_id=self._chain_id,
                sender=party,
                reference=f"b{self._count}",
                expires_at_ms=self._expires_at_ms,
                calls=(Call(party=party, message=message),),
            )
        )
        return assemble(body, [self.key(f"{party}.{each}").sign_body(body) for each in officers])

    def key(self, name: str) -> OfficerKey:
        """An officer's key, made once."""
        if name not in self._keys:
            self._keys[name] = key_of(name)
        return self._keys[name]

    def setting_up(self) -> Iterator[bytes]:
        """Every payer lets its boss sign payments alone, and gets money."""
        policy = SetPolicy(message="cash.transfer", one_person=True)
        for number in range(PAYERS):
            yield self.signed(payer(number), ("boss", "admin"), policy)
            mint = Mint(to=payer(number), money=MONEY, amount_minor=START_MINOR)
            yield self.signed(CENTRAL_BANK, ("clerk", "boss"), mint)

    def transfers(self, count: int) -> list[bytes]:
        """Payments round and round, one signature each, from all keys in turn."""
        made = []
        for number in range(count):
            source, target = number % PAYERS, (number * 7 + 1) % PAYERS
            if source == target:
                target = (target + 1) % PAYERS
            message = Transfer(to=payer(target), money=MONEY, amount_minor=1 + number % 9)
            made.append(self.signed(payer(source), ("boss",), message))
        return made


def opened(client: Client) -> Signer:
    """Who signs, once every payer has money."""
    status = client.status()
    signer = Signer(status.chain_id, status.ledger_ms)
    list(client.submit_many(list(signer.setting_up())))
    return signer
