"""What a node is made of, opened in order; a later part that fails closes the earlier ones."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tallystick.accel import Body, UnknownBody
from tallystick.accel import load as load_accel
from tallystick.api.watched import Watched
from tallystick.catalogue import Catalogue
from tallystick.client.keys import KeyStore
from tallystick.engine.chain import Chain, Sign
from tallystick.engine.clock import Clock, MachineClock, check_start
from tallystick.engine.cometbft.engine import CometEngine
from tallystick.engine.cometbft.light.serving import LightService
from tallystick.engine.embedded import EmbeddedEngine, Limits
from tallystick.engine.folder import BLOCKS, LOCK, NODE_KEY, STATE, read_genesis
from tallystick.engine.verdicts import Verdicts
from tallystick.errors import GenesisMismatch, NodeError, SettingsError
from tallystick.gateway.admit import Admission
from tallystick.gateway.submit import Gateway
from tallystick.ledger.app import App
from tallystick.ledger.authority import Authority
from tallystick.ledger.execute import Ledger
from tallystick.node.beginning import read_passphrase
from tallystick.node.consortium import Consortium
from tallystick.node.memory import records_in_memory
from tallystick.settings import Settings
from tallystick.store.disk import OsDisk
from tallystick.store.kinds import kind_for, open_state
from tallystick.store.log import FileLog

log = logging.getLogger(__name__)

READERS = 4
"""Threads that read state for the door."""
WRITERS = 8
"""Threads that admit transactions where each waits for a flush: they share it."""
ADMITTERS = 3
"""Threads that admit them elsewhere: while one verifies, without Python's lock, another decodes."""


@dataclass(frozen=True)
class Parts:
    """What a node is made of."""

    ledger: Ledger
    """Rules, genesis, authority."""
    engine: EmbeddedEngine | CometEngine
    """Orders."""
    gateway: Gateway
    """Takes transactions."""
    catalogue: Catalogue
    """What the applications say of themselves."""
    readers: ThreadPoolExecutor
    """Threads that read state."""
    writers: ThreadPoolExecutor
    """Threads that admit transactions."""
    verify: Callable[[bytes, bytes, bytes], bool]
    """Checks a signature."""
    clock_trouble: Callable[[], str]
    """What is wrong with the machine's clock; empty when nothing is."""
    watched: Watched
    """What gauges, health and readiness are read from."""
    accel: Body
    """What checks signatures and holds the tree."""
    light: LightService | None = None
    """Light blocks of a consortium's engine."""


@dataclass(frozen=True)
class Opened:
    """What both kinds of engine stand on."""

    folder: Path
    """The data folder."""
    settings: Settings
    """Its settings."""
    chain: Chain
    """The chain at its last committed block."""
    body: Body
    """Signatures and tree."""
    verdicts: Verdicts
    """Signatures that were found good."""
    clock: Clock | None
    """A clock that a test gives; None for the machine's."""


