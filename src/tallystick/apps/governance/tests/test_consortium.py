"""What a consortium begins with, what an expulsion takes along, new rules for several nodes."""

from collections.abc import Sequence
from typing import Any

import pytest

from tallystick.apps.founding import DEFAULT_CONSENSUS, Founding, first_records
from tallystick.apps.governance import APP as GOVERNANCE
from tallystick.apps.governance import queries
from tallystick.apps.governance.interface import Admits
from tallystick.apps.governance.messages import Propose, SetParameter
from tallystick.apps.governance.records import ActivateRules, ExpelMember
from tallystick.apps.governance.refusals import Refusal
from tallystick.apps.governance.tests.seats import (
    FOUR,
    FULL,
    LAST,
    WEAK,
    carry,
    powers,
    proposed,
    refused_when_enacted,
)
from tallystick.apps.members import APP as MEMBERS
from tallystick.apps.members.interface import member
from tallystick.apps.members.messages import Expel
from tallystick.apps.members.parts import MemberStatus
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.members.tests.network import (
    both,
    network,
    newcomer,
    node,
    publication,
    rules,
)
from tallystick.ledger.refusal import RefusalCode, Refused
from tallystick.ledger.system import Activation, Validator
from tallystick.testing.world import World, WorldProblem, public_key
from tallystick.values.codec import replace


@pytest.fixture
def world() -> World:
    return network(validators=FOUR)


# --- who is expelled takes its nodes along


def test_expelled_by_the_supervisor_in_the_same_block(world: World) -> None:
    result = world.accepts(both("SUP"), Expel(member="S1", reason="x"))
    assert member(world.view(), "S1").status is MemberStatus.EXPELLED
    assert powers(world) == {"SUP": 10, "bank-a": 10, "D1": 10}
    assert result.height is not None
    changed = [key for changes in world.chain.entry(result.height).changes for key, _ in changes]
    assert any(b"ledger.validator" in each for each in changed)


def test_expelled_by_vote() -> None:
    world = network(validators=FOUR, admits=Admits.VOTE)
    carry(world, ExpelMember(member="S1"))
    assert "S1" not in powers(world)


def test_two_nodes_leave_together() -> None:
    nodes = (node("S1", 5), node("S1", 5, name="second"), node("SUP", 10), node("D1", 10))
    world = network(validators=nodes)
    world.accepts(both("SUP"), Expel(member="S1", reason="x"))
    assert powers(world) == {"SUP": 10, "D1": 10}


@pytest.mark.parametrize(
    ("nodes", "code", "values"),
    (
        ((node("S1"),), Refusal.LAST_VALIDATOR, {"member": "S1"}),
        (
            (node("S1", 6), node("S1", 5, name="second"), node("SUP", 20)),
            Refusal.TOO_MUCH_POWER,
            {"power": 11, "most": 10},
        ),
    ),
)
def test_a_pillar_is_not_expelled(
    nodes: Sequence[Validator], code: RefusalCode, values: dict[str, Any]
) -> None:
    """Its power is first given to others, by vote."""
    world = network(validators=nodes)
    world.refuses(both("SUP"), Expel(member="S1", reason="x"), code, **values)
    voted = network(validators=nodes, admits=Admits.VOTE)
    expel = ExpelMember(member="S1")
    voted.refuses(both("bank-a"), Propose(action=expel, reason="x"), code, **values)
    refused_when_enacted(
        network(proposed(expel), validators=nodes, admits=Admits.VOTE), code, **values
    )


# --- new rules for several nodes


def test_rules_come_into_force_when_every_node_can_have_them(world: World) -> None:
    world.accepts(
        both("SUP"), SetParameter(name="governance.activation_lead_blocks", value=50, reason="x")
    )
    early = ActivateRules(app="later", version=1, from_height=world.view().height + 50)
    world.refuses(
        both("bank-a"),
        Propose(action=early, reason="x"),
        Refusal.TOO_SOON,
        earliest=world.view().height + 51,
    )
    assert list(queries.upgrades(world.view("S1"))) == []
    first = world.view().height + 60
    carry(world, replace(early, from_height=first))
    (told,) = queries.upgrades(world.view("S1"))
    assert (told.app, told.version, told.next_version, told.from_height) == ("later", 0, 1, first)
    assert told.blocks_left == first - world.view().height - 1


def test_rules_in_force_are_no_longer_to_come() -> None:
    waiting = Activation(app="counter", version=0, next_version=1, from_height=3)
    world = network(waiting)
    for left in (2, 1, 0):
        told = [each.blocks_left for each in queries.upgrades(world.view())]
        assert told == [left]
        world.accepts(both("SUP"), SetParameter(name="x.max", value=left, reason="x"))
    assert list(queries.upgrades(world.view())) == []


# --- founding


@pytest.mark.parametrize(
    ("nodes", "code"),
    (
        ((node("nobody"),), Members.NOT_A_MEMBER),
        ((replace(node("D1"), public_key=WEAK),), Refusal.WEAK_VALIDATOR_KEY),
        ((node("D1"), node("D1")), Refusal.VALIDATOR_KEY_TAKEN),
        ((replace(node("D1"), public_key=public_key("S1.maker")),), Refusal.VALIDATOR_KEY_TAKEN),
        ((node("D1", 0),), Refusal.OUT_OF_BOUNDS),
        ((*FULL, node("D1")), Refusal.TOO_MANY_VALIDATORS),
    ),
)
def test_who_cannot_found_a_network(nodes: Sequence[Validator], code: RefusalCode) -> None:
    with pytest.raises(Refused) as no:
        network(validators=nodes)
    assert no.value.code is code


def test_an_engine_is_for_several_nodes() -> None:
    founding = Founding(rules=rules(), calendars=(), members=(), consensus=DEFAULT_CONSENSUS)
    with pytest.raises(ValueError, match="without validators"):
        first_records((MEMBERS, GOVERNANCE), founding, 0)


def test_founders_say_what_the_engine_keeps_to() -> None:
    told = replace(DEFAULT_CONSENSUS, evidence_ms=1)
    founding = Founding(
        rules=rules(),
        calendars=(publication(),),
        members=(newcomer("D1"),),
        validators=LAST,
        consensus=told,
    )
    records = first_records((MEMBERS, GOVERNANCE), founding, 0)
    assert told in records
    assert LAST[0] in records


def test_one_node_alone_has_no_engine() -> None:
    view = network().view("S1")
    assert list(queries.validators(view)) == []
    with pytest.raises(Refused) as no:
        queries.engine(view)
    assert no.value.code is Refusal.NO_ENGINE


# --- invariants


@pytest.mark.parametrize(
    ("broken", "nodes", "sentence"),
    (
        ((DEFAULT_CONSENSUS,), (), "parameters and no validators"),
        ((node("D1"),), (), "1 validators, and no parameters"),
        ((node("ghost"),), FOUR, "run by ghost, which is no member"),
        (
            (replace(node("D1"), public_key=public_key("S1.maker")),),
            FOUR,
            "has the key of an officer",
        ),
        ((node("D1", name="more"),), FULL, "101 validators are too many"),
    ),
)
def test_what_is_broken_is_found(
    broken: Sequence[Any], nodes: Sequence[Validator], sentence: str
) -> None:
    with pytest.raises(WorldProblem, match=sentence):
        network(*broken, validators=nodes)
