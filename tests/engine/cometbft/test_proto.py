"""The generated messages are those of `abci.proto`, and ABCI's numbers are as published."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.dispatch import ROUTES
from tools.proto import ROOT, SOURCE, generate


def test_what_is_committed_is_what_the_generator_makes(tmp_path: Path) -> None:
    generate(tmp_path)
    for suffix in ("_pb2.py", "_pb2.pyi"):
        name = SOURCE.replace(".proto", suffix)
        made = (tmp_path / name).read_text()
        kept = (ROOT / "src" / name).read_text()
        is_same = described(made) == described(kept)
        assert is_same, f"{name} is stale: run `make proto`"


def described(generated: str) -> str:
    """What was generated, without what says by which version of the generator."""
    return re.sub(r"^# Protobuf Python Version.*|^    \d+,$", "", generated, flags=re.MULTILINE)


REQUESTS = {
    "echo": 1, "flush": 2, "info": 3, "init_chain": 5, "query": 6, "check_tx": 8, "commit": 11,
    "list_snapshots": 12, "offer_snapshot": 13, "load_snapshot_chunk": 14,
    "apply_snapshot_chunk": 15, "prepare_proposal": 16, "process_proposal": 17, "extend_vote": 18,
    "verify_vote_extension": 19, "finalize_block": 20,
}  # fmt: skip
"""The methods of ABCI 2.0 with the numbers of their requests, as CometBFT 0.38 has them."""


@pytest.mark.parametrize(("name", "number"), REQUESTS.items())
def test_requests_and_responses_have_their_numbers(name: str, number: int) -> None:
    assert abci.Request.DESCRIPTOR.fields_by_name[name].number == number
    assert abci.Response.DESCRIPTOR.fields_by_name[name].number == number + 1


def test_every_method_is_answered() -> None:
    assert set(ROUTES) == set(REQUESTS)
    assert {field.name for field in abci.Request.DESCRIPTOR.fields} == set(REQUESTS)
