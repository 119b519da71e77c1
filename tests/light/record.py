"""Make `tests/vectors/light_blocks.json` from a chain of eight CometBFT nodes.

    python -m tests.light.record tests/vectors/light_blocks.json

Four nodes are validators at first. The other four are voted in one by one and the first four out,
so that no validator of the first block signs the last one; a node is killed on the way.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.light.kvstore import Node, kvstore_chain

PAUSE_BLOCKS = 3


def record(folder: Path) -> dict[str, Any]:
    """Run the chain; its light blocks as the RPC gives them."""
    with kvstore_chain(folder, validators=4, others=4) as nodes:
        first, second = nodes[:4], nodes[4:]
        teller = second[0]
        for old, new in zip(first, second, strict=True):
            _change(teller, new, 1)
            _change(teller, old, 0)
        second[3].stop()
        teller.wait(teller.height() + PAUSE_BLOCKS)
        last = teller.height() - 1
        return {
            "made": "CometBFT 0.38.25, `cometbft testnet --v 4 --n 4` over its kvstore application;"
            " results of `commit` and `validators` (tests/light/record.py)",
            "now": time.time_ns(),
            "blocks": [
                {
                    "commit": teller.call("commit", height=height),
                    "validators": teller.call("validators", height=height, per_page=100),
                }
                for height in range(1, last + 1)
            ],
        }


def _change(teller: Node, node: Node, power: int) -> None:
    """Change one validator and wait until the change is in force."""
    teller.set_power(node.key, power)
    teller.wait(teller.height() + PAUSE_BLOCKS)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        data = record(Path(made) / "chain")
    text = json.dumps(data, separators=(",", ":"), indent=None).replace('{"commit"', '\n{"commit"')
    Path(sys.argv[1]).write_text(text + "\n", encoding="utf-8")
