"""Asks of every rule whether a test would notice if it were gone.

Each `require(condition, …)` becomes `require(True, …)` and each `need(value, …)` becomes `value`,
one at a time, in a copy of the tree; the tests that concern it then run until one fails. If none
does, the mutant has survived: a test is missing, or the rule cannot be reached and is listed with
its reason in the application's `tests/unreachable.toml` (the ledger's: `tests/ledger/…`):

    [[mutant]]
    at = "contract.py assign NOT_HOLDER"
    reason = "members.interface has refused a stranger before"

Exit code 1 when a mutant survived, or when a listed one was noticed or no longer exists.
"""

from __future__ import annotations

import argparse
import itertools
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tools.mutants import (
    PACKAGE,
    Mutant,
    changed_since,
    find_mutants,
    listed_unreachable,
    rule_files,
    spread,
    touches,
)

LEAST_LIMIT_S = 60.0
"""Least time a mutant's tests are given, in seconds; a slower suite gets five times its own."""

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.pyc", "build", "dist", "target")
PASSED = {0, 5}
"""Exit codes of pytest: all passed, nothing collected."""
RAN_ON = -1
NOTICED = {1, RAN_ON}
"""A test failed, or the tests ran on for ever; anything else is no verdict."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    mutant: Mutant
    """The rule that was taken away."""
    noticed: bool
    """Whether a test failed, or ran on for ever."""
    seconds: float
    """How long that took."""


@dataclass
class Bench:
    """Copies of the tree, one for each worker, and how long the tests of each part take there."""

    root: Path
    """The tree itself; it is only read."""
    copies: queue.Queue[Path] = field(default_factory=queue.Queue)
    """Copies that nobody works in now."""
    limits: dict[Path, float] = field(default_factory=dict)
    """Seconds that the tests of a part are given."""
    stamps: Iterator[int] = field(default_factory=lambda: itertools.count(1_600_000_000))
    """Times of files, in seconds, none used twice."""

    def prepare(self, folder: Path, jobs: int) -> None:
        """Make the copies."""
        for number in range(jobs):
            copy = folder / str(number)
            shutil.copytree(self.root, copy, ignore=LEFT_OUT, symlinks=True)
            self.copies.put(copy)

    def measure(self, home: Path) -> None:
        """Run the tests of a part without any mutant: they must pass; note how long they take."""
        copy = self.copies.get()
        began = time.monotonic()
        outcome = run_tests(copy, [own_tests(home)], limit_s=1_800)
        self.copies.put(copy)
        if outcome not in PASSED:
            raise SystemExit(f"the tests of {home.name} fail without any mutant; make them pass")
        self.limits[home] = max(LEAST_LIMIT_S, 5 * (time.monotonic() - began))

    def judge(self, mutant: Mutant) -> Verdict:
        """Put a mutant into a copy, run its tests until one fails, and put the file back."""
        copy = self.copies.get()
        began = time.monotonic()
        whole = (copy / mutant.path).read_text(encoding="utf-8")
        try:
            noticed = any(self._notices(copy, step, mutant, whole) for step in steps(copy, mutant))
        finally:
            self._write(copy / mutant.path, whole)
            self.copies.put(copy)
        return Verdict(mutant, noticed, time.monotonic() - began)

    def _notices(self, copy: Path, paths: list[Path], mutant: Mutant, whole: str) -> bool:
        """Whether tests fail with a mutant, and not without it (own tests are known to pass)."""
        limit_s = self.limits[mutant.home]
        self._write(copy / mutant.path, mutant.text)
        outcome = run_tests(copy, paths, limit_s)
        if outcome in PASSED:
            return False
        if outcome not in NOTICED:
            raise SystemExit(f"{mutant}: its tests cannot be run: pytest ended with {outcome}")
        if all(path.is_relative_to(own_tests(mutant.home)) for path in paths):
            return True
        self._write(copy / mutant.path, whole)
        return run_tests(copy, paths, limit_s) in PASSED

    def _write(self, file: Path, text: str) -> None:
        """Write a file with a time of its own, so that no other text's compiled file is taken."""
        file.write_text(text, encoding="utf-8")
        stamp = next(self.stamps)
        os.utime(file, (stamp, stamp))


def own_tests(home: Path) -> Path:
    """Tests of an application stand in its folder, those of the ledger in `tests/ledger`."""
    return Path("tests", home.name) if home.parent == PACKAGE else home / "tests"


def steps(copy: Path, mutant: Mutant) -> Iterator[list[Path]]:
    """Which tests to run, the likeliest first; each step only when the one before noticed nothing.

    1. Of the part's own tests the files that mention the refusal or the message.
    2. All of the part's own tests.
    3. Files of other suites that mention the refusal: stories, and applications that build on it.
    """
    own = own_tests(mutant.home)
    code = mutant.name.split(" ")[2]
    mine = [path for path in suite(copy) if path.is_relative_to(own)]
    told = [path for path in mine if mentions(copy / path, mutant.words)]
    if told:
        yield told
    if mine != told:
        yield [own]
    others = [path for path in suite(copy) if not path.is_relative_to(own)]
    if elsewhere := [path for path in others if mentions(copy / path, frozenset({code}))]:
        yield elsewhere


