"""Warehouse: receipts for stored goods, passed from holder to holder."""

from tallystick.apps.warehouse import contract, invariants, messages, queries, records
from tallystick.apps.warehouse.refusals import Refusal
from tallystick.ledger.app import App

__all__ = ["APP"]

APP = App(
    "warehouse",
    version=1,
    messages=messages,
    records=records,
    refusals=Refusal,
    contract=contract,
    queries=queries,
    invariants=invariants,
    verbs={messages.KEEP: ("carrier",), messages.TRADE: ("*",)},
)
