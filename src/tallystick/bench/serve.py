"""The node that is measured, in a process of its own: `python -m tallystick.bench.serve DATA`."""

import sys
from pathlib import Path

from tallystick.node import Node

if __name__ == "__main__":
    Node.open(Path(sys.argv[1])).run()
