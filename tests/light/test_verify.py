"""When a header is believed, and when not: on a real chain, and against liars with keys."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from tallystick.engine.cometbft.light.blocks import (
    BlockId,
    Flag,
    LightBlock,
    PartSet,
    validators_hash,
)
from tallystick.engine.cometbft.light.rpcform import (
    commit_result,
    light_block,
    validators_result,
)
from tallystick.engine.cometbft.light.verify import (
    DAY_NS,
    Terms,
    check_block,
    follow,
    overlap,
    reaches,
    verify_backward,
    verify_forward,
)
from tallystick.errors import HeaderRefused, TrustExpired, TrustTooFar
from tallystick.values.codec import decode_canonical, encode, replace
from tests.light.forge import (
    CHAIN_ID,
    GENESIS_NS,
    NO_VOTE,
    SECOND_NS,
    Signer,
    block_id_of,
    chain,
    header,
    signed,
    signers,
)
from tests.light.vectors import NOW_NS, recorded

ABCD = signers(1, 2, 3, 4)
EFGH = signers(5, 6, 7, 8)
NOW = Terms(now_ns=GENESIS_NS + DAY_NS)


# --- a real chain


def test_a_real_chain_is_followed_block_by_block() -> None:
    blocks = recorded()
    assert follow(blocks[0], blocks[1:], Terms(NOW_NS)) is blocks[-1]


def test_a_real_chain_is_followed_in_steps_that_a_third_of_the_old_validators_signed() -> None:
    blocks, terms = recorded(), Terms(NOW_NS)
    trusted, steps = blocks[0], 0
    while trusted is not blocks[-1]:
        trusted = next(
            each for each in reversed(blocks) if each is trusted or reaches(trusted, each)
        )
        steps += 1
    assert 1 < steps < 6
    assert overlap(blocks[0].validators, blocks[-1]) == 0
    with pytest.raises(TrustTooFar, match="no block between"):
        verify_forward(blocks[0], blocks[-1], terms)


def test_a_real_chain_is_followed_backwards_whatever_its_age() -> None:
    blocks = recorded()
    for older, newer in pairwise(blocks):
        verify_backward(newer.header, older.header)
    with pytest.raises(HeaderRefused, match="names another block"):
        verify_backward(blocks[3].header, replace(blocks[2].header, app_hash=b"another"))
    with pytest.raises(HeaderRefused, match="not the block before"):
        verify_backward(blocks[3].header, blocks[1].header)
    with pytest.raises(HeaderRefused, match="of chain other"):
        verify_backward(blocks[3].header, replace(blocks[2].header, chain_id="other"))
    late = replace(blocks[2].header, time_ns=blocks[3].header.time_ns)
    with pytest.raises(HeaderRefused, match="its time"):
        verify_backward(blocks[3].header, late)


# --- time


def test_trust_that_is_too_old_leads_nowhere_forward() -> None:
    blocks = chain([ABCD] * 3)
    old = Terms(now_ns=blocks[0].header.time_ns + 14 * DAY_NS)
    with pytest.raises(TrustExpired, match="more than 336 hours ago"):
        verify_forward(blocks[0], blocks[1], old)
    verify_forward(blocks[0], blocks[1], replace_now(old, old.now_ns - 1))


def replace_now(terms: Terms, now_ns: int) -> Terms:
    return Terms(now_ns, terms.trusting_ns, terms.drift_ns)


def test_a_header_of_the_future_is_refused_beyond_what_clocks_may_differ() -> None:
    blocks = chain([ABCD] * 3)
    time_ns = blocks[1].header.time_ns
    drift = 10 * SECOND_NS
    with pytest.raises(HeaderRefused, match="future"):
        verify_forward(blocks[0], blocks[1], Terms(time_ns - drift))
    verify_forward(blocks[0], blocks[1], Terms(time_ns - drift + 1))


def test_time_and_height_go_forward() -> None:
    blocks = chain([ABCD] * 3)
    with pytest.raises(HeaderRefused, match="not after block 2"):
        verify_forward(blocks[1], blocks[0], NOW)
    with pytest.raises(HeaderRefused, match="not after block 2"):
        verify_forward(blocks[1], blocks[1], NOW)
    early = header(3, ABCD, ABCD, time_ns=blocks[1].header.time_ns)
    with pytest.raises(HeaderRefused, match="its time is not after"):
        verify_forward(blocks[1], signed(early, ABCD), NOW)


# --- validators that change


def test_validators_that_changed_completely_are_followed_through_the_blocks_between() -> None:
    sets = [ABCD, ABCD, signers(1, 2, 3, 5), signers(1, 2, 5, 6), signers(1, 5, 6, 7), EFGH, EFGH]
    blocks = chain(sets)
    with pytest.raises(TrustTooFar):
        verify_forward(blocks[0], blocks[-1], NOW)
    assert follow(blocks[0], [blocks[3], blocks[-1]], NOW) is blocks[-1]


def test_a_third_of_the_power_is_not_enough_more_is() -> None:
    trusted = signed(
        header(1, (Signer(1, 10), Signer(2, 20)), ABCD), (Signer(1, 10), Signer(2, 20))
    )
    third = (Signer(1, 10), Signer(9, 1))
    with pytest.raises(TrustTooFar):
        verify_forward(trusted, signed(header(5, third, third), third), NOW)
    more = (Signer(2, 20), Signer(9, 1))
    verify_forward(trusted, signed(header(5, more, more), more), NOW)


def test_power_counts_as_it_was_when_it_was_trusted() -> None:
    """A validator that gave itself more power has in the eyes of who trusts what it had."""
    old = (Signer(1, 1), Signer(2, 9))
    new = (Signer(1, 1_000), Signer(9, 1))
    with pytest.raises(TrustTooFar):
        verify_forward(signed(header(1, old, old), old), signed(header(5, new, new), new), NOW)


def test_the_next_blocks_validators_are_exactly_those_announced() -> None:
    first = signed(header(1, ABCD, ABCD), ABCD)
    other = signers(1, 2, 3, 9)
    with pytest.raises(HeaderRefused, match="not those that the block before set"):
        verify_forward(first, signed(header(2, other, other, before=first.header), other), NOW)


def test_old_validators_that_lie_are_believed_only_while_they_can_be_held_to_it() -> None:
    """Keys of validators that left long ago sign another history: the trusting period stops it."""
    honest = chain([ABCD, ABCD])
    lie = signed(header(9, ABCD, ABCD, app_hash=b"\x66" * 32), ABCD)
    verify_forward(honest[0], lie, NOW)
    late = Terms(now_ns=GENESIS_NS + 15 * DAY_NS)
    with pytest.raises(TrustExpired):
        verify_forward(honest[0], lie, late)


# --- votes


@pytest.mark.parametrize("year_ns", (-62_135_596_800 * 10**9, -1, 253_402_300_799 * 10**9 + 7))
def test_a_validator_may_say_any_time_in_its_vote(year_ns: int) -> None:
    """Block time is a median: one that says year 1 or 9999 moves nothing and halts nobody."""
    block = signed(header(1, ABCD, ABCD), ABCD, times={2: year_ns})
    check_block(block, CHAIN_ID)
    told = validators_result(block, (0,) * 4, page=1, per_page=100)["validators"]
    again = light_block(commit_result(block), told)
    assert again == block
    assert decode_canonical(LightBlock, encode(block)) == block


def test_absent_and_nil_votes_do_not_count() -> None:
    made = header(1, ABCD, ABCD)
    check_block(signed(made, ABCD, absent=[1]), CHAIN_ID)
    check_block(signed(made, ABCD, nil=[1]), CHAIN_ID)
    with pytest.raises(HeaderRefused, match="20 of 40 votes"):
        check_block(signed(made, ABCD, absent=[1], nil=[2]), CHAIN_ID)


def test_two_thirds_are_not_enough() -> None:
    three = signers(1, 2, 3)
    made = header(1, three, three)
    with pytest.raises(HeaderRefused, match="20 of 30 votes"):
        check_block(signed(made, three, absent=[2]), CHAIN_ID)


def test_votes_for_another_chain_are_not_votes() -> None:
    made = header(1, ABCD, ABCD)
    with pytest.raises(HeaderRefused, match="signature is not good"):
        check_block(signed(made, ABCD, signs_for="forge-76543210"), CHAIN_ID)
    with pytest.raises(HeaderRefused, match="of chain forge-01234567"):
        check_block(signed(made, ABCD), "forge-76543210")


def test_votes_for_another_block_are_not_votes() -> None:
    made = header(1, ABCD, ABCD)
    with pytest.raises(HeaderRefused, match="for another block"):
        check_block(signed(made, ABCD, block_id=block_id_of(bytes(32))), CHAIN_ID)
    for parts in (PartSet(total=0, hash=bytes(32)), PartSet(total=1, hash=b"")):
        with pytest.raises(HeaderRefused, match="no parts"):
            check_block(signed(made, ABCD, block_id=BlockId(hash=made.hash, parts=parts)), CHAIN_ID)


GOOD = signed(header(4, ABCD, ABCD), ABCD, absent=[4])
PRESENT = next(p for p, v in enumerate(GOOD.commit.signatures) if v.flag is Flag.COMMIT)
MISSING = next(p for p, v in enumerate(GOOD.commit.signatures) if v.flag is Flag.ABSENT)


def votes(place: int, **changes: Any) -> Callable[[LightBlock], LightBlock]:
    """Change one place of the commit."""

    def change(block: LightBlock) -> LightBlock:
        signatures = list(block.commit.signatures)
        signatures[place] = replace(signatures[place], **changes)
        return commit(signatures=tuple(signatures))(block)

    return change


def commit(**changes: Any) -> Callable[[LightBlock], LightBlock]:
    """Change the commit."""
    return lambda block: replace(block, commit=replace(block.commit, **changes))


def head(**changes: Any) -> Callable[[LightBlock], LightBlock]:
    """Change the header."""
    return lambda block: replace(block, header=replace(block.header, **changes))


def twice(block: LightBlock) -> LightBlock:
    """List the first validator in the second one's place too, with its vote."""
    validators = (block.validators[PRESENT],) * 4
    changed = replace(block, validators=validators)
    return head(validators_hash=validators_hash(validators))(changed)


