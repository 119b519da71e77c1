"""Cash: money of licensed issuers, paid, held for a purpose and redeemed."""

from tallystick.apps.cash import contract, invariants, messages, queries, records
from tallystick.apps.cash.refusals import Refusal
from tallystick.ledger.app import App

__all__ = ["APP"]

APP = App(
    "cash",
    version=1,
    messages=messages,
    records=records,
    refusals=Refusal,
    contract=contract,
    queries=queries,
    invariants=invariants,
    verbs={messages.ISSUE: ("central_bank", "bank")},
)
