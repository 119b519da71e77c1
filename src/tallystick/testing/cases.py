"""Runs case files: the only scenario format. docs/reference/cases.md is the grammar."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tallystick.apps import APPS
from tallystick.catalogue import Catalogue
from tallystick.errors import TallystickError
from tallystick.formats.commitment import disclose
from tallystick.formats.fingerprint import fingerprint, particulars_hash
from tallystick.ledger.app import Record
from tallystick.ledger.receipt import Outcome, Receipt
from tallystick.ledger.refusal import Refused
from tallystick.testing.answers import Rows, expect
from tallystick.testing.cast import CAST, cast_world
from tallystick.testing.imports import read_import
from tallystick.testing.world import OPENS, Result, World, WorldProblem
from tallystick.values.errors import ValueProblem
from tallystick.values.money import parse_decimal
from tallystick.wording import Wording, WordingProblem

_LATER = re.compile(r"\+(\d+)([dhm])")


class CaseProblem(TallystickError):
    """A case does not come out as it is written."""

    def __init__(self, place: str, reason: str) -> None:
        """Name file and line."""
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


@dataclass(frozen=True)
class Line:
    """One line that counts."""

    number: int
    """Where it stands, from 1."""
    sign: str
    """Its first word: `$`, `&`, `@`, `as`, `!`, `=`, `fork`, `end`, `invoice`, `member`, …"""
    words: tuple[str, ...]
    """The other words."""
    text: str
    """As it was written."""


@dataclass
class Step:
    """A line, what must come of it, and, for a fork, the lines inside."""

    line: Line
    """What is done."""
    more: list[Line] = field(default_factory=list)
    """Further calls of the same transaction."""
    expected: list[Line] = field(default_factory=list)
    """What must come of it."""
    inside: list[Step] = field(default_factory=list)
    """Steps of a fork."""


@dataclass(frozen=True)
class Case:
    """A case file, read."""

    name: str
    """Its path as given."""
    head: tuple[Line, ...]
    """Lines before the first step."""
    steps: tuple[Step, ...]
    """Steps in order."""


@dataclass(frozen=True)
class Told:
    """What happened in one step, for people and for golden files."""

    line: Line
    """The step."""
    depth: int
    """How many forks it is in."""
    receipt: Receipt | None
    """Receipt of a transaction."""
    sentence: str
    """What to say of it."""


def read_case(name: str, text: str) -> Case:
    """Read a case; CaseProblem names the line that cannot be understood."""
    lines = list(_lines(name, text))
    head: list[Line] = []
    while lines and lines[0].sign in ("opens", "member", "parameter"):
        head.append(lines.pop(0))
    steps, rest = _steps(name, lines, inside=False)
    if rest:
        raise CaseProblem(f"{name}:{rest[0].number}", f"{rest[0].sign} does not belong here")
    return Case(name, tuple(head), tuple(steps))


def _lines(name: str, text: str) -> Iterator[Line]:
    """Lines that count, continued ones joined."""
    held, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        start = start or number
        stripped = raw.strip()
        if stripped.endswith("\\"):
            held += stripped[:-1] + " "
            continue
        whole, held = held + stripped, ""
        at, start = start, 0
        if not whole or whole.startswith("#"):
            continue
        try:
            words = whole.split() if whole.startswith("fork ") else shlex.split(whole)
        except ValueError as problem:
            raise CaseProblem(f"{name}:{at}", f"{problem}") from None
        yield Line(at, words[0], tuple(words[1:]), whole)
    if held:
        raise CaseProblem(f"{name}:{start}", "the last line ends in a backslash")


def _steps(name: str, lines: list[Line], *, inside: bool) -> tuple[list[Step], list[Line]]:
    """Steps up to the end of the file, or of the fork; and the lines after it."""
    steps: list[Step] = []
    rest = list(lines)
    while rest:
        line = rest.pop(0)
        if line.sign == "end":
            return (steps, rest) if inside else (steps, [line, *rest])
        if line.sign == "fork":
            step = Step(line)
            step.inside, rest = _steps(name, rest, inside=True)
            steps.append(step)
        elif line.sign in ("$", "@", "invoice", "credit-note"):
            steps.append(Step(line))
        elif line.sign == "&" and steps and not steps[-1].expected:
            steps[-1].more.append(line)
        elif line.sign in ("as", "!", "=") and steps:
            steps[-1].expected.append(line)
        else:
            raise CaseProblem(f"{name}:{line.number}", f"{line.sign!r} is no step here")
    if inside:
        raise CaseProblem(name, "a fork has no end")
    return steps, []


class CaseRun:
    """One run of a case over a world of its own."""

    def __init__(self, case: Case, tell: Callable[[Told], None] | None = None) -> None:
        """Open the world that the case's head describes."""
        self.case = case
        self.world = open_world(case)
        self.catalogue = catalogue()
        self.names: dict[str, str] = {}
        self.documents: dict[str, dict[str, object]] = {}
        self.told: list[Told] = []
        self._tell = tell
        self._rows = Rows(())
        self._result: Result | None = None

    def run(self) -> list[Told]:
        """Run every step; CaseProblem names the first line that does not come out."""
        self._run(self.case.steps, 0)
        return self.told

    def _run(self, steps: Iterable[Step], depth: int) -> None:
        """Run steps one after another."""
        for step in steps:
            try:
                if step.line.sign == "fork":
                    self._fork(step, depth)
                else:
                    self._one(step, depth)
            except (WorldProblem, WordingProblem, ValueProblem, TallystickError) as problem:
                if isinstance(problem, CaseProblem):
                    raise
                raise self._problem(step.line, str(problem)) from problem

    def _fork(self, step: Step, depth: int) -> None:
        """Run the steps inside on a copy, then forget it."""
        kept = (self.world, dict(self.names), dict(self.documents))
        self.world = self.world.copy()
        self._note(step.line, depth, None, " ".join(("fork", *step.line.words)))
        self._run(step.inside, depth + 1)
        self.world, self.names, self.documents = kept

    def _one(self, step: Step, depth: int) -> None:
        """Run one step and look at what came of it."""
        line = step.line
        if line.sign == "@":
            self._time(line)
            self._note(line, depth, None, line.text)
        elif line.sign in ("invoice", "credit-note"):
            self._document(line)
        else:
            self._command(step, depth)
        for expected in step.expected:
            self._expect(step, expected)

    # --- steps

    def _time(self, line: Line) -> None:
        """Let time pass."""
        text = " ".join(line.words)
        later = _LATER.fullmatch(text)
        if later:
            minutes = {"d": 1440, "h": 60, "m": 1}[later[2]] * int(later[1])
            self.world.passes(minutes=minutes)
            return
        at_ms = self._wording().instant(text)
        self.world.passes_until(at_ms)

    def _document(self, line: Line) -> None:
        """Have an invoice at hand."""
        try:
            name, seller, _, buyer, number, day, amount, currency = line.words
        except ValueError:
            raise self._problem(
                line, "write: NAME SELLER -> BUYER NUMBER DATE AMOUNT CURRENCY"
            ) from None
        kind = "invoice" if line.sign == "invoice" else "credit_note"
        self.documents[name] = document_facts(
            {
                "kind": kind,
                "seller_number": seller,
                "buyer_number": buyer,
                "invoice_number": number,
                "issue_date": day,
                "currency": currency,
                "payable_minor": str(parse_decimal(amount, currency)),
            }
        )

    def _command(self, step: Step, depth: int) -> None:
        """A transaction or a read."""
        who, app, name, words = self._parse(step.line)
        if (app, name) == ("invoices", "import"):
            self._import(step.line, depth, words)
            return
        query = self.catalogue.query(app, name)
        if query is not None and not step.more and self.catalogue.message(app, name) is None:
            self._read(query, who, words, step)
            self._note(step.line, depth, None, f"{len(self._rows.rows)} rows")
            return
        calls = [self._call(line) for line in (step.line, *step.more)]
        result = self.world.send(*calls)
        self._result, self._rows = result, Rows(())
        told = self._sentence(result.receipt)
        self._note(step.line, depth, result.receipt, told)
        refusals = [line for line in step.expected if line.sign == "!"]
        if not refusals and result.receipt.outcome is not Outcome.ACCEPTED:
            raise self._problem(step.line, f"expected to be accepted, got: {told}")

    def _parse(self, line: Line) -> tuple[str, str, str, list[str]]:
        """`tally --as WHO APP NAME words…` → its parts."""
        words = list(line.words)
        if not words or words.pop(0) != "tally":
            raise self._problem(line, "a command begins with `tally`")
        who = ""
        if len(words) > 1 and words[0] == "--as":
            who = words[1]
            del words[:2]
        if len(words) < 2:
            raise self._problem(line, "name an application and a message or query")
        return who, words[0], words[1], words[2:]

    def _call(self, line: Line) -> tuple[str, Any]:
        """Who asks what."""
        who, app, name, words = self._parse(line)
        info = self.catalogue.message(app, name)
        if info is None:
            raise self._problem(line, f"{app} has no message or query {name}")
        return who, self._wording().message(info, words)

    def _read(self, query: Any, who: str, words: list[str], step: Step) -> None:
        """Ask a query, as a member or as the node itself."""
        arguments = self._wording().query(query, words)
        view = self.world.view(who.partition(".")[0] or None)
        try:
            found = query.call(view, **arguments)
            self._rows = Rows(tuple(found) if query.many else (found,))
        except Refused as no:
            receipt = refused_read(no)
            self._result, self._rows = Result(receipt, None), Rows(())
            if not any(line.sign == "!" for line in step.expected):
                raise self._problem(step.line, self._sentence(receipt)) from None

    def _import(self, line: Line, depth: int, words: Sequence[str]) -> None:
        """Decide a folder of invoices; nothing is sent."""
        found = read_import(self.case.name, words)
        self._result, self._rows = None, Rows(found.rows)
        self._note(line, depth, None, found.sentence)

    # --- expectations

    def _expect(self, step: Step, line: Line) -> None:
        """Compare with what came."""
        if line.sign == "as":
            self._bind(line)
        elif line.sign == "!":
            self._expect_refusal(line)
        else:
            if len(line.words) < 2:
                raise self._problem(line, "write: = FIELD VALUE")
            path, value = line.words[0], " ".join(line.words[1:])
            wrong = expect(self._wording(), self._rows, self._bound, path, value)
            if wrong:
                raise self._problem(line, wrong)

    def _bind(self, line: Line) -> None:
        """Give names to the ids made."""
        ids = self._result.ids if self._result else ()
        if len(line.words) > len(ids):
            raise self._problem(line, f"{len(ids)} ids were made: {' '.join(ids)}")
        for name, made in zip(line.words, ids, strict=False):
            if name != "_":
                self.names[name] = made

    def _expect_refusal(self, line: Line) -> None:
        """The last transaction must have been refused so."""
        receipt = self._result.receipt if self._result else None
        told = "nothing was sent" if receipt is None else self._sentence(receipt)
        app, number, name, *text = (*line.words, "", "", "")
        said = " ".join(text).strip()
        if receipt is None or not told.startswith(f"{app} {number} {name}:") or said not in told:
            raise self._problem(line, f"expected {' '.join(line.words)}, got: {told}")

    def _bound(self, name: str) -> Record | None:
        """The record whose id is bound to a name."""
        made = self.names.get(name)
        return None if made is None else find_by_id(self.world, made)

    # --- words

    def _wording(self) -> Wording:
        """The grammar, with the names bound so far and the documents at hand."""
        return Wording(names=self.names, lookup=self._lookup, disclosed=self._disclosed)

    def _lookup(self, record: str, key: str) -> Record | None:
        """A record by class name and id."""
        for kept in self.world.ledger.rules.record_types:
            if kept.__name__ == record and len(kept.spec.key) == 1:
                return self.world.view().peek(kept, key)
        return None

    def _disclosed(self, name: str) -> Mapping[str, object]:
        """Facts of a document at hand."""
        if name not in self.documents:
            raise WordingProblem(f"no invoice {name} is at hand")
        return self.documents[name]

    def _sentence(self, receipt: Receipt) -> str:
        """A receipt in words."""
        if receipt.outcome is Outcome.ACCEPTED:
            return "accepted"
        values = {value.name: value.value for value in receipt.values}
        return self.catalogue.sentence(str(receipt.app), receipt.code, values)

    def _note(self, line: Line, depth: int, receipt: Receipt | None, sentence: str) -> None:
        """Remember and tell what happened."""
        told = Told(line, depth, receipt, sentence)
        self.told.append(told)
        if self._tell is not None:
            self._tell(told)

    def _problem(self, line: Line, reason: str) -> CaseProblem:
        """A problem at a line."""
        return CaseProblem(f"{self.case.name}:{line.number}", f"{line.text}\n    {reason}")


