"""Random input, good and bad: every body says the same of each, alone and in batches."""

import random
from collections.abc import Callable
from functools import partial
from itertools import pairwise

from native.tests import forged
from tallystick.accel import load
from tallystick.accel.envelopes import DOMAIN
from tallystick.ledger.refusal import Refused
from tallystick.ledger.transaction import Transaction
from tallystick.values.codec import encode
from tests.accel.conformance_envelopes import is_envelope, mutants, mutated, officers, signed_by
from tests.ledger.toy.messages import Open
from tests.ledger.toy.people import toy_world

PYTHON = load("python")
NATIVE = load("native")
BOTH = load("both")

SEED = 8032


def test_signatures_alone_and_in_batches(fuzz: int) -> None:
    """The Python body checks one by one, with another release of the same crate."""
    tried = made_good = found_good = 0
    for batch in forged.batches(SEED, fuzz):
        triples = [triple for triple, _ in batch]
        verdicts = PYTHON.verify_batch(triples)
        assert NATIVE.verify_batch(triples) == verdicts
        assert [NATIVE.verify(*triple) for triple in triples] == verdicts
        for (triple, is_good), verdict in zip(batch, verdicts, strict=True):
            assert verdict or not is_good, triple
        tried += len(batch)
        made_good += sum(is_good for _, is_good in batch)
        found_good += sum(verdicts)
    assert tried == fuzz
    assert fuzz / 4 < made_good < found_good < fuzz * 9 / 10, "some of those spoilt are still good"


def test_points(fuzz: int) -> None:
    """All encodings at the edge, and keys of every kind with one bit changed."""
    chance = random.Random(SEED)
    known = [each.encoded for each in (*forged.small(), *forged.mixed(8, SEED))]
    drawn = [chance.randbytes(32) for _ in range(fuzz // 100)]
    changed = [forged.flipped(chance, chance.choice(known)) for _ in range(fuzz // 100)]
    for key in (*known, *forged.odd(), *drawn, *changed, b"", bytes(31), bytes(33)):
        BOTH.is_valid_point(key)
        BOTH.is_small_order(key)


def test_envelopes(fuzz: int) -> None:
    """Structure, hashes and signatures; and the ledger's own reader opens the same."""
    raws = list(mutants(SEED, fuzz))
    chance = random.Random(SEED)
    cuts = sorted({0, len(raws), *(chance.randrange(len(raws)) for _ in range(fuzz // 500))})
    for start, end in pairwise(cuts):
        part = raws[start:end]
        batch = BOTH.open_batch(part)
        assert [each is not None for each in batch.opened] == [is_envelope(raw) for raw in part]
        places = [at for at, each in enumerate(batch.opened) if each is not None]
        assert -1 not in batch.verify(places[:50])


def test_envelopes_that_are_signed(fuzz: int) -> None:
    """Small changes of what was signed: what is still opened is good or bad for both."""
    chance = random.Random(SEED)
    good = [
        signed_by(chance.randbytes(size), *officers(signers))
        for size in (0, 3, 255, 256, 1_000)
        for signers in (1, 2, 3, 16)
    ]
    found: list[int] = []
    for _ in range(max(1, fuzz // 2_000)):
        raws = [mutated(chance, chance.choice(good)) for _ in range(200)]
        batch = BOTH.open_batch(raws)
        places = [at for at, each in enumerate(batch.opened) if each is not None]
        found += batch.verify(places)
    assert {-1, 0, 1, 2} <= set(found)


def test_what_the_ledger_decodes_is_what_is_opened(fuzz: int) -> None:
    """`TransactionCodec` accepts nothing that is not opened; of the rest it refuses the body."""
    world = toy_world()
    codec = world.ledger.codec
    chance = random.Random(SEED)
    good = [world.signed(("A.m", Open(currency=currency))) for currency in ("CNY", "EUR", "USD")]
    accepted = refused_for_body = not_opened = 0
    raws = [mutated(chance, chance.choice(good)) for _ in range(fuzz // 4)]
    for raw, opened in zip(raws, BOTH.open_batch(raws).opened, strict=True):
        transaction = decoded(codec.decode, raw)
        assert decoded(partial(codec.decode_opened, opened=opened), raw) == transaction
        if opened is None:
            assert isinstance(transaction, str)
            not_opened += 1
        elif isinstance(transaction, str):
            assert is_envelope(raw)
            refused_for_body += 1
        else:
            accepted += 1
            body, identity, keys = transaction
            assert (body, identity, keys) == opened
    assert min(accepted, refused_for_body, not_opened) > fuzz // 400


def decoded(
    decode: Callable[[bytes], Transaction], raw: bytes
) -> tuple[bytes, bytes, tuple[bytes, ...]] | str:
    """Body, id and keys that the ledger's codec reads, or what it says when it refuses."""
    try:
        found = decode(raw)
    except Refused as refused:
        return f"{refused.code.name} {refused}"
    assert found.raw == raw
    assert found.signed == DOMAIN + encode(found.body)
    return encode(found.body), found.id, found.keys()
