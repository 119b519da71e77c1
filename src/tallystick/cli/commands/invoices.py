"""`tally invoices import`: read a folder of UBL invoices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand, TallyGroup
from tallystick.cli.output import print_json, progress
from tallystick.cli.render import Column, print_table
from tallystick.cli.session import session_of
from tallystick.formats.ubl import Decision, Outcome, decision_to_json, import_folder
from tallystick.values.money import format_minor


@click.group("invoices", cls=TallyGroup)
def group() -> None:
    """Read folders of UBL 2.1 / EN 16931 invoices and credit notes."""


@group.command("import", cls=TallyCommand)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.pass_context
def import_(ctx: click.Context, folder: Path) -> int:
    """Decide every `*.xml` of a folder: a draft, a document kept beside, or refused.

    Nothing is written to a ledger: a draft here is a proposal of this machine; `tally receivables
    draft` writes. Every file is compared with the others. With --node written here, the registry of
    that node is asked too whether an invoice is taken, and which parties are members.

    Ends with 0 when every file was decided, whatever the decisions are.
    """
    session = session_of(ctx)
    registry, parties = None, None
    if session.node_is_named:
        from tallystick.cli.connection import reader
        from tallystick.cli.registry import NodeRegistry

        registry = NodeRegistry(reader(session))
        parties = registry.parties()
    with progress("invoices") as step:
        decisions = import_folder(folder, registry=registry, known_parties=parties, progress=step)
    if session.as_json:
        print_json([decision_to_json(each) for each in decisions])
    else:
        _show(decisions)
    return OK


def _show(decisions: Sequence[Decision]) -> None:
    """A table, what deserves a second look, and the totals of the drafts."""
    columns = [Column("file"), Column("outcome"), Column("payable", right=True), Column("why")]
    print_table(columns, [_row(each) for each in decisions])
    for each in decisions:
        for warning in each.warnings:
            click.echo(f"{each.name}: {warning.code.value}: {warning.text}")
    _show_unknown(decisions)
    drafts = [each for each in decisions if each.outcome is Outcome.DRAFT]
    totals: dict[str, int] = {}
    for each in drafts:
        currency = each.currency or ""
        totals[currency] = totals.get(currency, 0) + (each.payable_minor or 0)
    told = ", ".join(f"{format_minor(totals[each], each)} {each}" for each in sorted(totals))
    click.echo(f"{len(decisions)} files, {len(drafts)} drafts{': ' if told else ''}{told}")


def _row(decision: Decision) -> list[str]:
    """One file."""
    code = "" if decision.code is None else f"{decision.code.value}: {decision.text}"
    payable = "-"
    if decision.currency is not None and decision.payable_minor is not None:
        payable = f"{format_minor(decision.payable_minor, decision.currency)} {decision.currency}"
    return [decision.name, decision.outcome.value, payable, code]


def _show_unknown(decisions: Sequence[Decision]) -> None:
    """Parties that no member is known for, each once."""
    parties = dict.fromkeys(
        (party.number, party.name) for each in decisions for party in each.unknown_parties
    )
    if parties:
        click.echo(f"{len(parties)} unknown parties:")
    for number, name in parties:
        click.echo(f"  {number or '(no number)'}  {name}")
