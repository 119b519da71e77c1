"""The command tree: everything can be asked for help, in both languages, and says what it must."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from tallystick.apps import APPS
from tallystick.cli.derive import catalogue
from tallystick.cli.glance import glance
from tallystick.cli.main import root
from tallystick.cli.session import Session
from tests.cli.conftest import Tally


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command of the tree, by its words."""
    ctx = click.Context(group, obj=Session())
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None, (*path, name)
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


TREE = tuple(commands(root))


@pytest.mark.parametrize("words", TREE, ids=" ".join)
def test_every_command_has_help_in_both_languages(tally: Tally, words: tuple[str, ...]) -> None:
    told = tally(*words, "--help").out
    assert told.startswith(f"Usage: tally {' '.join(words)} ")
    assert "--json" in told
    assert tally("--lang", "zh", *words, "--help").out
    assert tally(*words, "--help", "--lang", "zh").out


def test_help_lists_sections_and_applications(tally: Tally) -> None:
    told = tally("--help").out
    for text in ("A node:", "Transactions and reads:", "Files:", "Applications:", "Exit codes:"):
        assert text in told
    for app in APPS:
        assert f"\n  {app.name} " in told


def test_without_words_it_says_what_there_is(tally: Tally) -> None:
    assert tally(code=2).err.startswith("Usage: tally [OPTIONS] COMMAND")
    assert tally("clock", code=2).err.startswith("Usage: tally clock")


def test_the_applications_at_a_glance_are_those_that_are_imported() -> None:
    assert list(glance()) == [app.name for app in APPS]
    for app in catalogue().apps:
        assert glance()[app.name].startswith(app.doc.removesuffix(".")[:20])


def test_every_message_and_query_is_a_command() -> None:
    for app in catalogue().apps:
        for message in app.messages:
            assert ((app.name, message.command) in TREE) is not message.type.spec.timer
        messages = {each.command for each in app.messages if not each.type.spec.timer}
        for query in app.queries:
            assert query.command not in messages
            assert (app.name, query.command) in TREE


def test_help_of_a_message_says_all_there_is_to_know(tally: Tally) -> None:
    told = " ".join(tally("receivables", "split", "--help").out.split())
    assert "Usage: tally receivables split --piece PIECE --parts 1,000.00 …" in told
    assert "Cut a piece into parts" in told
    assert "1 maker + 1 checker" in told
    assert "licence verb `receivables.trade`" in told
    assert "receivables 27 NOT_HOLDER party PARTY does not hold piece PIECE" in told
    assert told.index("NO_SUCH_PIECE") < told.index("NOT_HOLDER")
    assert "--out FILE" in told


def test_help_speaks_chinese(tally: Tally) -> None:
    told = tally("--lang", "zh", "receivables", "split", "--help").out
    assert "签署人" in told
    assert "1 经办（maker） + 1 复核（checker）" in told
    assert "份额" in told
    assert "以 JSON 输出" in told


def test_the_environment_chooses_the_language(
    tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "签署人" in tally("cash", "mint", "--help").out
    assert "签署人" not in tally("--lang", "en", "cash", "mint", "--help").out


def test_amounts_are_told_in_decimals(tally: Tally) -> None:
    for app in catalogue().apps:
        for message in app.messages:
            if not message.type.spec.timer:
                assert "minor units" not in tally(app.name, message.command, "--help").out


def test_a_query_says_what_it_answers(tally: Tally) -> None:
    told = tally("cash", "balances", "--help").out
    assert "Answers: Balance (several):" in told
    assert "available_minor" in told


def test_a_query_may_be_filled_in_by_a_disclosure(tally: Tally) -> None:
    told = tally("documents", "is-taken", "--help").out
    assert "is-taken --disclosure FILE [OPTIONS]" in told
    assert "told by --disclosure" in told


def test_options_of_a_transaction_give_way_to_fields(tally: Tally) -> None:
    told = tally("members", "freeze", "--help").out
    assert "--transaction-expires" in told
    assert "--expires '2026-10-08 17:00'" in told


def test_unknown_commands_are_told_with_what_is_near(tally: Tally) -> None:
    assert "no command 'cahs'; did you mean cash?" in tally("cahs", code=2).err
    assert "did you mean split?" in tally("receivables", "splitt", code=2).err
    assert "(see `tally receivables --help`)" in tally("receivables", "splitt", code=2).err


def test_timers_are_no_commands(tally: Tally) -> None:
    assert "no command 'expire-hold'" in tally("cash", "expire-hold", code=2).err


@pytest.mark.parametrize("shell", ("bash", "zsh", "fish"))
def test_shells_complete(tally: Tally, shell: str) -> None:
    assert "_TALLY_COMPLETE" in tally("completion", shell).out


def test_completion_knows_commands_options_and_choices() -> None:
    from click.shell_completion import ShellComplete

    def complete(args: list[str], incomplete: str) -> list[str]:
        found = ShellComplete(root, {"obj": Session()}, "tally", "_TALLY_COMPLETE")
        return [item.value for item in found.get_completions(args, incomplete)]

    assert "receivables" in complete([], "rec")
    assert complete(["receivables"], "spl") == ["split"]
    assert "--piece" in complete(["receivables", "split"], "--p")
    assert complete(["members", "set-kind-licence", "--kind"], "central") == ["central_bank"]
    assert complete(["receivables", "offer", "--recourse"], "y") == ["yes"]


def test_explain_tells_a_refusal(tally: Tally) -> None:
    told = tally("explain", "receivables", "27").out
    assert "receivables 27 NOT_HOLDER: party PARTY does not hold piece PIECE" in told
    assert "by: receivables split" in told
    assert tally("explain", "receivables", "not-holder").out == told
    data = tally("explain", "ledger", "EXPIRED", "--json").json
    assert (data["code"], data["messages"]) == (13, [])
    assert "there is no refusal cash 999" in tally("explain", "cash", "999", code=2).err
    assert "there is no refusal moon 1" in tally("explain", "moon", "1", code=2).err
