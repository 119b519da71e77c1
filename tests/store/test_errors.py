"""The tree of errors is the one drawn, and every error says its values in one sentence."""

import inspect
import re

import pytest

from tallystick import errors
from tallystick.errors import TallystickError

TREE = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, TallystickError)
}


def drawn() -> dict[str, str]:
    """Each error of the drawing, and the one above it."""
    above: list[str] = ["TallystickError"]
    found = {}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│ ]*)[├└]── (\w+)", line)
        if match:
            depth = len(match[1]) // 4 + 1
            found[match[2]] = above[depth - 1]
            above[depth:] = [match[2]]
    return found


def test_the_tree_is_the_one_drawn() -> None:
    made = {name: kind.__bases__[0].__name__ for name, kind in TREE.items()}
    assert made.pop("TallystickError") == "Exception"
    assert drawn() == made


SAID = (
    (errors.Damage(7, "gone"), "block 7 is damaged: gone"),
    (errors.DataFolderInUse("d"), "the data folder d is in use"),
    (errors.DataFolderInUse("d", "12"), "the data folder d is in use by process 12"),
    (errors.OutOfOrder(height=9, last=3), "block 9 does not follow block 3"),
    (errors.PortTaken("unix:s"), "the address unix:s is taken"),
    (errors.GenesisMismatch(expected="a", found="b"), "the data folder is of chain b, not of a"),
    (errors.SettingsError("accel", "no such body"), "setting accel: no such body"),
    (errors.Halted(5, "root mismatch"), "halted at block 5: root mismatch"),
    (errors.Unreachable("unix:s"), "no node answers at unix:s"),
    (errors.Unreachable("unix:s", "refused"), "no node answers at unix:s: refused"),
    (errors.Expired("ab"), "transaction ab expired: it never will be committed"),
    (errors.Rejected("too large"), "the node did not take it: too large"),
    (errors.BadAnswer("no JSON"), "the node's answer cannot be used: no JSON"),
    (errors.WrongPassphrase("k"), "the passphrase does not open k"),
    (errors.NoSuchKey("m.maker", "keys"), "there is no key m.maker in keys"),
    (errors.BadKeyFile("k", "too short"), "k is not a key: too short"),
    (errors.FormatError("a.xml", "not XML"), "a.xml: not XML"),
    (errors.AuditFailed(("one", "two")), "one; two"),
    (
        errors.ClockWrong(clock="2031-01-01", chain="2026-10-08"),
        (
            "this machine's clock says 2031-01-01, the chain's last block is of 2026-10-08:"
            " set the clock, or say that it is right (--clock-is-right)"
        ),
    ),
    (
        errors.ReleaseTooOld(app="cash", version=2, height=9),
        "from block 9 on cash has version 2, which this release does not know",
    ),
)


@pytest.mark.parametrize(("error", "words"), SAID, ids=lambda value: type(value).__name__)
def test_an_error_says_its_values(error: TallystickError, words: str) -> None:
    assert str(error) == words
    assert 1 <= error.exit_code < 128
