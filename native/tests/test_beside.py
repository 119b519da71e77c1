"""Threads beside Python: a node's Python keeps to one core, and gives the same as without them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

TOLD = """
import os, threading
from tallystick.accel import load
from tallystick.node.cores import settle
from tallystick.values.codec import encode
from tests.accel.conformance_envelopes import officers, signed_by

body, before = load("native"), os.sched_getaffinity(0)
raws = [signed_by(b"body %d" % each, *officers(1 + each % 3)) for each in range(50)]
raws[7] = raws[7][:-1] + bytes([raws[7][-1] ^ 1])
leaves = [b"%d" % each for each in range(5_000)]

def made():
    batch, tree = body.open_batch(raws), body.tree()
    version = tree.apply_records(0, [(leaf, leaf) for leaf in leaves])
    good = [at for at, each in enumerate(batch.opened) if each is not None]
    done = tuple([(leaf.rjust(32), (), ((leaf, leaf),)) for leaf in leaves])
    sealed = body.seal_block(done, tuple(leaves), tuple(leaves))
    entry = sealed.receipts_root, sealed.ids_root, sealed.entry(b"head", b"tail")
    chained = body.chained(bytes(32), encode([("A", "r", leaf) for leaf in leaves]))
    used = body.used_references()
    used.note(1, encode([("A", str(leaf), leaf) for leaf in leaves]))
    uses = [used.used_by("A", str(leaf), 0) for leaf in leaves]
    return batch.verify(good), tree.root(version), body.merkle_root(leaves), entry, chained, uses

first = made()
core = settle(body, "auto")
assert first == made()
assert 0 in first[0] or -1 in first[0]
tasks = {int(each) for each in os.listdir("/proc/self/task")}
python = {each.native_id for each in threading.enumerate()}
if core is not None:
    assert all(os.sched_getaffinity(each) == {core} for each in python)
    assert tasks - python
    assert all(os.sched_getaffinity(each) == before - {core} for each in tasks - python)
    assert not body.start_workers(1), "there are some already"
print("the same")
"""


def test_the_same_comes_of_work_beside_python() -> None:
    told = subprocess.run([sys.executable, "-c", TOLD], check=True, capture_output=True, cwd=ROOT)
    assert told.stdout == b"the same\n"
