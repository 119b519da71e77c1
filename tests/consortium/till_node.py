"""A till's node of a consortium as a process: `python -m tests.consortium.till_node DATA`."""

from __future__ import annotations

import dataclasses
import logging
import os
import resource
import sys
from pathlib import Path
from types import ModuleType
from typing import cast

from tallystick.engine.clock import wall_ms
from tallystick.errors import TallystickError
from tallystick.ledger.app import App
from tallystick.ledger.context import Context
from tallystick.node import Node
from tallystick.values.codec import replace
from tests.sim.council import APP as COUNCIL
from tests.till import APP as TILL
from tests.till import contract
from tests.till.messages import Pay
from tests.till.people import PEOPLE

APPS = (TILL, COUNCIL)
SKEW = "TILL_SKEW_MS"
"""Environment: how far the node's own clock is wrong."""
BUG = "TILL_BUG"
"""Environment: whether this node's rules are not those of the others."""
FILE_BYTES = "TILL_FILE_BYTES"
"""Environment: no file may grow beyond this: a disk that is full."""


def pay_too_much(ctx: Context, msg: Pay) -> None:
    """What no other node does."""
    contract.pay(ctx, replace(msg, amount_minor=msg.amount_minor + 1))


class OtherPay:
    """The till's rules with one that is different."""

    def __getattr__(self, name: str) -> object:
        """A rule."""
        return pay_too_much if name == "pay" else getattr(contract, name)


def apps() -> tuple[App, ...]:
    """The applications, right or wrong."""
    if BUG not in os.environ:
        return APPS
    return dataclasses.replace(TILL, contract=cast(ModuleType, OtherPay())), COUNCIL


def main(folder: Path) -> int:
    """Run until told to stop."""
    file_bytes, skew_ms = (int(os.environ.get(name, "0")) for name in (FILE_BYTES, SKEW))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    if file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, resource.RLIM_INFINITY))
    try:
        clock = (lambda: wall_ms() + skew_ms) if skew_ms else None
        node = Node.open(folder, apps=apps(), authority=PEOPLE, clock=clock)
        node.run(ready=lambda: print("ready", flush=True))
    except TallystickError as problem:
        print(problem, file=sys.stderr)
        return problem.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
