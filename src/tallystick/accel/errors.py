"""What can go wrong in accel.

AccelProblem
├── BodiesDiffer      two bodies gave different results: one of them is wrong
├── NotOpened         nothing was opened at this place of a batch
├── UnknownBody       no such body is installed
│   └── NotBuilt      the native body is asked for, and it is not there
├── UnknownVersion    the tree does not hold this version: dropped, or never made
├── WrongLength       a hash given to the tree is not 32 bytes long
└── WrongPart         a part of a tree that does not hold what belongs there
"""


class AccelProblem(Exception):
    """Root of everything accel raises on purpose."""


class UnknownBody(AccelProblem):
    """No body of this name is installed."""

    def __init__(self, name: str) -> None:
        """Remember the name that was asked for."""
        super().__init__(f"no body called {name!r} is installed")
        self.name = name


class NotBuilt(UnknownBody):
    """The native body is asked for, and it is not there."""

    def __init__(self, reason: str) -> None:
        """Remember why not."""
        super().__init__("native")
        self.args = (f"the native body cannot be used: {reason}; `make native` builds it",)
        self.reason = reason


class BodiesDiffer(AccelProblem):
    """Two bodies gave different results for one call: one of them is wrong."""

    def __init__(self, call: str, one: object, other: object) -> None:
        """Remember the call and what each gave."""
        super().__init__(f"bodies differ in {call}: {_short(one)}, but {_short(other)}")
        self.call = call
        self.one = one
        self.other = other


class NotOpened(AccelProblem):
    """Nothing was opened at this place of a batch, or it has no such place."""

    def __init__(self, place: int) -> None:
        """Remember the place that was asked for."""
        super().__init__(f"nothing was opened at place {place} of the batch")
        self.place = place


class NotUses(AccelProblem):
    """These bytes are no encoded list of used references."""

    def __init__(self) -> None:
        """Nothing is known of it but that."""
        super().__init__("this is no list of used references")


class UnknownVersion(AccelProblem):
    """The tree does not hold this version."""

    def __init__(self, version: int) -> None:
        """Remember the version that was asked for."""
        super().__init__(f"the tree holds no version {version}")
        self.version = version


class WrongLength(AccelProblem):
    """A key hash or record hash is not 32 bytes long."""

    def __init__(self, given: bytes) -> None:
        """Remember the bytes that were given."""
        super().__init__(f"a hash has 32 bytes, not {len(given)}")
        self.given = given


class WrongPart(AccelProblem):
    """A part of a tree holds what does not belong there, or there is no such part."""

    def __init__(self, reason: str) -> None:
        """Remember what is wrong."""
        super().__init__(reason)
        self.reason = reason


def _short(result: object) -> str:
    """A result as a line shows it; long ones are cut."""
    shown = repr(result)
    return shown if len(shown) <= 200 else f"{shown[:200]}…"
