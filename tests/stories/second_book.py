"""A second opinion: a debtor's book kept another way, which writes cases for the ledger to pass.

It shares no code with the application: fractions instead of integers, and only what the settled
rules say. `case_of(seed)` draws a story at random and writes down what must come of it.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

PAYMENT_DAY = date(2026, 10, 8)
GRACE_END = date(2026, 10, 12)
VALUE_DAY = date(2026, 7, 6)
LATE = Fraction(500, 1_000_000)
"""Of the principal, a day."""
HEAD = """
$ tally --as CB.maker+checker cash mint --to D1 --money CNY@CB --amount {much}
$ tally --as CB.maker+checker cash mint --to factor-a --money CNY@CB --amount {much}
invoice inv S1 -> D1 INV-1 2026-06-30 {face} CNY
$ tally --as S1.maker+checker documents commit --disclosure inv
  as doc
$ tally --as S1.maker+checker documents register --document doc --disclosure inv \\
    --purpose opening --amount {face} --currency CNY
  as reg
$ tally --as S1.maker+checker receivables draft --debtor D1 --supplier S1 --amount {face} \\
    --currency CNY --due-day 2026-10-01 --registrations reg
  as und
$ tally --as D1.maker+checker receivables confirm --undertaking und --disclosure inv
  as whole
$ tally --as S1.maker+checker receivables split --piece whole --parts {parts}
  as {names}
@ 2026-07-06 09:00
"""
DEAL = """
$ tally --as S1.maker+checker receivables apply --piece {name} --financiers factor-a
  as d{name}
$ tally --as factor-a.maker+checker receivables offer --deal d{name} --disclosure inv \\
    --recourse yes --advance-ppm {advance_ppm} --method arrears_on_advance --rate-ppm {rate_ppm} \\
    --day-count act/360 --money CNY@CB --valid-until 2026-07-06 --disburse-by 2026-07-06 \\
    --fees "name=fee payer=S1 payee=factor-a basis=face rate-ppm={fee_ppm} when=maturity"
  = d{name}.advance {advance}
  = d{name}.fees {fee}
$ tally --as S1.maker+checker receivables accept-offer --deal d{name}
$ tally --as factor-a.maker+checker receivables disburse --deal d{name} --money CNY@CB \\
    --amount {advance} --attestation "search-number=C number=D kind=assignment \\
    start-day=2026-07-06 end-day=2027-07-05"
"""


def half_up(amount: Fraction) -> int:
    """Whole cents, a half up."""
    return int(amount + Fraction(1, 2))


def decimal(cents: int) -> str:
    """Cents as people write them."""
    return f"{cents // 100:,}.{cents % 100:02d}"


def shared(amount: int, owed: Sequence[int]) -> list[int]:
    """Pro rata by largest remainder, ties to the lower place."""
    exact = [Fraction(amount * each, sum(owed)) for each in owed]
    parts = [int(each) for each in exact]
    order = sorted(range(len(owed)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[: amount - sum(parts)]:
        parts[place] += 1
    return parts


@dataclass
class Claim:
    """What a factor is owed on a piece."""

    rate: Fraction
    fees: int
    advance: int
    interest: int = 0
    since: date = VALUE_DAY

    def grow(self, day: date) -> None:
        """Count interest up to a day."""
        days = max(0, (day - self.since).days)
        self.interest += half_up(self.advance * self.rate * days / 360)
        self.since = max(day, self.since)

    def take(self, amount: int) -> int:
        """Fees, then interest, then advance; what is left over."""
        for name in ("fees", "interest", "advance"):
            part = min(amount, getattr(self, name))
            setattr(self, name, getattr(self, name) - part)
            amount -= part
        return amount

    @property
    def total(self) -> int:
        """All of it."""
        return self.fees + self.interest + self.advance


@dataclass
class Piece:
    """A piece as the debtor's book keeps it."""

    name: str
    left: int
    holder: str = "S1"
    claim: Claim | None = None
    accrued: int = 0
    since: date = PAYMENT_DAY

    def grow(self, day: date) -> None:
        """Count late interest up to a day."""
        self.accrued += half_up(self.left * LATE * max(0, (day - self.since).days))
        self.since = max(day, self.since)

    def demanded(self, day: date) -> int:
        """Late interest that is owed on a day: none within grace."""
        return self.accrued if day > GRACE_END else 0


