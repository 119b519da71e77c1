"""A member's own branches and people."""

from tallystick.apps.members.messages import (
    AddOfficer,
    AddOutlet,
    ChangeOfficer,
    CloseOutlet,
    RemoveOfficer,
)
from tallystick.apps.members.parts import NewOfficer, OfficerStatus, OutletStatus
from tallystick.apps.members.people import (
    active_officer,
    check_powers,
    drop_key,
    enrol,
    ensure_can_sign,
    in_role_order,
    require_open,
)
from tallystick.apps.members.records import Key, Officer, Outlet
from tallystick.apps.members.refusals import Refusal
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.values.codec import replace


def add_outlet(ctx: Context, msg: AddOutlet) -> None:
    """Open a branch."""
    known = ctx.peek(Outlet, ctx.party, msg.outlet_id) is not None
    require(not known, Refusal.OUTLET_EXISTS, outlet_id=msg.outlet_id)
    ctx.add(Outlet(member=ctx.party, outlet_id=msg.outlet_id, name=msg.name))


def close_outlet(ctx: Context, msg: CloseOutlet) -> None:
    """Close a branch at which nobody works any more."""
    outlet = ctx.get(Outlet, ctx.party, msg.outlet_id)
    require_open(ctx, ctx.party, msg.outlet_id)
    for officer in ctx.scan(Officer, ctx.party):
        there = officer.outlet == msg.outlet_id and officer.status is OfficerStatus.ACTIVE
        require(not there, Refusal.OUTLET_IN_USE, officer=officer.officer_id)
    ctx.save(replace(outlet, status=OutletStatus.CLOSED))


def add_officer(ctx: Context, msg: AddOfficer) -> None:
    """Register a person, or a system, that acts for the member."""
    officer = NewOfficer(
        officer_id=msg.officer_id,
        identity=msg.identity,
        roles=msg.roles,
        limits=msg.limits,
        outlet=msg.outlet,
        system=msg.system,
        keys=msg.keys,
    )
    enrol(ctx, ctx.party, officer)


def change_officer(ctx: Context, msg: ChangeOfficer) -> None:
    """Say anew which roles, limits and branch an officer has."""
    before = active_officer(ctx, ctx.party, msg.officer_id)
    roles = in_role_order(msg.roles)
    after = replace(before, roles=roles, limits=msg.limits, outlet=msg.outlet)
    check_powers(ctx, after)
    ctx.save(after)
    ensure_can_sign(ctx, ctx.party)


def remove_officer(ctx: Context, msg: RemoveOfficer) -> None:
    """End a person's work for the member, and revoke the keys."""
    officer = active_officer(ctx, ctx.party, msg.officer_id)
    for public_key in officer.keys:
        drop_key(ctx, ctx.get(Key, public_key), msg.reason)
    ctx.save(replace(officer, keys=(), status=OfficerStatus.REMOVED))
    ensure_can_sign(ctx, ctx.party)
