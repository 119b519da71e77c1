"""A member's officers and their keys: what every change of them has to keep true."""

from tallystick.accel import is_small_order, is_valid_point
from tallystick.apps.members.needs import can_fill
from tallystick.apps.members.parts import (
    KEYS_MAX,
    KeyStatus,
    NewKey,
    NewOfficer,
    OfficerStatus,
    OutletStatus,
)
from tallystick.apps.members.records import Key, Officer, Outlet
from tallystick.apps.members.refusals import Refusal
from tallystick.ledger.app import ADMIN_CHECKER, Role
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.ledger.system import Validator
from tallystick.ledger.view import Reader
from tallystick.values.codec import replace


def enrol(ctx: Context, party: str, new: NewOfficer) -> None:
    """Register an officer with first keys, if id and identity are free and the entry is sound."""
    known = ctx.peek(Officer, party, new.officer_id) is not None
    require(not known, Refusal.ALREADY_AN_OFFICER, officer=new.officer_id)
    officer = Officer(
        member=party,
        officer_id=new.officer_id,
        identity=new.identity,
        roles=in_role_order(new.roles),
        limits=new.limits,
        outlet=new.outlet,
        system=new.system,
    )
    check_identity(ctx, officer)
    check_powers(ctx, officer)
    ctx.add(officer)
    for key in new.keys:
        officer = add_key(ctx, officer, key)


def check_identity(reader: Reader, officer: Officer) -> None:
    """Refuse a person who acts for the member already."""
    for other in reader.scan(Officer, officer.member):
        same = officer.identity is not None and other.identity == officer.identity
        twin = same and other.status is OfficerStatus.ACTIVE
        require(not twin, Refusal.SAME_IDENTITY, officer=other.officer_id)


def check_powers(reader: Reader, officer: Officer) -> None:
    """Refuse roles, limits or a branch that the officer cannot have."""
    sound = not officer.system or officer.roles == (Role.MAKER,)
    require(sound, Refusal.ONLY_MAKES, officer=officer.officer_id)
    check_once(tuple(limit.currency for limit in officer.limits))
    if officer.outlet is not None:
        require_open(reader, officer.member, officer.outlet)


def check_once(currencies: tuple[str, ...]) -> None:
    """Refuse a currency that is listed twice."""
    for number, currency in enumerate(currencies):
        require(currency not in currencies[:number], Refusal.LIMIT_TWICE, currency=currency)


def require_open(reader: Reader, party: str, outlet_id: str) -> None:
    """Refuse unless the member has the branch and does business there."""
    outlet = reader.get(Outlet, party, outlet_id)
    require(outlet.status is OutletStatus.OPEN, Refusal.OUTLET_CLOSED, outlet_id=outlet_id)


def in_role_order(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """Roles, each once, in the order in which `Role` lists them."""
    return tuple(role for role in Role if role in roles)


def add_key(ctx: Context, officer: Officer, new: NewKey) -> Officer:
    """Register a sound key that no officer has ever had, and no validator has."""
    told = new.public_key.hex()
    good = is_valid_point(new.public_key) and not is_small_order(new.public_key)
    require(good, Refusal.WEAK_KEY, public_key=told)
    validates = ctx.peek(Validator, new.public_key) is not None
    free = ctx.peek(Key, new.public_key) is None and not validates
    require(free, Refusal.KEY_TAKEN, public_key=told)
    require(len(officer.keys) < KEYS_MAX, Refusal.TOO_MANY, what="keys", most=KEYS_MAX)
    ctx.add(
        Key(
            public_key=new.public_key,
            suite=new.suite,
            member=officer.member,
            officer=officer.officer_id,
            certificate=new.certificate,
            registered_at_ms=ctx.now_ms,
        )
    )
    officer = replace(officer, keys=(*officer.keys, new.public_key))
    ctx.save(officer)
    return officer


def drop_key(ctx: Context, key: Key, reason: str) -> Officer:
    """Revoke a key, now and for ever; the officer without it."""
    ctx.save(replace(key, status=KeyStatus.REVOKED, revoked_at_ms=ctx.now_ms, reason=reason))
    officer = ctx.get(Officer, key.member, key.officer)
    left = tuple(public_key for public_key in officer.keys if public_key != key.public_key)
    officer = replace(officer, keys=left)
    ctx.save(officer)
    return officer


def own_key(reader: Reader, party: str, public_key: bytes) -> Key:
    """An active key of the member's own."""
    key = reader.get(Key, public_key)
    require(key.member == party, Refusal.NO_SUCH_KEY, public_key=public_key.hex())
    require(key.status is KeyStatus.ACTIVE, Refusal.KEY_REVOKED, public_key=public_key.hex())
    return key


def active_officer(reader: Reader, party: str, officer_id: str) -> Officer:
    """An officer who still acts for the member."""
    officer = reader.get(Officer, party, officer_id)
    active = officer.status is OfficerStatus.ACTIVE
    require(active, Refusal.OFFICER_REMOVED, officer=officer_id)
    return officer


def ensure_can_sign(reader: Reader, party: str) -> None:
    """Refuse a change after which no admin and other checker could sign for the member."""
    able = tuple(
        officer.roles
        for officer in reader.scan(Officer, party)
        if officer.status is OfficerStatus.ACTIVE and officer.keys
    )
    require(can_fill(ADMIN_CHECKER, able), Refusal.CANNOT_SIGN, member=party)
