"""`tally explain`: what a refusal means and which messages have it."""

from __future__ import annotations

import click

from tallystick.catalogue import RefusalInfo
from tallystick.cli.derive import catalogue
from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand
from tallystick.cli.help import refusal_sentence
from tallystick.cli.output import print_json
from tallystick.cli.render import print_lines
from tallystick.cli.session import session_of


@click.command("explain", cls=TallyCommand)
@click.argument("app")
@click.argument("code", metavar="NUMBER|NAME")
@click.pass_context
def command(ctx: click.Context, app: str, code: str) -> int:
    """What a refusal means: `tally explain receivables 27` or `… NOT_HOLDER`."""
    session = session_of(ctx)
    info = _find(app, code)
    if info is None:
        raise click.UsageError(f"there is no refusal {app} {code}", ctx)
    raised_by = [
        f"{each.name} {message.command}"
        for each in catalogue().apps
        for message in each.messages
        if info in message.refusals
    ]
    said = refusal_sentence(catalogue(), info, session.language)
    if session.as_json:
        print_json(
            {
                "app": info.app,
                "code": info.number,
                "name": info.name,
                "sentence": said,
                "meaning": info.doc,
                "rule": info.rule,
                "retry": info.retry,
                "messages": raised_by,
            }
        )
        return OK
    lines = [f"{info.app} {info.number} {info.name}: {said}", info.doc]
    if info.rule:
        lines.append(f"rule: {info.rule}")
    lines.append("the same may pass later" if info.retry else "the same stays refused")
    if raised_by:
        lines.append(f"by: {', '.join(raised_by)}")
    print_lines(lines)
    return OK


def _find(app: str, code: str) -> RefusalInfo | None:
    """A refusal by application and number or name."""
    if code.isdecimal():
        return catalogue().refusal(app, int(code))
    found = catalogue().app(app)
    codes = found.refusals if found else catalogue().ledger_refusals if app == "ledger" else ()
    return next((each for each in codes if each.name == code.upper().replace("-", "_")), None)
