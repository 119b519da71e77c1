"""How a node is set up: the file `node.toml` in its data folder, and what the environment changes.

    [listen]
    socket = "api.sock"          # Unix socket, relative to the data folder; "" for none
    address = "127.0.0.1:7443"   # TCP with mutual TLS; "" for none, the default

    [limits]
    queue = 20000                # transactions that may wait
    block = 2000                 # transactions of a block

    accel = "python"

The environment: TALLY_LISTEN, TALLY_SOCKET, TALLY_ACCEL, TALLY_PASSPHRASE_FILE.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from tallystick.errors import SettingsError

FILE = "node.toml"
"""Name of the file in the data folder."""
SOCKET = "api.sock"
"""Usual name of the Unix socket in the data folder."""


class Listen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the node listens."""

    socket: str = SOCKET
    """Path of the Unix socket, relative to the data folder; empty for none."""
    address: str = ""
    """HOST:PORT for TCP with mutual TLS, e.g. `127.0.0.1:7443`; empty for none."""


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much the node takes at once."""

    queue: Annotated[int, Meta(ge=1, le=1_000_000)] = 20_000
    """Transactions that may wait for a block."""
    block: Annotated[int, Meta(ge=1, le=50_000)] = 2_000
    """Transactions of a block."""
    patience_seconds: Annotated[int, Meta(ge=1, le=3_600)] = 30
    """How long a client may take to send a request, and be silent between two, in seconds."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that may be set."""

    listen: Listen = Listen()
    """Where the node listens."""
    limits: Limits = Limits()
    """How much it takes at once."""
    accel: str = "python"
    """Body of signatures and tree, e.g. `python`."""
    passphrase_file: str = "passphrase"
    """File with the passphrase of the node's key, relative to the data folder."""
    clock_is_right: bool = False
    """Whether to start although the machine's clock is far ahead of the last block."""


def load(folder: Path, environment: Mapping[str, str]) -> Settings:
    """Settings of a data folder; the file may be missing. `SettingsError` says what is wrong."""
    path = folder / FILE
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=Settings)
    except FileNotFoundError:
        found = Settings()
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as problem:
        raise SettingsError(FILE, str(problem)) from None
    return _with_environment(found, environment)


def _with_environment(found: Settings, environment: Mapping[str, str]) -> Settings:
    """Settings with what the environment changes."""
    listen = msgspec.structs.replace(
        found.listen,
        socket=environment.get("TALLY_SOCKET", found.listen.socket),
        address=environment.get("TALLY_LISTEN", found.listen.address),
    )
    return msgspec.structs.replace(
        found,
        listen=listen,
        accel=environment.get("TALLY_ACCEL", found.accel),
        passphrase_file=environment.get("TALLY_PASSPHRASE_FILE", found.passphrase_file),
    )


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:7443` or `[::1]:7443`."""
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65_535:
        raise SettingsError("listen.address", f"{address!r} is not HOST:PORT")
    return host.strip("[]"), int(port)
