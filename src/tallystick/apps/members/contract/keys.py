"""Keys: registered, replaced, revoked, recovered."""

from tallystick.apps.members.messages import RecoverKey, RegisterKey, RevokeKey, RotateKey
from tallystick.apps.members.people import (
    active_officer,
    add_key,
    drop_key,
    ensure_can_sign,
    own_key,
)
from tallystick.apps.members.records import Key
from tallystick.apps.members.refusals import Refusal
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require

REPLACED = "replaced"
"""Why a key that made way for another is revoked."""


def register_key(ctx: Context, msg: RegisterKey) -> None:
    """Register a further key of an officer."""
    officer = active_officer(ctx, ctx.party, msg.officer_id)
    add_key(ctx, officer, msg.key)


def rotate_key(ctx: Context, msg: RotateKey) -> None:
    """Replace a key by a new one of the same officer."""
    old = own_key(ctx, ctx.party, msg.old_key)
    officer = drop_key(ctx, old, REPLACED)
    add_key(ctx, officer, msg.key)


def revoke_key(ctx: Context, msg: RevokeKey) -> None:
    """Revoke a key at once."""
    key = own_key(ctx, ctx.party, msg.public_key)
    drop_key(ctx, key, msg.reason)
    ensure_can_sign(ctx, ctx.party)


def recover_key(ctx: Context, msg: RecoverKey) -> None:
    """Give an officer of a member that can no longer sign a new key instead of all old ones."""
    require(msg.member != ctx.party, Refusal.OWN_MEMBER, member=msg.member)
    officer = active_officer(ctx, msg.member, msg.officer_id)
    for public_key in officer.keys:
        officer = drop_key(ctx, ctx.get(Key, public_key), msg.reason)
    add_key(ctx, officer, msg.key)
