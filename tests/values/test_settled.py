"""Structs are prepared before threads decode: msgspec crashes when two use one first at once."""

from __future__ import annotations

import subprocess
import sys

RACE = """
import sys, threading
import msgspec
import tallystick.settings
{first}
sys.setswitchinterval(1e-6)
start = threading.Barrier(4)
def decode():
    start.wait()
    msgspec.json.decode(b'{{"engine":{{"kind":"cometbft"}}}}', type=tallystick.settings.Settings)
threads = [threading.Thread(target=decode) for _ in range(4)]
for each in threads: each.start()
for each in threads: each.join()
"""
TRIES = 6
"""Of so many processes several crash when nothing is prepared."""


def crashes(first: str) -> int:
    """How many of some processes end by a signal."""
    code = RACE.format(first=first)
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(TRIES)]
    return sum(each.wait() < 0 for each in processes)


def test_prepared_structs_do_not_crash() -> None:
    assert crashes("from tallystick.values.codec import settle_types; settle_types()") == 0
