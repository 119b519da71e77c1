"""Case files that cannot be read: the line is named, whatever a stranger has written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.testing.case_file import BYTES_MAX, DEPTH_MAX, CaseProblem, read_case, read_file

MINT = "$ tally --as CB.maker+checker cash mint --money CNY@CB --to D1 --amount 5"


def test_lines_steps_and_forks() -> None:
    case = read_case(
        "a.case",
        """# What it is about.
        opens 2026-07-03 09:00
        member T9 supplier small

        invoice inv S1 -> D1 'INV 001' 2026-06-30 1,000.00 CNY
        $ tally --as CB.maker cash mint \\
            --amount 5
        & tally --as D1.maker cash transfer
          as a b
          ! cash 1 X
        fork what if it's late
          @ +1d
          fork again
            @ +2d
          end
        end
        """,
    )
    assert [line.sign for line in case.head] == ["opens", "member"]
    invoice, mint, fork = case.steps
    assert invoice.line.words[4] == "INV 001"
    assert (mint.line.number, mint.line.words[-2:]) == (6, ("--amount", "5"))
    assert [line.sign for line in mint.more + mint.expected] == ["&", "as", "!"]
    assert fork.line.words == ("what", "if", "it's", "late")
    assert fork.inside[1].inside[0].line.words == ("+2d",)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    (
        ("\n\nwhat is this", 3, "no line begins with 'what'"),
        ("\x00", 1, "no line begins with"),
        ("opens x y\n@ +1d\nopens x y", 3, "belongs before the first step"),
        ("end", 1, "end without a fork"),
        (f"{MINT}\nend", 2, "end without a fork"),
        (f"fork a\n{MINT}", 1, "the fork has no end"),
        ("fork a\nfork b\nend", 1, "the fork has no end"),
        ("fork x\n" * (DEPTH_MAX + 1), DEPTH_MAX + 1, "forks stand in each other"),
        ("  as x", 1, "there is none before it"),
        ("! ledger 1 FAULT", 1, "there is none before it"),
        ("fork a\nend\n= rows 1", 3, "there is none before it"),
        ("& tally cash mint", 1, "there is none before it"),
        ("@ +1d\n& tally cash mint", 2, "there is none before it"),
        (f"{MINT}\n  as a\n& tally cash mint", 3, "& belongs directly after"),
        (f"@ +1d\n{MINT} --purpose 'open", 2, "a quote is not closed"),
        (f"{MINT}\n\n{MINT} \\", 3, "ends in a backslash"),
        ("\\", 1, "ends in a backslash"),
        ("x" * 10_000, 1, "xxx …"),
    ),
)
def test_what_cannot_be_read(text: str, line: int, told: str) -> None:
    with pytest.raises(CaseProblem) as problem:
        read_case("a.case", text)
    assert problem.value.place == f"a.case:{line}"
    assert told in problem.value.reason
    assert len(str(problem.value)) < 400


def test_an_empty_case_has_no_steps() -> None:
    assert read_case("a.case", "\n# nothing\n").steps == ()


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "a.case"
    with pytest.raises(CaseProblem, match="No such file"):
        read_file(path)
    with pytest.raises(CaseProblem, match="cannot be read"):
        read_file(tmp_path)
    path.write_bytes("\ufeff@ +1d\r\n".encode())  # as editors on Windows write
    assert read_file(path).steps[0].line.words == ("+1d",)
    path.write_bytes(b"\xff\xfe@")
    with pytest.raises(CaseProblem, match="not UTF-8"):
        read_file(path)
    path.write_bytes(b"#" * (BYTES_MAX + 1))
    with pytest.raises(CaseProblem, match="larger than"):
        read_file(path)
