"""No refusal tells a stranger a party or an amount that it did not name itself (design §6.8).

Every message is sent by members that have no business with the records it names: with each id that
there is after a worked case, other fields filled with anything that fits. Whatever the ledger
answers may name the sender and what the sender wrote, and no other party and no other amount.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest

from tallystick.apps import APPS
from tallystick.catalogue import MessageInfo, bare, marks, struct_info, unit_of
from tallystick.ledger.receipt import Outcome, Receipt
from tallystick.testing.cases import CaseRun, catalogue, read_case
from tallystick.testing.world import World
from tallystick.values.codec import encode
from tallystick.values.units import KeyOf

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).parents[2]
CASES = ("2-registry.case", "5-pays-60-percent.case", "7-recourse.case")
STRANGERS = ("S6.maker+checker", "factor-b.maker+checker", "D3.maker+checker")
IDS_MAX = 6
"""Ids tried of each kind of record, for each message."""


def after(name: str) -> World:
    """The world as a worked case leaves it."""
    path = ROOT / "examples" / "worked" / name
    run = CaseRun(read_case(str(path), path.read_text(encoding="utf-8")))
    run.run()
    return run.world


def messages() -> list[MessageInfo]:
    """Every message that members send."""
    return [m for app in catalogue().apps for m in app.messages if not m.type.spec.timer]


def ids_of(world: World, record: str) -> list[str]:
    """Ids of a kind of record, the last ones first."""
    found = [
        str(getattr(each, kept.spec.key[0]))
        for kept in world.ledger.rules.record_types
        if kept.__name__ == record and len(kept.spec.key) == 1
        for each in world.view().scan(kept)
    ]
    return found[-IDS_MAX:]


def sample(type_: Any, party: str) -> Any:
    """Some value of a type; parties are the sender itself."""
    plain, unit = bare(type_), unit_of(type_)
    if get_origin(plain) is tuple:
        least = [m.min_length for m in marks(type_) if isinstance(m, msgspec.Meta) and m.min_length]
        return tuple(sample(get_args(plain)[0], party) for _ in range(least[0] if least else 0))
    if not inspect.isclass(plain):
        return sample(get_args(plain)[0], party)
    if issubclass(plain, enum.Enum):
        return next(iter(plain))
    if issubclass(plain, msgspec.Struct):
        infos = struct_info(plain).fields
        return plain(**{i.name: sample(i.type, party) for i in infos if i.required})
    if plain is bool:
        return False
    if plain is int:
        return max([1, *(m.ge for m in marks(type_) if isinstance(m, msgspec.Meta) and m.ge)])
    if plain is bytes:
        return bytes(sample_length(type_))
    return text(type_, unit, party)


def sample_length(type_: Any) -> int:
    """Least length of bytes."""
    return max((m.min_length or 0 for m in marks(type_) if isinstance(m, msgspec.Meta)), default=0)


def text(type_: Any, unit: str | None, party: str) -> str:
    """Some text that fits a type."""
    for candidate in (party, "CNY@CB", "2026-12-01", "CNY", "x", "X1", "x-0000000000000000"):
        try:
            msgspec.convert(candidate, type_)
        except msgspec.ValidationError:
            continue
        if unit == "day" and len(candidate) != 10:
            continue
        return candidate
    raise AssertionError(f"no text fits {type_}")


def attempts(world: World, info: MessageInfo, party: str) -> Iterator[Any]:
    """The message with every id that there is, in each field that names a record."""
    fields = info.struct.fields
    base = {i.name: sample(i.type, party) for i in fields if i.required}
    references = {
        i.name: [mark.record for mark in marks(i.type) if isinstance(mark, KeyOf)] for i in fields
    }
    named = {name: kinds[0] for name, kinds in references.items() if kinds}
    yield base
    for name, record in named.items():
        for made in ids_of(world, record):
            others = {n: ids_of(world, kind)[-1:] for n, kind in named.items()}
            yield {**base, **{n: ids[0] for n, ids in others.items() if ids}, name: made}


def leaks(world: World, receipt: Receipt, message: msgspec.Struct, party: str) -> list[str]:
    """What a receipt tells beyond the sender and its own message."""
    said = encode(message).decode("latin-1")
    parties = {each.member_id for each in _members(world)} - {party}
    found = []
    for value in receipt.values:
        told = str(value.value)
        if told in parties and told not in said:
            found.append(f"{value.name}={told}")
        if value.name.endswith("_minor") and value.value not in {0, *_numbers(message)}:
            found.append(f"{value.name}={told}")
    return found


def _members(world: World) -> list[Any]:
    """All members."""
    [kept] = [k for k in world.ledger.rules.record_types if k.__name__ == "Member"]
    return list(world.view().scan(kept))


def _numbers(value: Any) -> set[int]:
    """Numbers that stand in a message."""
    if isinstance(value, bool) or value is None:
        return set()
    if isinstance(value, int):
        return {value}
    if isinstance(value, tuple):
        return {number for each in value for number in _numbers(each)} | {sum_of(value)}
    if isinstance(value, msgspec.Struct):
        return {n for name in value.__struct_fields__ for n in _numbers(getattr(value, name))}
    return set()


def sum_of(values: tuple[Any, ...]) -> int:
    """Sum of numbers, 0 for others: what parts come to may be told."""
    return sum(values) if all(isinstance(each, int) for each in values) else 0


@pytest.mark.parametrize("name", CASES)
def test_no_refusal_tells_a_stranger_anything(name: str) -> None:
    """Nothing but the sender and its own words stands in what strangers are answered."""
    world = after(name)
    tried, told = 0, []
    for info in messages():
        for who in STRANGERS:
            party = who.partition(".")[0]
            for fields in attempts(world, info, party):
                message = info.type(**fields)
                result = world.copy().send((who, message))
                tried += 1
                if result.receipt.outcome is not Outcome.ACCEPTED:
                    told += [
                        f"{info.app}.{info.name} to {party}: {leak}"
                        for leak in leaks(world, result.receipt, message, party)
                    ]
    assert not told
    assert tried > 200


def test_every_application_is_covered() -> None:
    """The sweep sees every message of every application."""
    assert {info.app for info in messages()} == {app.name for app in APPS}
