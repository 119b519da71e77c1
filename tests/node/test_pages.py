"""What a process keeps is put into huge pages, where the system gives them."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tallystick.errors import SettingsError
from tallystick.node.pages import ENABLED, HUGE, HugePages
from tallystick.settings import load

GROWS = """
import sys, time
from pathlib import Path
from tallystick.node.pages import HugePages

def huge_kb():
    lines = Path("/proc/self/smaps").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages"))

pages = HugePages()
before = huge_kb()
pages.start({*map(int, sys.argv[1:])})
kept = [str(number) * 10 for number in range(400_000)]
end = time.monotonic() + 20
while pages.is_offered and huge_kb() - before < 16_000 and time.monotonic() < end:
    time.sleep(0.05)
pages.stop()
print(pages.is_offered, huge_kb() - before, sum(map(len, kept)))
"""
"""A process that grows by some 60 MB, and says how many kB more of it are in huge pages."""


def is_offered_here() -> bool:
    """Whether this machine gives huge pages to who asks."""
    return ENABLED.exists() and "[never]" not in ENABLED.read_text()


@pytest.fixture
def said(tmp_path: Path) -> Path:
    """A file that says what the system does about huge pages."""
    return tmp_path / "enabled"


def test_a_process_that_has_grown_is_in_huge_pages() -> None:
    command = [sys.executable, "-c", GROWS, "0"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, timeout=60)
    offered, grown_kb, _ = done.stdout.split()
    # A kernel older than 6.1 knows no such order: then it says so, and all goes on as before.
    assert offered == "False" or int(grown_kb) >= 16_000
    assert is_offered_here() or offered == "False"


def test_what_has_not_grown_is_not_looked_at_again() -> None:
    pages = HugePages()
    first = pages.look()
    assert pages.look() == 0
    assert first * HUGE <= 1 << 40


def test_only_what_is_new_is_asked_for() -> None:
    pages = HugePages()
    pages.look()
    kept = [bytes(1_000) for _ in range(40_000)]  # 40 MB: 20 huge pages, and some in between
    assert pages.look() <= 60
    assert len(kept) == 40_000


@pytest.mark.parametrize("what", ("always madvise [never]", None))
def test_nothing_is_asked_of_a_system_that_gives_none(what: str | None, said: Path) -> None:
    if what is not None:
        said.write_text(what)
    pages = HugePages(said)
    pages.start()
    assert (pages.is_offered, pages.look()) == (False, 0)
    assert "pages" not in [thread.name for thread in threading.enumerate()]
    pages.stop()


def test_the_thread_ends_when_it_is_told_to() -> None:
    pages = HugePages()
    pages.start()
    pages.stop()
    assert "pages" not in [thread.name for thread in threading.enumerate()]


def test_the_setting_and_its_variable(tmp_path: Path) -> None:
    assert load(tmp_path, {}).huge_pages == "auto"
    (tmp_path / "node.toml").write_text('huge_pages = "off"')
    assert load(tmp_path, {}).huge_pages == "off"
    assert load(tmp_path, {"TALLY_HUGE_PAGES": "auto"}).huge_pages == "auto"
    with pytest.raises(SettingsError, match="TALLY_HUGE_PAGES"):
        load(tmp_path, {"TALLY_HUGE_PAGES": "always"})
