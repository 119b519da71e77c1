"""Receivables: debtors' promises, cut to the cent, passed on, financed once, paid in a cascade."""

from tallystick.apps.receivables import contract, invariants, messages, queries, records
from tallystick.apps.receivables.refusals import Refusal
from tallystick.ledger.app import App

__all__ = ["APP"]

HOLDERS = ("core_enterprise", "supplier", "carrier", "bank", "factoring", "fund")
"""Kinds of member that hold pieces."""

APP = App(
    "receivables",
    version=1,
    messages=messages,
    records=records,
    refusals=Refusal,
    contract=contract,
    queries=queries,
    invariants=invariants,
    verbs={
        messages.DRAFT: ("core_enterprise", "supplier", "carrier"),
        messages.UNDERTAKE: ("core_enterprise",),
        messages.TRADE: HOLDERS,
        messages.FINANCE: ("bank", "factoring", "microfinance"),
    },
)
