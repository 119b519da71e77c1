"""A node: the one place where its parts are wired. `engine/folder.py` says what its folder has."""

from tallystick.engine.folder import read_genesis
from tallystick.node.beginning import (
    TIMERS_PER_BLOCK,
    Beginning,
    Made,
    init,
    read_passphrase,
    shipped,
)
from tallystick.node.running import Node

__all__ = [
    "TIMERS_PER_BLOCK",
    "Beginning",
    "Made",
    "Node",
    "init",
    "read_genesis",
    "read_passphrase",
    "shipped",
]
