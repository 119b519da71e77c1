"""What can be decided, by vote or directly: for each action what it asks and what it does."""

from tallystick.apps.governance import validators
from tallystick.apps.governance.calendars import check_publication, publish
from tallystick.apps.governance.interface import admission, lead_blocks
from tallystick.apps.governance.records import (
    CONSTITUTION,
    ActivateRules,
    AddValidator,
    AdmitMember,
    Admits,
    Amend,
    AnyAction,
    Calendar,
    ChangeConsensus,
    ChangeParameter,
    Constitution,
    ExpelMember,
    Parameter,
    PublishYear,
    RemoveValidator,
    Rules,
    SetPower,
)
from tallystick.apps.governance.refusals import Refusal
from tallystick.apps.members.interface import (
    admit,
    check_admission,
    check_expulsion,
    expel,
    require_known,
)
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.ledger.system import CONSENSUS, Activation, Consensus, Validator
from tallystick.ledger.view import Reader


def check(reader: Reader, action: AnyAction) -> None:
    """Refuse an action that could not be carried out as things stand."""
    if isinstance(action, AdmitMember):
        _check_admit(reader, action)
    elif isinstance(action, ExpelMember):
        _check_expel(reader, action)
    elif isinstance(action, ChangeParameter):
        _check_parameter(reader, action)
    elif isinstance(action, PublishYear):
        check_publication(reader, action.publication)
    elif isinstance(action, ActivateRules):
        _check_activation(reader, action)
    elif isinstance(action, Amend):
        _check_amend(reader, action)
    elif isinstance(action, AddValidator):
        validators.check_addition(reader, _validator(action))
    elif isinstance(action, SetPower):
        validators.check_power(reader, action.public_key, action.power)
    elif isinstance(action, RemoveValidator):
        validators.check_removal(reader, action.public_key)
    else:
        validators.check_engine(reader, _consensus(action))


def carry_out(ctx: Context, action: AnyAction) -> None:
    """Do what was decided, if it can still be done."""
    check(ctx, action)
    if isinstance(action, AdmitMember):
        admit(ctx, action.newcomer)
    elif isinstance(action, ExpelMember):
        validators.unseat(ctx, action.member)
        expel(ctx, action.member)
    elif isinstance(action, ChangeParameter):
        change_parameter(ctx, action)
    elif isinstance(action, PublishYear):
        publish(ctx, action.publication)
    elif isinstance(action, ActivateRules):
        _activate(ctx, action)
    elif isinstance(action, Amend):
        _amend(ctx, action)
    elif isinstance(action, AddValidator):
        validators.add(ctx, _validator(action))
    elif isinstance(action, SetPower):
        validators.set_power(ctx, action.public_key, action.power)
    elif isinstance(action, RemoveValidator):
        validators.remove(ctx, action.public_key)
    else:
        ctx.save(_consensus(action))


# --- members


def _check_admit(reader: Reader, action: AdmitMember) -> None:
    """Refuse where a supervisor admits, and a newcomer whose id or numbers are taken."""
    require(admission(reader) is Admits.VOTE, Refusal.ADMITTED_BY_SUPERVISOR)
    check_admission(reader, action.newcomer)


def _check_expel(reader: Reader, action: ExpelMember) -> None:
    """Refuse where a supervisor expels, who is no member or no longer, and a pillar."""
    require(admission(reader) is Admits.VOTE, Refusal.ADMITTED_BY_SUPERVISOR)
    check_expulsion(reader, action.member)
    validators.check_unseating(reader, action.member)


# --- parameters


def _check_parameter(reader: Reader, action: ChangeParameter) -> None:
    """Refuse the value that holds already."""
    before = reader.peek(Parameter, action.name)
    new = before is None or before.value != action.value
    require(new, Refusal.NOTHING_TO_CHANGE, name=action.name)


def change_parameter(ctx: Context, action: ChangeParameter) -> None:
    """Set a parameter to another value."""
    _check_parameter(ctx, action)
    after = Parameter(name=action.name, value=action.value, set_at_ms=ctx.now_ms)
    if ctx.peek(Parameter, action.name) is None:
        ctx.add(after)
    else:
        ctx.save(after)


# --- rules


def _check_activation(reader: Reader, action: ActivateRules) -> None:
    """Refuse a version that is not newer, a second one waiting, and a height too near."""
    kept = reader.peek(Activation, action.app)
    in_force = 0 if kept is None else kept.at(reader.height)
    waiting = kept is not None and kept.next_version not in (None, in_force)
    require(not waiting, Refusal.ACTIVATION_PENDING, app=action.app)
    require(action.version > in_force, Refusal.OLD_VERSION, app=action.app, version=in_force)
    ahead = action.from_height > reader.height
    require(ahead, Refusal.HEIGHT_PASSED, from_height=action.from_height)
    earliest = reader.height + lead_blocks(reader)
    in_time = action.from_height >= earliest
    require(in_time, Refusal.TOO_SOON, from_height=action.from_height, earliest=earliest)


def _activate(ctx: Context, action: ActivateRules) -> None:
    """Have the version in force from its height on."""
    kept = ctx.peek(Activation, action.app)
    after = Activation(
        app=action.app,
        version=0 if kept is None else kept.at(ctx.height),
        next_version=action.version,
        from_height=action.from_height,
    )
    if kept is None:
        ctx.add(after)
    else:
        ctx.save(after)


def _check_amend(reader: Reader, action: Amend) -> None:
    """Refuse rules by which nobody could decide, that name strangers, or an unknown calendar."""
    rules = action.rules
    decidable = bool(rules.voters) or rules.admits is Admits.SUPERVISOR
    once = len(set(rules.voters)) == len(rules.voters)
    require(decidable and once and rules.threshold_ppm > 0, Refusal.BAD_RULES)
    for named in _named(rules):
        require_known(reader, named)
    reader.get(Calendar, rules.calendar_id)


def _named(rules: Rules) -> tuple[str, ...]:
    """All members that a constitution names."""
    keepers = (*rules.parameter_keepers, *rules.calendar_keepers, *rules.clock_keepers)
    registrar = () if rules.registrar is None else (rules.registrar,)
    return (*rules.voters, *keepers, *registrar)


def _amend(ctx: Context, action: Amend) -> None:
    """Replace what the constitution says."""
    ctx.save(Constitution(name=CONSTITUTION, rules=action.rules, amended_at_ms=ctx.now_ms))


# --- the network


def _validator(action: AddValidator) -> Validator:
    """The validator that would be."""
    return Validator(public_key=action.public_key, member=action.member, power=action.power)


def _consensus(action: ChangeConsensus) -> Consensus:
    """What the engine would keep to."""
    return Consensus(
        name=CONSENSUS,
        block_bytes=action.block_bytes,
        block_transactions=action.block_transactions,
        evidence_blocks=action.evidence_blocks,
        evidence_ms=action.evidence_ms,
    )
