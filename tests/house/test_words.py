"""Chinese and English for everything that people see of an application, without exception."""

from __future__ import annotations

import ast
import enum
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec import inspect as types

from tests.house.test_types import fields, parts
from tests.house.tree import (
    APPS,
    SRC,
    app,
    app_names,
    at,
    last_name,
    loaded,
    source_files,
    text,
    tree,
)

LANGUAGES = ("zh", "en")
HAN = re.compile(r"[\u4e00-\u9fff]")


def words(name: str) -> dict[str, Any]:
    """`words.toml` of an application."""
    return tomllib.loads(text(APPS / name / "words.toml"))


def said(told: dict[str, Any], *path: str) -> dict[str, Any]:
    """The table at a path, empty when there is none."""
    for part in path:
        told = told.get(part, {})
    return told


def shown_structs(name: str) -> dict[str, type[msgspec.Struct]]:
    """Messages and records of an application, and the structs inside them that it defines."""
    ahead: list[type[msgspec.Struct]] = [*app(name).message_types, *app(name).record_types]
    found: dict[str, type[msgspec.Struct]] = {}
    while ahead:
        cls = ahead.pop()
        if cls.__name__ not in found and cls.__module__.startswith(f"tallystick.apps.{name}."):
            found[cls.__name__] = cls
            ahead += [
                part.cls
                for field in fields(cls)
                for part in parts(field.type)
                if isinstance(part, types.StructType)
            ]
    return found


def shown_enums(name: str) -> dict[str, type[enum.Enum]]:
    """Enums of an application's own that its fields take."""
    return {
        part.cls.__name__: part.cls
        for cls in shown_structs(name).values()
        for field in fields(cls)
        for part in parts(field.type)
        if isinstance(part, types.EnumType)
        and part.cls.__module__.startswith(f"tallystick.apps.{name}.")
    }


def wanted(
    name: str, told: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any], tuple[str, ...]]]:
    """Everything that needs words: what it is, what is said of it, which words it needs."""
    sentences = tuple(f"sentence_{language}" for language in LANGUAGES)
    yield "app", said(told, "app"), LANGUAGES
    for message in app(name).message_types:
        of = message.__name__
        yield f"message.{of}", said(told, "message", of), LANGUAGES + sentences
    for record in app(name).record_types:
        yield f"record.{record.__name__}", said(told, "record", record.__name__), LANGUAGES
    for query in app(name).query_functions:
        yield f"query.{query.__name__}", said(told, "query", query.__name__), LANGUAGES
    for code in app(name).refusals:
        yield f"refusal.{code.name}", said(told, "refusal", code.name), LANGUAGES
    for verb in app(name).verbs:
        yield f'verb."{verb}"', said(told, "verb", verb), LANGUAGES
    for of, cls in shown_structs(name).items():
        for field in fields(cls):
            general, own = said(told, "field", field.name), said(told, "field", of, field.name)
            yield f"field.{of}.{field.name}", general | own, LANGUAGES
    for of, values in shown_enums(name).items():
        for value in values:
            kept = said(told, "enum", of, value.name) | said(told, "status", of, value.name)
            yield f"enum.{of}.{value.name}", kept, LANGUAGES


@pytest.mark.parametrize("name", app_names())
def test_words_are_complete(name: str) -> None:
    """Every message (with a sentence), field, status, refusal, record, query and verb."""
    told = words(name)
    silent = [
        f"{of}.{key}"
        for of, table, keys in wanted(name, told)
        for key in keys
        if not isinstance(table.get(key), str) or not table[key].strip()
    ]
    assert silent == []


@pytest.mark.parametrize("name", app_names())
def test_chinese_is_chinese(name: str) -> None:
    """A word copied over from English to pass the test above helps nobody."""
    told = words(name)
    foreign = [
        f"{of}.{key}: {table[key]}"
        for of, table, keys in wanted(name, told)
        for key in keys
        if key.endswith("zh") and not HAN.search(str(table.get(key, "")))
    ]
    assert foreign == []


