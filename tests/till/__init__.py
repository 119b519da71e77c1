"""A small application for tests of the running node: purses that pay each other, and a clock.

It stands apart from the ledger's toy, so that tests of the node depend on little.
"""

from tallystick.ledger.app import App
from tests.till import contract, invariants, messages, queries, records
from tests.till.refusals import Refusal

APP = App(
    name="till",
    version=2,
    messages=messages,
    records=records,
    refusals=Refusal,
    contract=contract,
    queries=queries,
    invariants=invariants,
    governs=True,
)
"""What the till does."""
