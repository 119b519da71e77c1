"""An application of the tests: it uses cash and documents as other applications do."""

from tallystick.apps.cash.tests.desk import contract, messages
from tallystick.apps.cash.tests.desk.refusals import Refusal
from tallystick.ledger.app import App

APP = App("desk", version=1, messages=messages, records=None, refusals=Refusal, contract=contract)