def document_facts(values: Mapping[str, str]) -> dict[str, object]:
    """What a disclosure tells messages: root, fingerprints, particulars, currency, payable amount.

    Salts are derived from the fields, so that a case always gives the same root.
    """
    names = sorted(values)
    seed = repr([(name, values[name]) for name in names]).encode()
    salts = [hashlib.sha256(seed + name.encode()).digest()[:16] for name in names]
    made = fingerprint(values["seller_number"], values["invoice_number"])
    return {
        "kind": values["kind"],
        "root": disclose(values, salts).root,
        "scheme": made.scheme,
        "strict": made.strict,
        "relaxed": made.relaxed,
        "particulars": particulars_hash(
            buyer_number=values["buyer_number"], date=values["issue_date"]
        ),
        "currency": values["currency"],
        "payable_minor": int(values["payable_minor"]),
    }


def refused_read(no: Refused) -> Receipt:
    """A read's refusal in the form of a receipt."""
    from tallystick.ledger.receipt import refused_receipt

    return refused_receipt(Outcome.REFUSED, no, transaction_id=None, timer_id=None)


def find_by_id(world: World, made: str) -> Record | None:
    """The record with an id, whatever its kind."""
    view = world.view()
    for kept in world.ledger.rules.record_types:
        if len(kept.spec.key) == 1:
            found = view.peek(kept, made)
            if found is not None:
                return found
    return None


