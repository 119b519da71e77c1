"""Work beyond the budget, and bugs of an application: a receipt, no change, the node lives."""

import logging

import pytest

from tallystick.gateway.reply import Outcome
from tallystick.ledger.refusals import Refusal
from tests.hostile.buggy.messages import Bug, Stumble, Walk
from tests.hostile.buggy.records import Mark
from tests.hostile.net import Net

WHO = "S6.maker+checker"


@pytest.mark.parametrize("bug", (Bug.READS, Bug.WRITES), ids=str)
def test_work_beyond_the_budget(net: Net, bug: Bug) -> None:
    reply = net.refuses(WHO, Stumble(bug=bug), Refusal.TOO_MUCH_WORK)
    budget = net.node.ledger.genesis.budget
    assert reply.value("most") == getattr(budget, str(bug.value))


def test_more_calls_than_allowed(net: Net) -> None:
    """More calls than a transaction holds is no transaction."""
    raw = net.signed(*[(WHO, Walk())] * (net.node.ledger.genesis.budget.calls + 1))
    net.turned_away(raw, Outcome.REJECTED, Refusal.MALFORMED)


@pytest.mark.parametrize("bug", (Bug.EXCEPTION, Bug.ENSURE, Bug.RECURSION), ids=str)
def test_an_exception_inside_a_contract(
    net: Net, bug: Bug, caplog: pytest.LogCaptureFixture
) -> None:
    """A FAULT receipt; the traceback goes to the log, not to whoever asked."""
    with caplog.at_level(logging.ERROR):
        reply = net.refuses(WHO, Stumble(bug=bug), Refusal.FAULT)
    assert reply.values == ()
    assert any("its changes are dropped" in each.message for each in caplog.records)
    assert any(each.exc_info for each in caplog.records)


def test_a_bug_takes_the_other_calls_with_it(net: Net) -> None:
    """Nothing of a transaction stays when one of its calls meets a bug."""
    net.accepts(WHO, Walk())
    before = list(net.view().scan(Mark))
    raw = net.signed((WHO, Walk()), (WHO, Stumble(bug=Bug.EXCEPTION)), (WHO, Walk()))
    net.refused(raw, Refusal.FAULT)
    assert list(net.view().scan(Mark)) == before


def test_good_transactions_of_the_same_block(net: Net) -> None:
    """A bug between good transactions stops neither."""
    raws = [net.signed((WHO, asked)) for asked in (Walk(), Stumble(bug=Bug.ENSURE), Walk())]
    replies = list(net.client.submit_many(raws))
    assert [each.outcome for each in replies] == [
        Outcome.ACCEPTED,
        Outcome.REFUSED,
        Outcome.ACCEPTED,
    ]
