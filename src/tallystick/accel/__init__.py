"""Signatures, envelopes, receipts and the state tree: one face, several bodies.

The Python body is the meaning. The native one (`native/`, built by `make native`) must pass the
same conformance suites in `tests/accel` and give the same verdicts, hashes, roots and proofs:

    body = load("auto")      native when it is installed, else python
    body = load("both")      each call to both; BodiesDiffer when they disagree
    tree = body.tree()

The Python body is also at hand by name: `verify`, `verify_batch`, `is_small_order`,
`is_valid_point`, `open_batch` and `Tree`. `fold` gives the root of a whole from those of its parts.
"""

from tallystick.accel import native
from tallystick.accel.blocks import Accepted, Executed, chained, seal_block
from tallystick.accel.body import (
    Body,
    KnownGood,
    Opened,
    OpenedBatch,
    SealedBlock,
    StateTree,
    UsedReferences,
)
from tallystick.accel.both import both
from tallystick.accel.envelopes import open_batch
from tallystick.accel.errors import (
    AccelProblem,
    BodiesDiffer,
    NotBuilt,
    NotOpened,
    NotUses,
    UnknownBody,
    UnknownVersion,
    WrongPart,
)
from tallystick.accel.known import KnownTable
from tallystick.accel.merkle import merkle_root
from tallystick.accel.parts import BITS_MAX, Subtree, fold
from tallystick.accel.proof import Existence, NonExistence, Path, Side
from tallystick.accel.shown import AllShown, Field, fields_shown
from tallystick.accel.signatures import is_small_order, is_valid_point, verify, verify_batch
from tallystick.accel.tree import EMPTY_ROOT, EMPTY_VERSION, Tree
from tallystick.accel.used import UsedTable

__all__ = [
    "BITS_MAX",
    "EMPTY_ROOT",
    "EMPTY_VERSION",
    "AccelProblem",
    "Accepted",
    "AllShown",
    "BodiesDiffer",
    "Body",
    "Executed",
    "Existence",
    "Field",
    "KnownGood",
    "KnownTable",
    "NonExistence",
    "NotBuilt",
    "NotOpened",
    "NotUses",
    "Opened",
    "OpenedBatch",
    "Path",
    "SealedBlock",
    "Side",
    "StateTree",
    "Subtree",
    "Tree",
    "UnknownBody",
    "UnknownVersion",
    "UsedReferences",
    "UsedTable",
    "WrongPart",
    "chained",
    "fields_shown",
    "fold",
    "is_small_order",
    "is_valid_point",
    "load",
    "merkle_root",
    "open_batch",
    "seal_block",
    "verify",
    "verify_batch",
]


_PYTHON = Body(
    name="python",
    verify=verify,
    verify_batch=verify_batch,
    is_small_order=is_small_order,
    is_valid_point=is_valid_point,
    open_batch=open_batch,
    known_good=KnownTable,
    tree=Tree,
    merkle_root=merkle_root,
    seal_block=seal_block,
    chained=chained,
    used_references=UsedTable,
    fields_shown=fields_shown,
    start_workers=lambda count: False,
)


def load(accel: str = "python") -> Body:
    """Return a body: `python`, `native`, `both`, or `auto` for the quickest that is installed.

    `UnknownBody` when there is none of that name, `NotBuilt` when the native one is not installed.
    """
    match accel:
        case "python":
            return _PYTHON
        case "native":
            return native.find()
        case "both":
            return both(_PYTHON, native.find())
        case "auto":
            try:
                return native.find()
            except NotBuilt:
                return _PYTHON
    raise UnknownBody(accel)
