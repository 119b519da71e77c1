"""An application of the tests: messages that ask the authority everything it can be asked."""

from tallystick.apps.members.tests.counter import contract, messages
from tallystick.apps.members.tests.counter.refusals import Refusal
from tallystick.ledger.app import App

APP = App(
    "counter",
    version=1,
    messages=messages,
    records=None,
    refusals=Refusal,
    contract=contract,
    verbs={messages.PAY: ("supplier", "bank")},
)
