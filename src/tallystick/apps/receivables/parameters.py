"""Parameters of governance that receivables reads, and what holds while governance sets none."""

from typing import Final

from tallystick.apps.governance.interface import parameter
from tallystick.apps.members.interface import Size
from tallystick.apps.receivables.terms import DAYS_MAX, HOPS_MAX, PIECES_MAX
from tallystick.ledger.view import Reader
from tallystick.values.units import INT64_MAX, PPM

DEFAULTS: Final = {
    "receivables.draft_banking_days": 10,
    "receivables.pass_banking_days": 5,
    "receivables.return_banking_days": 5,
    "receivables.apply_banking_days": 10,
    "receivables.recourse_banking_days": 10,
    "receivables.grace_banking_days": 3,
    "receivables.transfer_cutoff_days": 3,
    "receivables.min_piece_minor": 1,
    "receivables.hops_max": 10,
    "receivables.pieces_max": 500,
    "receivables.settlement_required": 1,
    "receivables.lpr_ppm": 30_000,
    "receivables.late_ppm_per_day": 500,
    "receivables.late_small_ppm_per_day": 500,
}
"""Parameter to default. `settlement_required` is 1 or 0; `lpr_ppm` is the one-year loan prime rate;
`late_small_ppm_per_day` holds where none is agreed with a small or medium supplier (Decree 802
article 17).
"""


BOUNDS: Final = {
    "receivables.draft_banking_days": (0, DAYS_MAX),
    "receivables.pass_banking_days": (0, DAYS_MAX),
    "receivables.return_banking_days": (0, DAYS_MAX),
    "receivables.apply_banking_days": (0, DAYS_MAX),
    "receivables.recourse_banking_days": (0, DAYS_MAX),
    "receivables.grace_banking_days": (0, DAYS_MAX),
    "receivables.transfer_cutoff_days": (0, DAYS_MAX),
    "receivables.min_piece_minor": (0, INT64_MAX),
    "receivables.hops_max": (0, HOPS_MAX),
    "receivables.pieces_max": (1, PIECES_MAX),
    "receivables.settlement_required": (0, 1),
    "receivables.lpr_ppm": (0, PPM),
    "receivables.late_ppm_per_day": (0, PPM),
    "receivables.late_small_ppm_per_day": (0, PPM),
}
"""Parameter to the least and the most that rules take it for, whatever governance sets: governance
knows no application's bounds, and an undertaking could not keep what lies outside.
"""


def value(reader: Reader, name: str) -> int:
    """Value of a parameter, e.g. `hops_max`."""
    return reader.recall(_value, name)


def _value(reader: Reader, name: str) -> int:
    """What governance has set, within bounds, or the default."""
    label = f"receivables.{name}"
    least, most = BOUNDS[label]
    return min(max(least, parameter(reader, label, default=DEFAULTS[label])), most)


def agreed(reader: Reader, name: str, asked: int | None) -> int:
    """What was asked for, or the parameter's value where nothing was."""
    return value(reader, name) if asked is None else asked


def late_rate(reader: Reader, size: Size, asked: int | None) -> int:
    """Late interest a day: as agreed, else by the size of the supplier."""
    small = size in (Size.SMALL, Size.MEDIUM)
    return agreed(reader, "late_small_ppm_per_day" if small else "late_ppm_per_day", asked)
