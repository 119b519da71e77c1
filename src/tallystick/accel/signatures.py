"""Ed25519 signatures under ZIP-215 rules.

Libraries disagree on edge cases of RFC 8032, so a network that mixes them could fork. ZIP-215
(https://zips.z.cash/zip-0215) leaves no choice: any encoding of a point is accepted, canonical or
not; the number s must be below the group order; the equation is checked times the cofactor 8.
Only under these rules do batch and single verification always agree.

The curve is -x² + y² = 1 + d·x²·y² over the field of P elements (RFC 8032, section 5.1).
"""

from collections.abc import Sequence

from ed25519_zebra import ed_verify  # type: ignore[import-untyped]

__all__ = ["is_small_order", "is_valid_point", "verify", "verify_batch"]

KEY_BYTES = 32
SIGNATURE_BYTES = 64

P = 2**255 - 19
D = (-121665 * pow(121666, -1, P)) % P

# The four points of order 8 have y = ±Y8, which solves d·y⁴ + 2y² = 1: doubling them gives y = 0.
Y8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# y of the eight points whose order divides 8; every x that goes with one of them does so too.
SMALL_ORDER_Y = frozenset((0, 1, P - 1, Y8, P - Y8))


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` over `message` is good; wrong lengths are just not good."""
    if len(public_key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    return bool(ed_verify(signature, message, public_key))


def verify_batch(items: Sequence[tuple[bytes, bytes, bytes]]) -> list[bool]:
    """Check many (public key, message, signature); one verdict for each, in order."""
    return [verify(public_key, message, signature) for public_key, message, signature in items]


def is_small_order(public_key: bytes) -> bool:
    """Tell a key whose point has order 1, 2, 4 or 8, in any of its fourteen encodings.

    Such a key has signatures that are good for every message, so it is nobody's.
    """
    return len(public_key) == KEY_BYTES and _y_of(public_key) in SMALL_ORDER_Y


def is_valid_point(public_key: bytes) -> bool:
    """Tell whether ZIP-215 can decode these bytes to a point of the curve.

    Solving the curve for x gives x² = u/v with u = y² - 1 and v = d·y² + 1. v is never 0 because
    -1/d is not a square, and u/v is a square exactly when u·v is. The sign bit may be anything.
    """
    if len(public_key) != KEY_BYTES:
        return False
    y_squared = _y_of(public_key) ** 2
    u_times_v = (y_squared - 1) * (D * y_squared + 1)
    return pow(u_times_v, (P - 1) // 2, P) in (0, 1)  # Euler's criterion


def _y_of(public_key: bytes) -> int:
    """Read y as ZIP-215 does: little-endian without the sign bit, reduced if it is P or more."""
    return (int.from_bytes(public_key, "little") & (2**255 - 1)) % P
