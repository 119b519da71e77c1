"""Whether good signatures satisfy the policies of the parties that act.

    keys → persons → for each call: may the member do it? who must sign? who did? → amount limits

Policies compare persons, not keys: one person with two keys is one person. Limits are summed over
all calls of a party, per currency. This runs for every transaction, so what follows from records
alone is remembered (`ctx.recall`): who holds the keys, and the plan of a call. What depends on its
amount is asked each time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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

Sums = dict[str, int]
"""What one party's calls come to, by currency, in minor units."""
Asked = tuple[str, str | None, type[Message], str | None]
"""A call before its amount is known: party, branch if it names one, message, currency if any."""


@dataclass(frozen=True, slots=True, eq=False)
class Hands:
    """Officers of one party who signed, in the order of their keys."""

    officers: tuple[Officer, ...]
    """Each person once."""
    limited: bool
    """Whether one of them may not sign every amount."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is known of a call before its amount is."""

    hands: Hands
    """Persons who signed for its party."""
    held: tuple[tuple[Role, ...], ...]
    """Roles that each of them holds or stands in for."""
    limited: bool
    """Whether one of them may not sign every amount."""
    policy: Policy | None
    """How the member signs this message; None: as the message says."""
    tiers: tuple[Tier, ...]
    """What that asks for beyond, from some amounts on."""
    needs: Officers
    """Officers that the call needs, whatever the amount."""
    signed: Signed | None
    """Under whose hands it is made; None when they do not fill these needs."""
    may_be_alone: bool
    """Whether one person with all those roles is enough, below an amount."""
    alone: Signed | None
    """Under whose hands it is made then; None when nobody holds all those roles."""
    alone_below: int | None
    """That amount in the call's currency, in minor units; None: without an amount there is none,
    and where the policy has tiers it is asked for with the amount."""


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """What is known of all calls of a transaction before their amounts are."""

    plans: tuple[Plan, ...]
    """Of each call."""
    signed: tuple[Signed, ...] | None
    """Under whose hands all are made, whatever their amounts come to; None: it depends."""


class MembersAuthority:
    """The authority of a network whose members are in the members application."""

    def authorize(
        self, ctx: Context, calls: tuple[Call[Any], ...], keys: tuple[bytes, ...]
    ) -> tuple[Signed, ...]:
        """Who signed each call; a refusal if keys, licences, officers or limits do not suffice."""
        if len(calls) == 1:
            return (_signed_alone(ctx, calls[0], keys),)
        parties = tuple([call.party for call in calls])
        try:
            amounts = [limited_amount(ctx, call.message) for call in calls]
        except Refused:
            ctx.recall(_hands, parties, keys)  # what is wrong about the keys is told first
            raise
        asked = tuple(
            [
                (call.party, call.outlet, type(call.message), amount and amount[0])
                for call, amount in zip(calls, amounts, strict=True)
            ]
        )
        try:
            planned = ctx.recall(_planned, asked, keys)
        except Refused:  # it decides nothing: of one call after the other it may not be the first
            return _signed_each(ctx, calls, amounts, _plans(ctx, asked, keys))
        return planned.signed or _signed_each(ctx, calls, amounts, planned.plans)

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


NOBODY: Final = Hands((), limited=False)
"""Stands for a party for which nobody signed."""

AUTHORITY: Final = MembersAuthority()
"""What `node` and tests hand to the ledger."""


def _signed_alone(ctx: Context, call: Call[Any], keys: tuple[bytes, ...]) -> Signed:
    """Who signed the only call of a transaction: the usual case, and the same steps.

    Keys are judged before a record is looked for that has the amount. A message that has it itself
    is planned in one step.
    """
    party, message = call.party, call.message
    kind = type(message)
    if kind not in ctx.rules.limited_by_record:
        total = limited_amount(ctx, message)
        currency = None if total is None else total[0]
        plan = ctx.recall(_plan_alone, party, keys, kind, currency)
    else:
        hands = ctx.recall(_hands, (party,), keys).get(party, NOBODY)
        total = limited_amount(ctx, message)
        currency = None if total is None else total[0]
        plan = ctx.recall(_plan, hands, party, kind, currency)
    signed = _signed(ctx, call, plan, total)
    if plan.limited and total is not None:
        for officer in plan.hands.officers:
            _check_limits(ctx, officer, {total[0]: total[1]})
    return signed


