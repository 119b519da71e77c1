"""What every body must do with transactions as they travel; `ledger.transaction` is the measure."""

import random
from collections.abc import Iterator
from hashlib import sha256
from typing import ClassVar

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.accel import Body, NotOpened
from tallystick.accel.envelopes import BYTES_MAX, DOMAIN, SIGNATURES_MAX
from tallystick.ledger import transaction
from tallystick.ledger.refusal import Refused
from tallystick.ledger.transaction import Envelope, Signature, assemble, check_signature_list
from tallystick.values.codec import decoder, encode
from tests.accel.vectors import hash_of

HEADS = (b"\x90", b"\x91", b"\x92", b"\x93", b"\x94", b"\x9f", b"\xc0", b"\xc2", b"\x01", b"\x02")
LENGTHS = (b"\xc4\x20", b"\xc4\x21", b"\xc4\x40", b"\xc5\x00\x20", b"\xc6\0\0\0\x20", b"\xd9\x20")


def officers(count: int) -> list[Ed25519PrivateKey]:
    """Signing keys that are the same each time."""
    return [Ed25519PrivateKey.from_private_bytes(hash_of("officer", at)) for at in range(count)]


def signed_by(body: bytes, *signers: Ed25519PrivateKey) -> bytes:
    """A transaction as it travels; what its body says does not matter here."""
    return assemble(
        body,
        [
            Signature(
                suite=1,
                public_key=signer.public_key().public_bytes_raw(),
                signature=signer.sign(DOMAIN + body),
            )
            for signer in signers
        ],
    )


def unsigned(body: bytes, keys: int) -> bytes:
    """The same with signatures that are none."""
    made = [Signature(suite=1, public_key=hash_of(at), signature=bytes(64)) for at in range(keys)]
    return assemble(body, made)


def is_envelope(raw: bytes) -> bool:
    """Whether the ledger's own reader accepts the envelope, whatever the body says."""
    if len(raw) > transaction.BYTES_MAX:
        return False
    try:
        envelope = decoder(Envelope).decode(raw)
        check_signature_list(envelope.signatures)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Refused):
        return False
    return envelope.format == transaction.FORMAT and encode(envelope) == raw


def mutants(seed: int, count: int) -> Iterator[bytes]:
    """Good envelopes, most of them with something changed that a reader may overlook."""
    chance = random.Random(seed)
    good = [
        unsigned(bytes(size), keys)
        for size in (0, 1, 31, 255, 256, 300, 2_000)
        for keys in (0, 1, 2, 3, 15, 16, 17, 31, 32)
    ]
    for _ in range(count):
        yield mutated(chance, chance.choice(good))


def mutated(chance: random.Random, good: bytes) -> bytes:
    """Bytes with nothing changed, or a little, often where the structure is."""
    raw = bytearray(good)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        end = len(raw)
        at = chance.choice(
            (chance.randrange(8), end - chance.randrange(110), chance.randrange(end))
        )
        at = min(max(at, 0), end - 1)
        piece = chance.choice((*HEADS, *LENGTHS))
        match chance.randrange(6):
            case 0:
                raw[at] = chance.randrange(256)
            case 1:
                raw[at] ^= 1 << chance.randrange(8)
            case 2:
                del raw[at : at + chance.choice((1, 1, 2, 102))]
            case 3:
                raw[at:at] = piece
            case 4:
                raw[at : at + len(piece)] = piece
            case 5:
                raw += chance.choice((b"\0", b"\xc0", bytes(raw[-102:])))
        raw = raw or bytearray(1)
    return bytes(raw)


