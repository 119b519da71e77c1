"""Checks of the node and its network: does it answer, is it connected, does it sign?"""

from __future__ import annotations

from tallystick.engine.cometbft.install import VERSION, find_binary, version_of
from tallystick.errors import NodeError
from tallystick.operations.doctor.finding import Finding, fail, ok, warn
from tallystick.operations.doctor.patient import Json, Patient

MISSED_WARN, MISSED_FAIL = 5, 50
"""Votes of the last hundred that a validator may miss."""
RESTARTS_MAX = 3
LIGHT_BEHIND_MAX = 500
"""Blocks for which light blocks may be missing; they are written in groups."""
VOTED = 2
"""How CometBFT marks a vote for the block."""


def node_answers(patient: Patient) -> Finding | None:
    """Does the node run and answer?"""
    if patient.holder is None:
        return warn("the node does not run", "start it: tally node")
    if patient.running is None:
        said = f"process {patient.holder} has the folder, but nobody answers on the socket"
        return fail(said, "look at its log; if it hangs, restart it")
    return ok(f"release {patient.running.status.release} at block {patient.running.status.height}")


def node_has_no_trouble(patient: Patient) -> Finding | None:
    """Does anything keep the node from making blocks?"""
    if patient.running is None:
        return None
    trouble = patient.running.status.trouble
    return fail(trouble, "see docs/operations/runbook.md") if trouble else ok("blocks can be made")


def rules_to_come(patient: Patient) -> Finding | None:
    """Will a version of rules come into force that this release lacks?"""
    if patient.running is None:
        return None
    missing = [
        f"{each['app']} version {each['next_version']} from block {each['from_height']}"
        for each in patient.running.activations
        if each.get("next_version") is not None
        and int(each["next_version"]) > patient.versions.get(each["app"], 0)
    ]
    if missing:
        todo = "install the release that has it before that block: the node would stop there"
        return fail(f"this release lacks {', '.join(missing)}", todo)
    return ok("this release has every rule in force and to come")


def engine_version(patient: Patient) -> Finding | None:
    """Is CometBFT there, in the version that this release needs?"""
    if not patient.is_consortium:
        return None
    try:
        path = find_binary(patient.settings.engine.binary)
        found = version_of(path)
    except NodeError as problem:
        return fail(str(problem), "tally engine install")
    if found != VERSION:
        return fail(f"{path} is CometBFT {found}", f"this release needs {VERSION}")
    return ok(f"CometBFT {found}")


def engine_answers(patient: Patient) -> Finding | None:
    """Does the engine run, and has it caught up?"""
    if not patient.is_consortium or patient.holder is None:
        return None
    if patient.ordering is None:
        todo = "look at engine/cometbft.log; the node starts it again by itself"
        return fail(f"CometBFT does not answer at {patient.settings.engine.rpc}", todo)
    sync = patient.ordering.status["sync_info"]
    if sync["catching_up"]:
        return warn(f"catching up: at block {patient.ordering.height}", "wait; it is not ready yet")
    return ok(f"at block {patient.ordering.height}")


def peer_versions(patient: Patient) -> Finding | None:
    """Do the peers run the same CometBFT?"""
    if patient.ordering is None:
        return None
    mine = str(patient.ordering.status["node_info"]["version"])
    others = {
        str(peer["node_info"]["moniker"]): str(peer["node_info"]["version"])
        for peer in patient.ordering.net_info["peers"]
    }
    odd = [f"{name} {version}" for name, version in sorted(others.items()) if version != mine]
    if odd:
        return warn(f"here {mine}, others {', '.join(odd)}", "agree on one release with them")
    return ok(f"all peers run CometBFT {mine}")