ANOTHER = GOOD.commit.signatures[(PRESENT + 1) % 4 if MISSING != (PRESENT + 1) % 4 else 3]

LIES: tuple[tuple[Callable[[LightBlock], LightBlock], str], ...] = (
    (votes(PRESENT, signature=bytes(64)), "signature is not good"),
    (votes(PRESENT, signature=ANOTHER.signature), "signature is not good"),
    (votes(PRESENT, signature=bytes(63)), "wrong length"),
    (votes(PRESENT, time_nanos=1), "signature is not good"),
    (votes(PRESENT, address=ANOTHER.address), "another validator's place"),
    (votes(PRESENT, flag=Flag.NIL), "not enough"),
    (votes(MISSING, time_nanos=1), "absent vote says"),
    (votes(MISSING, address=bytes(20)), "absent vote says"),
    (votes(MISSING, signature=bytes(64)), "absent vote says"),
    (votes(MISSING, flag=Flag.COMMIT), "another validator's place"),
    (commit(height=5), "for height 5"),
    (commit(round=1), "signature is not good"),
    (commit(signatures=GOOD.commit.signatures[:3]), "one place for each"),
    (commit(signatures=(*GOOD.commit.signatures, NO_VOTE)), "one place for each"),
    (lambda block: replace(block, validators=block.validators[:3]), "not those that it names"),
    (lambda block: replace(block, validators=()), "no validators"),
    (twice, "listed twice"),
    (head(block_version=10), "block protocol 10"),
    (head(height=5), "for height 4"),
    (head(app_hash=b"\x01" * 32), "for another block"),
    (head(last_block_id=BlockId(hash=bytes(31), parts=PartSet(total=1, hash=b""))), "wrong length"),
)


@pytest.mark.parametrize("number", range(len(LIES)))
def test_a_block_with_one_thing_changed_is_refused(number: int) -> None:
    check_block(GOOD, CHAIN_ID)
    change, words = LIES[number]
    with pytest.raises(HeaderRefused, match=words):
        check_block(change(GOOD), CHAIN_ID)


def test_a_set_with_more_power_than_can_be_counted_is_refused() -> None:
    giants = signers(1, 2, power=2**60 - 1)
    with pytest.raises(HeaderRefused, match="too much power"):
        check_block(signed(header(1, giants, giants), giants), CHAIN_ID)
