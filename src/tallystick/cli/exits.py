"""Exit codes of `tally`: those of the tree of errors, and a few that are no errors of its kind."""

from __future__ import annotations

import inspect

from tallystick import errors
from tallystick.errors import TallystickError

OK = 0
NOT_OK = 1
USAGE = 2
REFUSED = 3
BUG = 70
INTERRUPTED = 130
BROKEN_PIPE = 141

MEANINGS = {
    OK: "it is done; what was asked for is so",
    NOT_OK: "what was checked is not so: audit, verify, cases; or another error",
    USAGE: "the command line cannot be understood",
    REFUSED: "a rule refused: the answer names application, number and name of the refusal",
    BUG: "a bug of ours; `--debug` shows where",
    INTERRUPTED: "Ctrl-C",
    BROKEN_PIPE: "the reader of the output went away",
}
"""Codes that are no class of error."""


def exit_codes() -> list[tuple[int, str]]:
    """Every exit code and what it means, in order."""
    told = dict(MEANINGS)
    for name, cls in inspect.getmembers(errors, inspect.isclass):
        if issubclass(cls, TallystickError) and "exit_code" in vars(cls):
            text = inspect.cleandoc(cls.__doc__ or name).splitlines()[0]
            if cls.exit_code not in MEANINGS:
                told[cls.exit_code] = text[0].lower() + text[1:].rstrip(".")
    return sorted(told.items())
