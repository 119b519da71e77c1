"""From one trusted header to that of any height, by asking somebody who need not be trusted."""

from __future__ import annotations

from collections.abc import Callable

from tallystick.engine.cometbft.light.blocks import Header, LightBlock
from tallystick.engine.cometbft.light.export import Trusted
from tallystick.engine.cometbft.light.verify import (
    Terms,
    check_block,
    verify_backward,
    verify_forward,
)
from tallystick.errors import BadAnswer, HeaderRefused, TrustTooFar

BACK_MAX = 10_000
"""Most headers back from the trusted one: each of them is fetched."""

Fetch = Callable[[int], LightBlock]
"""The light block of a height as a node tells it; nothing is verified."""


def believed(fetch: Fetch, trusted: Trusted, height: int, terms: Terms) -> Header:
    """The header of a height, forward by votes or backward by hashes from the trusted one.

    `HeaderRefused` when what is told is not believed, `BadAnswer` when it is something else.
    """
    block = fetched(fetch, trusted.height)
    check_block(block, trusted.chain_id)
    if not trusted.fits(block.header):
        raise HeaderRefused(block.height, "it is not the one that is trusted")
    while block.height < height:
        block = _step(fetch, block, height, terms)
    header = block.header
    if header.height - height > BACK_MAX:
        raise HeaderRefused(height, f"it lies more than {BACK_MAX} blocks before the trusted one")
    while header.height > height:
        older = fetched(fetch, header.height - 1).header
        verify_backward(header, older)
        header = older
    return header


def _step(fetch: Fetch, trusted: LightBlock, height: int, terms: Terms) -> LightBlock:
    """The block of a height, or one before it as far as one step leads: halving until it does."""
    while True:
        block = fetched(fetch, height)
        try:
            verify_forward(trusted, block, terms)
        except TrustTooFar:
            height = (trusted.height + height) // 2
        else:
            return block


def fetched(fetch: Fetch, height: int) -> LightBlock:
    """What is told of a height, if it is of that height."""
    block = fetch(height)
    if block.height != height:
        raise BadAnswer(f"block {block.height} was answered for block {height}")
    return block
