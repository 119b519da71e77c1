"""Writes the folder of a new application: `make new-app NAME=warehouse`.

The template (`tools/templates/app`) is a whole small application, warehouse receipts, that passes
every check as it is. It is written under the new name; what the business needs is then changed in
it, one message at a time. docs/guides/write-an-application.md goes through it.
"""

from __future__ import annotations

import argparse
import keyword
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = Path("tools", "templates", "app")
APPS = Path("src", "tallystick", "apps")
PATTERN = "warehouse"
"""Name that the template bears."""

NAME_MAX = 24
"""Longest name: it stands before every verb, tag and record."""
TAKEN = frozenset(
    {
        # the platform's own names, and parts of an application
        "app", "apps", "founding", "ledger", "system", "tests", "values",
        # commands of `tally` that stand beside those of the applications
        "audit", "backup", "bench", "cases", "clock", "completion", "consortium", "demo", "doctor",
        "engine", "explain", "export", "genesis", "help", "index", "init", "invoices", "keys",
        "network", "node", "office", "prove", "record", "records", "restore", "send", "sign",
        "status", "trust", "verify", "version",
    }
)  # fmt: skip
"""Names that would be mistaken for something else."""


class BadName(ValueError):
    """No application can have this name."""


def plain_name(text: str) -> str:
    """`Trade-Credit`, `trade credit` and `trade_credit` are all `trade_credit`; else BadName."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text.strip())
    name = re.sub(r"[-_ ]+", "_", words).lower()
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise BadName(f"{text!r} is no name: write letters and digits, e.g. warehouse")
    if not 2 <= len(name) <= NAME_MAX:
        raise BadName(f"{name} must have 2 to {NAME_MAX} letters")
    if name in TAKEN or keyword.iskeyword(name) or name in sys.stdlib_module_names:
        raise BadName(f"{name} is the name of something else")
    return name


def renamed(text: str, name: str) -> str:
    """A file of the template under the new name."""
    title = name.replace("_", " ").capitalize()
    return text.replace(PATTERN, name).replace(PATTERN.capitalize(), title)


def write(root: Path, name: str) -> list[Path]:
    """Write the folder; the paths written, from the root."""
    folder = root / APPS / name
    if folder.exists():
        raise BadName(f"{APPS / name} is there already")
    written = []
    for source in sorted((root / TEMPLATE).rglob("*")):
        if source.is_file() and "__pycache__" not in source.parts:
            inside = source.relative_to(root / TEMPLATE)
            target = folder / inside.with_name(renamed(inside.name, name))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(renamed(source.read_text(encoding="utf-8"), name), encoding="utf-8")
            written.append(target.relative_to(root))
    tidy(root, folder)
    return written


def tidy(root: Path, folder: Path) -> None:
    """Sort imports and wrap lines anew, for the name decides both."""
    for words in (["check", "--fix-only", "--select", "I"], ["format"]):
        command = [sys.executable, "-m", "ruff", *words, "--quiet", str(folder)]
        subprocess.run(command, cwd=root, check=True)


def line_of(name: str) -> str:
    """The one line elsewhere."""
    return f'    "{name}",\n'


def register(root: Path, name: str) -> None:
    """Add the line to the list of applications."""
    path = root / APPS / "__init__.py"
    text = path.read_text(encoding="utf-8")
    before, start, rest = text.partition("NAMES = (\n")
    listed, end, after = rest.partition(")\n")
    if not (start and end) or line_of(name) in listed:
        raise BadName(f"cannot add {name} to NAMES in {APPS / '__init__.py'}: add it by hand")
    path.write_text(before + start + listed + line_of(name) + end + after, encoding="utf-8")


def make_docs(root: Path) -> None:
    """Write the reference page, in a process of its own that knows the new application."""
    subprocess.run([sys.executable, "-m", "tools.docs", "--root", str(root)], cwd=root, check=True)


def told(name: str, written: Sequence[Path], is_registered: bool) -> Iterator[str]:
    """What was done, and what to do next."""
    yield f"wrote {APPS / name}: {len(written)} files"
    place = APPS / "__init__.py"
    done = "added to" if is_registered else "now add to NAMES in"
    yield f"{done} {place}: {line_of(name).strip()}"
    if not is_registered:
        yield "then: make docs"
    yield f"try: tally {name} --help, make cases CASES={APPS / name}, make test"
    yield "next: docs/guides/write-an-application.md"


def main(words: Sequence[str] | None = None) -> int:
    """Write an application; exit code 2 when it cannot have that name."""
    parser = argparse.ArgumentParser(
        prog="tools.new_app", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("name", help="e.g. warehouse or trade-credit")
    parser.add_argument("--register", action="store_true", help="add it to the list, write docs")
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree (default: this one)")
    asked = parser.parse_args(words)
    root = asked.root.resolve()
    try:
        name = plain_name(asked.name)
        written = write(root, name)
        if asked.register:
            register(root, name)
            make_docs(root)
    except BadName as problem:
        print(problem, file=sys.stderr)
        return 2
    print("\n".join(told(name, written, asked.register)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
