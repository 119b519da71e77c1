"""What a larger state costs: the same load over 10 thousand to 10 million records.

    python -m tallystick.bench.growth --records 10000000

The state is filled in before block 1, not grown by transactions: members with an account each, of
whom 20,000 at most ever sign. Load is paid among those, Zipf 0.99, and then by them to all members
alike. A restart at the end builds the tree anew and must find the root that the log says; such a
state cannot be replayed from its genesis. Memory is the node's own after the loads, caches, used
references and store with it; bytes on disk are those of the records as filled in, and beside them
what a payment adds to the state store: its place, its reference, the balances written anew.

A machine that others share may do a quarter more or less a minute later, so the kernel's time for a
payment among 64 accounts is taken just before and just after each load; sizes are compared by that
measure. A state of 10 or 100 thousand records has not room for 20,000 that sign, so those that have
are compared apart, too.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random

from tallystick.apps.cash.messages import Transfer
from tallystick.apps.cash.records import Balance
from tallystick.apps.members.parts import Kind, Size
from tallystick.apps.members.records import Key, Member, Officer, Policy
from tallystick.bench import kernel, report
from tallystick.bench.cast import OPENS_MS, Cast, Desk, payer, records
from tallystick.bench.load import send
from tallystick.bench.machine import say
from tallystick.bench.measuring import FULL
from tallystick.bench.network import MONEY
from tallystick.bench.paging import Made
from tallystick.bench.running import Serving, facts, fill_state, serving
from tallystick.bench.signing import sign
from tallystick.bench.workloads import PAGE, WIDE, Workload, hot, payments
from tallystick.client.http import Transport
from tallystick.engine.folder import STATE
from tallystick.errors import NodeError
from tallystick.ledger.app import Record
from tallystick.node import Beginning, init

RECORDS = 10_000_000
"""Records of the largest state."""
SMALLEST = 10_000
ROOMY = 200_000
"""The smallest state in which 20,000 sign, beside those that grow tenfold."""
KERNEL_SECONDS = 2.0
"""How long the kernel is measured, before and after each load."""
SECONDS = 10.0
"""How long each load is sustained."""
PER_PAYER = 9
"""Records of a member that signs: entry, officers, keys, policy, account."""
PER_MEMBER = 2
"""Records of a member that only has an account."""
FILLED = (Member, Officer, Key, Policy, Balance)
"""Records that are filled in; the others stand in the genesis, which is read at every start."""
WARM_UP_SECONDS = {"hot": 15.0, "uniform": 4.0}
"""Before each load counts, at most: accounts that are active have been used before. By Zipf's law
it takes a while to come round to most of 20,000; what a first meeting costs is in the other."""
SPARE = 0.9
"""How many are signed, in parts of what the kernel executes; a load that runs out ends sooner."""
PER_S_LEAST = 25_000
"""How many are signed for each second at least, lest the kernel was measured in a busy moment."""
BUCKET = re.compile(r'^tally_commit_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)

Figures = dict[str, object]


def main(arguments: list[str] | None = None) -> int:
    """Measure, tell, and print one JSON object on the last line."""
    parser = argparse.ArgumentParser(prog="tallystick.bench.growth", description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS, help="of the largest state")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each load")
    parser.add_argument("--out", type=Path, help="folder for the figures and the HTML report")
    asked = parser.parse_args(arguments)
    keep = report.keeper(asked.out, report.GROWTH)
    print(json.dumps(measure(asked.records, asked.seconds, keep)))
    return 0


def measure(
    largest: int = RECORDS,
    seconds: float = SECONDS,
    tell: Callable[[Figures], object] = lambda _figures: None,
) -> Figures:
    """Every size up to so many records, each ten times the one before.

    `tell` is handed what there is after each.
    """
    alone = kernel.per_s("uniform", min(seconds, kernel.SECONDS))
    per_s = max(int(SPARE * alone), PER_S_LEAST)
    sizes: list[Figures] = []
    found: Figures = {}
    for size in sizes_up_to(largest):
        with tempfile.TemporaryDirectory(prefix="tally-") as place:
            sizes.append(_measured(size, seconds, per_s, Path(place)))
        alike = [each for each in sizes if each["signing"] == WIDE]
        found = {
            "sizes": sizes,
            "hot_slower": slower(sizes),
            "hot_slower_alike": slower(alike),
            "machine": facts(),
        }
        tell(found)
    return found


def sizes_up_to(largest: int) -> list[int]:
    """Each ten times the one before, and the smallest in which 20,000 sign."""
    sizes, size = [], min(SMALLEST, largest)
    while size <= largest:
        sizes.append(size)
        size *= 10
    return sorted([*sizes, ROOMY]) if largest > ROOMY else sizes


def _measured(size: int, seconds: float, per_s: int, folder: Path) -> Figures:
    """One size."""
    active = min(WIDE, size // PER_PAYER)
    data = folder / "node"
    founded = records(Cast(payers=active))
    first = [each for each in founded if not isinstance(each, FILLED)]
    genesis = init(data, Beginning("bench", first, opens_at_ms=OPENS_MS, trial=True)).genesis
    accounts = active + max(0, size - len(founded)) // PER_MEMBER
    signing = [each for each in founded if isinstance(each, FILLED)]
    filled = len(first) + fill_state(data, chain(signing, idle_members(active, accounts)))
    empty = _disk_bytes(data)
    say(f"{filled:,} records: filled")
    loads = {
        "hot": partial(payments, accounts=active, choose=hot),
        "uniform": partial(paid_anywhere, active=active, accounts=accounts),
    }
    figures: Figures = {"records": filled, "accounts": accounts, "signing": active}
    done, slowest = 0, 0.0
    with serving(data) as node:
        figures["first_start_s"] = round(node.start_seconds, 1)
        for name, page in loads.items():
            workload = Workload(name, name, Cast(payers=active), page, keys=active, signatures=1)
            found, count, commit_ms = _loaded(node, workload, genesis.chain_id, per_s, seconds)
            figures |= found
            done, slowest = done + count, max(slowest, commit_ms)
        memory = node.resident_mb() or 0.0
        figures |= {"memory_mb": round(memory), "memory_bytes": round(memory * 1e6 / filled)}
        root = node.client.status().state_root
    figures |= {
        "commit_p999_ms": slowest,
        "disk_mb": round(empty / 1e6, 1),
        "disk_bytes": round(empty / filled),
        "state_bytes": round(max(0, _disk_bytes(data) - empty) / done),
    }
    with serving(data) as node:
        figures["start_s"] = round(node.start_seconds, 1)
        if node.client.status().state_root != root:
            raise NodeError("the state root after a restart is another one")
    say(f"{filled:,} records: {json.dumps(figures)}")
    return figures


def slower(sizes: Sequence[Figures]) -> float:
    """How much longer the slowest size takes for a payment among hot accounts than the first.

    Measured by the kernel's time in the same minute; 0 where there is no size.
    """
    each = [float(str(size["hot_us"])) / float(str(size["hot_kernel_us"])) for size in sizes]
    return round(max(each) / each[0] - 1, 3) if each else 0.0


def idle_members(active: int, accounts: int) -> Iterator[Record]:
    """Members that never sign, each with an account."""
    for number in range(active, accounts):
        name = payer(number)
        yield Member(
            member_id=name,
            legal_name=name,
            kind=Kind.SUPPLIER,
            size=Size.SMALL,
            admitted_at_ms=OPENS_MS,
        )
        yield Balance(party=name, money=MONEY, available_minor=0, held_minor=0)


def paid_anywhere(desk: Desk, index: int, *, active: int, accounts: int) -> Made:
    """A page of payments from those that sign to all members alike."""
    random = Random(index)
    load = []
    for number in range(PAGE):
        source, target = random.randrange(active), random.randrange(accounts)
        if source == target:
            target = (target + 1) % accounts
        message = Transfer(to=payer(target), money=MONEY, amount_minor=1 + number % 9)
        load.append(desk.signed(f"a{index}-{number}", (f"{payer(source)}.boss", message))[0])
    return Made(load=load)


def _loaded(
    node: Serving, workload: Workload, chain_id: str, per_s: int, seconds: float
) -> tuple[Figures, int, float]:
    """One load: signed, warmed up, sustained; how many were accepted, and p99.9 of commit in ms."""
    warm_up = min(1.5 * seconds, WARM_UP_SECONDS[workload.name])
    count = int(per_s * (seconds + warm_up)) + PAGE
    folder = node.folder.parent / workload.name
    pages = sign(workload, chain_id, count, folder).load()
    alone = min(seconds, KERNEL_SECONDS)
    kernel_before = kernel.per_s("uniform", alone)
    warm = send([node.address], pages, warm_up, FULL)
    before, log_bytes = commits(node), node.log_bytes()
    full = send([node.address], pages, seconds, FULL)
    node.must_be_idle()
    shutil.rmtree(folder)
    if full.refused or not full.accepted:
        raise NodeError(f"{full.refused} transactions were refused, {full.accepted} accepted")
    commit = slowest_ms(before, commits(node), 99.9)
    kernel_per_s = (kernel_before + kernel.per_s("uniform", alone)) / 2
    figures: Figures = {
        f"{workload.name}_tps": round(full.per_s),
        f"{workload.name}_us": round(1e6 / full.per_s, 1),
        f"{workload.name}_kernel_us": round(1e6 / kernel_per_s, 1),
        f"{workload.name}_p99_ms": round(full.percentile_ms(99), 1),
        f"{workload.name}_silence_ms": round(full.longest_silence_ms()),
        f"{workload.name}_commit_p999_ms": commit,
        "log_bytes": round((node.log_bytes() - log_bytes) / full.accepted),
    }
    return figures, warm.accepted + full.accepted, commit


def _disk_bytes(data: Path) -> int:
    """What the state store of a stopped node takes."""
    return sum(path.stat().st_size for path in (data / STATE).rglob("*"))


def commits(node: Serving) -> dict[float, float]:
    """How many commits took at most so many seconds, as the node's own figures tell."""
    answer = Transport(node.address).request("GET", "/metrics")
    return {float(le): float(count) for le, count in BUCKET.findall(answer.body.decode())}


def slowest_ms(before: Mapping[float, float], after: Mapping[float, float], part: float) -> float:
    """The bound in milliseconds that so many percent of the commits between stayed below.

    The node counts in buckets: this is the upper bound of the one that it falls into.
    """
    counts = {bound: count - before.get(bound, 0.0) for bound, count in sorted(after.items())}
    most = max(counts.values(), default=0.0)
    enough = [bound for bound, count in counts.items() if count >= most * part / 100]
    return 1000 * min(enough, default=0.0)


if __name__ == "__main__":
    sys.exit(main())
