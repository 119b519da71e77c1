"""What becomes of a transaction: accepted, refused, unauthorised, reused, or nothing at all."""

from __future__ import annotations

import gc

import pytest

from tallystick.ledger.candidate import Candidate
from tallystick.ledger.genesis import HORIZON_MS, Budget
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal as LedgerRefusal
from tallystick.ledger.transaction import CALLS_MAX, Transaction
from tallystick.testing.world import World
from tests.ledger.toy.messages import CountUp, Crash, Open, Take
from tests.ledger.toy.people import Keys, toy_world
from tests.ledger.toy.records import Counter, Secret
from tests.ledger.toy.refusals import Refusal

MINUTE_MS = 60_000


@pytest.fixture
def world() -> World:
    return toy_world()


def counter(world: World, owner: str = "A") -> str:
    """A new counter."""
    return world.accepts(f"{owner}.m", Open(currency="CNY")).id


def amount(world: World, counter_id: str) -> int:
    """How far it has counted."""
    return world.view().get(Counter, counter_id).amount_minor


def given(world: World, *raws: bytes) -> Candidate:
    """A block as another node made it: what is in it stays in it."""
    transactions = [world.ledger.codec.decode(raw) for raw in raws]
    return world.ledger.execute(world.chain.state, world.now_ms + 1, transactions)


def outcomes(candidate: Candidate) -> list[Outcome]:
    return [done.receipt.outcome for done in candidate.done]


# --- accepted and refused


def test_accepted_changes_records_and_lists_the_ids_made(world: World) -> None:
    result = world.accepts("A.m", Open(currency="CNY"))
    assert result.ids == (result.id,)
    assert result.receipt.changes_hash is not None
    assert (result.receipt.app, result.receipt.code) == (None, 0)
    assert world.view().get(Counter, result.id).owner == "A"


def test_refused_changes_nothing_but_its_receipt(world: World) -> None:
    made = counter(world)
    root = world.chain.state.root()
    result = world.refuses(
        "B.m", CountUp(counter_id=made, by_minor=5), Refusal.NOT_OWNER, party="B"
    )
    assert result.height == world.chain.state.tip.height
    assert result.receipt.changes_hash is None
    assert amount(world, made) == 0
    assert world.chain.state.root() != root  # the reference is used up


def test_what_is_refused_leaves_nothing_for_the_collector(world: World) -> None:
    """A node that met refusals all day would else stand still behind it, all of Python with it."""
    made = counter(world)
    count_up = CountUp(counter_id=made, by_minor=5)
    absent = CountUp(counter_id="ctr-0123456789abcdef", by_minor=1)
    raws = [
        world.signed(("B.m", count_up)),
        world.signed(("A.m", absent)),
        world.signed(("A.m", count_up), keys=["B.m"]),
    ]
    given(world, *raws)  # what is made once and kept is there now
    gc.collect()
    gc.disable()
    try:
        candidate = given(world, *raws)
        left_behind = gc.collect()
    finally:
        gc.enable()
    assert set(outcomes(candidate)) == {Outcome.REFUSED, Outcome.UNAUTHORISED}
    assert left_behind == 0


def test_absent_records_have_a_refusal_of_their_own(world: World) -> None:
    absent = "ctr-0123456789abcdef"
    world.refuses(
        "A.m", CountUp(counter_id=absent, by_minor=1), Refusal.NO_SUCH_COUNTER, counter_id=absent
    )


def test_amounts_beyond_64_bits_overflow(world: World) -> None:
    world.refuses("A.m", Crash(how="overflow"), LedgerRefusal.OVERFLOW)


# --- several calls, several members


def test_all_calls_happen_or_none_does(world: World) -> None:
    made = counter(world)
    up = ("A.m", CountUp(counter_id=made, by_minor=5))
    world.accepts_together(up, up)
    assert amount(world, made) == 10
    world.refuses_together(
        up, ("B.m", CountUp(counter_id=made, by_minor=1)), code=Refusal.NOT_OWNER
    )
    assert amount(world, made) == 10


def test_several_members_sign_one_transaction(world: World) -> None:
    source, target = counter(world, "A"), counter(world, "B")
    world.accepts("A.m", CountUp(counter_id=source, by_minor=100))
    take = Take(source=source, target=target, currency="CNY", amount_minor=30)
    world.refuses("B.m", take, Refusal.OWNER_NOT_ACTING, owner="A")
    consent = CountUp(counter_id=source, by_minor=0)
    world.accepts_together(("B.m", take), ("A.m", consent))
    assert (amount(world, source), amount(world, target)) == (70, 30)


def test_ids_of_one_transaction_differ_by_call_and_counter(world: World) -> None:
    ids = world.accepts_together(
        ("A.m", Open(currency="CNY")), ("B.m", Open(currency="CNY")), ("A.m", Open(currency="CNY"))
    ).ids
    assert len(set(ids)) == 3
    assert [world.view().get(Counter, made).owner for made in ids] == ["A", "B", "A"]


