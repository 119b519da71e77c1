"""What CometBFT's log says that the node must act upon. Peers can put words into that log.

A peer's message, its chain's name or its error stands in many lines: never in the *name* of a
line's key, never in `module`, never in `_msg`, and never at the beginning of a line that is not
JSON. So a line counts only as a whole, by what CometBFT's own program says in it (v0.38.25):

    consensus/state.go      "CONSENSUS FAILURE!!!"  the part that votes has ended; `err` is why
    blocksync/reactor.go    "Error in validation"   a block that +2/3 have signed is wrong to us
    consensus/replay.go     panic: … AppHash …      the application is not where the engine left it
    state/validation.go     wrong Block.Header.X.  Expected (ours), got (theirs)

The others are believed only where their signatures were checked: both places at which a header is
called wrong come after the votes of two thirds for it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

REASON_MAX = 300

_CONSENSUS = ("consensus", "CONSENSUS FAILURE!!!")
_BLOCK_SYNC = ("blocksync", "Error in validation")
_PANIC = "panic: "

_SIGNED_BY_MOST = r"(?:precommit step; \+2/3 prevoted for|\+2/3 committed) an invalid block: "
_WRONG_HEADER = r"wrong Block\.Header\.(\w+)\.\s+Expected (\S+), got "
_VOTED_DOWN = re.compile(_SIGNED_BY_MOST + _WRONG_HEADER)
_SYNCED_DOWN = re.compile(_WRONG_HEADER)
_REPLAYED = re.compile(r"(?:block|state)\.AppHash does not match AppHash after replay\.")
_CLOCK = re.compile(_SIGNED_BY_MOST + r"block time .* is too far in the future ")


@dataclass(frozen=True, slots=True)
class Failure:
    """CometBFT cannot go on."""

    reason: str
    """What it says, e.g. `+2/3 committed an invalid block: wrong Block.Header.AppHash. …`."""
    disagrees: bool = False
    """Whether two thirds of the others, or the engine itself, have another state than this node."""
    expected: str = ""
    """The app hash, in hex, that the engine believes to be ours; empty when it names none."""
    stands: bool = False
    """Whether its process stays, though the part of it that votes has ended."""


def read_failure(line: str) -> Failure | None:
    """What a line of the log tells; None for all but a failure of this node's own engine."""
    if line.startswith(_PANIC):
        reason = line[len(_PANIC) :]
        found = _disagreement(_VOTED_DOWN, reason)
        if found is None and _REPLAYED.match(reason):
            found = Failure(reason[:REASON_MAX], disagrees=True)
        return found
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    where, reason = (told.get("module"), told.get("_msg")), str(told.get("err", ""))
    if where == _BLOCK_SYNC:
        return _disagreement(_SYNCED_DOWN, reason)
    if where != _CONSENSUS:
        return None
    if _CLOCK.match(reason):
        return Failure(f"the machine's clock is behind: {reason}"[:REASON_MAX], stands=True)
    found = _disagreement(_VOTED_DOWN, reason)
    return found or Failure(reason[:REASON_MAX], stands=True)


def _disagreement(pattern: re.Pattern[str], reason: str) -> Failure | None:
    """A header that two thirds have signed is wrong by what this node has told its engine."""
    found = pattern.match(reason)
    if found is None:
        return None
    expected = found[2] if found[1] == "AppHash" else ""
    return Failure(reason[:REASON_MAX], disagrees=True, expected=expected.lower(), stands=True)


__all__ = ["Failure", "read_failure"]
