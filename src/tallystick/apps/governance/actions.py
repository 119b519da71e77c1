"""What can be decided, by vote or directly: for each action what it asks and what it does."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallystick.apps.governance.calendars import check_publication, publish
from tallystick.apps.governance.interface import admission
from tallystick.apps.governance.records import (
    CONSTITUTION,
    ActivateRules,
    AdmitMember,
    Admits,
    Amend,
    AnyAction,
    Calendar,
    ChangeParameter,
    Constitution,
    ExpelMember,
    Parameter,
    PublishYear,
    Rules,
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
from tallystick.ledger.system import Activation
from tallystick.ledger.view import Reader


def check(reader: Reader, action: AnyAction) -> None:
    """Refuse an action that could not be carried out as things stand."""
    CHECKS[type(action)](reader, action)


def carry_out(ctx: Context, action: AnyAction) -> None:
    """Do what was decided, if it can still be done."""
    check(ctx, action)
    DEEDS[type(action)](ctx, action)


# --- members


def _check_admit(reader: Reader, action: AdmitMember) -> None:
    """Refuse where a supervisor admits, and a newcomer whose id or numbers are taken."""
    require(admission(reader) is Admits.VOTE, Refusal.ADMITTED_BY_SUPERVISOR)
    check_admission(reader, action.newcomer)


def _admit(ctx: Context, action: AdmitMember) -> None:
    """Make the institution a member."""
    admit(ctx, action.newcomer)


def _check_expel(reader: Reader, action: ExpelMember) -> None:
    """Refuse where a supervisor expels, and for who is no member or no longer."""
    require(admission(reader) is Admits.VOTE, Refusal.ADMITTED_BY_SUPERVISOR)
    check_expulsion(reader, action.member)


def _expel(ctx: Context, action: ExpelMember) -> None:
    """End the membership."""
    expel(ctx, action.member)


# --- parameters and calendars


def _check_parameter(reader: Reader, action: ChangeParameter) -> None:
    """Refuse the value that holds already."""
    before = reader.peek(Parameter, action.name)
    new = before is None or before.value != action.value
    require(new, Refusal.NOTHING_TO_CHANGE, name=action.name)


def _change_parameter(ctx: Context, action: ChangeParameter) -> None:
    """Set the parameter."""
    after = Parameter(name=action.name, value=action.value, set_at_ms=ctx.now_ms)
    if ctx.peek(Parameter, action.name) is None:
        ctx.add(after)
    else:
        ctx.save(after)


def _check_year(reader: Reader, action: PublishYear) -> None:
    """Refuse what cannot be published."""
    check_publication(reader, action.publication)


def _publish_year(ctx: Context, action: PublishYear) -> None:
    """Keep the year."""
    publish(ctx, action.publication)


# --- rules


def _check_activation(reader: Reader, action: ActivateRules) -> None:
    """Refuse a version that is not newer, a second one waiting, and a height that is not ahead."""
    kept = reader.peek(Activation, action.app)
    in_force = 0 if kept is None else kept.at(reader.height)
    waiting = kept is not None and kept.next_version not in (None, in_force)
    require(not waiting, Refusal.ACTIVATION_PENDING, app=action.app)
    require(action.version > in_force, Refusal.OLD_VERSION, app=action.app, version=in_force)
    ahead = action.from_height > reader.height
    require(ahead, Refusal.HEIGHT_PASSED, from_height=action.from_height)


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


CHECKS: Final[Mapping[type, Callable[[Reader, Any], None]]] = {
    AdmitMember: _check_admit,
    ExpelMember: _check_expel,
    ChangeParameter: _check_parameter,
    PublishYear: _check_year,
    ActivateRules: _check_activation,
    Amend: _check_amend,
}
"""What each action asks."""

DEEDS: Final[Mapping[type, Callable[[Context, Any], None]]] = {
    AdmitMember: _admit,
    ExpelMember: _expel,
    ChangeParameter: _change_parameter,
    PublishYear: _publish_year,
    ActivateRules: _activate,
    Amend: _amend,
}
"""What each action does."""
