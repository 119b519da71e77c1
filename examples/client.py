"""Pays, is refused, reads as a member, and proves a balance to somebody who trusts no node.

tally init && tally node &
python examples/client.py
"""

from pathlib import Path

from tallystick.apps.cash.messages import Mint, Transfer
from tallystick.client.client import Client
from tallystick.client.keys import KeyStore
from tallystick.client.verify import Trust, verify_record
from tallystick.node import read_genesis, shipped

DATA = Path(".tally")
MONEY = "CNY@CB"


def main() -> None:
    """One morning of S1."""
    passphrase = (DATA / "passphrase").read_text(encoding="utf-8").strip()
    keys = KeyStore(DATA / "keys", passphrase)
    client = Client(f"unix:{DATA}/api.sock", keys=keys)

    # Calls are signed by the officers they name, sent, and sent again until there is an answer.
    mint = Mint(to="S1", money=MONEY, amount_minor=100_000)
    reply = client.send(("CB.maker+checker", mint))
    print("mint:", reply.outcome.value)

    # Two calls of two members in one transaction: both happen, or neither does.
    there = Transfer(to="S2", money=MONEY, amount_minor=2_500)
    back = Transfer(to="S1", money=MONEY, amount_minor=500)
    reply = client.send(("S1.maker+checker", there), ("S2.maker+checker", back))
    print("exchange:", reply.outcome.value)

    # A rule's no is an answer, not an exception.
    reply = client.send(("S1.maker+checker", Transfer(to="S2", money=MONEY, amount_minor=10**9)))
    print("too much:", reply.outcome.value, reply.app, reply.code, reply.value("money"))

    # A read carries the officer's signature and shows what its member may see.
    as_s1 = client.as_reader("S1.maker")
    for balance in as_s1.query("cash", "balances", party="S1"):
        print("S1 has:", balance["available_minor"])
    print("S1 sees of S2:", as_s1.query("cash", "balances", party="S2"))

    # A proof holds without the node: it needs the chain's genesis alone.
    proof = client.prove("cash", "balance", "S1", MONEY)
    trust = Trust.of(read_genesis(DATA, shipped()[0]))
    print("proven:", verify_record(proof, trust).is_present)


if __name__ == "__main__":
    main()
