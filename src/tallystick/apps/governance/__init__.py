"""The rules of the network: constitution, votes, parameters, calendars, activation, trial clock."""

# Members and governance ask each other; whichever is wanted first, members are read in first.
import tallystick.apps.members  # noqa: F401

# isort: split
from tallystick.apps.governance import contract, invariants, messages, queries, records
from tallystick.apps.governance.refusals import Refusal
from tallystick.ledger.app import App

__all__ = ["APP"]

APP = App(
    "governance",
    version=1,
    messages=messages,
    records=records,
    refusals=Refusal,
    contract=contract,
    queries=queries,
    invariants=invariants,
    governs=True,
)
