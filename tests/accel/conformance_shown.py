"""What every body must show of values: what reads back, and nothing that does not."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest
from msgspec import NODEFAULT, Meta

from tallystick.accel import Body
from tallystick.ledger.readable import TEXTS_MAX, field_of
from tallystick.values.codec import Struct, decode, encode
from tallystick.values.units import Hash32, Label, Minor
from tests.ledger.toy.records import Status


class Part(Struct):
    """A struct within a record."""

    name: Label
    """A text."""
    amount_minor: Minor | None = None
    """A number, or none."""
    is_done: bool = False
    """A truth value."""


class Twin(Struct):
    """A struct that has the same bytes as a part."""

    name: Label
    """A text."""


class Either(Struct):
    """A struct with a field of which nothing is shown."""

    value: int | Label
    """A number or a text."""


Labels = Annotated[tuple[Label, ...], Meta(max_length=2)]

CASES: tuple[tuple[Any, tuple[Any, ...], tuple[Any, ...]], ...] = (
    (Minor, (0, 1, 10**15), (-1, 2**63, True, "1", 1.0, None)),
    (int, (0, -(2**63), 2**63 - 1), (False, "0", 0.0)),
    (Annotated[int, Meta(gt=0)], (1,), (0, -1)),
    (bool, (True, False), (0, 1, None, "true")),
    (Status, (Status.OPEN, Status.CLOSED), ("open", None, 0)),
    (Label, ("a", "a", "b.c"), ("A", "a\n", "", b"a", 1, None)),
    (Label | None, (None, "a"), ("A", 0, False)),
    (Hash32, (bytes(32),), (bytes(31), bytes(33), "0" * 32, None)),
    (Labels, ((), ("a", "b")), (["a"], ("a", "b", "c"), ("A",), "a", None)),
    (tuple[int, Label], ((1, "a"),), ([1, "a"], ("a", 1), (1,))),
    (int | Label, (1, "a"), ("A", None)),
    (int | Label | None, (1, "a", None), ("A", 0.5)),
    (tuple[int | Label, ...], ((1, "a"),), ((None,), ("A",))),
    (Either, (Either(value=1),), (Either(value="A"), None)),
    (Part, (Part(name="a"), Part(name="a", amount_minor=3, is_done=True)), (None, "a", {})),
    (Part, (), (Part(name="A"), Part(name="a", amount_minor=-1), Twin(name="a"))),
    (Part, (), (Part(name="a", is_done=1),)),  # type: ignore[arg-type]
    (
        tuple[Part, ...],
        ((Part(name="a"),),),
        ([Part(name="a")], (Part(name="A"),), (Twin(name="a"),)),
    ),
)


class ShownConformance:
    """What is shown to read back by its type alone does, and nothing that does not is."""

    body: ClassVar[Body]

    def shows(self, type_: Any, value: Any, *, default: Any = NODEFAULT) -> bool:
        """Whether a value of a type is shown; what cannot be read is not."""
        try:
            return self.body.fields_shown((field_of(type_, default),))((value,), (object(),))
        except ValueError:
            return False

    @pytest.mark.parametrize(("type_", "good", "bad"), CASES, ids=str)
    def test_a_value_reads_back_as_its_bytes_do(
        self, type_: Any, good: tuple[Any, ...], bad: tuple[Any, ...]
    ) -> None:
        for value in good:
            assert self.shows(type_, value)
            assert decode(type_, encode(value)) == value
        for value in bad:
            assert not self.shows(type_, value)

    @pytest.mark.parametrize("default", ("", b"", (), 0, None, Status.OPEN), ids=repr)
    def test_a_default_is_shown_whatever_the_type_says(self, default: object) -> None:
        for type_, _, bad in CASES:
            assert self.shows(type_, default, default=default)
            assert not any(
                self.shows(type_, value, default=default) for value in bad if value is not default
            )

    def test_a_text_reads_back_however_many_others_did(self) -> None:
        for number in range(TEXTS_MAX + 1):
            assert self.shows(Label, f"a{number}")
        assert self.shows(Label, "a0")
        assert not self.shows(Label, "A0")

    def test_only_what_is_not_the_very_same_is_looked_at(self) -> None:
        fields_shown = self.body.fields_shown((field_of(Minor), field_of(Label), field_of(Part)))
        part, bad = Part(name="a"), "A"
        assert fields_shown((1, bad, part), (2, bad, part))
        assert fields_shown((1, "b", part), (2, bad, Part(name="A")))
        assert fields_shown((-1, bad, None), (-1, bad, None))
        assert not fields_shown((-1, bad, part), (2, bad, part))
        assert not fields_shown((1, "b", Twin(name="b")), (1, "b", part))
        with pytest.raises(ValueError, match="regex"):
            fields_shown((1, "A b", part), (1, bad, part))
        assert not fields_shown((-1, "A b", part), (1, bad, part)), "the first that is not ends it"
