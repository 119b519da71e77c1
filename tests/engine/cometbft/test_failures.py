"""Lines of CometBFT's log: what its own program says counts, what a peer put into them does not."""

from __future__ import annotations

import json

import pytest

from tallystick.engine.cometbft.failures import read_failure

WORDS = "CONSENSUS FAILURE!!!"
OURS, THEIRS = "AB" * 32, "CD" * 32
WRONG = f"wrong Block.Header.AppHash.  Expected {OURS}, got {THEIRS}"
COMMITTED = f"+2/3 committed an invalid block: {WRONG}"
PREVOTED = f"precommit step; +2/3 prevoted for an invalid block: {WRONG}"


def line(module: str, message: str, **said: object) -> str:
    """A line as CometBFT's JSON logger writes it."""
    told = {"_msg": message, "level": "error", "module": module, "ts": "2026-11-22T18:30:00Z"}
    return json.dumps(told | said)


OF_PEERS = (
    line(
        "statesync",
        "Invalid message",
        err="height cannot be 0",
        msg=f'format:1 chunks:1 hash:"{WORDS}" panic: AppHash',
        peer=f"Peer{{{WORDS}}}",
    ),
    line("statesync", "Invalid message", msg=f'hash:"{COMMITTED}"', err=COMMITTED),
    line(
        "p2p",
        "Error dialing peer",
        err=f"incompatible: peer is on a different network. Got {WORDS}, expected pilot-1",
    ),
    line("p2p", WORDS, err=COMMITTED),
    line("consensus", "Peer sent us invalid msg", err=f"{WORDS}: {COMMITTED}", msg=WORDS),
    line("consensus", "Peer sent us invalid msg", msg=f'{{"_msg":"{WORDS}"}}', err=COMMITTED),
    line("consensus", f"{WORDS} ", err=COMMITTED),
    line("consensus", f"Peer {WORDS}", err=COMMITTED),
    line("blocksync", "Peer sent us invalid msg", err=WRONG, msg=WRONG),
    line("blocksync", "Error in validation", err=f"wrong signature (#1): {WRONG}"),
    line("blocksync", "Error in validation", err=f"invalid commit: {COMMITTED}"),
    line("evidence", "Evidence has not been added", err=f"{WORDS} {WRONG}", evidence=WORDS),
    json.dumps([WORDS, COMMITTED]),
    json.dumps(f"panic: {COMMITTED}"),
    "7",
    "[" * 100_000,
    "",
    WORDS,
    f" panic: {COMMITTED}",
    f"goroutine 1 [running]: panic: {COMMITTED}",
    f"panic: {WORDS}",
    f"panic: somebody says {COMMITTED}",
    "panic: AppHash",
    f"2026/11/22 18:30:00 http: panic serving: {COMMITTED}",
)


@pytest.mark.parametrize("said", OF_PEERS)
def test_what_a_peer_put_into_a_line_counts_for_nothing(said: str) -> None:
    assert read_failure(said) is None


@pytest.mark.parametrize(
    ("said", "stands"),
    (
        (line("consensus", WORDS, err=COMMITTED, stack="goroutine 1"), True),
        (line("consensus", WORDS, err=PREVOTED), True),
        (line("blocksync", "Error in validation", err=WRONG, height=7), True),
        (f"panic: {PREVOTED}", True),
    ),
)
def test_a_header_that_most_have_signed_and_that_is_wrong_to_us(said: str, stands: bool) -> None:
    failure = read_failure(said)
    assert failure is not None
    assert (failure.disagrees, failure.stands) == (True, stands)
    assert failure.expected == OURS.lower()
    assert WRONG in failure.reason


def test_other_fields_of_such_a_header_name_no_app_hash() -> None:
    failure = read_failure(
        line("consensus", WORDS, err=COMMITTED.replace("AppHash", "ValidatorsHash"))
    )
    assert failure is not None
    assert failure.disagrees
    assert failure.expected == ""


@pytest.mark.parametrize("which", ("state", "block"))
def test_an_application_that_is_not_where_the_engine_left_it(which: str) -> None:
    said = f"panic: {which}.AppHash does not match AppHash after replay. Got {OURS}, expected"
    failure = read_failure(said)
    assert failure is not None
    assert failure.disagrees


def test_a_clock_that_is_behind_is_named() -> None:
    late = (
        "precommit step; +2/3 prevoted for an invalid block: block time 2026-11-22 18:40:00"
        " +0000 UTC is too far in the future (wall clock 2026-11-22 18:30:00 + tolerance 1m0s)"
    )
    failure = read_failure(line("consensus", WORDS, err=late))
    assert failure is not None
    assert failure.reason.startswith("the machine's clock is behind: ")
    assert (failure.disagrees, failure.stands) == (False, True)


def test_any_other_end_of_the_part_that_votes_is_no_disagreement() -> None:
    failure = read_failure(line("consensus", WORDS, err=f"a WAL cannot be written: {WRONG}"))
    assert failure is not None
    assert (failure.disagrees, failure.stands) == (False, True)
