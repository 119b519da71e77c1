"""Who holds a piece is told when an invoice behind it is disputed, and not who else is."""

import pytest

from tallystick.apps.documents.messages import VoidDocument
from tallystick.apps.documents.queries import alerts, registration
from tallystick.apps.documents.records import FINANCIERS_MAX
from tallystick.apps.receivables.messages import Accept, BuyBack
from tallystick.apps.receivables.tests.market import CNY, Market


@pytest.fixture
def market() -> Market:
    market = Market()
    market.mint("bank-a", 1_000_000)
    market.mint("bank-b", 1_000_000)
    return market


def papers(market: Market, piece_id: str) -> tuple[str, ...]:
    """The registered invoices behind a piece."""
    return market.undertaking(market.of(piece_id)).registrations


def heard(market: Market, party: str) -> list[tuple[str, int]]:
    """What a party was told of disputes: registration and amount. It reads no other's name."""
    found = list(alerts(market.world.view(party)))
    assert all(each.seen_by == () for each in found)
    return [(each.registration_id, each.amount_minor) for each in found]


def test_holders_down_the_chain_are_told(market: Market) -> None:
    """S1 passes half on to S2, S2 to S3; bank-a buys the other half."""
    piece = market.opened(100000)
    (paper,) = papers(market, piece)
    first, second = market.split("S1", piece, 50000, 50000)
    market.held_by("S1", first, "S2")
    market.held_by("S2", first, "S3")
    market.financed("S1", second, "bank-a")
    market.passed("bank-a", second, "bank-b")
    market.credit_note("S1", paper, 10000)
    for party in ("S1", "S2", "S3", "bank-a"):
        assert heard(market, party) == [(paper, 10000)]
    for party in ("D1", "bank-b", "factor-a"):
        assert heard(market, party) == [], "neither the debtor nor who was only asked"
    (alert,) = alerts(market.world.view("SUP"))
    assert (alert.registration_id, alert.subject) == (paper, market.of(piece))


def test_a_void_invoice_is_told_to_the_holder(market: Market) -> None:
    piece = market.opened(100000)
    (paper,) = papers(market, piece)
    market.held_by("S1", piece, "S2")
    document = registration(market.world.view(), paper).document_id
    market.does("S1", VoidDocument(document_id=document, reason="never delivered"))
    assert heard(market, "S2") == [(paper, 100000)]


def test_every_invoice_behind_a_claim_counts(market: Market) -> None:
    one, read = market.invoice("S1", 60000)
    two, also = market.invoice("S1", 40000)
    terms = {"registrations": (one, two), "fingerprints": (read, also)}
    message = market.draft(100000, by_debtor=True, **terms)
    undertaking_id = market.does("D1", message).id
    piece = market.does("S1", Accept(undertaking_id=undertaking_id)).id
    market.held_by("S1", piece, "S2")
    market.credit_note("S1", two, 1)
    assert heard(market, "S2") == [(two, 1)]


def test_other_claims_of_the_supplier_are_none_of_their_business(market: Market) -> None:
    piece, other = market.opened(100000), market.opened(50000)
    market.held_by("S1", piece, "S2")
    market.credit_note("S1", papers(market, other)[0], 10000)
    assert heard(market, "S2") == []


def test_who_gets_its_piece_back_is_still_told(market: Market) -> None:
    piece = market.opened(100000)
    (paper,) = papers(market, piece)
    market.held_by("S1", piece, "S2")
    deal_id = market.financed("S2", piece, "bank-a", rate_ppm=0)
    market.does("S2", BuyBack(deal_id=deal_id, money=CNY, amount_minor=100000))
    market.credit_note("S1", paper, 10000)
    assert heard(market, "S2") == [(paper, 10000)]


def test_the_latest_of_many_financiers_is_told() -> None:
    """The registry notes 16 financiers of an invoice; who holds the claim is told all the same."""
    banks = [f"bank-{number}" for number in range(FINANCIERS_MAX + 1)]
    firms = {
        "CB": ("central_bank", "large"),
        "SUP": ("supervisor", "large"),
        "D1": ("core_enterprise", "large"),
        "S1": ("supplier", "medium"),
    }
    market = Market(members=firms | dict.fromkeys(banks, ("bank", "large")))
    piece = market.opened(100000)
    (paper,) = papers(market, piece)
    holder = "S1"
    for bank in banks:
        market.mint(bank, 100000)
        market.financed(holder, piece, bank, rate_ppm=0)
        holder = bank
    assert holder not in registration(market.world.view(), paper).financiers
    market.credit_note("S1", paper, 10000)
    assert heard(market, holder) == [(paper, 10000)]
