"""How much is tried at random: `--fuzz N`; `make test-native FUZZ=1000000`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--fuzz`."""
    parser.addoption("--fuzz", type=int, default=20_000, help="signatures and envelopes to try")


@pytest.fixture(scope="session")
def fuzz(pytestconfig: pytest.Config) -> int:
    """How many signatures and envelopes are tried."""
    return int(pytestconfig.getoption("--fuzz"))
