"""The documents as the tests see them: pages, links, fenced blocks and the marks before them.

<!-- from: path#anchor -->   the block is quoted from a file        (tools/docs_quotes.py)
<!-- vector: name -->        the block is a golden vector           (tools/docs_quotes.py)
<!-- run -->                 the block is run by a shell, in an empty folder
<!-- run: tree -->           ... in a copy of the source tree
<!-- output -->              the block is what the one before printed; `…` stands for anything
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

FENCE = re.compile(
    r"(?:<!-- (?P<mark>[a-z]+)(?:: (?P<what>[^\n]+?))? -->\n+)?"
    r"^(?P<fence>```+)(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=fence)[ ]*$",
    re.DOTALL | re.MULTILINE,
)
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    place: str
    """File and line, for messages."""
    mark: str
    """Kind of the mark before it; empty when it has none."""
    what: str
    """What the mark names."""
    language: str
    """Language of the fence."""
    text: str
    """Its lines."""


@cache
def pages() -> tuple[Path, ...]:
    """Every document of the tree."""
    found = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "src").rglob("*.md"),
        *(ROOT / "tests").rglob("*.md"),
    ]
    return tuple(sorted(found))


def name_of(path: Path) -> str:
    """Path from the root."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path) -> Iterator[Block]:
    """Fenced blocks of a page, in order."""
    text = path.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start("fence")) + 1
        yield Block(
            place=f"{name_of(path)}:{line}",
            mark=found["mark"] or "",
            what=found["what"] or "",
            language=found["language"].strip(),
            text=found["text"],
        )


def links(path: Path) -> Iterator[str]:
    """Targets of a page's links, those in code left out."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return (found[1] for found in LINK.finditer(re.sub(r"`[^`\n]*`", "", text)))


def anchors(path: Path) -> set[str]:
    """Names under which a page's headings are found."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return {_slug(found[1]) for found in HEADING.finditer(text)}


def _slug(heading: str) -> str:
    """`## Ids of *new* records` → `ids-of-new-records`, as the usual viewers make it."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", plain.lower()).strip())
