"""New rules at a height over several nodes: one whose release lacks them stops, and is upgraded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tallystick.errors import ReleaseTooOld
from tests.engine.cometbft.stand import Stand
from tests.till import APP
from tests.till.messages import Activate, Fill

NEWER = replace(APP, version=3)
"""The till of the next release."""
FIVE = Fill(currency="CNY", amount_minor=5)


def test_a_node_without_the_rules_stops_alone_and_goes_on_after_its_upgrade() -> None:
    old, new = Stand(), Stand(app=NEWER)
    nodes = (old, new)
    for node in nodes:
        node.init_chain()
    decided = new.bundle(("A", Activate(version=3, from_height=4)))
    for raw in (new.bundle(("A", FIVE)), decided, new.bundle(("A", FIVE))):
        hashes = {node.block(raw).header.app_hash for node in nodes}
        assert len(hashes) == 1

    # Block 4 is the first of version 3. The proposal itself is well formed: both take it.
    fourth = new.bundle(("A", FIVE))
    app_hash = new.block(fourth).header.app_hash
    with pytest.raises(ReleaseTooOld, match="from block 4 on till has version 3") as stop:
        old.block(fourth)
    assert (stop.value.app, stop.value.version, stop.value.height) == ("till", 3, 4)
    assert stop.value.exit_code == 32
    assert old.chain.state.tip.height == 3

    # Its data is what it was; the engine hands the same block to the newer release.
    upgraded = Stand(app=NEWER, disk=old.disk)
    assert upgraded.chain.state.tip.height == 3
    assert upgraded.block(fourth).header.app_hash == app_hash
    fifth = new.bundle(("A", FIVE))
    assert new.block(fifth).header.app_hash == upgraded.block(fifth).header.app_hash
