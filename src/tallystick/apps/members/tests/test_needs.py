"""Whether persons fill roles, against trying every way to seat them."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from tallystick.apps.members.needs import (
    Held,
    can_fill,
    missing_roles,
    seats,
    seats_of_one,
    stricter,
)
from tallystick.ledger.app import MAKER_CHECKER, Officers, Role

ROLES = (Role.MAKER, Role.CHECKER, Role.APPROVER)
needs_of = st.tuples(*(st.tuples(st.just(role), st.integers(0, 2)) for role in ROLES)).map(
    lambda pairs: tuple(pair for pair in pairs if pair[1])
)
persons = st.lists(
    st.lists(st.sampled_from(ROLES), unique=True, max_size=3).map(tuple), max_size=4
).map(tuple)


def tried(needs: Officers, held: Held) -> bool:
    """Seat the persons in every order."""
    wanted = [role for role, count in needs for _ in range(count)]
    return any(
        all(role in roles for role, roles in zip(wanted, row, strict=True))
        for row in permutations(held, len(wanted))
    )


@given(needs_of, persons)
def test_the_marriage_theorem_agrees_with_trying(needs: Officers, held: Held) -> None:
    assert can_fill(needs, held) == tried(needs, held)


@given(needs_of, persons)
def test_everybody_has_a_place_and_makers_are_first(needs: Officers, held: Held) -> None:
    order = seats(needs, held)
    assert (order is not None) == (bool(held) and can_fill(needs, held))
    if order is not None:
        assert sorted(order) == list(range(len(held)))
        makers_needed = dict(needs).get(Role.MAKER, 0)
        assert all(Role.MAKER in held[place] for place in order[:makers_needed])


def test_who_must_check_is_not_the_maker() -> None:
    flexible, maker = (Role.MAKER, Role.CHECKER), (Role.MAKER,)
    assert seats(MAKER_CHECKER, (flexible, maker)) == (1, 0)
    assert seats(MAKER_CHECKER, (flexible, flexible)) == (0, 1)
    assert seats(((Role.MAKER, 2),), (maker, maker)) == (0, 1)


def test_one_who_holds_every_role() -> None:
    assert seats_of_one(MAKER_CHECKER, ((Role.ADMIN,), (Role.MAKER, Role.CHECKER))) == (1, 0)
    assert seats_of_one(MAKER_CHECKER, ((Role.MAKER,), (Role.CHECKER,))) is None


def test_what_is_missing_is_said() -> None:
    assert missing_roles(MAKER_CHECKER, ()) == "maker, checker"
    assert missing_roles(((Role.MAKER, 3),), ((Role.MAKER,),)) == "maker x2"
    assert missing_roles(MAKER_CHECKER, ((Role.MAKER, Role.CHECKER),)) == ""


def test_the_stricter_of_two() -> None:
    more = ((Role.APPROVER, 1), (Role.CHECKER, 2))
    assert stricter(MAKER_CHECKER, more) == (
        (Role.MAKER, 1),
        (Role.CHECKER, 2),
        (Role.APPROVER, 1),
    )
