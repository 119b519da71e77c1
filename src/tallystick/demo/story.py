"""The story in acts, from the first calendar to a proof that an invoice is not there."""

from __future__ import annotations

from pathlib import Path

from tallystick.demo import maturity, opening, sheet, trade
from tallystick.demo.cast import Players
from tallystick.demo.desk import Desk
from tallystick.demo.play import Play
from tallystick.demo.stage import Stage
from tallystick.demo.tell import Teller, money


def tell(stage: Stage, teller: Teller, folder: Path, *, founders: int = 2) -> Play:
    """Play all acts that a folder of invoices gives occasion for."""
    play = Play(Desk(stage), teller, Players(), folder, founders)
    opening.network(play)
    opening.invoices(play)
    if not play.drafts:
        teller.unplayed("not one invoice could become a claim.")
        return play
    opening.issue_money(play)
    opening.registry(play)
    opening.confirmations(play)
    for claim in play.claims[:2]:
        play.show_holders(claim)
    before = sheet.take(play)
    _chain(play)
    maturity.payment(play)
    _end(play, before)
    return play


def _chain(play: Play) -> None:
    """Pass on, finance, and try to finance twice."""
    first = None if play.first is None else trade.pass_first(play, play.first)
    parts = None if play.second is None else trade.pass_second(play, play.second)
    for claim in (play.first, play.second):
        if claim is not None:
            play.show_holders(claim)
    trade.finance(play, first, parts)
    for claim in (play.first, play.second):
        if claim is not None:
            play.show_holders(claim)
    trade.twice(play)
    play.parts = parts


def _end(play: Play, before: sheet.Snapshot) -> None:
    """The shortfall, what the supervisor sees, and everybody's cash and claims."""
    if play.parts is None:
        play.tell.unplayed("only one debtor, so nobody pays 60 %.")
    else:
        maturity.shortfall(play, play.parts)
    play.tell.act("What the supervisor sees", play.desk.clock())
    for row in play.desk.stage.rows("receivables", "totals"):
        if row["status"] == "rejected":
            continue
        left = money(int(row["left_minor"]), row["currency"])
        face = money(int(row["face_minor"]), row["currency"])
        play.tell.say(f"{row['status']}: {row['count']} undertakings, face {face}, unpaid {left}.")
    play.tell.act("Everybody's cash and claims")
    sheet.show(play, before, sheet.take(play))
