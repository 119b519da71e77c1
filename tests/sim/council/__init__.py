"""A small application for simulated consortia: anybody may change who votes, and the limits."""

from tallystick.ledger.app import App
from tests.sim.council import contract, messages
from tests.sim.council.refusals import Refusal

APP = App(
    name="council",
    version=1,
    messages=messages,
    records=None,
    refusals=Refusal,
    contract=contract,
    governs=True,
)
"""What the council does."""
