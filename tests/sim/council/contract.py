"""What the council does."""

from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.ledger.system import CONSENSUS, Consensus, Validator
from tallystick.values.codec import replace
from tests.sim.council.messages import Limit, Seat
from tests.sim.council.refusals import Refusal


def seat(ctx: Context, msg: Seat) -> None:
    """Give a validator power, or take its seat."""
    kept = ctx.peek(Validator, msg.public_key)
    if not msg.power:
        require(kept is not None, Refusal.NO_SUCH_SEAT)
        ctx.delete(Validator, msg.public_key)
    elif kept is None:
        ctx.add(Validator(public_key=msg.public_key, member=msg.member, power=msg.power))
    else:
        ctx.save(replace(kept, power=msg.power))


def limit(ctx: Context, msg: Limit) -> None:
    """Change how much fits into a block."""
    kept = ctx.peek(Consensus, CONSENSUS)
    require(kept is not None and 1_048_576 <= msg.block_bytes <= 4_194_304, Refusal.NOT_SO_MUCH)
    require(1 <= msg.block_transactions <= 50, Refusal.NOT_SO_MUCH)
    if kept is not None:
        ctx.save(
            replace(kept, block_bytes=msg.block_bytes, block_transactions=msg.block_transactions)
        )
