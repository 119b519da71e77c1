"""What happens: one function per message, find → check → change."""

from tallystick.apps.members.interface import require_known
from tallystick.apps.warehouse.messages import Assign, Deliver, Store, Withdraw
from tallystick.apps.warehouse.records import Number, Receipt, Status
from tallystick.apps.warehouse.refusals import Refusal
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.values.codec import replace
from tallystick.values.money import CURRENCIES


def store(ctx: Context, msg: Store) -> None:
    """Issue a receipt for goods taken in."""
    used = ctx.peek(Number, ctx.party, msg.number)
    require_known(ctx, msg.holder)
    require(used is None, Refusal.NUMBER_USED, number=msg.number)
    require(msg.currency in CURRENCIES, Refusal.UNKNOWN_CURRENCY, currency=msg.currency)
    require(msg.value_minor > 0, Refusal.NO_VALUE)
    receipt_id = ctx.new_id("wr")
    ctx.add(
        Receipt(
            receipt_id=receipt_id,
            number=msg.number,
            keeper=ctx.party,
            holder=msg.holder,
            goods=msg.goods,
            currency=msg.currency,
            value_minor=msg.value_minor,
            status=Status.STORED,
        )
    )
    ctx.add(Number(keeper=ctx.party, number=msg.number, receipt_id=receipt_id))


def assign(ctx: Context, msg: Assign) -> None:
    """Pass a receipt to another holder."""
    receipt = ctx.get(Receipt, msg.receipt_id)
    require_known(ctx, msg.to)
    require(
        receipt.holder == ctx.party, Refusal.NOT_HOLDER, party=ctx.party, receipt_id=msg.receipt_id
    )
    require(receipt.status is Status.STORED, Refusal.NOT_STORED, receipt_id=msg.receipt_id)
    require(receipt.holder != msg.to, Refusal.SAME_HOLDER, party=ctx.party)
    ctx.save(replace(receipt, holder=msg.to))


def withdraw(ctx: Context, msg: Withdraw) -> None:
    """Call for the goods."""
    receipt = ctx.get(Receipt, msg.receipt_id)
    require(
        receipt.holder == ctx.party, Refusal.NOT_HOLDER, party=ctx.party, receipt_id=msg.receipt_id
    )
    require(receipt.status is Status.STORED, Refusal.NOT_STORED, receipt_id=msg.receipt_id)
    ctx.save(replace(receipt, status=Status.CALLED))


def deliver(ctx: Context, msg: Deliver) -> None:
    """Hand the goods out."""
    receipt = ctx.get(Receipt, msg.receipt_id)
    require(
        receipt.keeper == ctx.party, Refusal.NOT_KEEPER, party=ctx.party, receipt_id=msg.receipt_id
    )
    require(receipt.status is Status.CALLED, Refusal.NOT_CALLED, receipt_id=msg.receipt_id)
    ctx.save(replace(receipt, status=Status.DELIVERED))
