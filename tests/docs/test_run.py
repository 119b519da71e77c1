"""Every command that README, tutorial and guides tell a reader to type is typed here."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tallystick.engine.cometbft.install import cache_folder
from tallystick.network.network import Network
from tallystick.network.plan import PLAN
from tests.docs.pages import ROOT, Block, blocks, name_of, pages

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.pyc", "build", "dist", "target")
LIMIT_S = 600
"""Seconds that the commands of one page may take."""

TYPED = [path for path in pages() if any(block.mark == "run" for block in blocks(path))]
NETWORKS = ("tally network up", "tally consortium start", "make consortium")
"""Commands that start a real network: their page is typed apart from the others."""


@dataclass
class Typed:
    """A block of commands, and what it should print."""

    block: Block
    """The commands."""
    outputs: list[Block] = field(default_factory=list)
    """What they print."""


def typed(path: Path) -> list[Typed]:
    """Blocks that are run, with the outputs that follow them."""
    found: list[Typed] = []
    for block in blocks(path):
        if block.mark == "run":
            found.append(Typed(block))
        elif block.mark == "output":
            found[-1].outputs.append(block)
    return found


def marks(path: Path) -> list[pytest.MarkDecorator]:
    """`consortium` for a page that starts one."""
    text = "".join(block.text for block in blocks(path) if block.mark == "run")
    return [pytest.mark.consortium] if any(each in text for each in NETWORKS) else []


@pytest.mark.parametrize(
    "path", [pytest.param(path, marks=marks(path), id=name_of(path)) for path in TYPED]
)
@pytest.mark.timeout(LIMIT_S)
def test_commands_do_what_the_page_says(path: Path, tmp_path: Path) -> None:
    """One shell for the whole page; it stops at the first command that fails."""
    parts = typed(path)
    folder = prepare(tmp_path, in_tree=any(each.block.what == "tree" for each in parts))
    script = "\n".join(
        ["set -euo pipefail"]
        + [f"{{\n{each.block.text}}} >> {tmp_path}/{n}.txt 2>&1" for n, each in enumerate(parts)]
    )
    code = run(script, folder, tmp_path)
    printed = [read(tmp_path / f"{n}.txt") for n in range(len(parts))]
    assert code == 0, printed
    for each, text in zip(parts, printed, strict=True):
        for output in each.outputs:
            assert missing_line(output.text, text) is None, f"{output.place}\n{text}"


def prepare(tmp_path: Path, *, in_tree: bool) -> Path:
    """An empty folder, or a copy of the tree with its environment; and `tally` to be found."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, words in (("tally", " -m tallystick.cli"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n')
        (programs / name).chmod(0o755)
    folder = tmp_path / "here"
    if in_tree:
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
        _lend_environment(folder / ".venv")
    else:
        folder.mkdir()
        shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


def _lend_environment(target: Path) -> None:
    """An environment that `make` finds ready, and whose contents are those of the tree's own."""
    target.mkdir()
    for each in (ROOT / ".venv").iterdir():
        if each.name != ".ready":
            (target / each.name).symlink_to(each)
    (target / ".ready").touch()


def run(script: str, folder: Path, tmp_path: Path) -> int:
    """Run a shell script; whatever it left running ends with it."""
    ours = ("TALLY_", "MAKE", "COV", "PYTEST")
    outside = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment = outside | {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(cache_folder().parents[1]),
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
    }
    with subprocess.Popen(
        ["bash", "-c", script], cwd=folder, env=environment, start_new_session=True
    ) as shell:
        try:
            return shell.wait(timeout=LIMIT_S - 10)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)
            for plan in folder.rglob(PLAN):
                Network.open(plan.parent).stop()


def read(path: Path) -> str:
    """What a block printed; nothing when it was not reached."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def missing_line(wanted: str, printed: str) -> str | None:
    """The first line of what a page shows that was not printed, in order; None if all were."""
    lines = iter([plain(line) for line in printed.splitlines()])
    for line in wanted.splitlines():
        pattern = re.escape(plain(line)).replace("…", ".*")
        if plain(line) and not any(re.fullmatch(pattern, each) for each in lines):
            return line
    return None


def plain(line: str) -> str:
    """A line without its indent and with single spaces."""
    return " ".join(line.split())


def test_the_comparison_itself() -> None:
    """Lines in order, others between them allowed, `…` for anything."""
    assert missing_line("a …\nc", "a 1\nb\nc") is None
    assert missing_line("c\na …", "a 1\nb\nc") == "a …"
    assert missing_line("b 2", "b  3") == "b 2"
