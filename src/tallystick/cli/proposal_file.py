"""The proposal of a consortium, and the genesis that it and its members' joins add up to.

Whoever puts the same files together gets the same genesis, byte by byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from tallystick.apps.founding import DEFAULT_CONSENSUS
from tallystick.cli.founding_file import FoundersKeys, FoundingFile, founding_records
from tallystick.cli.pilot_file import Next, genesis_after, ledger_ms_at
from tallystick.errors import FormatError
from tallystick.ledger.genesis import HORIZON_MS, Genesis
from tallystick.ledger.system import POWER_MAX, Consensus, Validator
from tallystick.network.ceremony import genesis_of
from tallystick.network.join import Join, node_offers
from tallystick.node import Beginning, shipped
from tallystick.operations.pilot import Pilot, clock_of, records_of


class Proposal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a founder puts before the others; nothing in it is secret."""

    format: Literal[1] = 1
    """Format number, 1."""
    name: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$")]
    """Name of the chain, e.g. `cn-trade`."""
    apps: Mapping[str, int]
    """Applications of the release that made it, with the versions of their rules."""
    time_ms: int
    """Block time of the first block, in milliseconds; it is made no earlier."""
    trial: bool = False
    """Whether the clock may be moved."""
    opens_at_ms: int | None = None
    """For a trial: ledger time at the beginning; None when it is block time."""
    horizon_ms: int = HORIZON_MS
    """How far ahead of ledger time a transaction may expire."""
    validators: Mapping[str, Annotated[int, Meta(ge=1, le=POWER_MAX)]]
    """Member that runs a node with a vote → weight of its vote."""
    consensus: Consensus = DEFAULT_CONSENSUS
    """What the engine keeps to."""
    founding: FoundingFile | None
    """Founding members, calendar, parameters; None when a pilot's are kept."""
    pilot: Pilot | None = None
    """State of a pilot that the network goes on with; None when it begins anew."""

    def __post_init__(self) -> None:
        """ValueError unless it is known with what the network begins."""
        if (self.founding is None) is (self.pilot is None):
            raise ValueError("a network is founded by its members or goes on with a pilot's state")

    @property
    def hash(self) -> str:
        """SHA-256 of what it says, in hex."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    def officers_of(self, member: str) -> tuple[str, ...]:
        """Officers of a member whose keys it has still to make; FormatError for a stranger."""
        if self.founding is None:
            if member not in self.validators:
                raise FormatError("member", f"{member!r} runs no node, so it has nothing to join")
            return ()
        for each in self.founding.members:
            if each.id == member:
                return tuple(name for name in each.officers if name not in each.keys)
        known = " ".join(each.id for each in self.founding.members)
        raise FormatError("member", f"{member!r} is no founding member: {known}")

    @property
    def awaited(self) -> tuple[str, ...]:
        """Members that have to join: those with a vote, or with keys still to be made."""
        if self.founding is None:
            return tuple(self.validators)
        return tuple(
            each.id
            for each in self.founding.members
            if each.id in self.validators or self.officers_of(each.id)
        )


class JoinedKeys(FoundersKeys):
    """Keys of founding officers as their members handed them over."""

    def __init__(self, joins: Mapping[str, Join]) -> None:
        """Take them from the joins."""
        super().__init__()
        self._joins = joins

    def public_key(self, officer: str, given: str | None) -> bytes:
        """The key in the proposal, or in the member's join."""
        if given is not None:
            return super().public_key(officer, given)
        member, _, name = officer.partition(".")
        return bytes.fromhex(self._joins[member].officers[name])


