"""What nobody is authorised to do is not proposed and does not wait long. Senders take turns."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tallystick.engine.cometbft.authority_glance import AuthorityGlance
from tallystick.engine.cometbft.bundle import encode_bundle
from tallystick.engine.cometbft.checks import LOOKS_MAX, READ_AHEAD, Code
from tallystick.engine.cometbft.trials import BLOCKS, BUNDLES_MAX, BYTES_MAX, Trials
from tallystick.ledger.app import Message
from tallystick.ledger.authority import Signed
from tallystick.ledger.context import Context
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.refusal import require
from tallystick.ledger.system import CONSENSUS, Consensus
from tallystick.ledger.transaction import Call
from tallystick.ledger.view import Reader
from tallystick.values.codec import encode, replace
from tests.engine.cometbft.stand import CONSENSUS_RECORD, VALIDATOR, Stand, till_genesis
from tests.till.messages import Fill, Leave, Pay
from tests.till.people import NAMES, People
from tests.till.records import Note, Purse
from tests.till.refusals import Refusal

FILL = Fill(currency="CNY", amount_minor=1)


class Holders(People):
    """The till's people; only who has a purse pays, and only who left no note `no`."""

    def authorize(
        self, ctx: Context, calls: tuple[Call[Message], ...], keys: tuple[bytes, ...]
    ) -> tuple[Signed, ...]:
        """As ever, and look at the state."""
        for call in calls:
            if isinstance(call.message, Pay):
                require(ctx.peek(Purse, call.party) is not None, Refusal.NO_SUCH_PURSE)
                left = [note.name for note in ctx.scan(Note)]
                require("no" not in left, Refusal.NOT_ALL_SIGNED, party=call.party)
        return super().authorize(ctx, calls, keys)


class Rememberers(People):
    """The till's people; only who has a purse pays, and whether one has is remembered."""

    meanwhile: Callable[[], object] | None = None
    """Called once, between reading whether there is a purse and saying so."""

    def authorize(
        self, ctx: Context, calls: tuple[Call[Message], ...], keys: tuple[bytes, ...]
    ) -> tuple[Signed, ...]:
        """As ever, and recall."""
        for call in calls:
            if isinstance(call.message, Pay):
                require(ctx.recall(self.has_purse, call.party), Refusal.NO_SUCH_PURSE)
        return super().authorize(ctx, calls, keys)

    def has_purse(self, reader: Reader, party: str) -> bool:
        """Whether somebody has a purse."""
        found = reader.peek(Purse, party) is not None
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return found


HOLDERS = Holders(*NAMES)
PAY = Pay(to="B", amount_minor=1)


@pytest.fixture
def stand() -> Stand:
    return Stand(people=HOLDERS)


def glance_of(stand: Stand) -> AuthorityGlance:
    """What the application looks through."""
    return stand.application.glance


# --- the look


def test_a_look_says_what_a_block_would(stand: Stand) -> None:
    raws = [
        stand.signed(("A", FILL)),
        stand.signed(("C", PAY)),
        stand.signed(("A", FILL), keys=["B.clerk"]),
        stand.signed(("A", FILL), keys=["X.clerk"]),
        stand.signed(("A", FILL), ("B", FILL)),
        stand.signed(("A", FILL), ("B", FILL), keys=["A.clerk"]),
    ]
    looks = [glance_of(stand).refused(stand.ledger.codec.decode(raw)) for raw in raws]
    answers = stand.block(*[encode_bundle(0, [raw]) for raw in reversed(raws)]).answers
    for look, answer in zip(looks, reversed(answers), strict=True):
        assert answer.receipt is not None
        assert (look is None) == (answer.receipt.outcome is not Outcome.UNAUTHORISED)
        if look is not None:
            assert answer.receipt.code == look.code.number


