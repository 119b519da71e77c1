"""Institutions, their people and keys, licences, signing rules and the orders of authorities."""

from tallystick.apps.members import contract, invariants, messages, queries, records
from tallystick.apps.members.refusals import Refusal
from tallystick.ledger.app import App

__all__ = ["APP"]

APP = App(
    "members",
    version=1,
    messages=messages,
    records=records,
    refusals=Refusal,
    contract=contract,
    queries=queries,
    invariants=invariants,
    verbs={
        messages.ADMIT: ("supervisor",),
        messages.ORDER: ("supervisor",),
        messages.SEE_ALL: ("supervisor",),
    },
    governs=True,  # an expelled member's validators leave with it, in the same block
)
