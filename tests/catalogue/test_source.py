"""What only the source says: docs under fields, and refusals in the order of the checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tallystick.catalogue_source import Source, refusals_of
from tests.catalogue import shop
from tests.catalogue.shop import Refusal, Thing

BOUGHT = [
    Refusal.NO_SUCH_THING,
    Refusal.CLOSED,
    Refusal.BROKEN,
    Refusal.NO_MONEY,
    Refusal.NOT_YOURS,
]


@pytest.mark.parametrize(
    ("rule", "codes"),
    (
        (shop.buy, BOUGHT),
        (shop.by_table, BOUGHT),
        (shop.in_the_back_room, [Refusal.UNKNOWN]),
        (shop.handed_on, [Refusal.CLOSED, Refusal.UNKNOWN]),
        (shop.again, [Refusal.UNKNOWN]),
        (shop.wrapped, [Refusal.CLOSED]),
        (shop.silent, []),
        (len, []),
        (eval("lambda ctx, msg: None"), []),
    ),
)
def test_refusals_of(rule: Callable[..., Any], codes: list[Refusal]) -> None:
    assert refusals_of(rule) == codes


def test_docs_under_fields() -> None:
    source = Source.of(Thing)
    assert source.attribute_docs("Thing") == {
        "name": "What it is called, e.g. `chair`.",
        "owner": "Whose it is.",
    }
    assert source.attribute_docs("Refusal")["CLOSED"] == "The shop is closed."
    assert source.attribute_docs("Nothing") == {}
