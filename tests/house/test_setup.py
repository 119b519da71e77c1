"""A fresh clone builds the same environment everywhere: the lock is whole, hashed and current."""

from __future__ import annotations

import re
import tomllib
from itertools import chain

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.house.tree import ROOT, text

PROJECT = tomllib.loads(text(ROOT / "pyproject.toml"))
LOCK = text(ROOT / "requirements.lock")
PINNED = re.compile(
    r"^([a-z0-9-]+)==(\S+)((?: ; .*)?) \\\n((?:    --hash=\S+(?: \\)?\n)+)", re.MULTILINE
)


def locked() -> dict[str, str]:
    """Version of each package in the lock."""
    return {match[1]: match[2] for match in PINNED.finditer(LOCK)}


def test_lock_holds_what_the_project_asks_for() -> None:
    """Every requirement is in the lock, at a release that it allows; `make lock` writes it anew."""
    asked = chain(
        PROJECT["project"]["dependencies"],
        *PROJECT["project"].get("optional-dependencies", {}).values(),
        *PROJECT["dependency-groups"].values(),
    )
    wrong = [
        line
        for line in asked
        for wanted in [Requirement(line)]
        for name in [wanted.name.lower().replace("_", "-")]
        if name not in locked() or not wanted.specifier.contains(locked()[name])
    ]
    assert wrong == []


def test_every_package_has_a_hash() -> None:
    """A package without one would be taken from whoever answers first."""
    named = re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE)
    assert sorted(named) == sorted(locked())
    assert len(named) > 40


def test_lock_names_no_host() -> None:
    """Where packages come from is the business of the machine, not of the project."""
    assert "://" not in LOCK
    assert "index-url" not in LOCK


def test_setup_knows_the_same_interpreters() -> None:
    """`requires-python`, the classifiers and `tools/setup.sh` say the same."""
    allowed = SpecifierSet(PROJECT["project"]["requires-python"])
    versions = [f"3.{minor}" for minor in range(30) if allowed.contains(f"3.{minor}")]
    classifiers = "\n".join(PROJECT["project"]["classifiers"])
    assert re.findall(r"Python :: (3\.\d+)$", classifiers, re.MULTILINE) == versions
    script = text(ROOT / "tools" / "setup.sh")
    assert sorted(set(re.findall(r"python(3\.\d+)", script))) == versions


def test_ci_runs_make_test_and_compares_the_bodies() -> None:
    """What is checked before a change is taken is what anybody can run."""
    assert "\nmake test\n" in text(ROOT / ".ci" / "run")
    assert "\nmake test-native\n" in text(ROOT / ".ci" / "run")


def test_what_builds_the_native_body_is_pinned() -> None:
    """maturin by its hashes, crates by Cargo.lock; neither says where they come from."""
    lock = text(ROOT / "native" / "requirements.lock")
    assert PINNED.findall(lock)[0][0] == "maturin"
    assert "://" not in lock
    script = text(ROOT / "tools" / "native.sh")
    assert "--require-hashes -r native/requirements.lock" in script
    assert "--locked" in script
