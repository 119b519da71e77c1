"""What people mistype: one line, an exit code, nothing changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.cli.exits import exit_codes
from tests.cli.conftest import Tally

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "exit-codes.md"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    (
        ("receivables split", 2, "--piece is missing"),
        ("receivables split --piece piece-0123456789abcdef", 2, "--parts is missing"),
        ("receivables split --piece p --parts 1.00", 2, "--piece: 'p' is not the id of a record"),
        ("receivables split stray --piece p", 2, "unexpected extra argument"),
        ("receivables split --pieces p", 2, "no option --pieces; there are: --piece, --parts"),
        ("cash mint --to D1 --money CNY --amount 1.00", 2, "--money: 'CNY' is not"),
        ("cash mint --to D1 --money CNY@CB --amount 1e3", 2, "--amount: not an amount"),
        ("cash mint --to D1 --money CNY@CB --amount -1", 2, "an amount has no sign"),
        ("cash mint --to D1 --money CNY@CB --amount 92233720368547758.08", 2, "too large"),
        ("cash mint --to D1 --money XXX@CB --amount 1", 2, "unknown currency"),
        ("cash mint --to D1 --to D2 --money CNY@CB --amount 1", 2, "--to: takes one value"),
        ("cash mint --to D1 --money CNY@CB --amount 0", 3, "cash 1 ZERO_AMOUNT"),
        ("members set-kind-licence --kind moon --verbs x", 2, "'moon' is none of bank, "),
        ("members admit --newcomer member=x", 2, "--newcomer: "),
        ("members admit --newcomer @nowhere.json", 2, "the file cannot be read"),
        ("--lang fr status", 2, "'fr' is none of en, zh"),
        ("status --unknown", 2, "No such option '--unknown'"),
        ("status --node ftp://x", 2, "'ftp://x' is neither unix:PATH nor https://HOST:PORT"),
        ("status --node unix:/nowhere", 41, "no node answers at unix:/nowhere"),
        (
            "status --node https://127.0.0.1:1 --tls /nowhere",
            41,
            "the certificates in /nowhere cannot be used",
        ),
        ("audit /nowhere", 30, "there is no chain in /nowhere"),
        ("node /nowhere", 30, "there is no chain in /nowhere"),
        ("genesis show /nowhere", 30, "there is no chain in /nowhere"),
    ),
)
def test_one_line_and_an_exit_code(desk: Tally, line: str, code: int, said: str) -> None:
    found = desk.line(f"--as CB.maker+checker {line}", code=code)
    assert said in found.out + found.err
    assert (found.out + found.err).count("\n") == 1


def test_errors_for_programs(tally: Tally) -> None:
    told = tally("status", "--json", "--node", "unix:/nowhere", code=41)
    assert told.out == ""
    assert '"name":"Unreachable"' in told.err
    assert '"exit_code":41' in told.err


def test_every_exit_code_is_told_once() -> None:
    codes = [code for code, _ in exit_codes()]
    assert codes == sorted(set(codes))
    assert {0, 1, 2, 3, 20, 30, 40, 41, 50, 60, 70, 130, 141} <= set(codes)
    page = PAGE.read_text(encoding="utf-8")
    for code, text in exit_codes():
        assert f"| {code} | {text} |" in page


def test_the_passphrase_is_asked_of_nobody(
    desk: Tally, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "cash mint --to D1 --money CNY@CB --amount 1.00 --as CB.maker+checker"
    told = desk("--keys", str(tmp_path), *words.split(), code=50).err
    assert "name a file in TALLY_PASSPHRASE_FILE" in told
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong", encoding="utf-8")
    monkeypatch.setenv("TALLY_PASSPHRASE_FILE", str(wrong))
    assert "the passphrase does not open" in desk.line(words, code=51).err
