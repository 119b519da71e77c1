"""Who runs the network: validators and their powers, and what the engine keeps to.

A rule writes the ledger's records; the engine makes its own updates of the changes of a block.
They hold two blocks later (CometBFT 0.38, spec/abci, "Updating the Validator Set").
"""

from collections.abc import Iterable, Sequence

from tallystick.accel import is_small_order, is_valid_point
from tallystick.apps.governance.records.standing import POWER_SHIFT, PowerShift
from tallystick.apps.governance.refusals import Refusal
from tallystick.apps.members.interface import is_officers_key, require_active
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import need, require
from tallystick.ledger.system import (
    BLOCK_BYTES_MAX,
    BLOCK_BYTES_MIN,
    CONSENSUS,
    EVIDENCE_BLOCKS_MAX,
    ORDERED_MAX,
    POWER_MAX,
    Consensus,
    Validator,
)
from tallystick.ledger.view import Reader
from tallystick.values.codec import replace
from tallystick.values.rates import div_floor

VALIDATORS_MAX = 100
"""Most validators; with `POWER_MAX` it keeps all power below 2^39, where the engine takes 2^60."""
MOVING_PARTS = 3
"""At most one part of so many of all power moves in one block.

A light client goes on from a header that it trusts as long as validators with a third of the power
that it knew have signed the new one (CometBFT, spec/light-client, trust level 1/3), and a newcomer
that is not up yet must not be able to stop the chain.
"""
ORDERED_MIN = 2_000
"""The largest bundle must fit into a block, or it would wait for ever."""
EVIDENCE_BLOCKS_MIN = 1_000
EVIDENCE_MS_MIN = 86_400_000
"""A day: no light client trusts a header for longer than its signers can be held to account."""
EVIDENCE_MS_MAX = 31_622_400_000
"""A year."""

BOUNDS = {
    "block_bytes": (BLOCK_BYTES_MIN, BLOCK_BYTES_MAX),
    "block_transactions": (ORDERED_MIN, ORDERED_MAX),
    "evidence_blocks": (EVIDENCE_BLOCKS_MIN, EVIDENCE_BLOCKS_MAX),
    "evidence_ms": (EVIDENCE_MS_MIN, EVIDENCE_MS_MAX),
}
"""Parameter of the engine → least and most."""


def engine(reader: Reader) -> Consensus:
    """What the engine keeps to; refused where one node orders the blocks alone."""
    return need(reader.peek(Consensus, CONSENSUS), Refusal.NO_ENGINE)


def powers(reader: Reader) -> list[Validator]:
    """All validators, by key."""
    return list(reader.scan(Validator))


def total(validators: Iterable[Validator]) -> int:
    """Power of several validators together."""
    return sum(each.power for each in validators)


def validator(reader: Reader, public_key: bytes) -> Validator:
    """The validator of a key."""
    engine(reader)
    found = reader.peek(Validator, public_key)
    return need(found, Refusal.NO_SUCH_VALIDATOR, public_key=public_key.hex())


# --- the first


def found(ctx: Context, validators: Sequence[Validator], consensus: Consensus) -> None:
    """Keep what a network of several nodes begins with."""
    ctx.add(consensus)
    for each in validators:
        check_new(ctx, each)
        ctx.add(each)


# --- one more


def check_new(reader: Reader, new: Validator) -> None:
    """Refuse who may not run a validator, a key that is weak or taken, and one too many."""
    require_active(reader, new.member)
    told = new.public_key.hex()
    sound = is_valid_point(new.public_key) and not is_small_order(new.public_key)
    require(sound, Refusal.WEAK_VALIDATOR_KEY, public_key=told)
    taken = reader.peek(Validator, new.public_key) is not None
    free = not taken and not is_officers_key(reader, new.public_key)
    require(free, Refusal.VALIDATOR_KEY_TAKEN, public_key=told)
    check_within("power", new.power, least=1, most=POWER_MAX)
    few = len(powers(reader)) < VALIDATORS_MAX
    require(few, Refusal.TOO_MANY_VALIDATORS, most=VALIDATORS_MAX)


def check_addition(reader: Reader, new: Validator) -> None:
    """Refuse a validator that cannot join as things stand."""
    engine(reader)
    check_new(reader, new)
    check_move(reader, new.power)


