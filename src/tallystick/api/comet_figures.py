"""Figures of a node of a consortium: what waits in which stage, its engine, light blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tallystick.api.watched import Reading
from tallystick.engine.cometbft.engine import CometEngine
from tallystick.engine.cometbft.light.archive import LightArchive

STAGE = "Transactions that wait in each stage on their way to a block"
BUNDLES = "Bundles handed to CometBFT since the start, by whether it took them"


def read(
    engine: CometEngine, archive: LightArchive, snapshots: Callable[[], Sequence[int]]
) -> Iterator[Reading]:
    """The figures now; `snapshots` tells the heights of those that are kept."""
    waiting, watcher = engine.waiting, engine.watcher
    stages = {"outbox": len(engine.outbox), "kept": len(waiting), "to_bundle": waiting.queued}
    for stage, count in stages.items():
        yield Reading("stage_transactions", STAGE, count, (("stage", stage),))
    yield Reading(
        "bundles_under_way", "Bundles that were sent and are not decided", waiting.under_way
    )
    for answer, count in (("taken", engine.bundler.sent), ("refused", engine.bundler.refused)):
        yield Reading("bundles", BUNDLES, count, (("answer", answer),), is_count=True)
    yield Reading(
        "candidates_reused",
        "Blocks that were executed ahead of the decision, since the start",
        engine.application.reused,
        is_count=True,
    )
    yield Reading("engine_up", "1 while CometBFT answers", int(watcher.is_up))
    yield Reading(
        "catching_up", "1 while the node fetches blocks of others", int(watcher.is_catching_up)
    )
    yield Reading("peers", "Engines of others that CometBFT is connected with", watcher.peers)
    yield Reading(
        "engine_restarts",
        "How often CometBFT was started again since the start",
        max(0, engine.child.starts - 1),
        is_count=True,
    )
    yield Reading(
        "halted",
        "1 when the ledger goes no further: see the log",
        int(engine.application.problem is not None),
    )
    yield Reading("light_height", "Last light block in the archive", archive.height())
    yield Reading(
        "light_durable_height", "Last light block in the archive that is durable", archive.kept()
    )
    heights = snapshots()
    yield Reading("snapshots", "Snapshots that are kept for joining nodes", len(heights))
    yield Reading(
        "snapshot_height", "Block of the newest snapshot, 0 for none", max(heights, default=0)
    )
