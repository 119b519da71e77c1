"""Real networks: CometBFT and Tallystick processes on this machine, never left running.

Tests of this folder run apart (`make test-consortium`), one after the other: a network takes both
processors of a small machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tallystick.cli.commands.init import OPENS
from tallystick.cli.commands.network import make_network
from tallystick.cli.founding_file import FoundingFile, cast_file
from tallystick.engine.cometbft.install import install
from tallystick.network.network import Network
from tallystick.settings import EngineSettings
from tallystick.wording import Wording

HERE = Path(__file__).parent
QUICK = EngineSettings(timeout_commit_ms=50, heartbeat_seconds=2)
"""A network that does not keep tests waiting."""

MakeNetwork = Callable[..., AbstractContextManager[Network]]


LIMIT_SECONDS = 300
"""What one test may take on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here is of the marker `consortium`, and has time for a real network."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.consortium)
            item.add_marker(pytest.mark.timeout(LIMIT_SECONDS))


@contextmanager
def network(
    folder: Path,
    validators: int = 4,
    *,
    file: FoundingFile | None = None,
    start: bool = True,
    **settings: Any,
) -> Iterator[Network]:
    """A trial network of the case files' cast, up, and down again whatever happens.

    Every officer's key is in `.keys`. `settings` are those of the engine in node.toml.
    """
    install()
    found = file or cast_file()
    engine = EngineSettings(
        **{
            "timeout_commit_ms": QUICK.timeout_commit_ms,
            "heartbeat_seconds": QUICK.heartbeat_seconds,
            **settings,
        }
    )
    opens_at_ms = Wording(zone_minutes=found.zone_minutes).instant(OPENS)
    made = make_network(folder, found, "trial", validators, opens_at_ms, engine=engine)
    try:
        if start:
            made.start(bound=True)
        yield made
    finally:
        made.stop()


@pytest.fixture
def make(tmp_path: Path) -> MakeNetwork:
    """`with make(validators=4, heartbeat_seconds=1) as net:`: a network in a folder of the test."""

    def made(**words: Any) -> AbstractContextManager[Network]:
        return network(tmp_path / "net", **words)

    return made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Four validators for all tests of a file that leave them as they were."""
    with network(tmp_path_factory.mktemp("shared") / "net") as made:
        yield made
