"""Root over a list: the simple Merkle tree of RFC 6962, as CometBFT uses it."""

import hashlib
from collections.abc import Sequence

__all__ = ["merkle_root"]


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Root over the leaves, in order; SHA-256 of nothing if there are none."""
    sha256 = hashlib.sha256
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    if not level:
        return sha256(b"").digest()
    while len(level) > 1:  # an odd last one moves up, as RFC 6962 splits
        odd = level[-1:] if len(level) % 2 else []
        level = [
            sha256(b"\x01" + level[at] + level[at + 1]).digest()
            for at in range(0, len(level) - 1, 2)
        ] + odd
    return level[0]
