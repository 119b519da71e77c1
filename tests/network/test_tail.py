"""The end of log files, and what is added to them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from tallystick.network.tail import BLOCK_BYTES, follow, last_lines


def test_the_last_lines_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert last_lines(path, 5) == []
    lines = [f"line {number} {'x' * 90}" for number in range(2 * BLOCK_BYTES // 90)]
    path.write_text("\n".join(lines) + "\n")
    for count in (0, 1, 7, 1_000, len(lines), 10_000):
        assert last_lines(path, count) == (lines[-count:] if count else [])
    path.write_bytes(b"\xff no text\nunfinished")
    assert last_lines(path, 2) == ["\ufffd no text", "unfinished"]


def test_lines_are_told_as_they_come(tmp_path: Path) -> None:
    """Whole lines, from the end on; a file that is begun anew is read from its beginning."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("old\n")
    told = follow({"one": one, "two": two})
    two.write_text("")
    with one.open("a") as out:
        out.write("half")
        out.flush()
        two.write_text("other\n")
        # `follow` looks when it is asked: what it has not seen yet is new.
        assert next(told) == ("two", "other")
        out.write(" and half\nmore\n")
    assert list(islice(told, 2)) == [("one", "half and half"), ("one", "more")]
    one.write_text("anew\n")
    assert next(told) == ("one", "anew")
