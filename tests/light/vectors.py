"""The recorded chain of `tests/vectors/light_blocks.json`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tallystick.engine.cometbft.light.blocks import LightBlock
from tallystick.engine.cometbft.light.rpcform import light_block

FILE = Path(__file__).parent.parent / "vectors" / "light_blocks.json"
RECORDED: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
NOW_NS: int = RECORDED["now"]


@cache
def recorded() -> list[LightBlock]:
    """Its light blocks, from height 1."""
    return [
        light_block(each["commit"], each["validators"]["validators"]) for each in RECORDED["blocks"]
    ]
