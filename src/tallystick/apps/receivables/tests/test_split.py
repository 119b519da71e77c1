"""Split: cutting a piece to the cent."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.receivables.messages import Split
from tallystick.apps.receivables.records import Leaf
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import InterestMethod, PieceStatus, Retired
from tallystick.apps.receivables.tests.market import NO_PIECE, Market


@pytest.fixture
def market() -> Market:
    return Market()


def test_parts_inherit_and_the_whole_is_retired(market: Market) -> None:
    whole = market.opened(100000)
    market.held_by("S1", whole, "S2")
    first, second = market.split("S2", whole, 1, 99999)
    assert (market.piece(whole).status, market.piece(whole).retired) == (
        PieceStatus.RETIRED,
        Retired.SPLIT,
    )
    part = market.piece(second)
    assert (part.start_minor, part.end_minor, part.holder) == (1, 100000, "S2")
    assert (part.hops, part.parent, part.payment_day) == (1, whole, "2026-10-08")
    assert market.piece(first).former_holders == ("S1",)
    assert market.undertaking(part.undertaking_id).pieces_count == 2
    leaves = market.world.view().scan(Leaf, part.undertaking_id)
    assert [leaf.piece_id for leaf in leaves] == [first, second]


def test_split_is_refused_in_this_order(market: Market) -> None:
    whole = market.opened(100000, min_piece_minor=10, pieces_max=3)

    def cut(*parts_minor: int, of: str = whole) -> Split:
        return Split(piece_id=of, parts_minor=parts_minor)

    market.refuses("S1", cut(50000, 50000, of=NO_PIECE), Refusal.NO_SUCH_PIECE)
    market.refuses("S2", cut(50000, 50000), Refusal.NOT_HOLDER, party="S2")
    market.refuses("S1", cut(), Refusal.PART_EMPTY)
    market.refuses("S1", cut(100000), Refusal.PART_EMPTY)
    market.refuses("S1", cut(100000, 0), Refusal.PART_EMPTY)
    market.refuses("S1", cut(50000, 49999), Refusal.PARTS_DIFFER)
    market.refuses("S1", cut(50000, 50001), Refusal.PARTS_DIFFER)
    market.refuses("S1", cut(9, 99991), Refusal.PART_TOO_SMALL)
    market.refuses("S1", cut(25000, 25000, 25000, 25000), Refusal.TOO_MANY_PIECES)
    parts = market.split("S1", whole, 10, 50000, 49990)
    market.refuses("S1", cut(25000, 25000, of=parts[1]), Refusal.TOO_MANY_PIECES)
    market.refuses("S1", cut(50000, 50000), Refusal.PIECE_RETIRED)


def test_split_says_nothing_of_the_holder(market: Market) -> None:
    whole = market.opened(100000)
    result = market.world.send(("S2.maker+checker", Split(piece_id=whole, parts_minor=(1, 99999))))
    assert "S1" not in market.world.told(result.receipt)


def test_split_ends_with_the_transfer_cut_off(market: Market) -> None:
    whole = market.opened(100000)
    market.at("2026-09-28", 23 * 60 + 59)
    first, _ = market.split("S1", whole, 50000, 50000)
    market.at("2026-09-29", 0)
    market.refuses("S1", Split(piece_id=first, parts_minor=(1, 49999)), Refusal.TRANSFERS_ENDED)


def test_a_bound_piece_is_not_cut(market: Market) -> None:
    whole = market.opened(100000)
    first, second, third = market.split("S1", whole, 30000, 30000, 40000)
    market.passed("S1", first, "S2")
    market.applied("S1", second, "bank-a")
    market.freeze(third, "S1")
    cut = (15000, 15000)
    market.refuses(
        "S1", Split(piece_id=first, parts_minor=cut), Refusal.PIECE_LOCKED, kind="transfer_pending"
    )
    market.refuses(
        "S1", Split(piece_id=second, parts_minor=cut), Refusal.PIECE_LOCKED, kind="offered"
    )
    market.refuses("S1", Split(piece_id=third, parts_minor=(20000, 20000)), Members.FROZEN)


def test_a_piece_financed_with_recourse_is_not_cut(market: Market) -> None:
    piece = market.opened(100000)
    market.mint("factor-a", 100000)
    market.financed(
        "S1",
        piece,
        "factor-a",
        recourse=True,
        advance_ppm=800_000,
        method=InterestMethod.ARREARS_ON_ADVANCE,
    )
    split = Split(piece_id=piece, parts_minor=(50000, 50000))
    market.refuses("factor-a", split, Refusal.FINANCED_WITH_RECOURSE)


def test_a_piece_bought_whole_is_the_buyers_to_cut(market: Market) -> None:
    piece = market.opened(100000)
    market.mint("bank-a", 100000)
    market.financed("S1", piece, "bank-a")
    parts = market.split("bank-a", piece, 50000, 50000)
    assert {market.piece(part).deal_id for part in parts} == {None}


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_however_it_is_cut_the_pieces_make_up_the_face(data: st.DataObject) -> None:
    market = Market()
    pieces = [market.opened(1000)]
    for _ in range(4):
        piece = data.draw(st.sampled_from(pieces))
        size = market.piece(piece).amount_minor
        if size > 2:
            first = data.draw(st.integers(1, size - 1))
            pieces.remove(piece)
            pieces += market.split("S1", piece, first, size - first)
    assert sum(market.piece(piece).amount_minor for piece in pieces) == 1000
