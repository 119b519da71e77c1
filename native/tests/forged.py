"""Signatures of every kind that readers of Ed25519 have disagreed about, made by the thousand.

Keys and nonces are known multiples of the base point, each with a point of small order added or
not, so that a signature can be made good, or nearly, with one hash (RFC 8032, section 5.1.6; the
kinds are those of "Taming the many EdDSAs", https://eprint.iacr.org/2020/1244).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha512

from tests.accel import curve
from tests.accel.vectors import load_vectors

ORDER = 2**252 + 27742317777372353535851937790883648493
BASE: curve.Point = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)
SIGN = 1 << 255

Triple = tuple[bytes, bytes, bytes]


@dataclass(frozen=True)
class Known:
    """A point of which the multiple of the base point is known, up to a point of small order."""

    encoded: bytes
    """One of its encodings."""
    multiple: int
    """How many base points, below the group order."""


def encode(point: curve.Point) -> bytes:
    """The canonical encoding."""
    x, y = point
    return (y + (x & 1) * SIGN).to_bytes(32, "little")


def times(number: int, point: curve.Point) -> curve.Point:
    """A multiple of a point."""
    result = curve.IDENTITY
    while number:
        if number & 1:
            result = curve.add(result, point)
        point = curve.add(point, point)
        number >>= 1
    return result


@cache
def small() -> tuple[Known, ...]:
    """All fourteen encodings of the eight points of small order."""
    encodings = {case["vk"] for case in load_vectors("zip215_196.json")}
    return tuple(Known(bytes.fromhex(each), 0) for each in sorted(encodings))


@cache
def mixed(count: int, seed: int) -> tuple[Known, ...]:
    """Multiples of the base point, each with every point of small order added."""
    chance = random.Random(seed)
    torsion = sorted({point for each in small() if (point := curve.decode(each.encoded))})
    made: list[Known] = []
    for _ in range(count):
        multiple = chance.randrange(1, ORDER)
        point = times(multiple, BASE)
        made += [Known(encode(curve.add(point, other)), multiple) for other in torsion]
    return tuple(made)


@cache
def odd() -> tuple[bytes, ...]:
    """Encodings at the edge: y from 0 to 18 and from p to p + 18, with either sign."""
    return tuple(
        (y + sign).to_bytes(32, "little")
        for y in (*range(19), *range(curve.P - 3, 2**255))
        for sign in (0, SIGN)
    )


def made_good(key: Known, nonce: Known, message: bytes) -> Triple:
    """A signature that ZIP-215 accepts."""
    digest = sha512(nonce.encoded + key.encoded + message).digest()
    s = (nonce.multiple + int.from_bytes(digest, "little") * key.multiple) % ORDER
    return key.encoded, message, nonce.encoded + s.to_bytes(32, "little")


def spoilt(chance: random.Random, good: Triple) -> Triple:
    """The same with something changed; it is bad nearly always."""
    key, message, signature = good
    match chance.randrange(8):
        case 0:
            return flipped(chance, key), message, signature
        case 1:
            return key, flipped(chance, message), signature
        case 2 | 3:
            return key, message, flipped(chance, signature)
        case 4:  # s is written as another number of the same class
            s = int.from_bytes(signature[32:], "little") + chance.choice((1, 2, 8, 15)) * ORDER
            return key, message, signature[:32] + (s % 2**256).to_bytes(32, "little")
        case 5:
            return chance.choice(odd()), message, signature
        case 6:
            return key, message, chance.choice(odd()) + signature[32:]
    return key[: chance.choice((0, 31, 32))], message, signature[: chance.choice((0, 63, 64))]


def flipped(chance: random.Random, given: bytes) -> bytes:
    """One bit changed."""
    if not given:
        return b"\0"
    at = chance.randrange(8 * len(given))
    return given[: at // 8] + bytes((given[at // 8] ^ 1 << at % 8,)) + given[at // 8 + 1 :]


def batches(seed: int, count: int) -> Iterator[list[tuple[Triple, bool]]]:
    """`count` signatures in batches; each with whether it was made good and left so."""
    chance = random.Random(seed)
    keys, nonces = mixed(24, seed + 1), mixed(48, seed + 2)
    while count > 0:
        size = min(count, chance.choice((1, 2, 3, 31, 33, 500, 1_000, 1_024, 1_025, 2_500)))
        bad_share = chance.choice((0.0, 0.0, 1 / size, 0.05, 0.5, 1.0))
        few_keys = chance.sample(keys, chance.choice((1, 8, len(keys))))
        batch: list[tuple[Triple, bool]] = []
        for _ in range(size):
            key = chance.choice(few_keys if chance.random() < 0.9 else small())
            nonce = chance.choice(nonces if chance.random() < 0.9 else small())
            message = chance.randbytes(chance.choice((0, 1, 40, 300)))
            good = made_good(key, nonce, message)
            is_bad = chance.random() < bad_share
            batch.append((spoilt(chance, good) if is_bad else good, not is_bad))
        count -= size
        yield batch