def suite(copy: Path) -> list[Path]:
    """All test files of a tree in order, but those of the house and of the tools."""
    tops = [copy / "tests", copy / PACKAGE / "apps"]
    found = sorted(path.relative_to(copy) for top in tops for path in top.rglob("test_*.py"))
    return [
        path for path in found if path.parts[:2] not in {("tests", "house"), ("tests", "tools")}
    ]


def mentions(file: Path, words: frozenset[str]) -> bool:
    """Whether a test file, or a case file beside it, says one of the words."""
    texts = [file, *file.parent.glob("*.case")]
    return any(word in path.read_text(encoding="utf-8") for path in texts for word in words)


def run_tests(copy: Path, paths: Sequence[Path], limit_s: float) -> int:
    """Run tests in a copy until one fails; exit code of pytest, RAN_ON if they did."""
    there = [path for path in paths if (copy / path).exists()]
    if not there:
        return max(PASSED)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no"]
    command += ["-p", "pytest_timeout", "-m", "not stateful and not consortium", *map(str, there)]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PY")}
    environment = outside | {
        "PYTHONPATH": os.pathsep.join([str(copy / "src"), str(copy)]),
        "PYTHONHASHSEED": "0",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # starting pytest is most of what a mutant costs
    }
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        return RAN_ON
    return done.returncode


def chosen(root: Path, asked: argparse.Namespace) -> list[Mutant]:
    """The mutants that were asked for."""
    only = [Path(each) for each in asked.paths]
    found = [
        mutant
        for path in rule_files(root)
        if not only or any(path.is_relative_to(each) for each in only)
        for mutant in find_mutants(root, path)
    ]
    if asked.changed:
        changed = changed_since(root, asked.changed)
        found = [mutant for mutant in found if touches(mutant, changed)]
    return spread(found, asked.at_most)


def judge_all(root: Path, mutants: Sequence[Mutant], jobs: int) -> list[Verdict]:
    """Judge mutants in parallel, each worker in a copy of its own, and say how it goes."""
    bench = Bench(root)
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="tally-mutants-") as folder:
        bench.prepare(Path(folder), jobs)
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(bench.measure, dict.fromkeys(each.home for each in mutants)))
            for verdict in pool.map(bench.judge, mutants):
                verdicts.append(verdict)
                said = "noticed " if verdict.noticed else "SURVIVED"
                place = f"[{len(verdicts):4}/{len(mutants)}]"
                print(f"{place} {said} {verdict.mutant} ({verdict.seconds:.1f} s)", flush=True)
    return verdicts


def problems(root: Path, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What is not as it should be."""
    for verdict in verdicts:
        listed = verdict.mutant.name in listed_unreachable(root, verdict.mutant.home)
        if not verdict.noticed and not listed:
            yield f"survived: {verdict.mutant}"
        if verdict.noticed and listed:
            yield f"listed as unreachable, but a test reaches it: {verdict.mutant}"


def stale(root: Path) -> Iterator[str]:
    """Entries of `unreachable.toml` that name no rule, or give no reason."""
    names: dict[Path, set[str]] = {}
    for path in rule_files(root):
        for mutant in find_mutants(root, path):
            names.setdefault(mutant.home, set()).add(mutant.name)
    for home, known in names.items():
        for name, reason in listed_unreachable(root, home).items():
            if name not in known:
                yield f"listed as unreachable, but there is no such rule: {home.name}: {name}"
            if not reason.strip():
                yield f"listed as unreachable without a reason: {home.name}: {name}"


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="tools.mutate", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="only rules below these paths")
    parser.add_argument("--changed", metavar="REV", help="only rules on lines changed since REV")
    parser.add_argument("--at-most", type=int, default=0, metavar="N", help="an even sample of N")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="how many at once")
    parser.add_argument("--list", action="store_true", help="only say which rules there are")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the tree (default: here)")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Run the mutator; the exit code says whether every rule is held by a test."""
    asked = arguments(words)
    root = asked.root.resolve()
    mutants = chosen(root, asked)
    if asked.list:
        print("\n".join(f"{mutant}    at = {mutant.name!r}" for mutant in mutants))
        return 0
    wrong = list(stale(root))
    verdicts = judge_all(root, mutants, asked.jobs) if mutants else []
    wrong += problems(root, verdicts)
    noticed = sum(verdict.noticed for verdict in verdicts)
    print(f"{len(verdicts)} rules taken away one at a time: a test noticed {noticed}")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
