"""Bundles that nobody may do yet, as far as this node has blocks: a few may wait a block or two.

The node that sent one may have a block already that this one has not: a member was admitted there,
an invoice was registered. Were it refused here, it would come again only when its sender sends it
again, and while nothing else waits this node would propose no block until the heartbeat.
"""

from __future__ import annotations

BUNDLES_MAX = 16
BYTES_MAX = 1_000_000
"""Bytes that may be on trial: a crowd must fill neither the queue nor the lines to the others."""
BLOCKS = 2
"""Blocks after which what nobody may do yet is dropped."""


class Trials:
    """What is on trial, by the bundle's digest. For one thread."""

    def __init__(self) -> None:
        """Nothing is."""
        self._since: dict[bytes, tuple[int, int]] = {}
        self._bytes = 0

    def may_wait(self, digest: bytes, size: int, height: int, *, is_new: bool) -> bool:
        """Whether an unauthorised bundle may wait after a block; a new one, if there is room."""
        if digest not in self._since and is_new:
            self._make_room(height)
            if len(self._since) < BUNDLES_MAX and self._bytes + size <= BYTES_MAX:
                self._since[digest] = height, size
                self._bytes += size
        since = self._since.get(digest)
        if since is not None and height < since[0] + BLOCKS:
            return True
        self.end(digest)
        return False

    def end(self, digest: bytes) -> None:
        """It is no longer on trial, whatever came of it."""
        self._bytes -= self._since.pop(digest, (0, 0))[1]

    def _make_room(self, height: int) -> None:
        """Forget those whose time is over: the engine may have forgotten them without a word."""
        for digest, (since, _) in list(self._since.items()):
            if height >= since + BLOCKS:
                self.end(digest)


__all__ = ["Trials"]
