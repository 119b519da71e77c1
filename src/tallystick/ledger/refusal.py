"""The three kinds of no: a refusal is coded and becomes a receipt, `ensure` finds our own bugs.

The third kind, an operating error, is in `tallystick.errors` and never reaches a contract.
"""

from __future__ import annotations

import enum
from typing import ClassVar, TypeVar

T = TypeVar("T")

RefusalValue = str | int
"""What a refusal may carry: text (ids, dates, names of things) or whole numbers."""


class RefusalCode(enum.Enum):
    """Why an application says no: numbers are public, permanent and never used again.

    A member is written `NOT_HOLDER = 27, "source of the rule"`, with a third element `True` if the
    same request may pass later. The value of a member is its number.
    """

    app: ClassVar[str]
    """Application whose codes these are, as in `class Refusal(RefusalCode, app=…)`."""

    rule: str
    """Where the rule comes from, e.g. `Civil Code 545`; empty when it is the house's own."""

    retry: bool
    """Whether the same request may pass later."""

    def __init_subclass__(cls, *, app: str) -> None:
        """Remember the application that the codes belong to."""
        super().__init_subclass__()
        cls.app = app

    def __new__(cls, number: int, rule: str = "", retry: bool = False) -> RefusalCode:
        """Make the number the value, so that `Refusal(27)` finds the member."""
        member = object.__new__(cls)
        member._value_ = number
        member.rule = rule
        member.retry = retry
        return member

    @property
    def number(self) -> int:
        """Permanent number within the application."""
        return int(self.value)


class Refused(Exception):
    """A rule said no. Raised by `require` and `need`, caught in `execute.py` alone."""

    def __init__(self, code: RefusalCode, values: dict[str, RefusalValue]) -> None:
        """Keep the code and the values that its sentence names."""
        super().__init__(code, values)
        self.code = code
        self.values = values

    def __str__(self) -> str:
        """`receivables 27 NOT_HOLDER: party=A piece_id=pc-…`."""
        told = " ".join(f"{name}={value}" for name, value in self.values.items())
        return f"{self.code.app} {self.code.number} {self.code.name}: {told}"

    def kept(self) -> Refused:
        """The same no, for whoever keeps it after it was caught.

        What was raised holds the frames it came through, and these all that they worked on; one of
        them holds what was caught: a circle that stays until the collector looks for it.
        """
        return Refused(self.code, self.values)


class Fault(Exception):
    """Our own bug was found by `ensure`; inside a contract it becomes a FAULT receipt."""


def require(condition: bool, code: RefusalCode, **values: RefusalValue) -> None:
    """Refuse with `code` unless the condition holds; `values` fill the refusal's sentence."""
    if not condition:
        raise Refused(code, values)


def need(value: T | None, code: RefusalCode, **values: RefusalValue) -> T:
    """Return the value, or refuse with `code` if it is None."""
    if value is None:
        raise Refused(code, values)
    return value


def ensure(condition: bool, why: str) -> None:
    """State what only our own bug could break."""
    if not condition:
        raise Fault(why)