def open_world(case: Case) -> World:
    """The world that a case's head describes."""
    members = dict(CAST)
    parameters: dict[str, int] = {}
    opens = OPENS
    for line in case.head:
        place = f"{case.name}:{line.number}"
        if line.sign == "opens" and len(line.words) == 2:
            hour, _, minute = line.words[1].partition(":")
            opens = (line.words[0], int(hour) * 60 + int(minute))
        elif line.sign == "member" and 2 <= len(line.words) <= 3:
            name, kind, *size = line.words
            members[name] = (kind, size[0] if size else "large")
        elif line.sign == "parameter" and len(line.words) == 2:
            parameters[line.words[0]] = int(line.words[1])
        else:
            raise CaseProblem(place, f"cannot be understood: {line.text}")
    try:
        return cast_world(members=members, opens=opens, parameters=parameters)
    except (ValueError, Refused) as problem:
        raise CaseProblem(case.name, f"the head: {problem}") from None


@cache
def catalogue() -> Catalogue:
    """The catalogue of all applications, read once."""
    return Catalogue(APPS)


def find_cases(paths: Sequence[Path]) -> list[Path]:
    """Case files among the paths: files as they are, folders searched, in order of name."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.rglob("*.case")) if path.is_dir() else [path]
    return found


def run_file(path: Path, tell: Callable[[Told], None] | None = None) -> list[Told]:
    """Read and run a case file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise CaseProblem(str(path), f"cannot be read: {problem}") from None
    return CaseRun(read_case(str(path), text), tell).run()
