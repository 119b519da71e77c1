"""An application with a bug on purpose: what it does to a running node is tested here."""

from tallystick.ledger.app import App
from tests.hostile.buggy import contract, messages, records
from tests.hostile.buggy.refusals import Refusal

APP = App(
    name="buggy",
    version=1,
    messages=messages,
    records=records,
    refusals=Refusal,
    contract=contract,
)
"""What the buggy application does."""
