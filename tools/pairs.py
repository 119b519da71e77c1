"""Asks of every (message, refusal) pair of the catalogue whether a test has raised it.

    pytest --pairs FOLDER && python -m tools.pairs FOLDER

A pair that cannot occur is listed with its reason in the application's `tests/unreachable.toml`:

    [[pair]]
    message = "Assign"
    refusal = "members.SUSPENDED"
    reason = "assigning is a duty, and duties are allowed while suspended"

or, when several messages have it for the same reason, with `messages = ["Assign", …]`.
A listed pair that a test raises fails, as does a raised pair that the catalogue does not know.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

Pair = tuple[str, str]
"""`receivables.Split`, `receivables.NOT_HOLDER`."""

EVERYWHERE = "ledger"
"""Refusals of the ledger itself (too much work, overflow, fault) may meet any message."""


def catalogue_pairs() -> tuple[set[Pair], dict[str, str]]:
    """All pairs that the catalogue tells of, and the name of each message by its tag."""
    from tallystick.apps import APPS
    from tallystick.catalogue import Catalogue, all_refusals
    from tallystick.ledger.app import tag_of

    apps = Catalogue(APPS).apps
    pairs = {(f"{m.app}.{m.name}", f"{code.app}.{code.name}") for m, code in all_refusals(apps)}
    names = {tag_of(m.type): f"{m.app}.{m.name}" for app in apps for m in app.messages}
    return pairs, names


def raised_pairs(folder: Path, names: dict[str, str]) -> set[Pair]:
    """What the tests raised, as the ledger's log said it, without test applications."""
    said = re.compile(r"(\S+) refused: (\S+) (\w+)")
    found = (
        said.fullmatch(line)
        for path in sorted(folder.glob("*.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
    )
    return {(names[m[1]], f"{m[2]}.{m[3]}") for m in found if m is not None and m[1] in names}


def listed_pairs(apps: Path) -> dict[Pair, str]:
    """Pairs that cannot occur, with the reason why."""
    return {
        (f"{path.parents[1].name}.{message}", entry["refusal"]): entry["reason"]
        for path in sorted(apps.glob("*/tests/unreachable.toml"))
        for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("pair", [])
        for message in entry.get("messages", [entry.get("message")])
    }


def problems(wanted: set[Pair], raised: set[Pair], listed: dict[Pair, str]) -> Iterator[str]:
    """What is not as it should be."""
    yield from told("no test raises", wanted - raised - listed.keys())
    yield from told("listed as unreachable, but raised", listed.keys() & raised)
    yield from told("listed as unreachable, but not in the catalogue", listed.keys() - wanted)
    yield from told("listed without a reason", {p for p, why in listed.items() if not why.strip()})
    beside = {pair for pair in raised - wanted if not pair[1].startswith(f"{EVERYWHERE}.")}
    yield from told("raised, but the catalogue does not say that it may be", beside)


def told(what: str, pairs: Iterable[Pair]) -> Iterator[str]:
    """A line for each pair."""
    return (f"{what}: {message} {refusal}" for message, refusal in sorted(pairs))


def main(words: list[str] | None = None) -> int:
    """Compare; the exit code says whether every pair is raised by a test."""
    folder = Path((words if words is not None else sys.argv[1:])[0])
    wanted, names = catalogue_pairs()
    raised = raised_pairs(folder, names)
    listed = listed_pairs(Path("src/tallystick/apps"))
    wrong = list(problems(wanted, raised, listed))
    print(f"{len(wanted)} (message, refusal) pairs: {len(wanted & raised)} raised by a test,")
    print(f"{len(listed)} listed as unreachable, {len(wrong)} not as they should be")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
