"""Running case files: what comes out, and what is said when something does not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tallystick.catalogue import Catalogue, QueryInfo
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.refusal import ensure
from tallystick.testing.cases import CaseProblem, CaseRun, Told, find_cases, read_case, run_file
from tallystick.testing.golden import golden_of

MINT = "$ tally --as CB.maker+checker cash mint --money CNY@CB --to D1 --amount 500.00\n"
HOLD = "$ tally --as D1.maker+checker cash hold --money CNY@CB --amount 200.00\n  as h\n"
BALANCE = "$ tally cash balances --party D1\n"


def run(text: str) -> CaseRun:
    """A case that must come out."""
    made = CaseRun(read_case("a.case", text))
    made.run()
    return made


def problem(text: str) -> CaseProblem:
    """What is wrong with a case."""
    with pytest.raises(CaseProblem) as met:
        run(text)
    assert len(str(met.value)) < 1_500
    return met.value


class OneQuery(Catalogue):
    """The catalogue with one query in the place of all."""

    def __init__(self, known: Catalogue, query: QueryInfo) -> None:
        """Take over what is known."""
        vars(self).update(vars(known))
        self._query = query

    def query(self, app: str, command: str) -> QueryInfo | None:
        """The one query."""
        return self._query if command == self._query.command else None


# --- what comes out


def test_a_small_story() -> None:
    heard: list[Told] = []
    made = CaseRun(
        read_case(
            "a.case",
            MINT
            + HOLD
            + "  = h.remaining 200.00\n"
            + BALANCE
            + "  = rows 1\n  = available 300.00\n  = 1.held 200.00\n  = sum.available 300.00\n"
            + "$ tally --as S1.maker+checker cash release --hold h\n"
            + "  ! cash 11 NOT_YOUR_HOLD\n"
            + "@ +30m\n",
        ),
        heard.append,
    )
    told = made.run()
    assert heard == told
    outcomes = [each.receipt.outcome for each in told if each.receipt is not None]
    assert outcomes == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.REFUSED]
    assert [each.sentence for each in told][2:] == [
        "1 rows",
        told[3].sentence,
        "@ +30m",
    ]


def test_digits_behind_a_name_in_minor_units_are_minor_units() -> None:
    run(MINT + BALANCE + "  = available_minor 50000\n  = sum.available_minor 50000\n")
    run(MINT + BALANCE + "  = available_minor 500.00\n  = available 500\n")


def test_several_calls_in_one_transaction() -> None:
    pay = "& tally --as D1.maker+checker cash transfer --money CNY@CB --to S1 --amount 500.00\n"
    made = run(MINT + pay + BALANCE + "  = available 0.00\n")
    assert made.world.chain.state.tip.height == 1


def test_forks_leave_nothing_behind() -> None:
    made = run(
        MINT
        + "fork held\n"
        + HOLD
        + "fork let go\n$ tally --as D1.maker+checker cash release --hold h\n"
        + BALANCE
        + "  = available 500.00\nend\n"
        + BALANCE
        + "  = available 300.00\nend\n"
        + BALANCE
        + "  = available 500.00\n"
    )
    assert [each.depth for each in made.told] == [0, 0, 1, 1, 2, 2, 1, 0]
    assert made.names == {}
    assert (
        "h" in problem(MINT + "fork a\n" + HOLD + "end\n" + BALANCE + "  = h.remaining 1\n").reason
    )


def test_the_world_of_the_head() -> None:
    made = run("opens 2026-07-06 10:30\nmember T9 supplier small\nmember B9 bank\n")
    assert made.world.ledger_ms == 1_783_305_000_000
    run("parameter receivables.hops_max 3\n")
    run("validator bank-a 10\nvalidator SUP 5\n$ tally governance validators\n  = sum.power 15\n")
    with pytest.raises(CaseProblem):
        run("member T9 bank\n@ 2026-07-02\n")


def test_who_reads_sees_only_its_own() -> None:
    for reader, rows in (("D1.maker", 1), ("D1", 1), ("SUP", 1), ("S1", 0), ("nobody", 0)):
        run(f"{MINT}{BALANCE.replace('tally', f'tally --as {reader}')}  = rows {rows}\n")


def test_a_bug_in_a_rule_is_a_refusal_as_on_a_node() -> None:
    assert not run(MINT).world.ledger.strict


def test_a_bug_in_a_read_names_its_line() -> None:
    made = CaseRun(read_case("a.case", MINT + BALANCE))
    info = made.catalogue.query("cash", "balances")
    assert info is not None

    def broken(*_: object, **__: object) -> None:
        ensure(False, "the deal has no offer")

    query = dataclasses.replace(info, call=broken)
    made.catalogue = OneQuery(made.catalogue, query)
    with pytest.raises(CaseProblem, match="a bug of ours: the deal has no offer") as met:
        made.run()
    assert met.value.place == "a.case:2"


# --- golden text


def test_golden_text_is_the_same_each_time() -> None:
    pay = "$ tally --as S1.maker+checker cash transfer --money CNY@CB --to D1 --amount 1.00\n"
    text = MINT + "fork a\n" + HOLD + "end\n@ +1d\n" + BALANCE + pay + "  ! cash 6 INSUFFICIENT\n"
    first, second = golden_of(run(text)), golden_of(run(text))
    assert first == second
    mint, hold, refused, state = first.splitlines()
    assert mint.startswith("accepted cash mint changes=")
    assert hold.startswith("  accepted cash hold ids=hold-")
    assert refused.startswith("refused cash transfer cash 6 ")
    assert state.startswith("state ")


# --- what does not


@pytest.mark.parametrize(
    ("text", "line", "told"),
    (
        ("opens 2026-07-03", 1, "write: opens"),
        ("opens 2026-02-30 09:00", 1, "write: opens"),
        ("opens 2026-07-03 25:00", 1, "write: opens"),
        ("opens 0001-01-01 00:00", 1, "cannot be opened so: before 1970"),
        ("member T9", 1, "write: member"),
        ("member T9 pirate", 1, "'pirate' is none of bank"),
        ("member T9 supplier tiny", 1, "'tiny' is none of small"),
        ("member 'T 9' supplier", 1, "cannot be opened so"),
        ("parameter x", 1, "write: parameter"),
        ("parameter x y", 1, "a whole number"),
        ("parameter x " + "9" * 5_000, 1, "a whole number"),
        ("parameter 'X Y' 5", 1, "cannot be opened so"),
        ("validator bank-a", 1, "write: validator MEMBER POWER"),
        ("validator nobody 10", 1, "cannot be opened so"),
        ("validator bank-a 0", 1, "cannot be opened so"),
        ("$ tally", 1, "name an application"),
        ("$ other", 1, "begins with `tally`"),
        ("$ tally --as CB.maker cash", 1, "name an application"),
        ("$ tally --as CB.maker cash fly", 1, "cash has no message or query fly"),
        ("$ tally --as CB.maker nosuch fly", 1, "nosuch has no message"),
        ("$ tally cash mint", 1, "say who signs"),
        ("$ tally --as CB cash mint", 1, "say who signs"),
        ("$ tally --as .maker cash mint", 1, "say who signs"),
        (BALANCE + "& tally cash mint", 1, "a transaction has messages only"),
        (MINT.replace("500.00", "x"), 1, "--amount"),
        (MINT.replace("500.00", "1e3"), 1, "--amount"),
        (MINT.replace("500.00", "0.001"), 1, "--amount"),
        (MINT.replace("500.00", "9" * 30), 1, "--amount"),
        (MINT.replace("--amount 500.00", ""), 1, "--amount is missing"),
        (MINT.replace("--amount", "--amont"), 1, "no option --amont"),
        (MINT.replace("--money CNY@CB", "stray --money CNY@CB"), 1, "stray"),
        (MINT.replace("--to D1", "--to nobody"), 1, "NOT_A_MEMBER"),
        (MINT.replace("CB.maker", "CB.nosuch"), 1, "UNKNOWN_KEY"),
        (MINT.replace("--as CB.maker", "--as 'C B.maker'"), 1, "MALFORMED"),
        ("$ tally --as CB.maker+checker cash release --hold nosuch", 1, "--hold"),
        ("@ yesterday", 1, "is no time"),
        ("@", 1, "is no time"),
        ("@ 2020-01-01", 1, "time goes forward only"),
        ("@ +9999999d\n" * 20, 11, "time does not go on"),
        (MINT + "  as a b c", 2, "0 ids were made"),
        (MINT + "  as", 2, "a name is a letter"),
        (MINT + HOLD + "  as 1", 4, "a name is a letter"),
        (MINT + HOLD + "@ +1d\n  as x", 5, "0 ids were made"),
        (MINT + "  = available 1", 2, "the read answered nothing"),
        ("= a b", 1, "none before it"),
        (MINT + "  ! cash 1 X", 2, "got: accepted"),
        (MINT + "  !", 2, "write: ! APP NUMBER NAME"),
        ("@ +1d\n  ! cash 1 X", 2, "nothing was sent"),
        (MINT + BALANCE + "  =", 3, "write: = FIELD VALUE"),
        (MINT + BALANCE + "  = rows 7", 3, "expected 7, it is 1"),
        (MINT + BALANCE + "  = available 7.00", 3, "expected 7.00, it is 500.00"),
        (MINT + BALANCE + "  = nosuch 7", 3, "has no field nosuch"),
        (MINT + BALANCE + "  = available.more 7", 3, "there is no more"),
        (MINT + BALANCE + "  = 9.available 7", 3, "there are 1 rows"),
        (MINT + BALANCE + "  = sum.party 7", 3, "cannot be added up"),
        (BALANCE + "  = sum.available 0.00", 2, "nothing to add up"),
        (MINT + BALANCE + "  = available_minor 500", 3, "expected 500, it is 50000"),
        (MINT + BALANCE + "  = sum. 7", 3, "no field"),
        (MINT + BALANCE + "  = h.available 7", 3, "no field h"),
        ("invoice a b", 1, "write: NAME SELLER"),
        ("invoice a S1 => D1 N 2026-01-01 1.00 CNY", 1, "write: NAME SELLER"),
        ("invoice a S1 -> D1 N 2026-13-01 1.00 CNY", 1, "is no day"),
        ("invoice a S1 -> D1 N 2026-01-01 1.000 CNY", 1, "too many decimals"),
        ("invoice a S1 -> D1 N 2026-01-01 1.00 ZZZ", 1, "unknown currency"),
        ("invoice a S1 -> D1 --- 2026-01-01 1.00 CNY", 1, "invoice number"),
        ("$ tally --as S1.maker documents commit --disclosure x", 1, "no invoice x"),
        ("$ tally invoices import /nosuch/folder", 1, "no folder"),
        ("fork a\n@ yesterday\nend", 2, "is no time"),
    ),
)
def test_the_line_that_does_not_come_out_is_named(text: str, line: int, told: str) -> None:
    met = problem(text)
    assert met.place == f"a.case:{line}"
    assert told in met.reason


def test_too_large_a_transaction_is_refused_at_the_door() -> None:
    text = "$ tally --as S1.maker documents commit --kind invoice --root " + "00" * 60_000
    assert "a.case:1" in problem(text).place


def test_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.case", "a.case", "in/c.case", "d.txt"):
        (tmp_path / name).write_text("@ +1d\n", encoding="utf-8")
    found = find_cases([tmp_path, tmp_path / "d.txt", tmp_path / "nosuch"])
    assert [path.name for path in found] == ["a.case", "b.case", "c.case", "d.txt", "nosuch"]
    assert [told.sentence for told in run_file(found[0])] == ["@ +1d"]
    with pytest.raises(CaseProblem, match="cannot be read"):
        run_file(found[-1])
