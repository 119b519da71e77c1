"""One validator of a simulated network: machine, application, engine. It may stop anywhere."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from tallystick.engine.base import Committed
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft import abci_pb2 as pb
from tallystick.engine.cometbft.application import Application
from tallystick.engine.simulated.block import Block
from tallystick.engine.simulated.comet import Comet, Founding, Kept
from tallystick.engine.simulated.grammar import Grammar
from tallystick.engine.simulated.judge import Judge
from tallystick.engine.simulated.trace import Broken, Trace, require


class Machine(Protocol):
    """What a peer runs on: its disk survives, all else does not."""

    @property
    def stops(self) -> type[Exception]:
        """What is raised when the machine stops in the middle of something."""
        ...

    def start(self) -> Chain:
        """Open the chain as the start of a process does."""
        ...

    def stop(self, *, power: bool) -> None:
        """End the process; without power, what was not flushed is lost, torn or kept by chance."""
        ...

    def stop_after(self, operations: int) -> None:
        """Stop at one of the next changing operations of the disk."""
        ...

    def back_up(self) -> None:
        """Copy what the application has on disk."""
        ...

    def restore(self) -> int:
        """Put the last copy in the place of what is there, or nothing; the copy's height."""
        ...

    def wipe(self) -> None:
        """Begin with empty disks."""
        ...

    def height_without_power(self) -> int:
        """Height at which the chain would come back if the power went now."""
        ...


class When(enum.Enum):
    """Where around a call a peer stops."""

    BEFORE = "before"
    AFTER = "after"


class Crashed(Exception):
    """A peer stopped in the middle of what it did."""


Make = Callable[[Any, Chain, Callable[[Committed], None]], Application]
"""Makes an application on a machine over a chain; it calls back with what it publishes."""