class Book:
    """The debtor's undertaking and everybody's cash."""

    def __init__(self, pieces: list[Piece], much: int) -> None:
        """Nothing is paid yet."""
        self.pieces = pieces
        self.cash = {"S1": 0, "factor-a": much, "D1": much}

    def owed(self, day: date) -> list[int]:
        """What each piece is owed on a day; interest is counted up to it."""
        for piece in self.pieces:
            piece.grow(day)
        return [piece.left + piece.demanded(day) for piece in self.pieces]

    def pay(self, amount: int, day: date) -> None:
        """Share a payment out."""
        owed = self.owed(day)
        is_whole = amount == sum(owed) and day <= GRACE_END
        self.cash["D1"] -= amount
        for piece, part in zip(self.pieces, shared(amount, owed), strict=True):
            late = min(part, piece.demanded(day))
            piece.left -= part - late
            piece.accrued = 0 if is_whole else piece.accrued - late
            self._pay_holder(piece, part, day)

    def _pay_holder(self, piece: Piece, part: int, day: date) -> None:
        """A factor is paid its claim; what is above, and then the piece, is S1's."""
        above = part
        if piece.claim is not None and part:
            piece.claim.grow(day)
            above = piece.claim.take(part)
            self.cash[piece.holder] += part - above
            if piece.claim.total == 0:
                piece.claim = None
                piece.holder = "S1" if piece.left + piece.accrued else piece.holder
        if above:
            self.cash["S1"] += above


def case_of(seed: int) -> str:
    """A story drawn at random, and what must come of it."""
    draw = random.Random(seed)
    lengths = [draw.choice((1, 3, 7, 99, 12_345, 1_000_001)) for _ in range(draw.randint(2, 7))]
    pieces = [Piece(f"p{number}", length) for number, length in enumerate(lengths)]
    face, much = sum(lengths), 10 * sum(lengths) + 100_000
    book = Book(pieces, much)
    parts, names = " ".join(map(decimal, lengths)), " ".join(piece.name for piece in pieces)
    lines = [HEAD.format(much=decimal(much), face=decimal(face), parts=parts, names=names)]
    lines += [
        _deal(draw, book, piece) for piece in pieces if piece.left > 50 and draw.random() < 0.5
    ]
    lines += _payments(draw, book, face)
    return "\n".join(lines)


def _deal(draw: random.Random, book: Book, piece: Piece) -> str:
    """A factor finances a piece with recourse."""
    advance_ppm, rate_ppm = draw.randint(500_000, 1_000_000), draw.randint(1, 240_000)
    fee_ppm = draw.randint(1, 20_000)
    advance = piece.left * advance_ppm // 1_000_000
    fee = half_up(Fraction(piece.left * fee_ppm, 1_000_000))
    piece.holder, piece.claim = "factor-a", Claim(Fraction(rate_ppm, 1_000_000), fee, advance)
    book.cash["factor-a"] -= advance
    book.cash["S1"] += advance
    return DEAL.format(
        name=piece.name,
        advance_ppm=advance_ppm,
        rate_ppm=rate_ppm,
        fee_ppm=fee_ppm,
        advance=decimal(advance),
        fee=decimal(fee),
    )


def _payments(draw: random.Random, book: Book, face: int) -> Iterator[str]:
    """Money put up for the cut-off, then payments on later days, the last of all that is owed."""
    funded = draw.randint(0, face - 1)
    yield "@ 2026-10-08 09:00"
    if funded:
        yield _order("fund", funded)
        book.pay(funded, PAYMENT_DAY)
    yield "@ 2026-10-08 17:00"
    yield from _standing(book)
    day = PAYMENT_DAY
    for number, last in enumerate((False,) * draw.randint(0, 4) + (True,)):
        day += timedelta(days=draw.choice((0, 1, 1, 2, 4, 9, 30)))
        yield f"@ {day} 18:0{number}"
        total = sum(book.owed(day))
        yield from (
            "$ tally --as D1 receivables owed --undertaking und",
            f"= total {decimal(total)}",
        )
        amount = total if last else draw.randint(1, total)
        book.pay(amount, day)
        yield _order("pay", amount)
        yield from _standing(book)
        if amount == total:
            break


def _order(message: str, amount: int) -> str:
    """The debtor pays."""
    told = f"--undertaking und --money CNY@CB --amount {decimal(amount)}"
    return f"$ tally --as D1.maker+checker receivables {message} {told}"


def _standing(book: Book) -> Iterator[str]:
    """How everything must stand."""
    for piece in book.pieces:
        yield f"= {piece.name}.left {decimal(piece.left)}"
        yield f"= {piece.name}.late_owed {decimal(piece.accrued)}"
        yield f"= {piece.name}.holder {piece.holder}"
    for party, cents in sorted(book.cash.items()):
        if cents:
            yield f"$ tally --as {party} cash balances --party {party}"
            yield f"= available {decimal(cents)}"
