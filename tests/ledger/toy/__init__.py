"""A small application for tests of the ledger: counters that members count up, and a bug on purpose."""

from tallystick.ledger.app import App

from . import contract, invariants, messages, queries, records
from .refusals import Refusal

APP = App(
    name="toy",
    version=2,
    messages=messages,
    records=records,
    refusals=Refusal,
    contract=contract,
    queries=queries,
    invariants=invariants,
    earlier={("count", 1): contract.count_by_one},
    governs=True,
)
