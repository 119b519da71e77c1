"""Make `tests/vectors/light_proof.json`: proof files byte by byte, and what their reader trusts.

python -m tests.light.made_proof > tests/vectors/light_proof.json
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tallystick.ledger.proof import ReceiptClaim, RecordClaim
from tests.light.forge import Signers, signers
from tests.light.proofs import export_of, receipt_claim, record_claim, sealed_chain

SETS: Sequence[Signers] = [signers(1, 2)] * 2 + [signers(2, 3)] * 4
HEIGHT = 3
CLAIMS: dict[str, RecordClaim | ReceiptClaim] = {
    "there": record_claim(b"key 7"),
    "absent": record_claim(b"nobody"),
    "receipt": receipt_claim(3),
}


def files() -> dict[str, Any]:
    """Each claim, to who trusts an earlier and a later block."""
    blocks = sealed_chain(SETS, HEIGHT)
    return {
        "now_ns": blocks[-1].header.time_ns,
        "files": [
            {
                "claim": name,
                "trust": f"{trusted}:{blocks[trusted - 1].header.hash.hex()}",
                "height": HEIGHT,
                "file": export_of(claim, blocks, HEIGHT, trusted).to_bytes().hex(),
            }
            for name, claim in CLAIMS.items()
            for trusted in (1, 6)
        ],
    }


if __name__ == "__main__":
    print(json.dumps(files(), indent=1))
