"""What is measured: each workload makes its signed transactions page by page, from a number alone.

A page is what one request carries. Transactions that need each other stand in one page, in order,
so that pages may be sent side by side. What a page needs that takes rules to make (an undertaking,
its pieces, an offer) comes about by transactions of its own, which are sent before the load.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import accumulate
from random import Random

from tallystick.apps.cash.messages import Transfer
from tallystick.bench.cast import Cast, Desk, payer
from tallystick.bench.market import delivery_page, passing_page
from tallystick.bench.network import MONEY
from tallystick.bench.paging import Made

PAGE = 1_000
"""Transactions of a page of payments: as many as one request may carry."""
KEYS = 64
"""Keys that sign in most workloads."""
WIDE = 20_000
"""Accounts, and keys, of those workloads that have many."""
ZIPF = 0.99
"""Exponent of how unevenly accounts are used where some are hot."""
SPREAD = 7_919
"""A prime: accounts next to each other in rank are not next to each other in the state."""

NOBODYS = "CNY@central-bank-b"
"""Money that nobody has."""

Choose = Callable[[Random, int, int], Sequence[int]]
"""Among so many accounts, those for so many sides of payments."""


@dataclass(frozen=True)
class Workload:
    """One kind of load."""

    name: str
    """What it is called on the command line and in the figures."""
    title: str
    """What it is, for people."""
    cast: Cast
    """Who takes part."""
    page: Callable[[Desk, int], Made]
    """The transactions of a page, and those that must come before."""
    keys: int
    """Keys that sign in turn."""
    signatures: int
    """Signatures of a transaction; of several kinds in turn, the most."""
    messages: int = 1
    """Messages of a transaction."""
    refused: float = 0.0
    """Part of the transactions that a rule must refuse."""
    notes: tuple[str, ...] = field(default=())
    """What a reader should know of it."""


def uniform(random: Random, accounts: int, count: int) -> Sequence[int]:
    """Each account as often as the others."""
    return random.choices(range(accounts), k=count)


def hot(random: Random, accounts: int, count: int) -> Sequence[int]:
    """Zipf: the account of rank r is used 1 / r^0.99 as often as the first."""
    ranks = random.choices(range(accounts), cum_weights=_weights(accounts), k=count)
    return [rank * SPREAD % accounts for rank in ranks]


@cache
def _weights(accounts: int) -> list[float]:
    """Cumulative weights of the ranks."""
    return list(accumulate(1 / (rank + 1) ** ZIPF for rank in range(accounts)))


def payments(
    desk: Desk,
    index: int,
    *,
    accounts: int,
    choose: Choose = uniform,
    officers: str = "boss",
    messages: int = 1,
    refuse_every: int = 0,
) -> Made:
    """A page of payments; every so many is of a money that the payer does not have."""
    random = Random(index)
    sides = choose(random, accounts, PAGE * (1 + messages))
    load = []
    for number in range(PAGE):
        source, *targets = sides[number * (1 + messages) : (number + 1) * (1 + messages)]
        is_refused = refuse_every and number % refuse_every == 0
        money = NOBODYS if is_refused else MONEY
        who = f"{payer(source)}.{officers}"
        calls = [
            (who, Transfer(to=payer(target), money=money, amount_minor=1 + number % 9))
            for target in (each if each != source else (each + 1) % accounts for each in targets)
        ]
        raw, _ = desk.signed(f"p{index}-{number}", *calls)
        load.append(raw)
    return Made(load=load)


_FEW = partial(payments, accounts=KEYS)

WORKLOADS = {
    each.name: each
    for each in (
        Workload(
            "uniform",
            "cash transfers, one signature each, 64 accounts alike",
            Cast(payers=KEYS),
            _FEW,
            keys=KEYS,
            signatures=1,
        ),
        Workload(
            "two_signatures",
            "cash transfers, maker and checker",
            Cast(payers=KEYS // 2, alone=False),
            partial(payments, accounts=KEYS // 2, officers="boss+clerk"),
            keys=KEYS,
            signatures=2,
        ),
        Workload(
            "many_keys",
            "cash transfers, one signature each from 20,000 keys",
            Cast(payers=WIDE),
            partial(payments, accounts=WIDE),
            keys=WIDE,
            signatures=1,
        ),
        Workload(
            "hot_accounts",
            "cash transfers between 20,000 accounts, Zipf 0.99",
            Cast(payers=WIDE),
            partial(payments, accounts=WIDE, choose=hot),
            keys=WIDE,
            signatures=1,
        ),
        Workload(
            "refusals",
            "cash transfers, one in twenty is of money that is not there",
            Cast(payers=KEYS),
            partial(_FEW, refuse_every=20),
            keys=KEYS,
            signatures=1,
            refused=0.05,
        ),
        Workload(
            "four_messages",
            "four cash transfers in each transaction",
            Cast(payers=KEYS),
            partial(_FEW, messages=4),
            keys=KEYS,
            signatures=1,
            messages=4,
        ),
        Workload(
            "split_transfer",
            "receivables: a piece is cut, a part passed on, the part accepted, in turn",
            Cast(suppliers=KEYS // 2),
            passing_page,
            keys=KEYS // 2,
            signatures=1,
            notes=("one third of the transactions each: split, pass, accept_pass",),
        ),
        Workload(
            "delivery_versus_payment",
            "receivables: offer accepted, money paid and piece delivered in one transaction",
            Cast(suppliers=KEYS // 2, financiers=KEYS // 2),
            delivery_page,
            keys=KEYS // 2 * 3,
            signatures=3,
            messages=2,
            notes=("signed by the supplier, and by the bank's maker and checker",),
        ),
    )
}
"""All workloads by name; the first is the one of the figure `embedded`."""
