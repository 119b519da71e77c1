"""`make proto`: the messages of ABCI in Python, from `abci.proto`."""

from __future__ import annotations

import sys
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "tallystick/engine/cometbft/abci.proto"


def generate(folder: Path) -> None:
    """Write what `abci.proto` says as Python, below a folder."""
    arguments = [f"-I{ROOT / 'src'}", f"--python_out={folder}", f"--pyi_out={folder}", SOURCE]
    if protoc.main(["protoc", *arguments]):
        sys.exit(1)


if __name__ == "__main__":
    generate(ROOT / "src")
