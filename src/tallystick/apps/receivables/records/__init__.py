"""What is kept: undertakings, pieces, transfers, finance deals, payments and recourse claims."""

from tallystick.apps.receivables.records.alert import Alert
from tallystick.apps.receivables.records.finance import Deal, RecourseClaim
from tallystick.apps.receivables.records.payment import Cascade, Funding, Leg, Shares, Withheld
from tallystick.apps.receivables.records.piece import Leaf, Piece, Transfer
from tallystick.apps.receivables.records.undertaking import Payable, Undertaking

__all__ = [
    "Alert",
    "Cascade",
    "Deal",
    "Funding",
    "Leaf",
    "Leg",
    "Payable",
    "Piece",
    "RecourseClaim",
    "Shares",
    "Transfer",
    "Undertaking",
    "Withheld",
]
