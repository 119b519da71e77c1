"""Documents: commitments to papers, and the registry that stops double financing."""

from tallystick.apps.documents import contract, invariants, messages, queries, records
from tallystick.apps.documents.refusals import Refusal
from tallystick.ledger.app import App

__all__ = ["APP"]

APP = App(
    "documents",
    version=1,
    messages=messages,
    records=records,
    refusals=Refusal,
    contract=contract,
    queries=queries,
    invariants=invariants,
    verbs={messages.REGISTER: ("*",)},
)
