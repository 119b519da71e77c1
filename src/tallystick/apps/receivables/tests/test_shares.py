"""How a payment is shared out: the figures of the worked cases, to the cent."""

from hypothesis import given
from hypothesis import strategies as st

from tallystick.apps.receivables.shares import (
    Owing,
    late_interest,
    share_out,
    share_unnamed,
    total_owed,
)

BANK, FACTOR, TIER3 = (0, 12000001), (12000001, 21999997), (21999997, 30000000)


def owing(start: int, principal: int, accrued: int = 0, *, in_grace: bool = False) -> Owing:
    """What a piece is owed."""
    return Owing(
        start_minor=start,
        principal_minor=principal,
        accrued_minor=accrued,
        late_minor=0 if in_grace else accrued,
    )


def test_case_5_sixty_percent_is_paid_by_largest_remainder() -> None:
    pieces = [owing(start, end - start) for start, end in (BANK, FACTOR, TIER3)]
    shares = share_out(18000000, pieces, in_grace=True)
    assert [share.principal_minor for share in shares] == [7200001, 5999997, 4800002]
    assert [share.late_minor for share in shares] == [0, 0, 0]


def test_case_6_fifty_thousand_after_default_pays_interest_first() -> None:
    left = [(0, 4800000), (12000001, 3999999), (21999997, 3200001)]
    interest = [
        late_interest(principal, 500, since="2026-10-08", until="2026-10-26")
        for _, principal in left
    ]
    assert interest == [43200, 36000, 28800]
    pieces = [
        owing(start, principal, late)
        for (start, principal), late in zip(left, interest, strict=True)
    ]
    shares = share_out(5000000, pieces, in_grace=False)
    assert [share.late_minor + share.principal_minor for share in shares] == [
        2000000,
        1666666,
        1333334,
    ]
    rest = [
        piece.principal_minor - share.principal_minor
        for piece, share in zip(pieces, shares, strict=True)
    ]
    assert rest == [2843200, 2369333, 1895467]
    assert sum(rest) == 7108000


def test_case_6_paid_whole_within_grace_owes_no_interest() -> None:
    pieces = [
        owing(0, 4800000, 9600, in_grace=True),
        owing(12000001, 3999999, 8000, in_grace=True),
        owing(21999997, 3200001, 6400, in_grace=True),
    ]
    assert total_owed(pieces) == 12000000
    shares = share_out(12000000, pieces, in_grace=True)
    assert [share.late_owed_minor for share in shares] == [0, 0, 0]
    assert [share.principal_minor for share in shares] == [4800000, 3999999, 3200001]


def test_part_within_grace_pays_principal_and_keeps_the_interest_counted() -> None:
    pieces = [owing(0, 100000, 200, in_grace=True), owing(100000, 50000, 100, in_grace=True)]
    shares = share_out(75000, pieces, in_grace=True)
    assert [share.principal_minor for share in shares] == [50000, 25000]
    assert [share.late_owed_minor for share in shares] == [200, 100]


def test_late_interest_has_no_negative_days() -> None:
    assert late_interest(100000, 500, since="2026-10-08", until="2026-10-01") == 0
    assert late_interest(100000, 500, since="2026-10-08", until="2026-10-08") == 0
    assert late_interest(100000, 500, since="2026-10-08", until="2026-10-09") == 50


def test_unnamed_money_goes_to_the_earliest_due_then_pro_rata() -> None:
    owed = [("2026-08-03", 10000), ("2026-08-03", 5000), ("2026-09-01", 7000)]
    assert share_unnamed(3000, owed) == (2000, 1000, 0)
    assert share_unnamed(16000, owed) == (10000, 5000, 1000)
    assert share_unnamed(22000, owed) == (10000, 5000, 7000)


@given(
    st.lists(st.tuples(st.integers(1, 10**12), st.integers(0, 10**9)), min_size=1, max_size=30),
    st.integers(0, 10**6),
)
def test_shares_add_up_and_never_exceed_what_is_owed(
    pieces: list[tuple[int, int]], millionths: int
) -> None:
    owed = [owing(n, principal, late) for n, (principal, late) in enumerate(pieces)]
    amount = total_owed(owed) * millionths // 10**6
    shares = share_out(amount, owed, in_grace=False)
    assert sum(share.late_minor + share.principal_minor for share in shares) == amount
    for piece, share in zip(owed, shares, strict=True):
        assert 0 <= share.principal_minor <= piece.principal_minor
        assert share.late_minor + share.late_owed_minor == piece.accrued_minor
