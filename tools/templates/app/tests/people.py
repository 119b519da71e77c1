"""A keeper, a holder and one receipt."""

from tallystick.apps.warehouse.messages import Store
from tallystick.testing.cast import CAST, cast_world
from tallystick.testing.world import World

NOWHERE = "wr-0000000000000000"


def by(party: str) -> str:
    """Maker and checker of a party."""
    return f"{party}.maker+checker"


def network() -> World:
    """The usual cast and a keeper, W1."""
    return cast_world(members={**CAST, "W1": ("carrier", "medium"), "W2": ("carrier", "medium")})


def goods(number: str = "2026-0001", holder: str = "S1", value_minor: int = 5_000_000) -> Store:
    """20 t of copper for 50,000.00."""
    return Store(
        number=number,
        holder=holder,
        goods="20 t copper cathode",
        currency="CNY",
        value_minor=value_minor,
    )


def stored(world: World) -> str:
    """A receipt of W1 that S1 holds."""
    return world.accepts(by("W1"), goods()).id
