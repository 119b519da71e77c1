"""`tally status` and `tally clock`."""

from __future__ import annotations

import time

import click
import msgspec

from tallystick.apps.governance.messages import AdvanceClock
from tallystick.cli.connection import connect, reader
from tallystick.cli.derive import catalogue
from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand, TallyGroup
from tallystick.cli.lookup import node_wording, zone_of
from tallystick.cli.output import print_json
from tallystick.cli.render import Column, print_lines, print_table
from tallystick.cli.session import session_of
from tallystick.cli.transact import transact_message
from tallystick.client.client import Client, NodeRefused
from tallystick.values.codec import to_json
from tallystick.values.time import format_at
from tallystick.wording import Wording, WordingProblem, read_number

SETTLE_SECONDS = 60.0
"""How long is waited for the node to run what fell due."""
LOOK_SECONDS = 0.05


@click.command("status", cls=TallyCommand)
@click.pass_context
def command(ctx: click.Context) -> int:
    """How the node is doing: chain, height, ledger time, root, what troubles it."""
    session = session_of(ctx)
    client = connect(session)
    status = client.status()
    if session.as_json:
        print_json(msgspec.json.decode(to_json(status)))
        return OK
    rows = [
        ("node", session.node),
        ("release", status.release),
        ("chain", status.chain_id + (" (demonstration)" if status.demo else "")),
        ("height", str(status.height)),
        ("ledger time", _at(client, status.ledger_ms) + (" (trial)" if status.trial else "")),
        ("state root", status.state_root.hex()),
        ("waiting", f"{status.queued} transactions"),
        ("trouble", status.trouble or "none"),
        ("clock", status.clock_trouble or "right"),
    ]
    print_table([Column(""), Column("")], rows, head=False)
    return OK


@click.group("clock", cls=TallyGroup)
def clock() -> None:
    """The ledger's clock; that of a trial can be moved forward."""


@clock.command("show", cls=TallyCommand)
@click.pass_context
def show(ctx: click.Context) -> int:
    """Ledger time now, in the zone of the network's calendar."""
    session = session_of(ctx)
    client = connect(session)
    status = client.status()
    if session.as_json:
        print_json({"ledger_ms": status.ledger_ms, "trial": status.trial, "height": status.height})
    else:
        print_lines([_at(client, status.ledger_ms) + (" (trial)" if status.trial else "")])
    return OK


@clock.command("advance", cls=TallyCommand)
@click.argument("how_far", required=False, metavar="97d|12h|30m")
@click.option("--to", metavar="'2026-10-08 17:00'", help="Until then, in the calendar's zone.")
@click.pass_context
def advance(ctx: click.Context, how_far: str | None, to: str | None) -> int:
    """Move a trial's clock forward, and wait until what falls due on the way has run.

    Signed by a keeper of the clock, which the constitution names: `--as SUP.maker+checker`.
    """
    session = session_of(ctx)
    if (how_far is None) == (to is None):
        raise click.UsageError("say how far (97d) or --to when", ctx)
    client = reader(session) if not session.node.startswith("unix:") else connect(session)
    wording = node_wording(client, catalogue())
    by_ms = _by_ms(client, wording, how_far, to)
    code = transact_message(
        session, catalogue(), AdvanceClock(by_ms=by_ms), client=client, wording=wording
    )
    if code == OK and not session.values:
        _settle(client)
        if not session.as_json:
            print_lines([f"it is {_at(client, client.status().ledger_ms)}"])
    return code


def _by_ms(client: Client, wording: Wording, how_far: str | None, to: str | None) -> int:
    """How far the clock is moved."""
    if how_far is not None:
        return read_number(how_far, "ms")
    by_ms = wording.instant(str(to)) - client.status().ledger_ms
    if by_ms <= 0:
        raise WordingProblem(f"--to: {to} is not ahead; the clock only moves forward")
    return by_ms


def _settle(client: Client) -> None:
    """Wait until nothing is due any more."""
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        now_ms = client.status().ledger_ms
        try:
            first = next(iter(client.find("ledger", "timer", limit=1)), None)
        except NodeRefused:
            return
        if first is None or int(first["due_at_ms"]) > now_ms:
            return
        time.sleep(LOOK_SECONDS)


def _at(client: Client, at_ms: int) -> str:
    """An instant in the network's zone."""
    return format_at(at_ms, zone_of(client))
