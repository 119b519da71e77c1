"""Finds the rules of the applications and the ledger, and makes each file without one of them."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path("src/tallystick")
RULES = {"require", "need"}


@dataclass(frozen=True)
class Mutant:
    """One rule taken away."""

    path: Path
    """File, from the root of the repository."""
    lines: range
    """Lines of the rule."""
    name: str
    """Name in `unreachable.toml`: file, function and refusal; `#2` for the second of the same."""
    words: frozenset[str]
    """Names that a test of it is likely to mention: the refusal, the function, the message."""
    text: str
    """The file without the rule."""

    @property
    def home(self) -> Path:
        """Folder of the application, or of the ledger."""
        return home_of(self.path)

    def __str__(self) -> str:
        """`src/…/contract.py:31 assign NOT_HOLDER`, to be found by an editor."""
        return f"{self.path.as_posix()}:{self.lines.start} {self.name.partition(' ')[2]}"


def home_of(path: Path) -> Path:
    """Folder of the application that a file belongs to, or of the ledger."""
    parts = path.relative_to(PACKAGE).parts
    return PACKAGE.joinpath(*parts[:2]) if parts[0] == "apps" else PACKAGE / parts[0]


def rule_files(root: Path) -> list[Path]:
    """Files that rules stand in: applications and ledger, without tests."""
    return [
        path.relative_to(root)
        for layer in ("apps", "ledger")
        for path in sorted((root / PACKAGE / layer).rglob("*.py"))
        if "tests" not in path.relative_to(root).parts
    ]


def find_mutants(root: Path, path: Path) -> Iterator[Mutant]:
    """All mutants of a file, in order of the source."""
    text = (root / path).read_text(encoding="utf-8")
    seen: dict[str, int] = {}
    for function, call in rules_of(ast.parse(text)):
        code = ast.unparse(call.args[1]).rpartition(".")[2]
        plain = f"{path.relative_to(home_of(path)).as_posix()} {function} {code}"
        seen[plain] = seen.get(plain, 0) + 1
        last = function.rpartition(".")[2]
        yield Mutant(
            path=path,
            lines=range(call.lineno, (call.end_lineno or call.lineno) + 1),
            name=plain if seen[plain] == 1 else f"{plain} #{seen[plain]}",
            words=frozenset({code, last, "".join(part.title() for part in last.split("_"))}),
            text=without_rule(text, call),
        )


def rules_of(tree: ast.Module) -> list[tuple[str, ast.Call]]:
    """Calls of `require` and `need` with the function they stand in, in order of the source."""
    found: list[tuple[str, ast.Call]] = []
    ahead: list[tuple[str, ast.AST]] = [("", tree)]
    while ahead:
        inside, node = ahead.pop()
        for child in ast.iter_child_nodes(node):
            name = inside
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                name = f"{inside}.{child.name}".lstrip(".")
            if isinstance(child, ast.Call) and is_rule(child):
                found.append((name, child))
            ahead.append((name, child))
    return sorted(found, key=lambda pair: (pair[1].lineno, pair[1].col_offset))


def is_rule(call: ast.Call) -> bool:
    """Whether a call is `require(condition, code, …)` or `need(value, code, …)`."""
    return isinstance(call.func, ast.Name) and call.func.id in RULES and len(call.args) >= 2


def without_rule(text: str, call: ast.Call) -> str:
    """The source with `require(True, …)` for a condition, or with the bare value for `need`."""
    asked = call.args[0]
    inner = ast.get_source_segment(text, asked) or ""
    is_need = isinstance(call.func, ast.Name) and call.func.id == "need"
    place, put = (call, f"({inner})") if is_need else (asked, "True")
    data = text.encode()
    changed = data[: offset(text, place.lineno, place.col_offset)] + put.encode()
    changed += data[offset(text, place.end_lineno or 0, place.end_col_offset or 0) :]
    ast.parse(changed)
    return changed.decode()


def offset(text: str, line: int, column: int) -> int:
    """Place of a line and column, as `ast` counts them, in the bytes of a source."""
    return sum(len(each.encode()) for each in text.splitlines(keepends=True)[: line - 1]) + column


def changed_since(root: Path, revision: str) -> dict[Path, list[range]]:
    """Lines of each file that changed since a git revision; a file not yet in git changed whole."""
    diff = _git(root, "diff", "--unified=0", "--no-color", "--no-renames", revision, "--", "src")
    changed: dict[Path, list[range]] = {}
    path = Path()
    for line in diff.splitlines():
        if line.startswith("+++ "):
            path = Path(line.removeprefix("+++ ").removeprefix("b/"))
        elif hunk := re.match(r"@@ \S+ \+(\d+)(?:,(\d+))? @@", line):
            first, count = int(hunk[1]), int(hunk[2] or 1)
            changed.setdefault(path, []).append(range(first, first + max(count, 1)))
    for name in _git(root, "ls-files", "--others", "--exclude-standard", "src").splitlines():
        changed[Path(name)] = [range(1, 1_000_000)]
    return changed


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout


def touches(mutant: Mutant, changed: dict[Path, list[range]]) -> bool:
    """Whether a rule stands on changed lines."""
    return any(
        lines.start < mutant.lines.stop and mutant.lines.start < lines.stop
        for lines in changed.get(mutant.path, [])
    )


def spread(mutants: Sequence[Mutant], most: int) -> list[Mutant]:
    """At most so many, evenly over all of them."""
    count = len(mutants)
    return [mutants[i * count // most] for i in range(most)] if 0 < most < count else list(mutants)


def unreachable_file(root: Path, home: Path) -> Path:
    """Where an application, or the ledger, lists what cannot occur."""
    folder = Path("tests", home.name) if home.parent == PACKAGE else home / "tests"
    return root / folder / "unreachable.toml"


def listed_unreachable(root: Path, home: Path) -> dict[str, str]:
    """Mutants that no test can notice, with the reason why."""
    file = unreachable_file(root, home)
    if not file.exists():
        return {}
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("mutant", [])
    return {entry["at"]: entry["reason"] for entry in entries}
