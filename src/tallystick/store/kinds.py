"""Which body keeps the state: what the settings ask for, and what a folder holds already."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tallystick.errors import SettingsError
from tallystick.store.base import StateStore
from tallystick.store.lsm import LsmStore
from tallystick.store.rocks import RocksStore

__all__ = ["kind_for", "kind_of", "open_state", "read_state"]

_BODIES: dict[str, type[LsmStore | RocksStore]] = {"rocksdb": RocksStore, "lsm": LsmStore}
_MARKS = {"CURRENT": "rocksdb", "current": "lsm"}
"""The file that names the others is there as soon as a store is."""
_GONE = ".gone"
"""Ends the name of a folder that is being removed."""


def kind_of(path: Path) -> str | None:
    """Kind of the store in a folder: `rocksdb` or `lsm`; None when there is none."""
    if not path.is_dir():
        return None
    names = {entry.name for entry in path.iterdir()}  # asked by name, CURRENT may be current
    return next((kind for mark, kind in _MARKS.items() if mark in names), None)


def kind_for(path: Path, kind: str, *, is_native: bool) -> str:
    """The kind that a setting means for a folder: `auto` is what it holds, or the quickest."""
    if kind != "auto":
        return kind
    return kind_of(path) or ("lsm" if is_native else "rocksdb")


def read_state(path: Path) -> StateStore:
    """The store in a folder, whatever its kind, read only. It must be there."""
    return _BODIES[kind_of(path) or "rocksdb"](str(path), read_only=True)


def open_state(path: Path, kind: str, *, begins: int, tell: Callable[[str], None]) -> StateStore:
    """The store in a folder, of the kind asked for.

    One of another kind is removed, to be made again from the block log. `begins` is the height
    after which that begins: when it is not 0, blocks are missing, and `SettingsError` says so.
    """
    gone = path.with_name(path.name + _GONE)
    found = kind_of(path)
    if found is not None and found != kind:
        if begins:
            raise SettingsError(
                "store.kind",
                f"the state is kept by {found}, and {kind} cannot make it anew: the block log"
                f' begins with block {begins + 1}. Set kind = "{found}" under [store]',
            )
        tell(f"the state was kept by {found}: it is made anew by {kind}, from the block log")
        path.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
    return _BODIES[kind](str(path))