def test_it_sees_each_block_once_it_is_committed_and_changes_nothing(stand: Stand) -> None:
    glance, pay = glance_of(stand), stand.ledger.codec.decode(stand.signed(("A", PAY)))
    assert glance.refused(pay) is not None
    fill = stand.bundle(("A", FILL))
    stand.finalize([fill])
    assert glance.refused(pay) is not None
    stand.commit()
    before = stand.chain.app_hash()
    assert glance.refused(pay) is None
    stand.block(stand.bundle(("B", Leave(name="no", number=1))))
    assert glance.refused(pay) is not None
    assert stand.chain.app_hash() != before
    assert glance.refused(pay) is not None


def test_it_keeps_a_bounded_number_of_records(stand: Stand) -> None:
    glance = AuthorityGlance(stand.chain, records_max=2)
    for party in ("A", "B", "C"):
        assert glance.refused(stand.ledger.codec.decode(stand.signed((party, PAY)))) is not None
    assert len(glance._records) == 2
    stand.block(stand.bundle(("A", FILL)))
    glance.refresh(None)
    assert glance.refused(stand.ledger.codec.decode(stand.signed(("A", PAY)))) is None


def test_many_threads_look_while_blocks_are_made(stand: Stand) -> None:
    glance = glance_of(stand)
    pay = stand.ledger.codec.decode(stand.signed(("A", PAY)))
    stand.block(stand.bundle(("A", FILL)))
    with ThreadPoolExecutor(4) as threads:
        looks = [
            threads.submit(lambda: {glance.refused(pay) for _ in range(500)}) for _ in range(4)
        ]
        for _ in range(30):
            stand.block(stand.bundle(("A", FILL)))
        assert all(look.result() == {None} for look in looks)


def test_what_it_remembers_is_forgotten_with_the_block_that_changes_it() -> None:
    stand = Stand(people=Rememberers(*NAMES))
    glance, pay = glance_of(stand), stand.ledger.codec.decode(stand.signed(("A", PAY)))
    assert glance.refused(pay) is not None
    assert glance.refused(pay) is not None
    stand.block(stand.bundle(("A", FILL)))
    assert glance.refused(pay) is None
    assert glance.refused(pay) is None
    glance.refresh(None)
    assert glance.refused(pay) is None


def test_a_look_that_a_block_overtakes_leaves_nothing_behind() -> None:
    people = Rememberers(*NAMES)
    stand = Stand(people=people)
    glance, pay = glance_of(stand), stand.ledger.codec.decode(stand.signed(("A", PAY)))
    people.meanwhile = lambda: stand.block(stand.bundle(("A", FILL)))
    assert glance.refused(pay) is None, "it looks again"
    assert glance.refused(pay) is None


# --- what waits


def strangers(stand: Stand, count: int, note: int = 0) -> bytes:
    """A bundle of what nobody may do."""
    return encode_bundle(note, [stand.signed(("A", FILL), keys=["B.clerk"]) for _ in range(count)])


def test_what_nobody_may_do_is_never_proposed_and_leaves_after_some_blocks(stand: Stand) -> None:
    bundle = strangers(stand, 3)
    assert stand.check(bundle).code == Code.TAKEN
    assert stand.prepare([bundle]) == []
    assert stand.process([bundle]), "votes go by the bytes alone"
    codes = []
    for _ in range(BLOCKS):
        stand.block()
        codes.append(stand.check(bundle, again=True).code)
    assert codes == [Code.TAKEN] * (BLOCKS - 1) + [Code.UNAUTHORISED]


def test_the_same_under_other_notes_do_not_wait(stand: Stand) -> None:
    """As an attacker did who had them all ordered, answered and logged once for each note."""
    raws = [stand.signed(("A", FILL), keys=["B.clerk"]) for _ in range(20)]
    spam = [encode_bundle(note, raws) for note in range(150)]
    codes = [stand.check(each).code for each in spam]
    assert codes.count(Code.TAKEN) <= BUNDLES_MAX
    honest = stand.bundle(("C", FILL))
    assert stand.check(honest).code == Code.TAKEN
    waiting = [each for each in spam if stand.check(each, again=True).code == Code.TAKEN]
    assert stand.prepare([*waiting, honest]) == [honest]


