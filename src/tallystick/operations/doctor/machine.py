"""Checks of the machine: clock, disk, limits."""

from __future__ import annotations

import os
import re
import resource
import shutil
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from tallystick.engine.cometbft.rpc import time_ms_of
from tallystick.operations.doctor.finding import Finding, fail, ok, warn
from tallystick.operations.doctor.patient import Patient

BEHIND_MS_MAX = 1_000
"""How far the clock may be behind the last block."""
AHEAD_MS_WARN = 60_000
"""How far it may be ahead of the last block, beyond the heartbeat, while the node has caught up."""
DRIFT_MS_WARN, DRIFT_MS_FAIL = 2_000, 10_000
"""How far this validator's votes may be from the others' votes for the same block."""
FREE_BYTES_WARN, FREE_BYTES_FAIL = 10 * 2**30, 2**30
FREE_PERCENT_WARN = 10
FLUSH_MS_WARN, FLUSH_MS_FAIL = 50, 500
"""How long a write with a flush may take: every block waits for one."""
FLUSHES = 5
FILES_MIN = 4_096
"""Files and sockets that a node may need: store, clients, peers."""

BY_OTHERS = "have the system keep the clock by others' (chrony, systemd-timesyncd)"


def clock_synchronised(patient: Patient) -> Finding | None:
    """Is the clock kept by others'?"""
    if patient.is_synchronised is None:
        return None
    if patient.is_synchronised:
        return ok("the system keeps the clock by others'")
    return warn("the system does not keep the clock by others'", BY_OTHERS)


def clock_and_blocks(patient: Patient) -> Finding | None:
    """Does the clock agree with the last block's time?"""
    if patient.running is None or not patient.running.status.height:
        return None
    status = patient.running.status
    if status.clock_trouble:
        return fail(status.clock_trouble, f"set the clock and restart the node; {BY_OTHERS}")
    ahead_ms = patient.wall_ms() - status.block_ms
    if ahead_ms < -BEHIND_MS_MAX:
        said = f"the clock is {-ahead_ms // 1000} s behind the last block"
        return fail(said, f"set the clock; {BY_OTHERS}")
    heartbeat_ms = patient.settings.engine.heartbeat_seconds * 1000
    is_behind = patient.ordering is None or patient.ordering.status["sync_info"]["catching_up"]
    if patient.is_consortium and not is_behind and ahead_ms > heartbeat_ms + AHEAD_MS_WARN:
        said = f"the last block is {ahead_ms // 1000} s old"
        return warn(said, "see whether others have the same block: if so the network stands still")
    return ok(f"the last block is {max(ahead_ms, 0) // 1000} s old")


def clock_and_validators(patient: Patient) -> Finding | None:
    """Does the clock agree with the other validators' when they vote?"""
    drifts = list(_drifts_ms(patient))
    if not drifts:
        return None
    drift_ms = round(statistics.median(drifts))
    way = "ahead of" if drift_ms > 0 else "behind"
    said = f"this node's votes are {abs(drift_ms) / 1000:.1f} s {way} the others'"
    if abs(drift_ms) > DRIFT_MS_FAIL:
        return fail(said, f"set the clock; {BY_OTHERS}")
    if abs(drift_ms) > DRIFT_MS_WARN:
        return warn(said, BY_OTHERS)
    return ok(said)


def _drifts_ms(patient: Patient) -> Iterator[int]:
    """This node's vote less the middle of the others', for each block that it voted for."""
    if patient.ordering is None:
        return
    mine = patient.ordering.address
    for commit in patient.ordering.commits:
        votes = {
            vote["validator_address"]: time_ms_of(vote["timestamp"])
            for vote in commit["signed_header"]["commit"]["signatures"]
            if vote["block_id_flag"] == 2
        }
        own = votes.pop(mine, None)
        if own is not None and votes:
            yield own - round(statistics.median(votes.values()))


def disk_space(patient: Patient) -> Finding | None:
    """Is there room for the blocks to come?"""
    usage = shutil.disk_usage(patient.folder)
    percent = usage.free * 100 // usage.total
    return told_free(usage.free, percent)


def told_free(free_bytes: int, percent: int) -> Finding:
    """What so much room means."""
    said = f"{free_bytes / 2**30:.1f} GiB free ({percent} %)"
    if free_bytes < FREE_BYTES_FAIL:
        return fail(said, "make room now: a full disk stops the node's blocks")
    if free_bytes < FREE_BYTES_WARN or percent < FREE_PERCENT_WARN:
        return warn(said, "make room, or have a larger disk")
    return ok(said)


def disk_flush(patient: Patient) -> Finding | None:
    """How long does a write take that must last?"""
    path = patient.folder / ".probe"
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            took_ms = statistics.median(_flush_ms(file) for _ in range(FLUSHES))
        finally:
            os.close(file)
            path.unlink(missing_ok=True)
    except OSError as problem:
        said = f"nothing can be written to {patient.folder}: {problem.strerror or problem}"
        return fail(said, "the node's user must own the folder, and the disk must have room")
    return told_flush(took_ms)


def told_flush(took_ms: float) -> Finding:
    """What so slow a flush means."""
    said = f"a flush takes {took_ms:.1f} ms"
    if took_ms > FLUSH_MS_FAIL:
        return fail(said, "the disk is broken or shared with something heavy: move the data")
    if took_ms > FLUSH_MS_WARN:
        return warn(said, "every block waits for it: use a local SSD")
    return ok(said)


def _flush_ms(file: int) -> float:
    """One write and flush."""
    began = time.perf_counter()
    os.pwrite(file, os.urandom(4096), 0)
    os.fsync(file)
    return (time.perf_counter() - began) * 1000


def open_files(patient: Patient) -> Finding | None:
    """May the node open enough files and sockets?"""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if patient.holder:
        limit = limit_of(Path("/proc", str(patient.holder), "limits")) or limit
    return told_files(limit)


def limit_of(path: Path) -> int | None:
    """Soft limit of open files, as the system tells of a process; None when it does not."""
    try:
        found = re.search(
            r"^Max open files\s+(\d+)", path.read_text(encoding="ascii"), re.MULTILINE
        )
    except OSError:
        return None
    return int(found[1]) if found else None


def told_files(limit: int) -> Finding:
    """What such a limit means."""
    said = f"{limit} files and sockets may be open"
    if limit < FILES_MIN:
        return warn(said, f"raise it to {FILES_MIN} or more: LimitNOFILE= of systemd, ulimit -n")
    return ok(said)
