"""Validators and the engine's parameters: what a vote changes, and what it cannot."""

from collections.abc import Sequence
from typing import Any

import pytest

from tallystick.apps.founding import DEFAULT_CONSENSUS
from tallystick.apps.governance import queries
from tallystick.apps.governance.messages import Propose
from tallystick.apps.governance.records import (
    POWER_SHIFT,
    ActivateRules,
    AddValidator,
    AnyAction,
    PowerShift,
)
from tallystick.apps.governance.refusals import Refusal
from tallystick.apps.governance.tests.seats import (
    FOUR,
    FULL,
    LAST,
    LOPSIDED,
    OFF_THE_CURVE,
    WEAK,
    add,
    carried,
    carry,
    enact,
    engine,
    powers,
    proposed,
    refused_when_enacted,
    remove,
    set_power,
)
from tallystick.apps.governance.validators import BOUNDS
from tallystick.apps.members.messages import Expel, RegisterKey, RevokeKey, Suspend
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.members.tests.network import DAY_MS, both, house, key, network, node
from tallystick.ledger.refusal import RefusalCode
from tallystick.ledger.system import POWER_MAX, Consensus, Validator
from tallystick.testing.world import World, public_key
from tallystick.values.codec import replace


@pytest.fixture
def world() -> World:
    return network(validators=FOUR)


# --- what is carried is done


def test_a_member_that_has_no_vote_asks_for_its_own_node(world: World) -> None:
    """AU is no voter; it alone may ask, and the voters decide."""
    carry(world, add("AU"))
    assert powers(world) == {"SUP": 10, "bank-a": 10, "D1": 10, "S1": 10, "AU": 10}
    kept = world.view().get(Validator, node("AU").public_key)
    assert kept == node("AU")
    shift = world.view().get(PowerShift, POWER_SHIFT)
    assert (shift.power_before, shift.power_moved) == (40, 10)


def test_a_validator_is_voted_out_and_may_come_back(world: World) -> None:
    carry(world, remove("S1"))
    assert powers(world) == {"SUP": 10, "bank-a": 10, "D1": 10}
    carry(world, add("S1"))
    assert powers(world)["S1"] == 10


def test_powers_are_changed(world: World) -> None:
    carry(world, set_power("D1", 23))
    carry(world, set_power("SUP", 1))
    assert powers(world) == {"SUP": 1, "bank-a": 10, "D1": 23, "S1": 10}


def test_a_member_runs_two_nodes(world: World) -> None:
    second = node("bank-a", name="second")
    carry(world, add("bank-a", public_key=second.public_key))
    assert sum(1 for each in world.view().scan(Validator) if each.member == "bank-a") == 2


def test_the_engine_is_set_by_vote(world: World) -> None:
    assert queries.engine(world.view("S1")) == DEFAULT_CONSENSUS
    carry(world, engine(block_bytes=8_388_608, evidence_ms=DAY_MS))
    after = replace(DEFAULT_CONSENSUS, block_bytes=8_388_608, evidence_ms=DAY_MS)
    assert queries.engine(world.view("S1")) == after


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_themselves_are_taken(name: str) -> None:
    for value in BOUNDS[name]:
        world = network(validators=FOUR)
        carry(world, engine(**{name: value}))
        assert getattr(queries.engine(world.view()), name) == value


def test_the_bounds_fit_what_the_ledger_keeps() -> None:
    """What may be voted for can be kept: the record's own bounds are no narrower."""
    for end in (0, 1):
        told = {name: bounds[end] for name, bounds in BOUNDS.items()}
        network(Consensus(name="consensus", **told), validators=FOUR)


# --- what cannot be done is not proposed nor carried out

