"""The mutator on a toy tree: one rule is tested, one is not, one cannot be reached and says so."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.mutants import find_mutants
from tools.mutate import main

CONTRACT = '''
def require(condition, code, **values):
    if not condition:
        raise ValueError(code)


def need(value, code):
    require(value is not None, code)
    return value


class Refusal:
    NOT_HOLDER = "not the holder"
    NOT_FREE = "not free"
    NO_NAME = "no name"
    NEVER = "never"


def assign(holder, asker, status):
    """Pass it on: «ｉｎｖ» stands here to make bytes and letters differ."""
    require(holder == asker, Refusal.NOT_HOLDER, text="Ｈ"); require(
        status
        == "free",
        Refusal.NOT_FREE,
    )
    require(status is not Ellipsis, Refusal.NEVER)
    return need(asker, Refusal.NO_NAME).upper()
'''

TESTS = """
import pytest
from tallystick.apps.toy.contract import assign, need

def test_assign():
    assert assign("a", "a", "free") == "A"
    with pytest.raises(ValueError, match="not the holder"):
        assign("a", "b", "free")

def test_no_name():
    with pytest.raises(ValueError, match="no name"):
        assign(None, None, "free")
"""

LISTED = """
[[mutant]]
at = "contract.py need code"
reason = "helper of the toy"

[[mutant]]
at = "contract.py assign NEVER"
reason = "no status is Ellipsis"
"""

TOY = Path("src/tallystick/apps/toy")


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A tree with one application."""
    files = {
        "pyproject.toml": (
            "[tool.pytest.ini_options]\nmarkers = ['stateful: long']\n"
            "consider_namespace_packages = true\naddopts = ['--import-mode=importlib']\n"
        ),
        "src/tallystick/__init__.py": "",
        "src/tallystick/apps/__init__.py": "",
        f"{TOY}/__init__.py": "",
        f"{TOY}/contract.py": CONTRACT,
        f"{TOY}/tests/test_assign.py": TESTS,
        f"{TOY}/tests/unreachable.toml": LISTED,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_each_rule_is_taken_away_alone(toy: Path) -> None:
    mutants = {each.name: each.text for each in find_mutants(toy, TOY / "contract.py")}
    assert list(mutants) == [
        "contract.py need code",
        "contract.py assign NOT_HOLDER",
        "contract.py assign NOT_FREE",
        "contract.py assign NEVER",
        "contract.py assign NO_NAME",
    ]
    changed = mutants["contract.py assign NOT_FREE"]
    assert changed == CONTRACT.replace('status\n        == "free"', "True")
    changed = mutants["contract.py assign NO_NAME"]
    assert changed == CONTRACT.replace("need(asker, Refusal.NO_NAME)", "(asker)")


def test_survivor_is_reported(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(toy), "--jobs", "1"]) == 1
    said = capsys.readouterr().out
    assert "5 rules taken away one at a time: a test noticed 3" in said
    assert f"survived: {TOY}/contract.py:21 assign NOT_FREE" in said
    # The helper was listed as unreachable, but a test does reach it.
    assert "but a test reaches it" in said
    assert "survived: " + f"{TOY}/contract.py:26 assign NEVER" not in said
    assert (toy / TOY / "contract.py").read_text(encoding="utf-8") == CONTRACT


def test_list_without_a_rule_is_stale(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (toy / TOY / "tests/unreachable.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[mutant]]\nat = "contract.py gone AWAY"\nreason = "was removed"\n')
    assert main(["--root", str(toy), "--jobs", "1", "nowhere"]) == 1
    assert "there is no such rule: toy: contract.py gone AWAY" in capsys.readouterr().out


def test_only_changed_lines(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(toy)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "toy"]):
        subprocess.run([*git, *words], check=True)
    file = toy / TOY / "contract.py"
    file.write_text(CONTRACT.replace("is not Ellipsis", "is not NotImplemented"), encoding="utf-8")
    assert main(["--root", str(toy), "--changed", "HEAD", "--list"]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_failing_tests_prove_nothing(toy: Path) -> None:
    with (toy / TOY / "tests/test_assign.py").open("a", encoding="utf-8") as file:
        file.write("\ndef test_red():\n    assert False\n")
    with pytest.raises(SystemExit, match="fail without any mutant"):
        main(["--root", str(toy), "--jobs", "1"])


def test_tests_that_cannot_be_collected_are_no_verdict(toy: Path) -> None:
    """A tree that changed meanwhile, or a rule asked at import: the mutator stops and says so."""
    with (toy / TOY / "tests/test_assign.py").open("a", encoding="utf-8") as file:
        file.write(
            "\nif assign('a', 'a', 'free') != 'A' or need(0, 'x') != 0:\n    raise OSError\n"
        )
        file.write("\ntry:\n    assign('a', 'b', 'free')\nexcept ValueError:\n    pass\n")
        file.write("else:\n    raise OSError\n")
    with pytest.raises(SystemExit, match="its tests cannot be run"):
        main(["--root", str(toy), "--jobs", "1"])
