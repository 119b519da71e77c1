"""Named reads, and the invariants that find what breaks them."""

import pytest

from tallystick.apps.governance import queries
from tallystick.apps.governance.messages import CastVote, Propose, SetParameter
from tallystick.apps.governance.records import (
    CONSTITUTION,
    Calendar,
    ChangeParameter,
    Choice,
    Constitution,
    Proposal,
    ProposalStatus,
    Vote,
)
from tallystick.apps.governance.refusals import Refusal
from tallystick.apps.members.tests.network import both, network, rules
from tallystick.ledger.app import Record
from tallystick.ledger.refusal import Refused
from tallystick.testing.world import WorldProblem
from tallystick.values.codec import replace

PROPOSAL = Proposal(
    proposal_id="prop-0123456789abcdef",
    proposer="bank-a",
    action=ChangeParameter(name="x.max", value=1),
    reason="x",
    voters=("SUP", "bank-a"),
    quorum_ppm=0,
    threshold_ppm=1,
    opened_at_ms=0,
    closes_at_ms=2**50,
    timer_id="tmr-0123456789abcdef",
    timer_at_ms=2**50,
)
VOTE = Vote(proposal_id=PROPOSAL.proposal_id, voter="SUP", choice=Choice.NO, cast_at_ms=0)


def test_what_is_agreed_on_is_public() -> None:
    world = network()
    world.accepts(both("SUP"), SetParameter(name="x.max", value=4, reason="x"))
    asked = Propose(action=ChangeParameter(name="x.max", value=5), reason="x")
    proposal_id = world.accepts(both("bank-a"), asked).id
    world.accepts(both("SUP"), CastVote(proposal_id=proposal_id, choice=Choice.NO))
    view = world.view("S1")
    assert queries.constitution(view).rules == rules()
    assert [(each.name, each.value) for each in queries.parameters(view)] == [("x.max", 4)]
    assert [each.calendar_id for each in queries.calendars(view)] == ["cn"]
    (year,) = queries.banking_days(view, "cn")
    assert (year.year, year.banking_days[:2]) == (2026, ("2026-01-01", "2026-01-02"))
    assert [each.proposal_id for each in queries.proposals(view)] == [proposal_id]
    assert list(queries.proposals(view, ProposalStatus.REJECTED)) == []
    assert [(each.voter, each.choice) for each in queries.votes(view, proposal_id)] == [
        ("SUP", Choice.NO)
    ]
    versions = {each.app: each.version for each in queries.activations(view)}
    assert versions == {"members": 1, "governance": 1, "counter": 1}


@pytest.mark.parametrize(
    ("day", "banking_days", "found", "provisional"),
    (
        ("2026-07-03", 0, "2026-07-03", False),
        ("2026-07-04", 0, "2026-07-06", False),
        ("2026-07-03", 1, "2026-07-06", False),
        ("2026-07-06", -1, "2026-07-03", False),
        ("2026-12-31", 1, "2027-01-01", True),
        ("2027-03-01", 0, "2027-03-01", True),
    ),
)
def test_days_are_rolled_and_shifted(
    day: str, banking_days: int, found: str, provisional: bool
) -> None:
    view = network().view("S1")
    shifted = queries.shifted(view, "cn", day, banking_days)
    assert (shifted.day, shifted.provisional) == (found, provisional)
    if banking_days == 0:
        assert queries.rolled(view, "cn", day) == shifted


def test_today_is_told_in_the_zone_of_a_calendar() -> None:
    view = network().view("S1")
    assert queries.today(view, "cn").day == "2026-07-03"
    with pytest.raises(Refused) as no:
        queries.today(view, "mars")
    assert no.value.code is Refusal.NO_SUCH_CALENDAR


@pytest.mark.parametrize(
    ("broken", "sentence"),
    (
        ((replace(PROPOSAL, yes=1),), "counts votes that were not cast"),
        ((PROPOSAL, VOTE), "counts votes that were not cast"),
        ((replace(PROPOSAL, no=1), replace(VOTE, voter="D1")), "a vote of a stranger"),
        (
            (Constitution(name=CONSTITUTION, rules=rules(voters=("ghost",)), amended_at_ms=0),),
            "names ghost, which is no member",
        ),
    ),
)
def test_what_is_broken_is_found(broken: tuple[Record, ...], sentence: str) -> None:
    with pytest.raises(WorldProblem, match=sentence):
        network(*broken)


def test_votes_that_fit_break_nothing() -> None:
    network(replace(PROPOSAL, no=1), VOTE)


def test_a_calendar_that_lacks_a_year_is_found() -> None:
    head = network().view().get(Calendar, "cn")
    with pytest.raises(WorldProblem, match="calendar cn has other years than it says"):
        network(replace(head, last_year=2027))
