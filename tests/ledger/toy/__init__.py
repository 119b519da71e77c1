"""A small application for tests of the ledger: counters, bells, and bugs on purpose."""

from tallystick.ledger.app import App
from tests.ledger.toy import contract, invariants, messages, queries, records
from tests.ledger.toy.refusals import Refusal

APP = App(
    name="toy",
    version=2,
    messages=messages,
    records=records,
    refusals=Refusal,
    contract=contract,
    queries=queries,
    invariants=invariants,
    earlier={("count_up", 1): contract.count_by_one},
    governs=True,
)
"""What the toy does."""
