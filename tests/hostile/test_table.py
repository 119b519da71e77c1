"""The table of README.md names tests that exist, and every test of this folder."""

import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)(?:::(test_\w+))?`")


def named() -> list[tuple[str, str]]:
    """File and function of every test in the table."""
    return NAMED.findall((HERE / "README.md").read_text(encoding="utf-8"))


def found_in(path: Path) -> set[str]:
    """Tests that a file holds."""
    return set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_test_named_exists() -> None:
    assert len(named()) > 50
    for file, name in named():
        found = found_in(ROOT / file)
        assert name in found if name else found, (file, name)


def test_every_test_here_is_named() -> None:
    told = {(file, name) for file, name in named()}
    for path in sorted(HERE.glob("test_*.py")):
        file = path.relative_to(ROOT).as_posix()
        if path != Path(__file__):
            assert {(file, name) for name in found_in(path)} <= told