def read_proposal(path: Path) -> Proposal:
    """A proposal; FormatError when it is none, or of a release with other rules."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Proposal)
    except OSError as problem:
        raise FormatError(str(path), f"cannot be read: {problem.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise FormatError(str(path), f"is no proposal of a consortium: {problem}") from None
    if dict(found.apps) != versions():
        raise FormatError(str(path), f"it is for applications {_told(found.apps)}, not ours")
    return found


def write_proposal(path: Path, proposal: Proposal) -> None:
    """Write it for the others to read; FormatError for one that they could not."""
    raw = msgspec.json.encode(proposal)
    try:
        msgspec.json.decode(raw, type=Proposal)
    except msgspec.ValidationError as problem:
        raise FormatError("proposal", str(problem)) from None
    path.write_bytes(msgspec.json.format(raw, indent=1) + b"\n")


def versions() -> dict[str, int]:
    """Applications of this release, with the versions of their rules."""
    return {app.name: app.version for app in shipped()[0]}


def _told(apps: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {version}" for name, version in apps.items())


def going_on(proposal: Proposal, pilot: Pilot) -> Proposal:
    """The same network, with a pilot's members, clock and everything else it keeps."""
    opens_at_ms = ledger_ms_at(pilot, proposal.time_ms)
    is_trial = clock_of(records_of(pilot, shipped()[0])).trial
    return replace(
        proposal,
        founding=None,
        pilot=pilot,
        trial=is_trial,
        opens_at_ms=opens_at_ms if is_trial else None,
        horizon_ms=pilot.horizon_ms,
    )


def check_proposal(proposal: Proposal) -> None:
    """FormatError unless a network can begin so, whatever keys its members make."""
    if proposal.founding is not None:
        members = [each.id for each in proposal.founding.members]
        strangers = [each for each in proposal.validators if each not in members]
        if strangers or not proposal.validators:
            told = ", ".join(strangers) or "nobody"
            raise FormatError("validators", f"{told} is no founding member")
    keys = FoundersKeys()
    validators = tuple(
        Validator(public_key=keys.public_key(f"{member}/node", None), member=member, power=power)
        for member, power in proposal.validators.items()
    )
    _genesis(proposal, keys, validators)


def assemble(proposal: Proposal, joins: Sequence[Join]) -> Genesis:
    """The genesis; FormatError says who is missing, or whose join does not fit."""
    by_member = _checked(proposal, joins)
    offers = node_offers(by_member)
    keys = {member: bytes.fromhex(offer.validator_key) for member, offer in offers.items()}
    validators = tuple(
        Validator(public_key=keys[member], member=member, power=power)
        for member, power in sorted(proposal.validators.items())
    )
    return _genesis(proposal, JoinedKeys(by_member), validators)


def _checked(proposal: Proposal, joins: Sequence[Join]) -> dict[str, Join]:
    """Joins by member: all of this proposal, each member once, nobody missing."""
    found: dict[str, Join] = {}
    for join in joins:
        if join.proposal != proposal.hash:
            raise FormatError(join.member, f"it joined another proposal, {join.proposal[:16]}…")
        if join.member in found and found[join.member] != join:
            raise FormatError(join.member, "there are two different joins of it")
        if set(join.officers) != set(proposal.officers_of(join.member)):
            raise FormatError(join.member, "its join is not for the officers of the proposal")
        if (join.node is not None) != (join.member in proposal.validators):
            raise FormatError(join.member, "whether it runs a node is said otherwise in its join")
        found[join.member] = join
    if missing := [each for each in proposal.awaited if each not in found]:
        raise FormatError("joins", f"still missing: {', '.join(missing)}")
    return found


def _genesis(proposal: Proposal, keys: FoundersKeys, validators: Sequence[Validator]) -> Genesis:
    """What the nodes begin with."""
    time_ms, opens_at_ms = proposal.time_ms, proposal.opens_at_ms
    if proposal.pilot is not None:
        following = Next(
            name=proposal.name,
            time_ms=time_ms,
            horizon_ms=proposal.horizon_ms,
            validators=validators,
            consensus=proposal.consensus,
        )
        genesis = genesis_after(proposal.pilot, following)
        if (proposal.trial, opens_at_ms) != (genesis.trial, genesis.opens_at_ms):
            raise FormatError("proposal", "its clock is not that of the pilot")
        return genesis
    founding = founding_records(
        proposal.founding or FoundingFile(members=()),
        keys,
        time_ms if opens_at_ms is None else opens_at_ms,
        validators,
        consensus=proposal.consensus,
    )
    beginning = Beginning(
        name=proposal.name,
        records=founding,
        opens_at_ms=opens_at_ms,
        trial=proposal.trial,
        horizon_ms=proposal.horizon_ms,
    )
    return genesis_of(beginning, time_ms)
