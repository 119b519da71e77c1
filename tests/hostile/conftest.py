"""One node for the tests that only talk to it; each process that runs tests has its own."""

from collections.abc import Iterator

import pytest

from tallystick.apps import AUTHORITY
from tallystick.audit import audit
from tests.hostile.net import ALL, Net, founded, opened


@pytest.fixture(scope="session")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    """A running node; after all that was tried on it, its data passes an audit."""
    folder = tmp_path_factory.mktemp("hostile") / "data"
    founded(folder)
    with opened(folder) as node:
        running = Net(node)
        yield running
        running.client.close()
    report = audit(folder, ALL, AUTHORITY)
    assert report.ok, report.problems


@pytest.fixture(autouse=True)
def _lives(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did to the shared node: afterwards it takes a good transaction."""
    yield
    if "net" in request.fixturenames:
        shared: Net = request.getfixturevalue("net")
        shared.lives()