@pytest.mark.parametrize("name", app_names())
def test_no_words_without_a_thing(name: str) -> None:
    """Words of a message, record, query, refusal or enum that no longer exists are dead."""
    told = words(name)
    known = {
        "message": {cls.__name__ for cls in app(name).message_types},
        "record": {cls.__name__ for cls in app(name).record_types},
        "query": {query.__name__ for query in app(name).query_functions},
        "refusal": {code.name for code in app(name).refusals},
    }
    dead = [
        f"{kind}.{of}"
        for kind, names in known.items()
        for of in said(told, kind)
        if of not in names
    ]
    assert dead == []


@pytest.mark.parametrize("name", app_names())
def test_sentences_name_fields_of_their_message(name: str) -> None:
    """`{piece_id}` in a sentence is a field of the message, or `party`, who sent it."""
    told = words(name)
    unknown = [
        f"message.{cls.__name__}: {{{place}}}"
        for cls in app(name).message_types
        for language in LANGUAGES
        for place in re.findall(
            r"\{(\w+)\}", said(told, "message", cls.__name__).get(f"sentence_{language}", "")
        )
        if place != "party" and place not in cls.__struct_fields__
    ]
    assert unknown == []


@pytest.mark.parametrize("name", app_names())
def test_both_languages_tell_the_same(name: str) -> None:
    """A refusal or sentence fills the same places in Chinese and in English."""
    told = words(name)
    unlike = [
        f"{of}: {chinese} / {english}"
        for of, table, keys in wanted(name, told)
        for chinese, english in [("zh", "en"), ("sentence_zh", "sentence_en")]
        if chinese in keys
        and set(re.findall(r"\{(\w+)\}", str(table.get(chinese, ""))))
        != set(re.findall(r"\{(\w+)\}", str(table.get(english, ""))))
    ]
    assert unlike == []


def test_the_ledger_has_words_too() -> None:
    """Its refusals (too much work, overflow, fault, expired …) meet the same people."""
    told = tomllib.loads(text(SRC / "ledger" / "words.toml"))
    silent = [
        f"{code}.{language}"
        for code in loaded("tallystick.ledger.refusals").Refusal.__members__
        for language in LANGUAGES
        if not said(told, "refusal", code).get(language)
    ]
    assert silent == []


@pytest.mark.parametrize("name", app_names())
def test_refusals_are_given_the_values_they_name(name: str) -> None:
    """`{piece_id}` in a refusal's words is given by every rule that raises it."""
    told = words(name)
    missing = [
        f"{where}: {code} without {{{place}}}"
        for where, code, values in [*raised_with(name), *missing_with(name)]
        for place in places(said(told, "refusal", code).get("en", ""))
        if place not in values
    ]
    assert missing == []


def places(template: str) -> list[str]:
    """Names in braces."""
    return re.findall(r"\{(\w+)\}", template)


def raised_with(name: str) -> Iterator[tuple[str, str, set[str]]]:
    """Where an application raises its refusals, and the names of the values given there."""
    own = [path for path in source_files() if path.is_relative_to(APPS / name)]
    for path in own:
        for node in ast.walk(tree(path)):
            if not (isinstance(node, ast.Call) and last_name(node.func) in {"require", "need"}):
                continue
            given = {keyword.arg for keyword in node.keywords}
            code = node.args[1] if len(node.args) > 1 else None
            if isinstance(code, ast.Attribute) and last_name(code.value) == "Refusal":
                if None not in given:  # `**values`: not to be told from the source
                    yield at(path, node), code.attr, {str(each) for each in given}


def missing_with(name: str) -> Iterator[tuple[str, str, set[str]]]:
    """Refusals of absent records: they are given the key."""
    for record in app(name).record_types:
        code = record.spec.missing
        if code is not None and code.app == name:
            yield f"record {record.__name__}", code.name, set(record.spec.key)