def test_one_that_is_authorised_is_enough_if_it_is_among_the_first(stand: Stand) -> None:
    good, bad = stand.signed(("A", FILL)), [
        stand.signed(("A", FILL), keys=["B.clerk"]) for _ in range(LOOKS_MAX)
    ]  # fmt: skip
    assert stand.prepare([encode_bundle(0, [*bad[1:], good])]) != []
    assert stand.prepare([encode_bundle(0, [*bad, good])]) == []


def test_what_a_block_authorises_that_this_node_has_not_yet_waits_for_it(stand: Stand) -> None:
    """The sender's node was a block ahead: refused here, it would come again much later."""
    pay = stand.bundle(("A", PAY))
    assert stand.check(pay).code == Code.TAKEN
    stand.block(stand.bundle(("A", FILL)))
    assert stand.check(pay, again=True).code == Code.TAKEN
    assert stand.prepare([pay]) == [pay]
    for _ in range(BLOCKS + 1):
        stand.block()
        assert stand.check(pay, again=True).code == Code.TAKEN


def test_what_is_authorised_no_longer_leaves_once_a_proposal_has_passed_it_over(
    stand: Stand,
) -> None:
    stand.block(stand.bundle(("A", FILL)))
    pay = stand.bundle(("A", PAY))
    assert stand.check(pay).code == Code.TAKEN
    stand.block(stand.bundle(("B", Leave(name="no", number=1))))
    assert stand.prepare([pay]) == []
    assert stand.check(pay, again=True).code == Code.UNAUTHORISED


def test_trials_are_few_and_short() -> None:
    trials = Trials()
    names = [bytes([each]) for each in range(BUNDLES_MAX + 1)]
    took = [trials.may_wait(name, 10, 5, is_new=True) for name in names]
    assert took == [True] * BUNDLES_MAX + [False]
    assert not trials.may_wait(b"old", 10, 5, is_new=False)
    trials.end(names[0])
    assert not trials.may_wait(b"large", BYTES_MAX, 5, is_new=True)
    assert trials.may_wait(b"small", 10, 5, is_new=True)
    assert trials.may_wait(names[1], 10, 4 + BLOCKS, is_new=False)
    assert not trials.may_wait(names[1], 10, 5 + BLOCKS, is_new=False)
    assert trials.may_wait(b"large", BYTES_MAX, 5 + BLOCKS, is_new=True)


# --- whose turn it is


def few(most: int) -> Stand:
    """A chain whose blocks take few transactions."""
    record: Consensus = replace(CONSENSUS_RECORD, block_transactions=most)
    assert record.name == CONSENSUS
    return Stand(begins=till_genesis(records=(encode(record), encode(VALIDATOR))))


def test_senders_take_turns() -> None:
    stand = few(12)
    crowd = [stand.bundle(*[("A", FILL)] * 3, note=note) for note in range(6)]
    one, two = stand.bundle(("B", FILL)), stand.bundle(("C", FILL), ("C", FILL))
    chosen = stand.prepare([*crowd, one, two])
    assert set(chosen) == {*crowd[:3], one, two}
    assert [each for each in chosen if each in crowd] == crowd[:3]
    assert chosen.index(one) < chosen.index(crowd[1])


def test_a_sender_cannot_come_under_anothers_name() -> None:
    stand = few(4)
    theirs = stand.signed(("B", FILL), keys=["A.clerk"])
    crowd = [encode_bundle(0, [theirs, stand.signed(("A", FILL))]) for _ in range(3)]
    one = stand.bundle(("B", FILL))
    assert one in stand.prepare([*crowd, one])


def test_a_proposal_reads_a_few_blocks_worth_of_bundles() -> None:
    stand = few(4)
    crowd = [stand.bundle(*[("A", FILL)] * 3, note=note) for note in range(6)]
    assert READ_AHEAD * 4 in range(5 * 3 + 1, 6 * 3)
    late = stand.bundle(("B", FILL))
    assert late in stand.prepare([*crowd[1:], late])
    assert late not in stand.prepare([*crowd, late])
