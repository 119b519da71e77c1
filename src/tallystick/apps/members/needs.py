"""Whether the persons who signed can fill the roles that are needed, each person one role."""

from functools import lru_cache
from itertools import combinations

from tallystick.ledger.app import Officers, Role

Held = tuple[tuple[Role, ...], ...]
"""Roles of each person who signed."""


@lru_cache(maxsize=4096)
def seats(needs: Officers, held: Held) -> tuple[int, ...] | None:
    """Positions of the persons, those who can stand as makers first; None if roles stay empty.

    A person can stand as a maker if the others fill what is left. The answer is kept, for the same
    few roles are asked about with every transaction.
    """
    if not held or not can_fill(needs, held):
        return None
    makers = [place for place in range(len(held)) if _can_make(needs, held, place)]
    return (*makers, *(place for place in range(len(held)) if place not in makers))


def seats_of_one(needs: Officers, held: Held) -> tuple[int, ...] | None:
    """Positions of the persons, one who holds every needed role first; None if nobody does."""
    for place, roles in enumerate(held):
        if all(role in roles for role, _ in needs):
            return (place, *(other for other in range(len(held)) if other != place))
    return None


def can_fill(needs: Officers, held: Held) -> bool:
    """Can different persons fill all the roles? Asked by Hall's marriage theorem.

    They can exactly when, for every choice among the needed roles, at least as many persons hold
    one of the chosen roles as those roles need together. Roles are few, so this is short.
    """
    for size in range(1, len(needs) + 1):
        for chosen in combinations(needs, size):
            wanted = sum(count for _, count in chosen)
            able = [roles for roles in held if any(role in roles for role, _ in chosen)]
            if len(able) < wanted:
                return False
    return True


def _can_make(needs: Officers, held: Held, place: int) -> bool:
    """Can the person at this place be a maker while the others fill what is left?"""
    if Role.MAKER not in held[place]:
        return False
    rest = ((role, count - 1 if role is Role.MAKER else count) for role, count in needs)
    others = held[:place] + held[place + 1 :]
    return can_fill(tuple((role, count) for role, count in rest if count), others)


def missing_roles(needs: Officers, held: Held) -> str:
    """Roles that fewer persons hold than are needed: `checker, approver x2`; empty if none."""
    told = []
    for role, count in needs:
        short = count - sum(1 for roles in held if role in roles)
        if short > 0:
            told.append(role.value if short == 1 else f"{role.value} x{short}")
    return ", ".join(told)


def stricter(one: Officers, other: Officers) -> Officers:
    """For each role the larger number of persons that either asks."""
    first, second = dict(one), dict(other)
    counts = ((role, max(first.get(role, 0), second.get(role, 0))) for role in Role)
    return tuple((role, count) for role, count in counts if count)