REFUSED: tuple[tuple[AnyAction, Sequence[Validator], RefusalCode, dict[str, Any]], ...] = (
    (add("AU"), (), Refusal.NO_ENGINE, {}),
    (set_power("D1", 11), (), Refusal.NO_ENGINE, {}),
    (remove("D1"), (), Refusal.NO_ENGINE, {}),
    (engine(), (), Refusal.NO_ENGINE, {}),
    (add("AU", public_key=WEAK), FOUR, Refusal.WEAK_VALIDATOR_KEY, {"public_key": WEAK.hex()}),
    (add("AU", public_key=OFF_THE_CURVE), FOUR, Refusal.WEAK_VALIDATOR_KEY, {}),
    (add("AU", public_key=node("S1").public_key), FOUR, Refusal.VALIDATOR_KEY_TAKEN, {}),
    (add("AU", public_key=public_key("AU.maker")), FOUR, Refusal.VALIDATOR_KEY_TAKEN, {}),
    (add("AU", 0), FOUR, Refusal.OUT_OF_BOUNDS, {"name": "power", "value": 0, "least": 1}),
    (add("AU", POWER_MAX + 1), FOUR, Refusal.OUT_OF_BOUNDS, {"most": POWER_MAX}),
    (add("AU"), FULL, Refusal.TOO_MANY_VALIDATORS, {"most": 100}),
    (add("AU", 14), FOUR, Refusal.TOO_MUCH_POWER, {"power": 14, "most": 13}),
    (set_power("AU", 5), FOUR, Refusal.NO_SUCH_VALIDATOR, {}),
    (set_power("D1", 0), FOUR, Refusal.OUT_OF_BOUNDS, {"least": 1}),
    (set_power("D1", POWER_MAX + 1), FOUR, Refusal.OUT_OF_BOUNDS, {"most": POWER_MAX}),
    (set_power("D1", 10), FOUR, Refusal.NOTHING_TO_CHANGE, {"name": "power"}),
    (set_power("D1", 24), FOUR, Refusal.TOO_MUCH_POWER, {"power": 14, "most": 13}),
    (set_power("SUP", 9), LOPSIDED, Refusal.TOO_MUCH_POWER, {"power": 11, "most": 10}),
    (remove("AU"), FOUR, Refusal.NO_SUCH_VALIDATOR, {}),
    (remove("D1"), LAST, Refusal.LAST_VALIDATOR, {"member": "D1"}),
    (remove("D1"), LOPSIDED, Refusal.TOO_MUCH_POWER, {"power": 11, "most": 10}),
    (engine(), FOUR, Refusal.NOTHING_TO_CHANGE, {"name": "consensus"}),
    *(
        (engine(**{name: value}), FOUR, Refusal.OUT_OF_BOUNDS, {"name": name, "value": value})
        for name, (least, most) in BOUNDS.items()
        for value in (least - 1, most + 1)
    ),
    (
        ActivateRules(app="counter", version=2, from_height=1_000),
        FOUR,
        Refusal.TOO_SOON,
        {"from_height": 1_000},
    ),
)


@pytest.mark.parametrize(("action", "nodes", "code", "values"), REFUSED)
def test_what_cannot_be_done(
    action: AnyAction, nodes: Sequence[Validator], code: RefusalCode, values: dict[str, Any]
) -> None:
    world = network(validators=nodes)
    who = action.member if isinstance(action, AddValidator) else "bank-a"
    world.refuses(both(who), Propose(action=action, reason="x"), code, **values)
    refused_when_enacted(network(proposed(action), validators=nodes), code, **values)


def test_nobody_asks_for_anothers_node(world: World) -> None:
    """Neither a voter nor a stranger: running a node binds its member."""
    for who in ("bank-a", "S1"):
        ask = Propose(action=add("AU"), reason="x")
        world.refuses(both(who), ask, Refusal.NOT_ITS_RUNNER, member="AU")


def test_only_voters_ask_for_the_rest(world: World) -> None:
    for action in (set_power("S1", 11), remove("D1"), engine()):
        world.refuses(both("S1"), Propose(action=action, reason="x"), Refusal.NOT_A_VOTER)


def suspend(world: World, party: str) -> None:
    order = Suspend(
        order_id="SPC 1", member=party, verbs=(), reason="x", expires_at_ms=world.ledger_ms + DAY_MS
    )
    world.accepts("SUP.compliance", order)