class Peer:
    """A validator, or a node without a vote."""

    def __init__(
        self, name: str, key: bytes, machine: Machine, *, make: Make, trace: Trace
    ) -> None:
        """A machine that is off."""
        self.name = name
        self.key = key
        self.machine = machine
        self.skew_ms = 0
        """How far its clock is from the right time."""
        self.mempool: dict[bytes, None] = {}
        """What waits to be ordered, in order of arrival."""
        self.task: Iterator[str] | None = None
        """What it is doing: coming up, or applying a block."""
        self.is_up = False
        self.joining: Callable[[], Iterator[str]] | None = None
        """How it begins with a snapshot of others; None once it has begun."""
        self.told = 0
        """Height of the last block that its application told of."""
        self._make = make
        self._trace = trace
        self._app: Application | None = None
        self._chain: Chain | None = None
        self._grammar = Grammar()
        self._doom: tuple[str, When] | None = None
        self._power = True

    def found(self, founding: Founding, judge: Judge) -> None:
        """Give it the genesis."""
        self.judge = judge
        self.comet = Comet(founding, judge, self.call, self._committed)

    # --- life

    @property
    def chain(self) -> Chain:
        """The chain of a peer that is up."""
        if self._chain is None:
            raise Broken(f"{self.name} is down")
        return self._chain

    @property
    def app(self) -> Application:
        """The application of a peer that is up."""
        if self._app is None:
            raise Broken(f"{self.name} is down")
        return self._app

    def start(self) -> None:
        """Start the process; the handshake is its first task."""
        self._trace.note(f"{self.name} starts")
        try:
            self._chain = self.machine.start()
        except self.machine.stops:
            self._trace.note(f"{self.name} stops while it starts")
            self.machine.stop(power=self._power)
            return
        self._app = self._make(self.machine, self._chain, self._published)
        self._grammar = Grammar()
        self.is_up = True
        self.task = self.comet.handshake() if self.joining is None else self.joining()

    def crash(self, *, power: bool) -> None:
        """Stop here and now."""
        self._trace.note(f"{self.name} {'is killed' if power else 'loses power'}")
        self._power = power
        self._down()

    def go_back(self) -> None:
        """Lose the application's data and get an older copy; the engine keeps its own."""
        self._trace.note(f"{self.name} loses its data")
        self._down()
        height = self.machine.restore()
        self.comet.answered = self.told = 0
        if height < self.comet.kept.base - 1:
            self._trace.note(f"{self.name} begins anew: its blocks are gone")
            self.begin_anew()

    def begin_anew(self) -> None:
        """Lose everything, the engine's blocks too; only keys are left."""
        self.machine.wipe()
        self.comet.kept = Kept()
        self.comet.answered = self.told = 0

    def doom(self, call: str, when: When, *, power: bool) -> None:
        """Stop around the next call of a kind."""
        self._doom, self._power = (call, when), power

    def doom_at_disk(self, operations: int, *, power: bool) -> None:
        """Stop at one of the next operations of the disk."""
        self._power = power
        self.machine.stop_after(operations)

    def heal(self) -> None:
        """Nothing is to stop it any more."""
        self._doom, self._power = None, True
        self.machine.stop_after(0)

    def _down(self) -> None:
        """The process is gone."""
        self.machine.stop(power=self._power)
        self.is_up, self.task, self._app, self._chain = False, None, None, None
        self._doom, self._power = None, True
        self.mempool = {}

    # --- calls

    def call(self, name: str, request: Any) -> Any:
        """Ask the application; `Crashed` when the peer stops before, within or after it."""
        self._grammar.called(name)
        self._stop_if_doomed(name, When.BEFORE)
        asked = type(request).FromString(request.SerializeToString())
        try:
            reply = getattr(self.app, name)(asked)
            if name in ("commit", "process_proposal"):
                self.app.execute_ahead()
        except self.machine.stops:
            self._trace.note(f"{self.name} stops within {name}")
            self._down()
            raise Crashed from None
        self._note_call(name, request)
        if name == "commit" and self.comet.finalizing is not None:
            self._committed(self.comet.finalizing)
        self._stop_if_doomed(name, When.AFTER)
        return type(reply).FromString(reply.SerializeToString())

    def _note_call(self, name: str, request: Any) -> None:
        """Write a call into the trace, but those that come in crowds."""
        if name != "check_tx":
            self._trace.note(f"{self.name} {name} {getattr(request, 'height', '')}".rstrip())

    def _stop_if_doomed(self, name: str, when: When) -> None:
        """Stop if this is the moment."""
        if self._doom == (name, when):
            self._trace.note(f"{self.name} stops {when.value} {name}")
            self._down()
            raise Crashed

    def _published(self, told: Committed) -> None:
        """The application tells of a block: it is durable, next, and complete."""
        height = told.header.height
        require(height > self.told, f"block {height} is told again")
        if height % 4 == self.key[0] % 4:  # each peer looks at every fourth block: it takes long
            durable = self.machine.height_without_power()
            require(durable >= height, f"block {height} is told, and not durable")
        block = self.comet.finalizing
        require(block is not None, "a block is told that was not finalized")
        if block is not None:
            self.judge.published(block, told)
        self.told = height

    # --- work

    def step(self) -> None:
        """One step of the task at hand."""
        if self.task is None:
            return
        try:
            step = next(self.task, None)
        except Crashed:
            return
        if step is None:
            self.task = None
            return
        self._trace.note(f"{self.name} {step}")
        if step == "committed":
            self._recheck()

    def finish(self) -> None:
        """All steps of the task at hand."""
        while self.task is not None:
            self.step()

    def _committed(self, block: Block) -> None:
        """Compare with the history."""
        self.judge.committed(block, self.chain)

    def begin(self, block: Block) -> None:
        """Take a decided block."""
        self.task = self.comet.apply(block)

    # --- mempool

    def offer(self, bundle: bytes) -> bool:
        """A bundle comes from a gateway or another peer; whether it is taken."""
        if bundle in self.mempool:
            return True
        try:
            reply = self.call("check_tx", pb.RequestCheckTx(tx=bundle, type=pb.NEW))
        except Crashed:
            return False
        if reply.code == 0:
            self.mempool[bundle] = None
        return bool(reply.code == 0)

    def _recheck(self) -> None:
        """After a block: what is in it leaves, the rest is checked again."""
        block = self.comet.finalizing
        for bundle in block.bundles if block is not None else ():
            self.mempool.pop(bundle, None)
        for bundle in tuple(self.mempool):
            try:
                reply = self.call("check_tx", pb.RequestCheckTx(tx=bundle, type=pb.RECHECK))
            except Crashed:
                return
            if reply.code:
                del self.mempool[bundle]