class EnvelopeConformance:
    """Reading, hashing and checking many transactions at once."""

    body: ClassVar[Body]

    def test_what_is_inside_and_its_hashes(self) -> None:
        one, two = officers(2)
        raws = [signed_by(b"a body", one), signed_by(b"another", two, one), b"", b"no envelope"]
        batch = self.body.open_batch(raws)
        assert list(batch.digests) == [sha256(raw).digest() for raw in raws]
        first, second, *others = batch.opened
        assert others == [None, None]
        assert first is not None
        assert second is not None
        assert (first[0], second[0]) == (b"a body", b"another")
        assert first[1] == transaction.transaction_id(b"a body")
        keys = [each.public_key().public_bytes_raw() for each in (one, two)]
        assert first[2] == (keys[0],)
        assert second[2] == tuple(sorted(keys))

    def test_an_empty_batch(self) -> None:
        batch = self.body.open_batch([])
        assert (list(batch.digests), list(batch.opened)) == ([], [])
        assert batch.verify([]) == []

    def test_the_first_bad_signature_of_each_place_is_named(self) -> None:
        signers = officers(3)
        good = signed_by(b"body", *signers)
        bad = bytearray(good)
        bad[-1 - 102] ^= 1  # in the second signature
        bad[-2] ^= 1  # and in the third
        other = signed_by(b"body", *signers).replace(b"body", b"BODY")
        batch = self.body.open_batch([good, bytes(bad), b"nothing", other])
        assert batch.verify([0]) == [-1]
        assert batch.verify([1, 0, 3, 1]) == [1, -1, 0, 1]

    def test_bad_ones_are_found_in_a_large_batch(self) -> None:
        """More than are checked by one equation, and bad ones alone, in pairs and in rows."""
        signers = officers(40)
        raws = [signed_by(str(at).encode(), signers[at % 40]) for at in range(1_500)]
        bad = {0, 31, 32, 700, 701, 1_023, 1_024, *range(1_100, 1_170), 1_499}
        for at in sorted(bad):
            raws[at] = raws[at][:-40] + bytes((raws[at][-40] ^ 4,)) + raws[at][-39:]
        batch = self.body.open_batch(raws)
        assert batch.verify(range(1_500)) == [0 if at in bad else -1 for at in range(1_500)]
        assert batch.verify([at for at in range(1_500) if at not in bad]) == [-1] * (
            1_500 - len(bad)
        )

    def test_a_place_where_nothing_was_opened_cannot_be_checked(self) -> None:
        batch = self.body.open_batch([unsigned(b"", 1), b"nothing"])
        for place in (1, 2, -1, 99):
            with pytest.raises(NotOpened, match=f"place {place} ") as caught:
                batch.verify([0, place])
            assert caught.value.place == place

    def test_number_of_signatures_and_length_of_bodies(self) -> None:
        counts = [unsigned(b"body", keys) for keys in range(40)]
        assert [found is not None for found in self.body.open_batch(counts).opened] == [
            1 <= keys <= SIGNATURES_MAX for keys in range(40)
        ]
        lengths = [*range(300), *range(65_420, 65_440), BYTES_MAX, BYTES_MAX + 300]
        raws = [unsigned(bytes(length), 1) for length in lengths]
        found = self.body.open_batch(raws).opened
        assert [each is not None for each in found] == [len(raw) <= BYTES_MAX for raw in raws]
        assert [each[0] for each in found if each] == [
            bytes(length)
            for raw, length in zip(raws, lengths, strict=True)
            if len(raw) <= BYTES_MAX
        ]
        assert {len(raw) for raw in raws} >= {BYTES_MAX, BYTES_MAX + 1}

    def test_keys_are_sorted_and_distinct(self) -> None:
        low, high = bytes(32), b"\xff" * 32
        for keys in ([low], [low, high], [high, low], [low, low], [low, high, high]):
            made = tuple(Signature(suite=1, public_key=key, signature=bytes(64)) for key in keys)
            raw = encode(Envelope(format=1, body=b"body", signatures=made))
            [opened] = self.body.open_batch([raw]).opened
            assert (opened is not None) == (keys == sorted(set(keys)))

    def test_an_envelope_is_opened_exactly_when_the_ledger_reads_it(self) -> None:
        raws = list(mutants(20_261_122, 6_000))
        expected = [is_envelope(raw) for raw in raws]
        assert 500 < sum(expected) < 4_000
        batch = self.body.open_batch(raws)
        assert [found is not None for found in batch.opened] == expected
        for raw, opened in zip(raws, batch.opened, strict=True):
            if opened is not None:
                envelope = decoder(Envelope).decode(raw)
                body, identity, keys = opened
                assert body == envelope.body
                assert keys == tuple(each.public_key for each in envelope.signatures)
                assert identity == sha256(transaction.signed_bytes(body)).digest()

    def test_what_is_inside_is_at_its_place(self) -> None:
        raws = [unsigned(b"one", 1), b"nothing", unsigned(b"two", 2)]
        opened = self.body.open_batch(raws).opened
        assert len(opened) == 3
        assert [opened[place] for place in range(-3, 3)] == [*opened, *opened]
        assert [each and each[0] for each in opened] == [b"one", None, b"two"]
        for place in (3, -4):
            with pytest.raises(IndexError):
                _ = opened[place]

    def test_good_signatures_are_checked_once(self) -> None:
        one, two = officers(2)
        good = [signed_by(b"first", one), signed_by(b"second", one, two)]
        bad = signed_by(b"third", one).replace(b"third", b"THIRD")
        known = self.body.known_good(10)
        batch = self.body.open_batch([*good, bad])
        assert known.check(batch, []) == ([], 0, 0)
        assert known.check(batch, [1, 2]) == ([-1, 0], 0, 3)
        assert known.check(batch, [0, 1, 2]) == ([-1, -1, 0], 1, 2)
        again = self.body.open_batch(good)
        assert known.check(again, range(2)) == ([-1, -1], 2, 0)
        assert self.body.known_good(10).check(again, [1]) == ([-1], 0, 2)

    def test_the_newer_half_of_the_good_ones_is_known(self) -> None:
        (signer,) = officers(1)
        raws = [signed_by(bytes([each]), signer) for each in range(9)]
        batch, known = self.body.open_batch(raws), self.body.known_good(6)
        for place in range(9):
            assert known.check(batch, [place])[1] == 0
        assert known.check(batch, range(3, 9))[1] == 6
        assert known.check(batch, range(3)) == ([-1] * 3, 0, 3)
        assert known.check(batch, range(9))[1] == 6
        few = self.body.known_good(0)
        assert few.check(batch, range(9)) == ([-1] * 9, 0, 9)
        assert few.check(batch, [8, 7])[1] == 2

    def test_what_is_not_open_is_not_known(self) -> None:
        batch, known = self.body.open_batch([unsigned(b"", 1), b"nothing"]), self.body.known_good(2)
        for place in (1, 2, -1):
            with pytest.raises(NotOpened, match=f"place {place} "):
                known.check(batch, [0, place])
