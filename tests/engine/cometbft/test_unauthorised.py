"""What nobody is authorised to do, over a real CometBFT: kept a moment, answered, not ordered."""

from __future__ import annotations

from pathlib import Path

from tallystick.engine.cometbft.held import HELD_MAX
from tallystick.gateway.reply import Outcome
from tests.engine.cometbft.alone import Alone
from tests.engine.cometbft.test_authority import HOLDERS, PAY
from tests.till.desk import until, waited
from tests.till.messages import Fill

FILL = Fill(currency="CNY", amount_minor=1)


def test_what_nobody_may_do_is_answered_and_not_ordered(tmp_path: Path) -> None:
    with Alone(tmp_path / "node") as alone:
        raws = [alone.signed(("A", FILL), keys=["B.clerk"]) for _ in range(20)]
        batch = alone.gateway.offer(raws)
        assert {each.outcome for each in batch.replies()} == {Outcome.KEPT}
        assert set(alone.engine.outbox.pending()) == set(raws), "kept means kept"
        waited(batch)
        replies = batch.replies()
        assert {(each.outcome, each.height) for each in replies} == {(Outcome.UNAUTHORISED, None)}
        assert not alone.engine.kept()
        assert len(alone.engine.outbox) == len(alone.engine.held) == 0
        height = alone.engine.standing().height
        entries = [alone.engine.entry(each) for each in range(1, height + 1)]
        assert not any(entry.transactions for entry in entries)
        good = alone.gateway.offer([alone.signed(("A", FILL))])
        waited(good)
        assert good.replies()[0].outcome is Outcome.ACCEPTED


def test_what_the_next_block_authorises_is_held_for_it(tmp_path: Path) -> None:
    """The client has heard of that block already, from another gateway."""
    with Alone(tmp_path / "node", people=HOLDERS) as alone:
        pay = alone.gateway.offer([alone.signed(("A", PAY))])
        assert pay.replies()[0].outcome is Outcome.KEPT
        assert len(alone.engine.held) == 1
        waited(alone.gateway.offer([alone.signed(("B", FILL)), alone.signed(("A", FILL))]))
        waited(pay)
        assert pay.replies()[0].outcome is Outcome.ACCEPTED
        assert len(alone.engine.held) == 0


def test_too_many_of_the_kind_are_answered_without_a_second_look(tmp_path: Path) -> None:
    with Alone(tmp_path / "node") as alone:
        raws = [alone.signed(("A", FILL), keys=["B.clerk"]) for _ in range(HELD_MAX + 1)]
        batch = alone.gateway.offer(raws)
        assert {each.outcome for each in batch.replies()} == {Outcome.UNAUTHORISED}
        assert len(alone.engine.outbox) == 0


def test_what_was_held_when_the_node_died_is_answered_after_a_restart(tmp_path: Path) -> None:
    alone = Alone(tmp_path / "node")
    with alone:
        raw = alone.signed(("A", FILL), keys=["B.clerk"])
    alone.engine = alone.again().engine
    alone.engine.outbox.append([raw])
    alone.engine.stop()
    with alone.again() as later:
        until(lambda: later.outcomes().get(raw) == "unauthorised")
        assert not later.engine.kept()
