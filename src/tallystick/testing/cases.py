"""Runs case files: the only scenario format. docs/reference/cases.md is the grammar."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tallystick.apps import APPS
from tallystick.apps.founding import KINDS, SIZES
from tallystick.catalogue import Catalogue
from tallystick.errors import TallystickError
from tallystick.formats.commitment import disclose
from tallystick.formats.fingerprint import fingerprint, particulars_hash
from tallystick.ledger.app import Record
from tallystick.ledger.receipt import Outcome, Receipt, refused_receipt
from tallystick.ledger.refusal import Fault, Refused
from tallystick.testing.answers import Rows, expect
from tallystick.testing.case_file import (
    Case,
    CaseProblem,
    Line,
    Step,
    place_of,
    read_case,
    read_file,
    shown,
)
from tallystick.testing.cast import CAST, cast_world
from tallystick.testing.imports import read_import
from tallystick.testing.world import OPENS, Result, World, WorldProblem
from tallystick.values.errors import ValueProblem
from tallystick.values.money import parse_decimal
from tallystick.values.time import is_day
from tallystick.wording import Wording, WordingProblem, values_in_words

__all__ = [
    "Case",
    "CaseProblem",
    "CaseRun",
    "Line",
    "Step",
    "Told",
    "catalogue",
    "find_cases",
    "read_case",
    "run_file",
]

_LATER = re.compile(r"\+([0-9]{1,7})([dhm])")
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_NUMBER = re.compile(r"-?[0-9]{1,18}")


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
            except CaseProblem:
                raise
            except (WorldProblem, WordingProblem, ValueProblem, TallystickError) as problem:
                raise self._problem(step.line, str(problem)) from problem
            except Fault as bug:
                raise self._problem(step.line, f"a bug of ours: {bug}") from bug

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
        self._result = None
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
        if len(line.words) != 8 or line.words[2] != "->":
            raise self._problem(line, "write: NAME SELLER -> BUYER NUMBER DATE AMOUNT CURRENCY")
        name, seller, _, buyer, number, day, amount, currency = line.words
        if not is_day(day):
            raise self._problem(line, f"{day!r} is no day")
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
        try:
            result = self.world.send(*calls)
        except Refused as no:  # at the door: too large, or not what a party may be called
            result = Result(refused_read(no), None)
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
            if self.catalogue.query(app, name) is not None:
                raise self._problem(line, f"{name} is a query; a transaction has messages only")
            raise self._problem(line, f"{app} has no message or query {name}")
        if not all(who.partition(".")[::2]):
            raise self._problem(line, "say who signs: --as MEMBER.OFFICER+OFFICER")
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
            raise self._problem(line, f"{len(ids)} ids were made: {shown(' '.join(ids))}")
        if not line.words or not all(_NAME.fullmatch(name) for name in line.words):
            raise self._problem(line, "a name is a letter, then letters, digits, - and _")
        for name, made in zip(line.words, ids, strict=False):
            if name != "_":
                self.names[name] = made

    def _expect_refusal(self, line: Line) -> None:
        """The last transaction must have been refused so."""
        if len(line.words) < 3:
            raise self._problem(line, "write: ! APP NUMBER NAME [TEXT]")
        receipt = self._result.receipt if self._result else None
        told = "nothing was sent" if receipt is None else self._sentence(receipt)
        app, number, name, *text = line.words
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
        values = values_in_words({value.name: value.value for value in receipt.values})
        return self.catalogue.sentence(str(receipt.app), receipt.code, values)

    def _note(self, line: Line, depth: int, receipt: Receipt | None, sentence: str) -> None:
        """Remember and tell what happened."""
        told = Told(line, depth, receipt, sentence)
        self.told.append(told)
        if self._tell is not None:
            self._tell(told)

    def _problem(self, line: Line, reason: str) -> CaseProblem:
        """A problem at a line."""
        return CaseProblem(place_of(self.case.name, line), f"{shown(line.text)}\n    {reason}")


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
    """A refusal of the door or of a read, in the form of a receipt."""
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
    """The world that a case's head describes. A bug in a rule leaves a FAULT, as on a node."""
    members = dict(CAST)
    parameters: dict[str, int] = {}
    validators: dict[str, int] = {}
    opens = OPENS
    for line in case.head:
        try:
            if line.sign == "opens":
                opens = _opening(line.words)
            elif line.sign == "member":
                name, told = _member(line.words)
                members[name] = told
            elif line.sign == "parameter":
                parameters.update([_number(line, "NAME VALUE")])
            else:
                validators.update([_number(line, "MEMBER POWER")])
        except ValueError as problem:
            reason = f"{shown(line.text)}\n    {problem}"
            raise CaseProblem(place_of(case.name, line), reason) from None
    try:
        return cast_world(
            members=members,
            opens=opens,
            parameters=parameters,
            validators=validators,
            strict=False,
        )
    except (ValueError, Refused) as problem:
        first = place_of(case.name, case.head[0]) if case.head else case.name
        raise CaseProblem(first, f"the world cannot be opened so: {problem}") from None


def _opening(words: Sequence[str]) -> tuple[str, int]:
    """`2026-07-03 09:00` → day and minute."""
    time = _TIME_OF_DAY.fullmatch(words[1]) if len(words) == 2 else None
    if time is None or not is_day(words[0]):
        raise ValueError("write: opens 2026-07-03 09:00")
    return words[0], int(time[1]) * 60 + int(time[2])


def _member(words: Sequence[str]) -> tuple[str, tuple[str, str]]:
    """`T9 supplier small` → name, kind and size."""
    if not 2 <= len(words) <= 3:
        raise ValueError("write: member NAME KIND [SIZE]")
    name, kind, *rest = words
    size = rest[0] if rest else "large"
    for given, known in ((kind, KINDS), (size, SIZES)):
        if given not in known:
            raise ValueError(f"{given!r} is none of {', '.join(known)}")
    return name, (kind, size)


def _number(line: Line, form: str) -> tuple[str, int]:
    """`receivables.hops_max 3` → name and value."""
    words = line.words
    if len(words) != 2 or not _NUMBER.fullmatch(words[1]):
        raise ValueError(f"write: {line.sign} {form}, a whole number")
    return words[0], int(words[1])


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
    return CaseRun(read_file(path), tell).run()
