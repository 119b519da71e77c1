"""Whether the persons who signed can fill the roles that are needed, each person one role."""

from collections.abc import Sequence
from itertools import combinations

from tallystick.ledger.app import Officers, Role


def can_satisfy(needs: Officers, persons: Sequence[frozenset[Role]]) -> bool:
    """Can different persons fill all the roles? Asked by Hall's marriage theorem.

    They can exactly when, for every choice among the needed roles, at least as many persons hold
    one of the chosen roles as those roles need together. Roles are few, so this is short.
    """
    for size in range(1, len(needs) + 1):
        for chosen in combinations(needs, size):
            wanted = sum(count for _, count in chosen)
            roles = frozenset(role for role, _ in chosen)
            if sum(1 for held in persons if held & roles) < wanted:
                return False
    return True


def missing_roles(needs: Officers, persons: Sequence[frozenset[Role]]) -> Officers:
    """Roles that fewer persons hold than are needed, and how many are missing of each."""
    short = ((role, count - sum(1 for held in persons if role in held)) for role, count in needs)
    return tuple((role, count) for role, count in short if count > 0)


def stricter(one: Officers, other: Officers) -> Officers:
    """For each role the larger number of persons that either asks."""
    first, second = dict(one), dict(other)
    counts = ((role, max(first.get(role, 0), second.get(role, 0))) for role in Role)
    return tuple((role, count) for role, count in counts if count)


def makers_first(needs: Officers, persons: dict[str, frozenset[Role]]) -> tuple[str, ...]:
    """Persons who signed: those who can stand as makers, then the others, by id within each.

    A maker is whoever may fill that role while the others fill the rest.
    """
    makers = [person for person in sorted(persons) if _can_make(needs, persons, person)]
    return (*makers, *(person for person in sorted(persons) if person not in makers))


def _can_make(needs: Officers, persons: dict[str, frozenset[Role]], maker: str) -> bool:
    """Can this person be a maker and the others fill what is left?"""
    if Role.MAKER not in persons[maker]:
        return False
    others = [roles for person, roles in persons.items() if person != maker]
    rest = ((role, count - 1 if role is Role.MAKER else count) for role, count in needs)
    return can_satisfy(tuple((role, count) for role, count in rest if count), others)