def test_the_genesis_may_allow_fewer_calls() -> None:
    world = toy_world(budget=Budget(calls=2, reads=1_000, writes=1_000, bytes=100_000))
    call = ("A.m", Open(currency="CNY"))
    world.accepts_together(call, call)
    world.refuses_together(call, call, call, code=LedgerRefusal.TOO_MUCH_WORK, what="calls", most=2)
    assert CALLS_MAX == 16


# --- who may sign


def test_unauthorised_does_not_use_up_the_reference(world: World) -> None:
    calls = (("A.m", Open(currency="CNY")), ("B.m", Open(currency="CNY")))
    stripped = world.signed(*calls, reference="deal-7", expires_at_ms=world.ledger_ms + MINUTE_MS)
    half = world.ledger.codec.decode(stripped)
    alone = world.signed(
        *calls, reference="deal-7", expires_at_ms=half.body.expires_at_ms, keys=["A.m"]
    )
    height = world.chain.state.tip.height
    answer = world.offer(alone)
    assert answer.receipt is not None
    assert answer.receipt.outcome is Outcome.UNAUTHORISED
    assert answer.height is None
    assert world.chain.state.tip.height == height  # no block is made of it
    whole = world.offer(stripped)
    assert whole.receipt is not None
    assert whole.receipt.outcome is Outcome.ACCEPTED
    assert whole.transaction_id == answer.transaction_id


def test_a_stranger_is_unauthorised(world: World) -> None:
    result = world.refuses("X.m", Open(currency="CNY"), Refusal.UNKNOWN_KEY, party="X")
    assert result.receipt.outcome is Outcome.UNAUTHORISED


def test_an_authority_with_a_bug_lets_nobody_in() -> None:
    world = toy_world(authority=Keys(bug=True), strict=False)
    result = world.refuses("A.m", Open(currency="CNY"), LedgerRefusal.FAULT)
    assert result.receipt.outcome is Outcome.UNAUTHORISED


def test_what_the_authority_writes_is_dropped_when_a_call_is_refused() -> None:
    world = toy_world(authority=Keys(writes=True))
    absent = "ctr-0123456789abcdef"
    world.refuses("A.m", CountUp(counter_id=absent, by_minor=1), Refusal.NO_SUCH_COUNTER)
    assert world.view().peek(Secret, "A") is None
    world.accepts("A.m", Open(currency="CNY"))
    assert world.view().peek(Secret, "A") is not None


# --- references


def test_a_reference_is_used_once(world: World) -> None:
    world.send(("A.m", Open(currency="CNY")), reference="r")
    height = world.chain.state.tip.height
    result = world.send(("A.m", Open(currency="EUR")), reference="r")
    assert result.receipt.outcome is Outcome.REUSED
    assert (result.height, result.receipt.code) == (None, LedgerRefusal.REFERENCE_REUSED.number)
    assert world.chain.state.tip.height == height


def test_a_refused_transaction_has_used_its_reference(world: World) -> None:
    absent = CountUp(counter_id="ctr-0123456789abcdef", by_minor=1)
    world.send(("A.m", absent), reference="r")
    again = world.send(("A.m", Open(currency="CNY")), reference="r")
    assert again.receipt.outcome is Outcome.REUSED


def test_references_are_the_senders_own(world: World) -> None:
    for who in ("A.m", "B.m"):
        result = world.send((who, Open(currency="CNY")), reference="r")
        assert result.receipt.outcome is Outcome.ACCEPTED


def test_within_one_block_too(world: World) -> None:
    first = world.signed(("A.m", Open(currency="CNY")), reference="r")
    second = world.signed(("A.m", Open(currency="EUR")), reference="r")
    one, two, three = world.offers(first, second, first)
    assert one.receipt is not None
    assert two.receipt is not None
    assert (one.receipt.outcome, two.receipt.outcome) == (Outcome.ACCEPTED, Outcome.REUSED)
    assert three == one


def test_transactions_of_one_block_build_on_each_other(world: World) -> None:
    made = counter(world)
    ups = [world.signed(("A.m", CountUp(counter_id=made, by_minor=by))) for by in (1, 2, 3)]
    answers = world.offers(*ups)
    assert {answer.height for answer in answers} == {world.chain.state.tip.height}
    assert amount(world, made) == 6


def test_the_same_bytes_again_are_answered_as_the_first_time(world: World) -> None:
    raw = world.signed(("A.m", Open(currency="CNY")))
    first = world.offer(raw)
    again = [world.offer(raw)]
    world.restarts()
    again.append(world.offer(raw))
    for answer in again:
        assert (answer.receipt, answer.height) == (first.receipt, first.height)
    assert len(list(world.view().scan(Counter))) == 1


