"""What a backup says of itself: the last member of the file, so that a cut one is noticed.

A backup is a tar archive: files under their names in the data folder, `secrets.sealed` when keys
were asked for, and `manifest.json` with the checksum of each.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

FORMAT = 1
NAME = "manifest.json"
SECRETS = "secrets.sealed"
MANIFEST_BYTES_MAX = 64 * 1024 * 1024


class Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of a backup."""

    name: str
    """Path in the data folder, with `/`, e.g. `blocks/00000001.log`."""
    size: Annotated[int, Meta(ge=0)]
    """Length in bytes."""
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    """Checksum of its bytes."""


class Signed(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """The last thing that a validator signed, or may have signed."""

    height: Annotated[int, Meta(ge=0)] = 0
    """Block; 0 when it has signed nothing."""
    round: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    """Round of voting on that block."""
    step: Annotated[int, Meta(ge=0, le=3)] = 0
    """1 proposal, 2 first vote, 3 second vote."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup is of."""

    format: int
    """Always 1."""
    what: str
    """`backup`, or `export`: genesis and blocks alone."""
    chain_id: str
    """Chain."""
    genesis_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of its genesis."""
    release: str
    """Release that made the backup, e.g. `0.1.0`."""
    made_at: str
    """When, UTC, e.g. `2026-11-22T10:00:00Z`."""
    engine: str
    """`embedded` or `cometbft`."""
    height: Annotated[int, Meta(ge=0)]
    """Last block of the ledger in it."""
    engine_height: int | None = None
    """Last block of CometBFT's store in it; None when that is not in it."""
    signed: Signed | None = None
    """What the validator had signed last; None when it is no validator's."""
    has_secrets: bool = False
    """Whether keys are in it, sealed."""
    files: tuple[Kept, ...]
    """Every file, in order."""