def _signed_each(
    ctx: Context,
    calls: tuple[Call[Any], ...],
    amounts: Sequence[tuple[str, int] | None],
    plans: Iterable[Plan],
) -> tuple[Signed, ...]:
    """Who signed each of several calls, by what the calls of each party come to."""
    is_one_each = len(ctx.acting) == len(calls)
    sums = {} if is_one_each else _sums(calls, amounts)
    signed, limited = [], {}
    for call, amount, plan in zip(calls, amounts, plans, strict=True):
        total = amount
        if amount is not None and sums:
            total = (amount[0], sums[call.party][amount[0]])
        signed.append(_signed(ctx, call, plan, total))
        if plan.limited:
            limited[call.party] = plan.hands.officers
    if limited:
        for party, by_currency in (sums or _sums(calls, amounts)).items():
            for officer in limited.get(party, ()):
                _check_limits(ctx, officer, by_currency)
    return tuple(signed)


# --- who signed


def _hands(
    reader: Reader, parties: tuple[str, ...], keys: tuple[bytes, ...]
) -> Mapping[str, Hands]:
    """Officers who signed, by party; every key must belong to a party of some call."""
    persons: dict[str, dict[str, Officer]] = {}
    for public_key in keys:
        told = public_key.hex()
        key = need(reader.peek(Key, public_key), Refusal.UNKNOWN_KEY, public_key=told)
        require(key.status is KeyStatus.ACTIVE, Refusal.KEY_REVOKED, public_key=told)
        require(key.member in parties, Refusal.STRANGER, public_key=told)
        officer = reader.get(Officer, key.member, key.officer)
        persons.setdefault(key.member, {})[key.officer] = officer
    return {
        party: Hands(tuple(found.values()), any(officer.limits for officer in found.values()))
        for party, found in persons.items()
    }


def _roles(reader: Reader, officer: Officer) -> tuple[Role, ...]:
    """Roles of an officer, with those that colleagues handed over and hold themselves."""
    if not officer.delegations:
        return officer.roles
    held = [*officer.roles]
    for delegation in officer.delegations:
        giver = reader.get(Officer, officer.member, delegation.from_officer)
        if reader.now_ms < delegation.until_ms and giver.status is OfficerStatus.ACTIVE:
            held += [role for role in delegation.roles if role in giver.roles]
    return in_role_order(tuple(held))


# --- may the member do it


def _check_standing(reader: Reader, member: Member, message: type[Message]) -> None:
    """Refuse new business to who may start none; what one owes may always be done."""
    spec = message.spec
    if spec.duty:
        return
    party = member.member_id
    require(member.status is not MemberStatus.EXPELLED, Refusal.EXPELLED, member=party)
    require(not is_suspended(reader, member), Refusal.SUSPENDED, member=party)
    verb = spec.verb
    if verb is not None:
        require(holds_licence(reader, member, verb), Refusal.UNLICENSED, member=party, verb=verb)
        require(not verb_frozen(reader, member, verb), Refusal.FROZEN, scope="verb")


# --- who must sign, and did


def _plan_alone(
    reader: Reader,
    party: str,
    keys: tuple[bytes, ...],
    message: type[Message],
    currency: str | None,
) -> Plan:
    """The plan of the only call of a transaction, from the keys that signed it."""
    hands = _hands(reader, (party,), keys).get(party, NOBODY)
    return _plan(reader, hands, party, message, currency)


def _plan(
    reader: Reader, hands: Hands, party: str, message: type[Message], currency: str | None
) -> Plan:
    """What is known of a call before its amount; a refusal if the member may not do it."""
    member = reader.get(Member, party)
    _check_standing(reader, member, message)
    officers, spec, name = hands.officers, message.spec, name_of(message)
    held = tuple([_roles(reader, officer) for officer in officers])
    policy = reader.get(Policy, party, name) if name in member.policies else None
    needs = spec.officers if policy is None else stricter(spec.officers, _pairs(policy.needs))
    small = member.size is Size.SMALL and spec.one_person
    may_be_alone = small and policy is not None and policy.one_person
    below = None
    if may_be_alone and currency is not None and not (policy and policy.tiers):
        below = _one_person_max(reader, policy, currency)
    return Plan(
        hands=hands,
        limited=hands.limited,
        held=held,
        policy=policy,
        tiers=() if policy is None else policy.tiers,
        needs=needs,
        signed=_seated(officers, seats(needs, held)),
        may_be_alone=may_be_alone,
        alone=_seated(officers, seats_of_one(needs, held)) if may_be_alone else None,
        alone_below=below,
    )


