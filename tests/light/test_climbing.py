"""From one trusted header to any other: what is asked on the way, and what is not believed."""

from __future__ import annotations

import pytest

from tallystick.engine.cometbft.light.blocks import LightBlock
from tallystick.engine.cometbft.light.climbing import BACK_MAX, believed
from tallystick.engine.cometbft.light.export import Trusted
from tallystick.engine.cometbft.light.verify import DAY_NS, Terms
from tallystick.errors import BadAnswer, HeaderRefused, TrustExpired
from tests.light.forge import CHAIN_ID, GENESIS_NS, chain, header, signed, signers

NOW = Terms(now_ns=GENESIS_NS + DAY_NS)
SETS = [signers(*range(start, start + 4)) for start in (1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9)]
"""Validators who leave one by one: the last block has nobody of the first."""


class Node:
    """Tells light blocks, and remembers for which it was asked."""

    def __init__(self, blocks: list[LightBlock]) -> None:
        self.blocks = blocks
        self.asked: list[int] = []

    def __call__(self, height: int) -> LightBlock:
        self.asked.append(height)
        return self.blocks[height - 1]


def trust(block: LightBlock) -> Trusted:
    return Trusted(chain_id=CHAIN_ID, height=block.height, hash=block.header.hash)


def test_every_height_is_reached_from_every_other() -> None:
    blocks = chain(SETS)
    for start in blocks:
        for goal in blocks:
            assert believed(Node(blocks), trust(start), goal.height, NOW) == goal.header


def test_one_step_leads_far_when_the_validators_stay() -> None:
    node = Node(chain([signers(1, 2, 3, 4)] * 30))
    believed(node, trust(node.blocks[1]), 30, NOW)
    assert node.asked == [2, 30]


@pytest.mark.parametrize("goal", (1, 12))
def test_a_chain_of_others_is_not_believed(goal: int) -> None:
    """Liars who have keys of their own, and even the trusted block."""
    honest = chain(SETS)
    made_up = chain([signers(21, 22, 23)] * 12)
    with pytest.raises(HeaderRefused):
        believed(Node(made_up), trust(honest[5]), goal, NOW)
    made_up[5] = honest[5]
    with pytest.raises(HeaderRefused):
        believed(Node(made_up), trust(honest[5]), goal, NOW)


def test_what_is_answered_must_be_what_was_asked() -> None:
    node = Node(chain(SETS))
    with pytest.raises(BadAnswer, match="block 7 was answered for block 12"):
        believed(lambda at: node(7 if at == 12 else at), trust(node.blocks[0]), 12, NOW)


def test_trust_that_is_too_old_or_too_far_ahead_leads_nowhere() -> None:
    node = Node(chain(SETS))
    late = Terms(now_ns=GENESIS_NS + 30 * DAY_NS)
    with pytest.raises(TrustExpired):
        believed(node, trust(node.blocks[0]), 2, late)
    assert believed(node, trust(node.blocks[5]), 2, late).height == 2
    who = signers(1)
    far = signed(header(BACK_MAX + 2, who, who), who)
    with pytest.raises(HeaderRefused, match="before the trusted one"):
        believed(lambda at: far, trust(far), 1, NOW)
