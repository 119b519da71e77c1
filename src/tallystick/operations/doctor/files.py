"""Checks of the data folder: settings, keys, certificates, sockets, what was left behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tallystick.api.tls import CA, NODE
from tallystick.api.watched import good_until
from tallystick.engine.cometbft.home import HOME
from tallystick.engine.folder import GENESIS, KEYS, PASSPHRASE, TLS, read_halt
from tallystick.operations.backup.folder import leftovers
from tallystick.operations.doctor.finding import Finding, fail, ok, warn
from tallystick.operations.doctor.patient import Patient
from tallystick.settings import FILE, is_loopback, is_unix

DAYS_WARN, DAYS_FAIL = 30, 7
"""Days before the end of a certificate."""
SOCKET_BYTES_MAX = 100
"""Longest path at which the node makes its socket."""


def is_a_data_folder(patient: Patient) -> Finding | None:
    """Is there a chain?"""
    if not (patient.folder / GENESIS).is_file():
        return fail(f"there is no chain in {patient.folder}", "name the data folder: --data DIR")
    return ok(f"{patient.folder}")


def settings_are_readable(patient: Patient) -> Finding | None:
    """Does `node.toml` make sense?"""
    if patient.settings_trouble:
        return fail(patient.settings_trouble, f"correct {FILE}; the node does not start with it")
    return ok(f"{FILE} makes sense")


def doors_are_closed(patient: Patient) -> Finding | None:
    """Do interfaces without certificates stay on this machine?"""
    probes = patient.settings.listen.probes
    if probes and not is_loopback(probes):
        said = f"health and metrics are open to whoever reaches {probes}"
        return warn(said, "listen on loopback or an inner network; they name no party or amount")
    if patient.is_consortium and not is_unix(patient.settings.engine.rpc):
        said = f"every user of this machine reads all at {patient.settings.engine.rpc}"
        return warn(said, "leave engine.rpc out: a Unix socket that this user alone may open")
    return ok("what asks for no certificate is on this machine alone")


def keys_are_private(patient: Patient) -> Finding | None:
    """Can nobody else on the machine read the keys?"""
    owner = patient.folder.stat().st_uid if patient.folder.exists() else None
    open_ones, strange = [], []
    for path in private_files(patient.folder):
        found = path.stat()
        if found.st_mode & 0o077:
            open_ones.append(str(path.relative_to(patient.folder)))
        if found.st_uid != owner:
            strange.append(str(path.relative_to(patient.folder)))
    if open_ones:
        todo = "chmod 600 them; if others could log in here, make new keys and register those"
        return fail(f"others may read {', '.join(open_ones)}", todo)
    if strange:
        return warn(f"another user owns {', '.join(strange)}", "chown them to the node's user")
    return ok("keys are readable by their owner alone")


def private_files(folder: Path) -> Iterator[Path]:
    """Files that nobody else may read, as far as they are there."""
    named = [
        folder / PASSPHRASE,
        *(folder / HOME / "config" / name for name in ("priv_validator_key.json", "node_key.json")),
        folder / HOME / "data" / "priv_validator_state.json",
    ]
    patterns = ("*.key", f"{KEYS}/*.key", f"{TLS}/*.key")
    named += [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    return (path for path in named if path.is_file())


def certificates(patient: Patient) -> Finding | None:
    """How long are the certificates of the door good?"""
    now = datetime.fromtimestamp(patient.wall_ms() // 1000, UTC)
    ends = [(good_until(path), path.stem) for path in (patient.folder / TLS).glob("*.pem")]
    known = sorted((until, name) for until, name in ends if until is not None)
    return _certificate(*known[0], now) if known else None


def _certificate(until: datetime, name: str, now: datetime) -> Finding:
    """What the end of the first one means."""
    left = until - now
    said = f"certificate `{name}` is good until {until:%Y-%m-%d} ({left.days} days)"
    if left > timedelta(days=DAYS_WARN):
        return ok(said)
    what = {CA: "every certificate it signed ends with it", NODE: "clients turn away then"}
    todo = f"put a new {TLS}/{name}.pem and .key there and restart the node; {what.get(name, '')}"
    make = fail if left <= timedelta(days=DAYS_FAIL) else warn
    return make(said, todo.rstrip("; "))


def sockets(patient: Patient) -> Finding | None:
    """Is the node's own socket there, and short enough?"""
    path = patient.folder / patient.settings.listen.socket
    if not patient.settings.listen.socket:
        return warn("there is no socket of the node's own", "set listen.socket: `tally` needs it")
    if len(str(path).encode()) > SOCKET_BYTES_MAX:
        return fail(f"{path} is too long for a socket", "use a data folder with a shorter path")
    if patient.holder is not None and not path.is_socket():
        return fail(f"process {patient.holder} runs, but there is no {path}", "restart the node")
    return ok(f"{path}")


def nothing_is_unfinished(patient: Patient) -> Finding | None:
    """Was a restore or another work left half done?"""
    found = leftovers(patient.folder)
    if found:
        names = ", ".join(path.name for path in found)
        return warn(f"left by a work that was never finished: {names}", "remove it, begin again")
    return ok("nothing was left half done")


def why_it_halted(patient: Patient) -> Finding | None:
    """Did the node stop by itself last time?"""
    halt = read_halt(patient.folder)
    if halt is None:
        return ok("the node has not halted")
    todo = "docs/operations/runbook.md, `halted`: find the cause before it is started again"
    return fail(f"the node stopped by itself at {halt.at}: {halt.reason}", todo)


def what_is_kept(patient: Patient) -> Finding | None:
    """Do pruning and snapshots go together?"""
    engine = patient.settings.engine
    if not patient.is_consortium:
        return None
    if not engine.retain_blocks:
        return ok("every block is kept: an archive")
    if not engine.snapshot_every:
        return fail(
            f"blocks older than {engine.retain_blocks} are pruned, and no snapshot is taken",
            "set snapshot_every: nobody can join from a node that has neither",
        )
    if engine.retain_blocks < 2 * engine.snapshot_every:
        return warn(
            f"{engine.retain_blocks} blocks are kept, a snapshot is taken every"
            f" {engine.snapshot_every}",
            "keep the blocks of two snapshots at least: one that joins needs those after it",
        )
    return ok(f"{engine.retain_blocks} blocks and snapshots every {engine.snapshot_every}")
