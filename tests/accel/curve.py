"""The curve of Ed25519 written out slowly, to check the quick tests of accel against it."""

P = 2**255 - 19
D = (-121665 * pow(121666, -1, P)) % P

Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def solve_x(y: int, sign: int) -> int | None:
    """The x of a point with this y, or None; with x = 0 any sign is taken, as in ZIP-215."""
    squared = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(squared, (P + 3) // 8, P)
    for x in (root, root * pow(2, (P - 1) // 4, P) % P):
        if x * x % P == squared:
            return x if x & 1 == sign else (P - x) % P
    return None


def decode(encoded: bytes) -> Point | None:
    """The point that ZIP-215 reads from 32 bytes, or None."""
    number = int.from_bytes(encoded, "little")
    y = number % 2**255 % P
    x = solve_x(y, number >> 255)
    return None if x is None else (x, y)


def add(one: Point, other: Point) -> Point:
    """The sum of two points (RFC 8032, section 5.1.4, without projective coordinates)."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    x3 = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y3 = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x3, y3


def times_eight(point: Point) -> Point:
    """The point added to itself until there are eight."""
    for _ in range(3):
        point = add(point, point)
    return point