def _planned(reader: Reader, asked: tuple[Asked, ...], keys: tuple[bytes, ...]) -> Planned:
    """What is known of all calls before their amounts are."""
    plans = tuple(_plans(reader, asked, keys))
    made = []
    for (party, outlet, _, _), plan in zip(asked, plans, strict=True):
        if plan.signed is None or plan.limited or plan.tiers:
            return Planned(plans, None)
        made.append(_at_outlet(reader, party, outlet, plan.signed))
    return Planned(plans, tuple(made))


def _plans(reader: Reader, asked: tuple[Asked, ...], keys: tuple[bytes, ...]) -> Iterator[Plan]:
    """The plan of one call after the other; whoever looks at each in turn meets the first no."""
    hands = _hands(reader, tuple([each[0] for each in asked]), keys)
    for party, _, message, currency in asked:
        yield _plan(reader, hands.get(party, NOBODY), party, message, currency)


def _seated(officers: tuple[Officer, ...], order: tuple[int, ...] | None) -> Signed | None:
    """The persons in this order, at the branch of the first; None without an order."""
    if order is None:
        return None
    return Signed(officers[order[0]].outlet, tuple([officers[at].officer_id for at in order]))


def _signed(ctx: Context, call: Call[Any], plan: Plan, total: tuple[str, int] | None) -> Signed:
    """Officers and outlet of a call, if the persons who signed suffice."""
    needs, signed = plan.needs, plan.signed
    tiers = _tiers(plan.tiers, total) if plan.tiers and total else ()
    if tiers:
        for tier in tiers:
            needs = stricter(needs, _pairs(tier.needs))
        signed = _seated(plan.hands.officers, seats(needs, plan.held))
    elif plan.may_be_alone:
        below = plan.alone_below
        if total is not None and below is None:
            below = _one_person_max(ctx, plan.policy, total[0])
        if total is None or below is None or total[1] < below:
            signed = signed or plan.alone
    if signed is None:
        missing = missing_roles(needs, plan.held)
        require(not missing, Refusal.NOT_ENOUGH_OFFICERS, member=call.party, roles=missing)
        raise Refused(Refusal.SAME_PERSON, {"member": call.party})
    return _at_outlet(ctx, call.party, call.outlet, signed)


def _at_outlet(reader: Reader, party: str, outlet: str | None, signed: Signed) -> Signed:
    """The same persons at the branch that a call names, if it names one; it must be open."""
    if outlet is None:
        return signed
    require_open(reader, party, outlet)
    return Signed(outlet, signed.officers)


def _tiers(tiers: tuple[Tier, ...], total: tuple[str, int]) -> tuple[Tier, ...]:
    """Tiers that an amount reaches."""
    return tuple([tier for tier in tiers if _reaches(tier, total)])


def _reaches(tier: Tier, total: tuple[str, int]) -> bool:
    """Is the amount in the tier's currency and not below it?"""
    return tier.currency == total[0] and total[1] >= tier.from_minor


def _pairs(needs: tuple[Need, ...]) -> Officers:
    """A policy's needs as messages state theirs."""
    return tuple((need.role, need.persons) for need in needs)


def _one_person_max(reader: Reader, policy: Policy | None, currency: str) -> int:
    """The amount from which one person is not enough: governance's, or the member's lower one."""
    name = ONE_PERSON_MAX + currency.lower()
    most = parameter(reader, name, default=ONE_PERSON_MAX_MINOR)
    ceilings = () if policy is None else policy.ceilings
    own = [ceiling.below_minor for ceiling in ceilings if ceiling.currency == currency]
    return min([most, *own]) if own or not ceilings else 0


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
