"""Fills what documents quote: code from files, bytes from the golden vectors.

    <!-- from: tools/templates/app/contract.py#assign -->
    <!-- from: examples/tutorial.case#first words..last words -->
    <!-- vector: transaction.body -->

Such a comment stands directly before a fenced block; the block is what is quoted. A `#name` is a
function or class of a Python file, several are joined by commas, with an empty line between; in
any file `#a..b` is from the first line that contains `a` to the next one that contains `b`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

MARK = re.compile(
    r"(?P<mark><!-- (?P<kind>from|vector): (?P<what>[^\n]+?) -->\n+)"
    r"(?P<fence>```+)(?P<language>[^\n]*)\n(?P<text>.*?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)
VECTORS = Path("tests", "vectors", "formats.json")
COLUMNS = 16
"""Bytes in a line of a hex dump."""


class BadQuote(ValueError):
    """A document quotes what is not there."""


def quoted(root: Path, text: str) -> str:
    """A document with all its quotes as they are in the files today."""

    def fill(found: re.Match[str]) -> str:
        lines = (
            source(root, found["what"]) if found["kind"] == "from" else dump(root, found["what"])
        )
        fence = found["fence"]
        return f"{found['mark']}{fence}{found['language']}\n{lines}\n{fence}"

    return MARK.sub(fill, text)


def source(root: Path, what: str) -> str:
    """The lines that `path#anchor` names."""
    name, _, anchor = what.partition("#")
    path = root / name
    if not path.is_file():
        raise BadQuote(f"there is no file {name}")
    text = path.read_text(encoding="utf-8")
    if not anchor:
        return text.rstrip("\n")
    if ".." in anchor:
        return _between(what, text, *anchor.split("..", 1))
    blocks = [_definition(what, text, each.strip()) for each in anchor.split(",")]
    return "\n\n\n".join(blocks)


def _between(what: str, text: str, first: str, last: str) -> str:
    """From the first line that contains one text to the next that contains another."""
    lines = text.splitlines()
    start = next((n for n, line in enumerate(lines) if first in line), None)
    if start is not None:
        for end in range(start, len(lines)):
            if last in lines[end]:
                return "\n".join(lines[start : end + 1])
    raise BadQuote(f"nothing is at {what}")


def _definition(what: str, text: str, name: str) -> str:
    """A function or class with its decorators, or an assignment, at the top of a Python file."""
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name == name:
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                return "\n".join(lines[first - 1 : node.end_lineno])
        elif name in _targets(node):
            return "\n".join(lines[node.lineno - 1 : node.end_lineno])
    raise BadQuote(f"there is no {name} at {what}")


def _targets(node: ast.stmt) -> Iterator[str]:
    """Names that an assignment gives."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def dump(root: Path, what: str) -> str:
    """A golden vector: hex in lines of 16 bytes with their place, or a text as it is."""
    found = json.loads((root / VECTORS).read_text(encoding="utf-8"))
    try:
        for part in what.split("."):
            found = found[int(part)] if isinstance(found, list) else found[part]
    except (KeyError, IndexError, ValueError):
        raise BadQuote(f"there is no vector {what}") from None
    if not isinstance(found, str):
        raise BadQuote(f"vector {what} is not bytes")
    try:
        raw = bytes.fromhex(found)
    except ValueError:
        return found
    return "\n".join(
        f"{at:08x}  {raw[at : at + COLUMNS].hex(' ')}" for at in range(0, len(raw), COLUMNS)
    )