def test_a_reference_is_free_again_after_its_minute(world: World) -> None:
    expires = world.ledger_ms + MINUTE_MS
    first = world.signed(("A.m", Open(currency="CNY")), reference="r", expires_at_ms=expires)
    world.offer(first)
    over = (expires // MINUTE_MS + 1) * MINUTE_MS
    world.passes_until(over - 2)
    reused = world.send(("A.m", Open(currency="CNY")), reference="r")
    assert reused.receipt.outcome is Outcome.REUSED
    second = world.signed(("A.m", Open(currency="CNY")), reference="r")
    world.now_ms = over - 1 - world.offset_ms  # the very block that drops the list
    answer = world.offer(second)
    assert answer.receipt is not None
    assert answer.receipt.outcome is Outcome.ACCEPTED
    again = world.send(("A.m", Open(currency="EUR")), reference="r")
    assert again.receipt.outcome is Outcome.REUSED
    world.restarts()
    again = world.send(("A.m", Open(currency="EUR")), reference="r")
    assert again.receipt.outcome is Outcome.REUSED


# --- expiry


def test_the_expired_never_happens(world: World) -> None:
    raw = world.signed(("A.m", Open(currency="CNY")), expires_at_ms=world.ledger_ms + 1_000)
    world.passes_until(world.ledger_ms + 999)
    answer = world.offer(raw)  # in the block at its very expiry
    assert (answer.receipt, answer.height) == (None, None)
    world.now_ms -= 500  # were the clock set back, time would still not go back
    assert world.offer(raw).receipt is None


def test_an_expiry_lies_within_the_horizon(world: World) -> None:
    call = ("A.m", Open(currency="CNY"))
    far = world.signed(call, expires_at_ms=world.ledger_ms + HORIZON_MS + 2)
    assert world.offer(far).receipt is None
    near = world.signed(call, expires_at_ms=world.ledger_ms + HORIZON_MS)
    assert world.offer(near).receipt is not None


@pytest.mark.parametrize(
    ("change", "code"),
    (
        ("chain", LedgerRefusal.WRONG_CHAIN),
        ("past", LedgerRefusal.EXPIRED),
        ("far", LedgerRefusal.EXPIRY_TOO_FAR),
    ),
)
def test_the_door_says_why(world: World, change: str, code: LedgerRefusal) -> None:
    other = toy_world(version=1)
    at = {"past": 0, "far": 2 * HORIZON_MS}.get(change, MINUTE_MS)
    maker = other if change == "chain" else world
    raw = maker.signed(("A.m", Open(currency="CNY")), expires_at_ms=world.ledger_ms + at)
    transaction = world.ledger.codec.decode(raw)
    with pytest.raises(Refused) as no:
        world.ledger.check_expiry(transaction, world.ledger_ms)
    assert no.value.code is code
    assert world.offer(raw).receipt is None


# --- a block that was given


def test_a_given_block_keeps_the_unauthorised_and_the_reused(world: World) -> None:
    world.send(("A.m", Open(currency="CNY")), reference="r")
    reused = world.signed(("A.m", Open(currency="EUR")), reference="r")
    stranger = world.signed(("X.m", Open(currency="CNY")))
    good = world.signed(("A.m", Open(currency="CNY")))
    candidate = given(world, reused, stranger, good)
    assert outcomes(candidate) == [Outcome.REUSED, Outcome.UNAUTHORISED, Outcome.ACCEPTED]
    committed = world.chain.commit(candidate)
    assert [answer.height for answer in committed.answers] == [committed.header.height] * 3
    final = [world.chain.answer(answer.transaction_id) for answer in committed.answers]
    assert [found is None for found in final] == [True, True, False]
    world.restarts()
    again = world.offer(stranger)
    assert again.receipt is not None
    assert (again.receipt.outcome, again.height) == (Outcome.UNAUTHORISED, None)


def test_the_block_proposed_executes_the_same_again(world: World) -> None:
    made = counter(world)
    world.send(("A.m", Open(currency="CNY")), reference="r")
    offered = [
        world.signed(("A.m", CountUp(counter_id=made, by_minor=5))),
        world.signed(("A.m", Open(currency="EUR")), reference="r"),
        world.signed(("X.m", Open(currency="CNY"))),
        world.signed(("B.m", CountUp(counter_id=made, by_minor=5))),
    ]
    transactions = [world.ledger.codec.decode(raw) for raw in offered]
    state, now_ms = world.chain.state, world.now_ms + 1
    proposed = world.ledger.execute(state, now_ms, transactions, proposing=True)
    assert proposed.ids == (transactions[0].id, transactions[3].id)
    assert proposed.raws == (transactions[0].raw, transactions[3].raw)
    assert len(proposed.left_out) == 2
    again = world.ledger.execute(state, now_ms, [transactions[0], transactions[3]])
    assert again.header == proposed.header
    assert list(again.done) == list(proposed.done)
    state.drop(proposed)
    state.drop(again)


def test_an_empty_block_changes_neither_root(world: World) -> None:
    counter(world)
    before = world.chain.state
    root, receipts = before.root(), before.tip.receipts_root
    empty: list[Transaction] = []
    candidate = world.ledger.execute(before, world.now_ms + 1, empty)
    assert (candidate.state_root, candidate.receipts_root) == (root, receipts)
    assert not candidate.writes
    before.drop(candidate)
    assert before.tree.root(before.tree_version) == root
    assert world.chain.next_block(world.now_ms + 1, []) is None