def test_a_suspended_member_keeps_its_vote_on_blocks_and_gains_none(world: World) -> None:
    """Who is suspended starts no business; ordering that of others is none of its own."""
    suspend(world, "S1")
    assert powers(world)["S1"] == 10
    more = Propose(action=set_power("S1", 11), reason="x")
    world.refuses(both("bank-a"), more, Members.SUSPENDED, member="S1")
    carry(world, set_power("S1", 5))
    carry(world, remove("S1"))
    proposal = proposed(add("S1", 5))
    world = network(proposal, validators=FOUR[:3])
    suspend(world, "S1")
    refused_when_enacted(world, Members.SUSPENDED, member="S1")


def test_an_expelled_member_gets_no_node() -> None:
    world = network(proposed(add("S1")), validators=FOUR[:3])
    world.accepts(both("SUP"), Expel(member="S1", reason="x"))
    refused_when_enacted(world, Members.EXPELLED, member="S1")


def test_a_stranger_gets_no_node() -> None:
    refused_when_enacted(network(proposed(add("nobody")), validators=FOUR), Members.NOT_A_MEMBER)


def test_a_revoked_key_of_an_officer_is_no_key_of_a_node(world: World) -> None:
    world.accepts(house("AU"), RegisterKey(officer_id="maker", key=key("AU.spare")))
    world.accepts(house("AU"), RevokeKey(public_key=public_key("AU.spare"), reason="lost"))
    ask = Propose(action=add("AU", public_key=public_key("AU.spare")), reason="x")
    world.refuses(both("AU"), ask, Refusal.VALIDATOR_KEY_TAKEN)


def test_a_key_of_a_node_is_no_key_of_an_officer(world: World) -> None:
    taken = RegisterKey(officer_id="maker", key=key("S1.node"))
    world.refuses(house("AU"), taken, Members.KEY_TAKEN)
    carry(world, remove("S1"))
    world.accepts(house("AU"), taken)


# --- a third of all power in a block


def test_a_third_moves_and_not_more(world: World) -> None:
    carry(world, add("AU", 13))
    whole = 53
    world.refuses(
        both("AU"),
        Propose(action=add("AU", 18, public_key=public_key("AU.second")), reason="x"),
        Refusal.TOO_MUCH_POWER,
        most=whole // 3,
    )
    three = network(validators=FOUR[:3])
    carry(three, remove("D1"))
    assert powers(three) == {"SUP": 10, "bank-a": 10}


def test_what_moves_in_one_block_is_counted_together() -> None:
    """Of 40, 5 down, 5 up and 3 down are 13; the next block has a third of its own."""
    down, up = carried(1, set_power("SUP", 5)), carried(2, set_power("bank-a", 15))
    few, many = carried(3, set_power("D1", 7)), carried(4, set_power("D1", 6))
    world = network(down, up, few, many, validators=FOUR)
    room = {"power": 4, "most": 3}
    world.refuses_together(*enact(down, up, many), code=Refusal.TOO_MUCH_POWER, **room)
    world.accepts_together(*enact(down, up, few))
    shift = world.view().get(PowerShift, POWER_SHIFT)
    assert (shift.power_before, shift.power_moved) == (40, 13)
    assert shift.height == world.view().height
    world.accepts_together(*enact(many))
    shift = world.view().get(PowerShift, POWER_SHIFT)
    assert (shift.power_before, shift.power_moved) == (37, 1)
    assert powers(world) == {"SUP": 5, "bank-a": 15, "D1": 6, "S1": 10}


def test_two_do_not_leave_in_one_block() -> None:
    """One after the other they may: a third of 40, then a third of 30."""
    first, second = carried(1, remove("SUP")), carried(2, remove("D1"))
    world = network(first, second, validators=FOUR)
    room = {"power": 10, "most": 3}
    world.refuses_together(*enact(first, second), code=Refusal.TOO_MUCH_POWER, **room)
    world.accepts_together(*enact(first))
    world.accepts_together(*enact(second))
    assert powers(world) == {"bank-a": 10, "S1": 10}
