"""The least that other applications may ask of receivables."""

from tallystick.apps.receivables.records import Deal, Piece, Undertaking
from tallystick.ledger.view import Reader

__all__ = ["Deal", "Piece", "Undertaking", "deal", "piece", "undertaking"]


def undertaking(reader: Reader, undertaking_id: str) -> Undertaking:
    """An undertaking as it was left by its last message or timer; NO_SUCH_UNDERTAKING if none."""
    return reader.get(Undertaking, undertaking_id)


def piece(reader: Reader, piece_id: str) -> Piece:
    """A piece and who holds it; NO_SUCH_PIECE if there is none."""
    return reader.get(Piece, piece_id)


def deal(reader: Reader, deal_id: str) -> Deal:
    """A finance deal; NO_SUCH_DEAL if there is none."""
    return reader.get(Deal, deal_id)
