"""Whether good signatures satisfy the policies of the parties that act.

    keys → persons → for each call: may the member do it? who must sign? who did? → amount limits

Policies compare persons, not keys: one person with two keys is one person. Limits are summed over
all calls of a party, per currency. This runs for every transaction: a usual one reads its keys,
their officers, the member and the licence of its kind.
"""

from collections.abc import Sequence
from typing import Any, Final

from tallystick.apps.governance.interface import banking_day, parameter
from tallystick.apps.members.licences import holds_licence
from tallystick.apps.members.messages import SEE_ALL
from tallystick.apps.members.naming import name_of
from tallystick.apps.members.needs import missing_roles, seats, seats_of_one, stricter
from tallystick.apps.members.parts import (
    KeyStatus,
    Kind,
    MemberStatus,
    Need,
    OfficerStatus,
    Size,
    Tier,
)
from tallystick.apps.members.people import in_role_order, require_open
from tallystick.apps.members.records import DailyUse, Key, Member, Officer, Policy
from tallystick.apps.members.refusals import Refusal
from tallystick.apps.members.standing import is_suspended, verb_frozen
from tallystick.ledger.app import Message, Officers, Role
from tallystick.ledger.authority import Signed, limited_amount
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import Refused, need, require
from tallystick.ledger.transaction import Call
from tallystick.ledger.view import Reader

ONE_PERSON_MAX: Final = "members.one_person_max_minor."
"""Parameter of a currency, `members.one_person_max_minor.cny`: the amount below which one person
of a small member may sign alone."""
ONE_PERSON_MAX_MINOR: Final = 5_000_000
"""What holds where the parameter is not set: 50,000.00 in a currency of two decimals."""

Persons = dict[str, Officer]
"""Officers of one party who signed, by id, in the order of their keys."""
Sums = dict[str, int]
"""What one party's calls come to, by currency, in minor units."""


class MembersAuthority:
    """The authority of a network whose members are in the members application."""

    def authorize(
        self, ctx: Context, calls: tuple[Call[Any], ...], keys: tuple[bytes, ...]
    ) -> tuple[Signed, ...]:
        """Who signed each call; a refusal if keys, licences, officers or limits do not suffice."""
        persons = _persons(ctx, keys)
        amounts = [limited_amount(ctx, call.message) for call in calls]
        sums = _sums(calls, amounts)
        signed = []
        for call, amount in zip(calls, amounts, strict=True):
            member = ctx.get(Member, call.party)
            _check_standing(ctx, member, call.message)
            total = None if amount is None else (amount[0], sums[call.party][amount[0]])
            signed.append(_signed(ctx, member, call, total, persons.get(call.party, {})))
        for party, by_currency in sums.items():
            for officer in persons[party].values():
                _check_limits(ctx, officer, by_currency)
        return tuple(signed)

    def reader_of(self, reader: Reader, key: bytes) -> str | None:
        """Member whose active officer holds this key; None if nobody does, or does no longer."""
        found = reader.peek(Key, key)
        if found is None or found.status is KeyStatus.REVOKED:
            return None
        return found.member

    def sees_all(self, reader: Reader, party: str) -> bool:
        """Whether a member may read every record: a supervisor, or who is licensed to."""
        member = reader.peek(Member, party)
        if member is None or member.status is MemberStatus.EXPELLED:
            return False
        return member.kind is Kind.SUPERVISOR or holds_licence(reader, member, SEE_ALL)


AUTHORITY: Final = MembersAuthority()
"""What `node` and tests hand to the ledger."""


# --- who signed


def _persons(ctx: Context, keys: tuple[bytes, ...]) -> dict[str, Persons]:
    """Officers who signed, by party; every key must belong to a party of some call."""
    persons: dict[str, Persons] = {}
    for public_key in keys:
        told = public_key.hex()
        key = need(ctx.peek(Key, public_key), Refusal.UNKNOWN_KEY, public_key=told)
        require(key.status is KeyStatus.ACTIVE, Refusal.KEY_REVOKED, public_key=told)
        require(key.member in ctx.acting, Refusal.STRANGER, public_key=told)
        officer = ctx.get(Officer, key.member, key.officer)
        persons.setdefault(key.member, {})[key.officer] = officer
    return persons


def _roles(ctx: Context, officer: Officer) -> tuple[Role, ...]:
    """Roles of an officer, with those that colleagues handed over and hold themselves."""
    if not officer.delegations:
        return officer.roles
    held = [*officer.roles]
    for delegation in officer.delegations:
        giver = ctx.get(Officer, officer.member, delegation.from_officer)
        if ctx.now_ms < delegation.until_ms and giver.status is OfficerStatus.ACTIVE:
            held += [role for role in delegation.roles if role in giver.roles]
    return in_role_order(tuple(held))


# --- may the member do it


