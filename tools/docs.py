"""Writes what is generated of the documents: `make docs`.

Reference pages come from the catalogue, tables in READMEs of applications too, the command line's
page from its commands; quotes in hand-written documents are filled from the files they name. A
test compares what is written with what would be written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tallystick.apps import APPS
from tallystick.catalogue import Catalogue
from tools.docs_apps import filled, page, readme_tables
from tools.docs_pages import api_page, apps_page, cli_page, exit_codes_page, refusals_page
from tools.docs_quotes import BadQuote, quoted

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = Path("docs", "reference")
FOLDER = REFERENCE / "apps"


def generated(root: Path) -> Iterator[tuple[Path, str]]:
    """Every file that is generated in whole or in part, and what it should be."""
    catalogue = Catalogue(APPS)
    yield FOLDER / "README.md", apps_page(catalogue)
    for info in catalogue.apps:
        yield FOLDER / f"{info.name}.md", page(catalogue, info)
        readme = Path("src", "tallystick", "apps", info.name, "README.md")
        if (root / readme).exists():
            text = (root / readme).read_text(encoding="utf-8")
            yield readme, filled(text, readme_tables(catalogue, info))
    yield REFERENCE / "refusals.md", refusals_page(catalogue)
    yield REFERENCE / "exit-codes.md", exit_codes_page()
    yield REFERENCE / "api.md", api_page(catalogue)
    yield REFERENCE / "cli.md", cli_page(catalogue)
    for path in documents(root):
        yield path, quoted(root, (root / path).read_text(encoding="utf-8"))


def documents(root: Path) -> Iterator[Path]:
    """Documents written by hand, from the root: those that may quote."""
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
    for path in sorted(pages):
        relative = path.relative_to(root)
        if FOLDER not in relative.parents and relative.name not in {
            "api.md", "cli.md", "exit-codes.md", "refusals.md",
        }:  # fmt: skip
            yield relative


def stale(root: Path) -> Iterator[Path]:
    """Files that are not as they would be written, and pages of applications that are no more."""
    wanted = dict(generated(root))
    for path, text in wanted.items():
        there = root / path
        if not there.exists() or there.read_text(encoding="utf-8") != text:
            yield path
    for path in sorted((root / FOLDER).glob("*.md")):
        if path.relative_to(root) not in wanted:
            yield path.relative_to(root)


def write(root: Path) -> list[Path]:
    """Write what is stale, drop what is no more; the paths that changed."""
    changed = list(stale(root))
    wanted = dict(generated(root))
    for path in changed:
        if path in wanted:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(wanted[path], encoding="utf-8")
        else:
            (root / path).unlink()
    return changed


def main(words: Sequence[str] | None = None) -> int:
    """Write the documents; with `--check` only say what is stale."""
    parser = argparse.ArgumentParser(prog="tools.docs", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree (default: this one)")
    asked = parser.parse_args(words)
    root = asked.root.resolve()
    try:
        changed = list(stale(root)) if asked.check else write(root)
    except BadQuote as problem:
        print(problem, file=sys.stderr)
        return 1
    for path in changed:
        print(f"{'stale' if asked.check else 'wrote'} {path}")
    return 1 if asked.check and changed else 0


if __name__ == "__main__":
    raise SystemExit(main())
