"""Every pair of the catalogue is raised by a test, or cannot occur and says why."""

from __future__ import annotations

from pathlib import Path

from tools.pairs import listed_pairs, problems, raised_pairs

ASSIGN = "toy.Assign"


def test_what_is_raised_is_read_from_all_processes(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("toy.assign.1 refused: toy NOT_HOLDER\n", encoding="utf-8")
    (tmp_path / "2.txt").write_text(
        "toy.assign.1 refused: members SUSPENDED\nother.x.1 refused: other NO\n", encoding="utf-8"
    )
    raised = raised_pairs(tmp_path, {"toy.assign.1": ASSIGN})
    assert raised == {(ASSIGN, "toy.NOT_HOLDER"), (ASSIGN, "members.SUSPENDED")}


def test_what_cannot_occur_is_listed(tmp_path: Path) -> None:
    (tmp_path / "toy" / "tests").mkdir(parents=True)
    (tmp_path / "toy" / "tests" / "unreachable.toml").write_text(
        '[[pair]]\nmessage = "Assign"\nrefusal = "toy.NEVER"\nreason = "a duty"\n',
        encoding="utf-8",
    )
    assert listed_pairs(tmp_path) == {(ASSIGN, "toy.NEVER"): "a duty"}


def test_several_messages_are_listed_at_once(tmp_path: Path) -> None:
    (tmp_path / "toy" / "tests").mkdir(parents=True)
    (tmp_path / "toy" / "tests" / "unreachable.toml").write_text(
        '[[pair]]\nmessages = ["Assign", "Split"]\nrefusal = "toy.NEVER"\nreason = "a duty"\n',
        encoding="utf-8",
    )
    assert listed_pairs(tmp_path) == {
        (ASSIGN, "toy.NEVER"): "a duty",
        ("toy.Split", "toy.NEVER"): "a duty",
    }


def test_each_kind_of_problem_is_told() -> None:
    wanted = {(ASSIGN, "toy.A"), (ASSIGN, "toy.B"), (ASSIGN, "toy.C"), (ASSIGN, "toy.D")}
    raised = {(ASSIGN, "toy.A"), (ASSIGN, "toy.C"), (ASSIGN, "ledger.TOO_MUCH_WORK")}
    raised |= {(ASSIGN, "toy.UNTOLD")}
    listed = {(ASSIGN, "toy.C"): "never", (ASSIGN, "toy.D"): " ", (ASSIGN, "toy.GONE"): "was"}
    assert list(problems(wanted, raised, listed)) == [
        "no test raises: toy.Assign toy.B",
        "listed as unreachable, but raised: toy.Assign toy.C",
        "listed as unreachable, but not in the catalogue: toy.Assign toy.GONE",
        "listed without a reason: toy.Assign toy.D",
        "raised, but the catalogue does not say that it may be: toy.Assign toy.UNTOLD",
    ]


def test_nothing_to_tell() -> None:
    assert list(problems({(ASSIGN, "toy.A")}, {(ASSIGN, "toy.A")}, {})) == []
