"""The simulated engine: many ledgers in one thread, ordered by a seeded scheduler that means harm.

    network.py   rounds, partitions, decisions      peer.py      one validator: crash, restart
    comet.py     what the engine of a peer keeps    grammar.py   which call may follow which
    judge.py     what must always hold              powers.py    who votes, with what weight

No clock, no thread, no socket: a seed is a run, and the same seed is the same run.
"""

from tallystick.engine.simulated.block import Block
from tallystick.engine.simulated.judge import Judge
from tallystick.engine.simulated.network import Network
from tallystick.engine.simulated.peer import Crashed, Machine, Peer
from tallystick.engine.simulated.trace import Broken, Trace
from tallystick.engine.simulated.weather import Harm, Load, Weather

__all__ = [
    "Block",
    "Broken",
    "Crashed",
    "Harm",
    "Judge",
    "Load",
    "Machine",
    "Network",
    "Peer",
    "Trace",
    "Weather",
]
