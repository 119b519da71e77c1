"""Each invariant finds what breaks it; genesis may hold anything, so it is broken there."""

import pytest

from tallystick.apps.members.parts import (
    KeyStatus,
    LegalNumber,
    MemberStatus,
    NumberScheme,
    OfficerStatus,
    OrderStatus,
    OutletStatus,
    Scope,
    Standing,
)
from tallystick.apps.members.records import (
    Frozen,
    Key,
    LastOrder,
    Member,
    NumberHolder,
    Officer,
    Order,
    Outlet,
    Policy,
)
from tallystick.apps.members.tests.network import network, person
from tallystick.ledger.app import Record, Role
from tallystick.testing.world import WorldProblem, public_key
from tallystick.values.codec import replace

VIEW = network().view()
MAKER = VIEW.get(Officer, "S1", "maker")
CHECKER = VIEW.get(Officer, "S1", "checker")
S1 = VIEW.get(Member, "S1")
KEY = VIEW.get(Key, public_key("S1.maker"))
NUMBER = LegalNumber(scheme=NumberScheme.USCC, number="N1")
ORDER = Order(
    order_id="A",
    scope=Scope.MEMBER,
    subject="S1",
    member="S1",
    ordered_by="SUP",
    officer="compliance",
    reason="x",
    entered_at_ms=0,
    expires_at_ms=2**50,
    timer_id="tmr-0123456789abcdef",
)
STANDING = Standing(order_id="A", expires_at_ms=2**50)
FROZEN = Frozen(scope=Scope.MEMBER, subject="S1", orders=(STANDING,), until_ms=2**50)
LAST = LastOrder(scope=Scope.MEMBER, subject="S1", member="S1", entered_at_ms=0)
SUSPENDED = replace(S1, status=MemberStatus.SUSPENDED)
EXTRA = Officer(member="S1", officer_id="extra", roles=(Role.MAKER,))


def test_an_order_that_fits_breaks_nothing() -> None:
    network(ORDER, FROZEN, LAST, SUSPENDED)
    network(ORDER, FROZEN, LAST, replace(S1, status=MemberStatus.EXPELLED))


@pytest.mark.parametrize(
    ("broken", "sentence"),
    (
        ((replace(CHECKER, keys=(KEY.public_key,)),), "held by two officers"),
        ((replace(KEY, officer="checker"),), "not held by the officer it names"),
        ((replace(KEY, status=KeyStatus.REVOKED),), "not held by the officer it names"),
        ((replace(MAKER, keys=()),), "not held by the officer it names"),
        ((replace(EXTRA, keys=(bytes(32),)),), "held and not registered"),
        ((replace(EXTRA, member="ghost"),), "has no member"),
        ((replace(EXTRA, system=True, roles=(Role.CHECKER,)),), "may do more than make"),
        ((replace(MAKER, status=OfficerStatus.REMOVED),), "still holds a key"),
        ((replace(EXTRA, outlet="moon"),), "works at no open branch"),
        (
            (
                replace(EXTRA, outlet="o"),
                Outlet(member="S1", outlet_id="o", name="O", status=OutletStatus.CLOSED),
            ),
            "works at no open branch",
        ),
        (
            (replace(EXTRA, identity=person("S1", "maker", Role.MAKER).identity),),
            "extra and maker of S1 are one person",
        ),
        ((replace(MAKER, roles=(Role.ADMIN,)), replace(CHECKER, roles=())), "nobody can sign"),
        ((replace(S1, numbers=(NUMBER,)),), "not noted as S1's"),
        (
            (NumberHolder(scheme=NUMBER.scheme, number="N1", member="S1"),),
            "listed by nobody",
        ),
        ((replace(S1, policies=("a.b",)),), "lists other policies"),
        ((Policy(member="S1", message="a.b"),), "lists other policies"),
        ((FROZEN, SUSPENDED), "other orders than those in force"),
        ((ORDER, replace(FROZEN, until_ms=1), SUSPENDED), "frozen to another time"),
        ((ORDER,), "under an order and not frozen"),
        ((ORDER, FROZEN), "suspended without an order, or not"),
        ((SUSPENDED,), "suspended without an order, or not"),
        (
            (replace(ORDER, status=OrderStatus.LIFTED), SUSPENDED),
            "suspended without an order, or not",
        ),
        ((replace(S1, frozen_verbs=("a.b",)),), "has verb a.b frozen without an order"),
        ((LAST,), "entered at another time"),
        (
            (ORDER, FROZEN, SUSPENDED, replace(LAST, entered_at_ms=1)),
            "entered at another time",
        ),
        ((ORDER, FROZEN, SUSPENDED), "when S1 was last put under an order is not kept"),
    ),
)
def test_what_is_broken_is_found(broken: tuple[Record, ...], sentence: str) -> None:
    with pytest.raises(WorldProblem, match=sentence):
        network(*broken)


def test_a_removed_officer_may_have_left_a_branch_and_an_identity() -> None:
    identity = person("S1", "maker", Role.MAKER).identity
    network(replace(EXTRA, status=OfficerStatus.REMOVED, outlet="moon", identity=identity))
