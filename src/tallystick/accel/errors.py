"""What can go wrong in accel.

AccelProblem
├── UnknownBody       no such body is installed
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
