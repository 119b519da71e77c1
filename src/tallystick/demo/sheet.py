"""Everybody's cash and claims, before and after, in tables whose columns add up."""

from __future__ import annotations

from tallystick.demo.play import Play, left_of
from tallystick.demo.stage import Row
from tallystick.values.money import format_minor

Snapshot = dict[tuple[str, str], tuple[int, int, int]]
"""(currency, party) → cash, claims held, owed; in minor units."""


def take(play: Play) -> Snapshot:
    """What everybody has and owes now."""
    taken: dict[tuple[str, str], list[int]] = {}

    def add(currency: str, party: str, place: int, minor: int) -> None:
        taken.setdefault((currency, party), [0, 0, 0])[place] += minor

    stage = play.desk.stage
    for row in stage.records("cash", "balance"):
        add(_currency(row), row["party"], 0, int(row["available_minor"]) + int(row["held_minor"]))
    for row in stage.records("receivables", "piece", status="held"):
        add(row["currency"], row["holder"], 1, left_of(row))
    for row in stage.records("receivables", "undertaking"):
        if row["opened_day"] is not None:
            left = int(row["amount_minor"]) - int(row["paid_minor"]) - int(row["written_off_minor"])
            add(row["currency"], row["debtor"], 2, left)
    return {key: (cash, claims, owed) for key, (cash, claims, owed) in taken.items()}


def _currency(balance: Row) -> str:
    """Currency of a balance's money."""
    return str(balance["money"]).partition("@")[0]


def show(play: Play, before: Snapshot, after: Snapshot) -> None:
    """A table for each currency; every column adds up in its last row."""
    columns = ("cash before", "cash after", "claims before", "claims after", "owes after")
    for currency in sorted({currency for currency, _ in {**before, **after}}):
        rows: list[tuple[str, list[int]]] = []
        for player in play.players:
            was = before.get((currency, player.party), (0, 0, 0))
            now = after.get((currency, player.party), (0, 0, 0))
            figures = [was[0], now[0], was[1], now[1], now[2]]
            if any(figures):
                rows.append((player.name, figures))
        sums = [sum(figures[place] for _, figures in rows) for place in range(len(columns))]
        play.tell.table(
            (currency, *columns),
            [(name, *(_shown(each, currency) for each in figures)) for name, figures in rows],
            right=columns,
            last=("all", *(_shown(each, currency) for each in sums)),
        )


def _shown(minor: int, currency: str) -> str:
    """An amount in the table."""
    return format_minor(minor, currency) if minor else "-"
