"""One application, one folder, always of the same form, so that the second one is read at once."""

from __future__ import annotations

import ast
import re

import pytest

from tallystick.ledger.app import Message, Record, rule_name, snake, tag_of
from tests.house.tree import APPS, app, app_files, app_names, at, last_name, loaded, text, tree

PARTS = ("messages", "records", "refusals", "contract", "invariants")
HEADINGS = [
    "Purpose", "Parties", "Life cycle", "Messages", "Records", "Queries", "Invariants", "Sources",
]  # fmt: skip


@pytest.mark.parametrize("name", app_names())
def test_folder_has_its_parts(name: str) -> None:
    """What can be asked, what is kept, why not, what happens, what always holds, words, tests."""
    assert [part for part in PARTS if not app_files(name, part)] == []
    folder = APPS / name
    assert [
        file for file in ("README.md", "words.toml", "tests") if not (folder / file).exists()
    ] == []


@pytest.mark.parametrize("name", app_names())
def test_readme_has_the_headings(name: str) -> None:
    """The same eight headings in the same order, beside others of the application's own."""
    found = re.findall(r"^## (.+?)\s*$", text(APPS / name / "README.md"), re.MULTILINE)
    assert [heading for heading in found if heading in HEADINGS] == HEADINGS


@pytest.mark.parametrize("name", app_names())
def test_app_is_listed_once(name: str) -> None:
    """The one line elsewhere: `apps/__init__.py`."""
    listed = loaded("tallystick.apps").APPS
    assert [each.name for each in listed].count(name) == 1
    assert app(name).name == name


@pytest.mark.parametrize("name", app_names())
def test_tags_say_app_name_and_version(name: str) -> None:
    """`class Assign(Message, tag="warehouse.assign.1")`: the tag is what travels and is kept."""
    declared: list[type[Message] | type[Record]] = [
        *app(name).message_types,
        *app(name).record_types,
    ]
    wrong = [
        f"{cls.__name__}: {tag_of(cls)}"
        for cls in declared
        if not re.fullmatch(
            rf"{name}\.{re.sub(r'_?v?[0-9]+$', '', snake(cls.__name__))}\.[1-9][0-9]*", tag_of(cls)
        )
    ]
    assert wrong == []
    assert len({tag_of(cls) for cls in declared}) == len(declared)


@pytest.mark.parametrize("name", app_names())
def test_every_struct_is_declared(name: str) -> None:
    """A message or record without its decorator would be left out of the catalogue silently."""
    declared = {cls.__name__ for cls in (*app(name).message_types, *app(name).record_types)}
    written = {
        node.name
        for path in app_files(name, "messages", "records")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        and {last_name(base) for base in node.bases} & {"Message", "Record"}
    }
    assert written == declared


@pytest.mark.parametrize("name", app_names())
def test_contract_follows_the_messages(name: str) -> None:
    """One function per message, in the order of `messages.py`.

    A contract that is a package by record keeps the order within each of its files.
    """
    wanted = [rule_name(cls) for cls in app(name).message_types]
    found: list[str] = []
    for path in app_files(name, "contract"):
        public = [
            node.name
            for node in tree(path).body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        ]
        handlers = [each for each in public if each in wanted]
        assert handlers == [each for each in wanted if each in handlers], path.name
        if handlers:
            assert handlers == public, f"{path.name}: public functions that are no message's"
        found += handlers
    assert sorted(found) == sorted(wanted)


@pytest.mark.parametrize("name", app_names())
def test_handlers_take_a_context_and_their_message(name: str) -> None:
    """`def assign(ctx: Context, msg: Assign) -> None`: the form a reader knows after the first."""
    classes = {rule_name(cls): cls.__name__ for cls in app(name).message_types}
    odd = [
        at(path, node)
        for path in app_files(name, "contract")
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef) and node.name in classes
        if [(arg.arg, arg.annotation and last_name(arg.annotation)) for arg in node.args.args]
        not in (
            [("ctx", "Context"), ("msg", classes[node.name])],
            [("ctx", "Context"), ("_msg", classes[node.name])],
        )
    ]
    assert odd == []


@pytest.mark.parametrize("name", app_names())
def test_every_message_has_a_test_file(name: str) -> None:
    """`tests/test_<message>.py`, or a section of another file that bears its name."""
    told = "\n".join(text(path) for path in sorted((APPS / name / "tests").rglob("*.py")))
    told += "\n".join(text(path) for path in sorted((APPS / name / "tests").rglob("*.case")))
    silent = [
        cls.__name__
        for cls in app(name).message_types
        if cls.__name__ not in told and snake(cls.__name__).replace("_", "-") not in told
    ]
    assert silent == []


@pytest.mark.parametrize("name", app_names())
def test_no_query_bears_the_name_of_a_message(name: str) -> None:
    """On the command line both are `tally APP NAME`: the query could not be reached."""
    messages = {snake(cls.__name__) for cls in app(name).message_types if not cls.spec.timer}
    assert messages.isdisjoint(call.__name__ for call in app(name).query_functions)
