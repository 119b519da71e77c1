"""Each workload does what it says: its transactions happen, but those that are to be refused."""

from __future__ import annotations

from random import Random

import pytest

from tallystick.bench.cast import Cast, Desk
from tallystick.bench.kernel import Kernel
from tallystick.bench.signing import requests_of
from tallystick.bench.workloads import WIDE, WORKLOADS, Workload, hot, uniform
from tallystick.ledger.transaction import TransactionCodec

NARROW = [each for each in WORKLOADS.values() if each.cast.payers < WIDE]


@pytest.mark.parametrize("workload", NARROW, ids=lambda each: str(each.name))
def test_every_page_happens(workload: Workload) -> None:
    """Two pages that meet: what comes before, then the load; requests may overtake each other."""
    kernel = Kernel(workload)
    desk = Desk(kernel.ledger.chain_id)
    for index in (0, 1):
        made = workload.page(desk, index)
        if made.before:
            kernel.block(made.before)
        if workload.refused:
            assert kernel.block(made.load, refused=workload.refused) > 0
        else:
            assert all(kernel.block(each) > 0 for each in reversed(list(requests_of(made))))
        check_shape(kernel.ledger.codec, workload, made.load)
        assert len(made.load) <= 1_000
        assert len(made.before) <= 1_000


def check_shape(codec: TransactionCodec, workload: Workload, load: list[bytes]) -> None:
    """As many signatures and messages as the workload says."""
    read = [codec.decode(raw) for raw in load]
    assert {len(each.keys()) for each in read} == {workload.signatures}
    assert {len(each.body.calls) for each in read} == {workload.messages}


def test_pages_are_made_from_their_number_alone() -> None:
    """Several processes sign one load, and a second run is sent the same bytes."""
    workload = WORKLOADS["hot_accounts"]
    narrow = Desk("bench-00000000")
    assert workload.page(narrow, 3).load == workload.page(Desk("bench-00000000"), 3).load
    assert workload.page(narrow, 3).load != workload.page(narrow, 4).load


def test_how_accounts_are_chosen() -> None:
    """Uniform: all alike. Zipf 0.99 over 20,000: the first account takes a tenth."""
    plain = uniform(Random(1), 64, 64_000)
    counts = [plain.count(account) for account in range(64)]
    assert max(counts) < 1.2 * 1_000 < 1.5 * min(counts)
    assert 1_500 < hot(Random(1), WIDE, 20_000).count(0) < 2_500


def test_the_cast() -> None:
    """Accounts of everybody who pays."""
    assert list(Cast(payers=2, suppliers=1, financiers=1).accounts()) == [
        "payer-00000",
        "payer-00001",
        "supplier-00",
        "bank-00",
    ]