def peers_are_connected(patient: Patient) -> Finding | None:
    """Is the node connected with those that it is told to be connected with?"""
    if patient.ordering is None:
        return None
    wanted = {peer.partition("@")[0] for peer in patient.settings.engine.peers}
    here = {str(peer["node_info"]["id"]) for peer in patient.ordering.net_info["peers"]}
    missing = sorted(wanted - here)
    said = f"{len(here)} peers connected, {len(wanted)} configured"
    if not missing:
        return ok(said)
    names = ", ".join(name[:12] for name in missing)
    todo = f"not connected: {names}; they are down, unreachable, or do not allow this node"
    return (fail if wanted and len(missing) == len(wanted) else warn)(said, todo)


def allow_list(patient: Patient) -> Finding | None:
    """May every other validator's engine connect?"""
    if patient.running is None or not patient.is_consortium:
        return None
    engine = patient.settings.engine
    known = set(engine.allow) | {peer.partition("@")[0] for peer in engine.peers}
    others = len(patient.running.validators) - 1
    said = f"{len(known)} other engines may connect, there are {others} other validators"
    if len(known) < others:
        return warn(said, "ask the missing members for their node ids; put them into engine.allow")
    return ok(said)


def validator_signs(patient: Patient) -> Finding | None:
    """Is this node a validator, and does it vote?"""
    ordering = patient.ordering
    if ordering is None:
        return None
    if ordering.address not in {str(each["address"]) for each in ordering.validators}:
        return ok("this node is no validator: it follows")
    votes = [_has_voted(commit, ordering.address) for commit in ordering.commits]
    seen = [vote for vote in votes if vote is not None]
    missed = seen.count(False)
    said = f"missed {missed} of the last {len(seen)} blocks"
    if missed > MISSED_FAIL or (seen and missed == len(seen)):
        todo = "compare clock and peers; if its key was replaced, vote the new one in"
        return fail(said, todo)
    if missed > MISSED_WARN:
        return warn(said, "look at the network between the members, the disk's flush, the clock")
    return ok(said)


def _has_voted(commit: Json, address: str) -> bool | None:
    """Whether a validator voted for a block; None when it was none then."""
    votes = commit["signed_header"]["commit"]["signatures"]
    named = [vote for vote in votes if vote["validator_address"] == address]
    if named:
        return bool(named[0]["block_id_flag"] == VOTED)
    return False if any(not vote["validator_address"] for vote in votes) else None


def what_others_need(patient: Patient) -> Finding | None:
    """Are there light blocks for proofs, and snapshots for those that join?"""
    if patient.running is None or "tally_light_height" not in patient.running.figures:
        return None
    figures, every = patient.running.figures, patient.settings.engine.snapshot_every
    height, light = int(figures["tally_height"]), int(figures["tally_light_height"])
    if height - light > LIGHT_BEHIND_MAX:
        said = f"light blocks end at {light}, {height - light} before the last block"
        return warn(said, "look for `light` in the log: no proof of later blocks can be made")
    newest = int(figures["tally_snapshot_height"])
    if every and height - newest > 3 * every:
        said = f"the newest snapshot is of block {newest}, one is due every {every}"
        return warn(said, "look for `snapshot` in the log; whoever joins needs one of some node")
    return ok(f"light blocks up to {light}, {int(figures['tally_snapshots'])} snapshots")


def engine_is_steady(patient: Patient) -> Finding | None:
    """Does CometBFT run without ending?"""
    if patient.running is None or "tally_engine_restarts_total" not in patient.running.figures:
        return None
    times = int(patient.running.figures["tally_engine_restarts_total"])
    said = f"CometBFT was started again {times} times since the node began"
    if times > RESTARTS_MAX:
        return warn(said, "its last words are in the node's log; docs/operations/runbook.md")
    return ok(said)


def heights_agree(patient: Patient) -> Finding | None:
    """Is the ledger not ahead of the engine?"""
    if patient.running is None or patient.ordering is None:
        return None
    mine, theirs = patient.running.status.height, patient.ordering.height
    said = f"ledger at block {mine}, engine at {theirs}"
    if mine > theirs:
        todo = "restore the engine's part from a later backup, or let the node sync anew"
        return fail(said, todo)
    return ok(said)
