"""The parts that only a node of a consortium has: CometBFT, light blocks, the list of peers."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tallystick import settings as settings_module
from tallystick.api import comet_figures
from tallystick.api.watched import Watched
from tallystick.engine.chain import Chain
from tallystick.engine.clock import Clock, wall_ms
from tallystick.engine.cometbft.engine import CometEngine, Surroundings
from tallystick.engine.cometbft.home import genesis_file
from tallystick.engine.cometbft.light.archive import LightArchive
from tallystick.engine.cometbft.light.keeping import Archiver, Heads, Keeper
from tallystick.engine.cometbft.light.serving import LightService
from tallystick.engine.cometbft.retention import Kept, Retention
from tallystick.engine.cometbft.snapshots import SnapshotShelf
from tallystick.engine.folder import LIGHT, SNAPSHOTS
from tallystick.engine.verdicts import Verdicts
from tallystick.errors import SettingsError
from tallystick.node.joining import Joiner
from tallystick.settings import EngineSettings, Settings
from tallystick.store.disk import OsDisk

log = logging.getLogger(__name__)


class Consortium:
    """What orders, and what belongs to it."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        chain: Chain,
        verdicts: Verdicts,
        clock: Clock | None,
    ) -> None:
        """Open it all. `NodeError` when the genesis is not a consortium's."""
        genesis_file(chain.ledger.genesis)
        engine, disk = settings.engine, OsDisk()
        self._archive = LightArchive(disk, str(folder / LIGHT))
        self._joiner: Joiner | None = None
        self._keeper: Keeper | None = None
        self.shelf = SnapshotShelf(folder / SNAPSHOTS, chain, every=engine.snapshot_every)
        kept = Kept(
            engine.retain_blocks,
            snapshots=self.shelf.heights if engine.snapshot_every else None,
            archived=self._archive.kept,
        )
        self._retention = Retention(chain, kept)
        try:
            if engine.state_sync and not _has_blocks(chain):
                self._joiner = Joiner(folder, engine, chain.ledger.genesis, wall=clock or wall_ms)
            self.shelf.vouch = self._joiner.vouch if self._joiner else nobody
            self.engine = CometEngine(
                chain,
                Surroundings(
                    folder=folder,
                    settings=engine,
                    disk=disk,
                    verdicts=verdicts,
                    kept_max=settings.limits.queue,
                    moniker=folder.name,
                    joining=self._joiner.joining if self._joiner else None,
                    snapshots=self.shelf,
                    after_commit=self._after_commit,
                    before_close=self._end_readers,
                    retain=self._retention,
                    allow=AllowList(folder, engine),
                    wall=clock or wall_ms,
                ),
            )
        except BaseException:
            self._end_readers()
            raise
        rpc = self.engine.rpc
        heads = Heads(chain.entry)
        archiver = Archiver(self._archive, rpc, heads, chain.ledger.chain_id)
        keeper = Keeper(archiver, self._archive, self.engine.application.fail)
        self.light = LightService(self._archive, keeper, rpc)
        self.engine.listen(heads.seen)
        self.engine.listen(lambda committed: keeper.tell(committed.header.height))
        if _has_blocks(chain):
            keeper.tell(chain.state.tip.height)
        keeper.start()
        self._keeper = keeper
        self.watched = Watched(
            folder,
            chain,
            verdicts,
            kind=engine.kind,
            heartbeat_seconds=engine.heartbeat_seconds,
            engine_trouble=self.engine.watcher.engine_trouble,
            sync_trouble=self.engine.watcher.sync_trouble,
            engine_page=engine.metrics,
            readings=(partial(comet_figures.read, self.engine, self._archive, self.shelf.heights),),
        )

    def clock_trouble(self) -> str:
        """What is wrong with the machine's clock: a warning, for block time is agreed on."""
        return self.engine.clock.trouble()

    def stop(self) -> None:
        """End it all."""
        self.engine.stop()

    def _after_commit(self, height: int) -> None:
        """A snapshot if one is due; blocks of our own log that nobody needs go."""
        self.shelf.after_commit(height)
        self._retention.after_commit(height)

    def _end_readers(self) -> None:
        """End what reads the chain on threads of its own, before the chain is closed."""
        with ExitStack() as last:
            last.callback(self._archive.close)
            if self._keeper is not None:
                last.callback(self._keeper.stop)
            if self._joiner is not None:
                last.callback(self._joiner.stop)
            last.callback(self.shelf.close)


def _has_blocks(chain: Chain) -> bool:
    """Whether the node has a block of its own; one that stops before may begin at a snapshot."""
    return chain.state.tip.height >= chain.first_height


def nobody(height: int, app_hash: bytes) -> None:
    """Nobody is asked about a snapshot's block: the node was not told whom it trusts."""


class AllowList:
    """Engines that may connect: those that node.toml lists today."""

    def __init__(self, folder: Path, settings: EngineSettings) -> None:
        """Begin with the settings that the node was started with."""
        self._folder = folder
        self._path = folder / settings_module.FILE
        self._changed_ns = self._when()
        self._allowed = _ids(settings)

    def __call__(self) -> frozenset[str]:
        """Node ids; the file is read again when it has changed, a bad one changes nothing."""
        changed_ns = self._when()
        if changed_ns != self._changed_ns:
            self._changed_ns = changed_ns
            try:
                self._allowed = _ids(settings_module.load(self._folder, {}).engine)
            except SettingsError as problem:
                log.error("%s: the list of peers stays as it was", problem)
            else:
                log.warning("%d engines may connect now", len(self._allowed))
        return self._allowed

    def _when(self) -> int:
        """When the file changed last; 0 when there is none."""
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0


def _ids(settings: EngineSettings) -> frozenset[str]:
    """Those that may connect, and those that we connect to."""
    return frozenset([*settings.allow, *(peer.partition("@")[0] for peer in settings.peers)])