def _check_standing(ctx: Context, member: Member, message: Message) -> None:
    """Refuse new business to who may start none; what one owes may always be done."""
    spec = message.spec
    if spec.duty:
        return
    party = member.member_id
    require(member.status is not MemberStatus.EXPELLED, Refusal.EXPELLED, member=party)
    require(not is_suspended(ctx, member), Refusal.SUSPENDED, member=party)
    verb = spec.verb
    if verb is not None:
        require(holds_licence(ctx, member, verb), Refusal.UNLICENSED, member=party, verb=verb)
        require(not verb_frozen(ctx, member, verb), Refusal.FROZEN, scope="verb")


# --- who must sign, and did


def _signed(
    ctx: Context,
    member: Member,
    call: Call[Any],
    total: tuple[str, int] | None,
    persons: Persons,
) -> Signed:
    """Officers and outlet of a call, if the persons who signed suffice."""
    officers = tuple(persons.values())
    held = tuple([_roles(ctx, officer) for officer in officers])
    needs, alone = _needs(ctx, member, call.message, total)
    order = seats(needs, held)
    if order is None and alone:
        order = seats_of_one(needs, held)
    if order is None:
        missing = missing_roles(needs, held)
        require(not missing, Refusal.NOT_ENOUGH_OFFICERS, member=call.party, roles=missing)
        raise Refused(Refusal.SAME_PERSON, {"member": call.party})
    outlet = call.outlet
    if outlet is None:
        outlet = officers[order[0]].outlet
    else:
        require_open(ctx, call.party, outlet)
    return Signed(outlet, tuple([officers[place].officer_id for place in order]))


def _needs(
    ctx: Context, member: Member, message: Message, total: tuple[str, int] | None
) -> tuple[Officers, bool]:
    """Officers that a call needs, and whether one person with all those roles is enough."""
    spec = message.spec
    name = name_of(type(message))
    if name not in member.policies:
        return spec.officers, False
    policy = ctx.get(Policy, member.member_id, name)
    tiers = [tier for tier in policy.tiers if total is not None and _reaches(tier, total)]
    needs = stricter(spec.officers, _pairs(policy.needs))
    for tier in tiers:
        needs = stricter(needs, _pairs(tier.needs))
    alone = policy.one_person and spec.one_person and member.size is Size.SMALL and not tiers
    return needs, alone and (total is None or total[1] < _one_person_max(ctx, policy, total[0]))


def _reaches(tier: Tier, total: tuple[str, int]) -> bool:
    """Is the amount in the tier's currency and not below it?"""
    return tier.currency == total[0] and total[1] >= tier.from_minor


def _pairs(needs: tuple[Need, ...]) -> Officers:
    """A policy's needs as messages state theirs."""
    return tuple((need.role, need.persons) for need in needs)


def _one_person_max(ctx: Context, policy: Policy, currency: str) -> int:
    """The amount from which one person is not enough: governance's, or the member's lower one."""
    name = ONE_PERSON_MAX + currency.lower()
    most = parameter(ctx, name, default=ONE_PERSON_MAX_MINOR)
    own = [ceiling.below_minor for ceiling in policy.ceilings if ceiling.currency == currency]
    return min([most, *own]) if own or not policy.ceilings else 0


# --- amount limits


def _sums(
    calls: tuple[Call[Any], ...], amounts: Sequence[tuple[str, int] | None]
) -> dict[str, Sums]:
    """What each party's calls come to, by currency."""
    sums: dict[str, Sums] = {}
    for call, amount in zip(calls, amounts, strict=True):
        if amount is not None:
            currency, minor = amount
            of_party = sums.setdefault(call.party, {})
            of_party[currency] = of_party.get(currency, 0) + minor
    return sums


def _check_limits(ctx: Context, officer: Officer, sums: Sums) -> None:
    """Refuse amounts beyond what a person who signed may sign. No limits: all; else only those."""
    if not officer.limits:
        return
    for currency, minor in sums.items():
        limit = next((each for each in officer.limits if each.currency == currency), None)
        single = 0 if limit is None else limit.single_minor
        within = single is None or minor <= single
        require(within, Refusal.OVER_LIMIT, officer=officer.officer_id, currency=currency)
        if limit is not None and limit.daily_minor is not None:
            _use(ctx, officer, currency, minor, limit.daily_minor)


def _use(ctx: Context, officer: Officer, currency: str, minor: int, most: int) -> None:
    """Count an amount towards an officer's limit of the banking day."""
    person = officer.officer_id
    day = banking_day(ctx)
    before = ctx.peek(DailyUse, officer.member, person, currency)
    used = minor + (before.used_minor if before is not None and before.day == day else 0)
    require(used <= most, Refusal.OVER_DAILY_LIMIT, officer=person, currency=currency)
    after = DailyUse(
        member=officer.member, officer=person, currency=currency, day=day, used_minor=used
    )
    if before is None:
        ctx.add(after)
    else:
        ctx.save(after)