def open_parts(
    folder: Path,
    settings: Settings,
    rules: tuple[tuple[App, ...], Authority],
    clock: Clock | None,
    stack: ExitStack,
) -> Parts:
    """Open everything; `stack` closes what was opened."""
    apps, authority = rules
    genesis = read_genesis(folder, apps)
    lock = OsDisk().lock(str(folder / LOCK))
    stack.callback(lock.release)
    ledger = Ledger(apps, authority, genesis)
    body = _body(settings)
    is_embedded = settings.engine.kind == "embedded"
    sign = _signer(folder, settings, ledger) if is_embedded else None
    blocks = FileLog.open(OsDisk(), str(folder / BLOCKS), genesis.hash)
    stack.callback(blocks.close)
    if blocks.recovery.message:
        log.warning(blocks.recovery.message)
    begins = blocks.start.height
    state = folder / STATE
    kind = kind_for(state, settings.store.kind, is_native=body.name != "python")
    store = open_state(state, kind, begins=begins, tell=log.warning)
    stack.callback(store.close)
    cache_max = records_in_memory(settings.state.cache_records)
    chain = Chain(ledger, blocks, store, sign=sign, body=body, cache_max=cache_max)
    verdicts = Verdicts(body.open_batch, known_good=body.known_good)
    opened = Opened(folder, settings, chain, body, verdicts, clock)
    made = _embedded(opened, stack) if is_embedded else _consortium(opened, stack)
    engine, watched, clock_trouble, light = made
    engine.listen(watched.outcomes)
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
    writers = ThreadPoolExecutor(
        WRITERS if engine.keeps else ADMITTERS, thread_name_prefix="gateway"
    )
    for threads in (readers, writers):
        stack.callback(threads.shutdown)
    return Parts(
        ledger=ledger,
        engine=engine,
        gateway=Gateway(engine, _admission(opened, engine)),
        catalogue=Catalogue(apps),
        readers=readers,
        writers=writers,
        verify=body.verify,
        clock_trouble=clock_trouble,
        watched=watched,
        accel=body,
        light=light,
    )


def _body(settings: Settings) -> Body:
    """What checks signatures and holds the tree."""
    try:
        return load_accel(settings.accel)
    except UnknownBody as problem:
        raise SettingsError("accel", str(problem)) from None


def _admission(opened: Opened, engine: EmbeddedEngine | CometEngine) -> Admission:
    """Who reads what comes in at the door."""
    ledger, verdicts = opened.chain.ledger, opened.verdicts
    if isinstance(engine, CometEngine):
        return Admission(ledger, verdicts, early=engine.application.early)
    return Admission(ledger, verdicts)


Made = tuple[EmbeddedEngine | CometEngine, Watched, Callable[[], str], LightService | None]
"""What differs: engine, what is watched, what is wrong with the clock, light blocks."""


# --- one node that orders by itself


def _signer(folder: Path, settings: Settings, ledger: Ledger) -> Sign:
    """What signs headers: the key that the genesis names."""
    named = ledger.genesis.node_key
    if named is None:
        raise NodeError(
            f"the genesis of {ledger.chain_id} names no node: it is a consortium's."
            ' Set kind = "cometbft" under [engine] in node.toml'
        )
    key = KeyStore(folder, read_passphrase(folder, settings)).load(NODE_KEY)
    if key.public_key != named:
        raise GenesisMismatch(expected=ledger.chain_id, found="another node's key")
    return key.sign


def _embedded(opened: Opened, stack: ExitStack) -> Made:
    """The engine of this node alone."""
    machine, chain, settings = MachineClock(), opened.chain, opened.settings
    clock = opened.clock or machine
    start_trouble = _check_clock(clock, chain, settings)
    limits = Limits(queue=settings.limits.queue, block=settings.limits.block)
    engine = EmbeddedEngine(chain, clock, limits=limits)
    stack.callback(engine.stop)
    watched = Watched(opened.folder, chain, opened.verdicts)
    return engine, watched, partial(_clock_trouble, machine, chain, start_trouble), None


def _check_clock(clock: Clock, chain: Chain, settings: Settings) -> str:
    """Refuse to start on a clock far ahead; a warning when it is behind."""
    if settings.clock_is_right:
        return ""
    trouble = check_start(clock(), chain.state.tip.time_ms)
    if trouble:
        log.warning(trouble)
    return trouble


def _clock_trouble(machine: MachineClock, chain: Chain, start_trouble: str) -> str:
    """What is wrong with the clock now."""
    if start_trouble and machine() >= chain.state.tip.time_ms:
        start_trouble = ""
    return machine.trouble or start_trouble


# --- with others


def _consortium(opened: Opened, stack: ExitStack) -> Made:
    """The engine of a consortium, and what belongs to it."""
    made = Consortium(opened.folder, opened.settings, opened.chain, opened.verdicts, opened.clock)
    stack.callback(made.stop)
    return made.engine, made.watched, made.clock_trouble, made.light