def add(ctx: Context, new: Validator) -> None:
    """Give a node a vote."""
    count_move(ctx, new.power)
    ctx.add(new)


# --- another power


def check_power(reader: Reader, public_key: bytes, power: int) -> None:
    """Refuse what is so already, more power for who may not start anything, and too much."""
    before = validator(reader, public_key)
    check_within("power", power, least=1, most=POWER_MAX)
    require(power != before.power, Refusal.NOTHING_TO_CHANGE, name="power")
    if power > before.power:
        require_active(reader, before.member)
    check_move(reader, abs(power - before.power))


def set_power(ctx: Context, public_key: bytes, power: int) -> None:
    """Change the weight of a validator's vote."""
    before = validator(ctx, public_key)
    count_move(ctx, abs(power - before.power))
    ctx.save(replace(before, power=power))


# --- one less


def check_removal(reader: Reader, public_key: bytes) -> None:
    """Refuse a key that is none, and the last validator."""
    _check_leaving(reader, (validator(reader, public_key),))


def remove(ctx: Context, public_key: bytes) -> None:
    """Take a node's vote away."""
    _leave(ctx, (validator(ctx, public_key),))


def check_unseating(reader: Reader, member: str) -> None:
    """Refuse to expel who holds more of the network than can be missed at once."""
    leaving = _of(reader, member)
    if leaving:
        _check_leaving(reader, leaving)


def unseat(ctx: Context, member: str) -> None:
    """Take the votes of all of a member's nodes away: it is expelled."""
    check_unseating(ctx, member)
    leaving = _of(ctx, member)
    if leaving:
        _leave(ctx, leaving)


def _of(reader: Reader, member: str) -> tuple[Validator, ...]:
    """Validators that a member runs."""
    return tuple(each for each in powers(reader) if each.member == member)


def _check_leaving(reader: Reader, leaving: tuple[Validator, ...]) -> None:
    """Refuse unless others stay, with two thirds of the power."""
    require(len(powers(reader)) > len(leaving), Refusal.LAST_VALIDATOR, member=leaving[0].member)
    check_move(reader, total(leaving))


def _leave(ctx: Context, leaving: tuple[Validator, ...]) -> None:
    """Drop validators."""
    count_move(ctx, total(leaving))
    for each in leaving:
        ctx.delete(Validator, each.public_key)


# --- how much at once


def check_move(reader: Reader, power: int) -> None:
    """Refuse to move more than a third of all power."""
    _check_share(power, total(powers(reader)), before=0)


def count_move(ctx: Context, power: int) -> None:
    """Note power that moves, and refuse when it is too much with what has moved in this block."""
    kept = ctx.peek(PowerShift, POWER_SHIFT)
    fresh = PowerShift(
        name=POWER_SHIFT, height=ctx.height, power_before=total(powers(ctx)), power_moved=0
    )
    shift = fresh if kept is None or kept.height != ctx.height else kept
    _check_share(power, shift.power_before, before=shift.power_moved)
    after = replace(shift, power_moved=shift.power_moved + power)
    if kept is None:
        ctx.add(after)
    else:
        ctx.save(after)


def _check_share(power: int, whole: int, *, before: int) -> None:
    """Refuse unless power and what has moved before are at most a third of the whole."""
    few = MOVING_PARTS * (before + power) <= whole
    most = div_floor(whole, MOVING_PARTS) - before
    require(few, Refusal.TOO_MUCH_POWER, power=power, most=max(most, 0))


# --- what the engine keeps to


def check_engine(reader: Reader, after: Consensus) -> None:
    """Refuse values out of bounds and those that hold already."""
    before = engine(reader)
    for name, (least, most) in BOUNDS.items():
        check_within(name, getattr(after, name), least=least, most=most)
    require(after != before, Refusal.NOTHING_TO_CHANGE, name=CONSENSUS)


def check_within(name: str, value: int, *, least: int, most: int) -> None:
    """Refuse a value that is too small or too large."""
    within = least <= value <= most
    require(within, Refusal.OUT_OF_BOUNDS, name=name, value=value, least=least, most=most)
