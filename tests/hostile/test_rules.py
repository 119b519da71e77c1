"""What members may not do: amounts, parts, pieces, licences and orders that do not allow it."""

import msgspec
import pytest

from tallystick.apps.cash.messages import Mint, Transfer
from tallystick.apps.cash.refusals import Refusal as Cash
from tallystick.apps.documents.records import Purpose
from tallystick.apps.members.messages import (
    ChangeOfficer,
    Freeze,
    Suspend,
    Unfreeze,
)
from tallystick.apps.members.parts import Limit, Scope
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.receivables.messages import Pass, Split
from tallystick.apps.receivables.refusals import Refusal as Receivables
from tallystick.apps.receivables.tests.market import Market
from tallystick.gateway.reply import Outcome
from tallystick.ledger.app import Role
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.transaction import assemble
from tallystick.testing.world import sign
from tallystick.values.units import INT64_MAX
from tests.hostile.net import CNY, Net

DAY_MS = 86_400_000


@pytest.fixture(scope="session")
def market(net: Net) -> Market:
    """Invoices and claims on the shared node."""
    return Market(net)  # type: ignore[arg-type]


def raw_amount(net: Net, amount: object) -> bytes:
    """A payment of S1 whose amount is whatever is given, signed as it should be."""
    plain = msgspec.msgpack.decode(
        net.body(("S1.maker+checker", Transfer(to="S2", money=CNY, amount_minor=1)))
    )
    plain["calls"][0]["message"]["amount_minor"] = amount
    body = msgspec.msgpack.encode(plain)
    return assemble(body, [sign("S1.maker", body), sign("S1.checker", body)])


@pytest.mark.parametrize(
    "amount",
    (-1, -(2**63), 2**63, 2**64 - 1, 1.0, "1", None, True, [1]),
    ids=str,
)
def test_amounts_that_are_none(net: Net, amount: object) -> None:
    """Negative, beyond 2^63 and no whole numbers: no transaction at all."""
    net.turned_away(raw_amount(net, amount), Outcome.REJECTED, Refusal.MALFORMED)


def test_zero(net: Net) -> None:
    for who, asked in (
        ("S1.maker+checker", Transfer(to="S2", money=CNY, amount_minor=0)),
        ("CB.maker+checker", Mint(to="S2", money=CNY, amount_minor=0)),
    ):
        net.refuses(who, asked, Cash.ZERO_AMOUNT)


def test_more_than_there_is(net: Net) -> None:
    asked = Transfer(to="S2", money=CNY, amount_minor=INT64_MAX)
    net.refuses("S6.maker+checker", asked, Cash.INSUFFICIENT)


def test_overflow(net: Net) -> None:
    """Two amounts that each fit and whose sum does not; what there was stays as it was."""
    money = "CNY@bank-b"
    net.accepts("bank-b.maker+checker", Mint(to="D2", money=money, amount_minor=INT64_MAX))
    for to in ("D2", "S6"):
        asked = Mint(to=to, money=money, amount_minor=1)
        net.refuses("bank-b.maker+checker", asked, Refusal.OVERFLOW)
    [kept] = [
        each for each in net.client.query("cash", "balances", party="D2") if each["money"] == money
    ]
    assert kept["available_minor"] == str(INT64_MAX)


@pytest.mark.parametrize("currency", ("XXX", "XAU", "ABC"))
def test_unknown_currency(net: Net, currency: str) -> None:
    asked = Mint(to="D2", money=f"{currency}@CB", amount_minor=1)
    net.refuses("CB.maker+checker", asked, Cash.UNKNOWN_CURRENCY)


def test_parts_that_do_not_add_up(net: Net, market: Market) -> None:
    piece = market.opened(1_000_000_00)
    for parts, code in (
        ((333_333_33, 333_333_33, 333_333_33), Receivables.PARTS_DIFFER),
        ((333_333_33, 333_333_33, 333_333_35), Receivables.PARTS_DIFFER),
        ((INT64_MAX, INT64_MAX), Receivables.PARTS_DIFFER),
        ((1_000_000_00, 0), Receivables.PART_EMPTY),
        ((1_000_000_00,), Receivables.PART_EMPTY),
        ((), Receivables.PART_EMPTY),
    ):
        asked = Split(piece_id=piece, parts_minor=parts)
        reply = net.client.submit(net.signed(("S1.maker+checker", asked)))
        assert reply.outcome is Outcome.REFUSED, parts
        assert (reply.app, reply.code) in {
            (code.app, code.number),
            (Refusal.OVERFLOW.app, Refusal.OVERFLOW.number),
        }, (parts, reply)
    net.refuses(
        "S2.maker+checker",
        Split(piece_id=piece, parts_minor=(1, 999_999_99)),
        Receivables.NOT_HOLDER,
    )
    assert len(market.split("S1", piece, 333_333_33, 333_333_33, 333_333_34)) == 3


def test_piece_not_free(net: Net, market: Market) -> None:
    """What was passed on and waits for an answer is neither cut nor passed on again."""
    piece = market.opened(500_00)
    market.passed("S1", piece, "S2")
    paper, _ = market.invoice("S3", 500_00, Purpose.SETTLEMENT)
    for asked in (
        Split(piece_id=piece, parts_minor=(1_00, 499_00)),
        Pass(piece_id=piece, to="S3", registrations=(paper,)),
    ):
        net.refuses("S1.maker+checker", asked, Receivables.PIECE_LOCKED)


def test_piece_that_is_no_more(net: Net, market: Market) -> None:
    piece = market.opened(500_00)
    market.split("S1", piece, 100_00, 400_00)
    asked = Split(piece_id=piece, parts_minor=(1_00, 499_00))
    net.refuses("S1.maker+checker", asked, Receivables.PIECE_RETIRED)


def test_over_limit(net: Net) -> None:
    """A maker who may sign up to 1,000.00 signs no cent more, not in two calls either."""
    net.accepts("CB.maker+checker", Mint(to="T3", money=CNY, amount_minor=5_000_00))
    limit = Limit(currency="CNY", single_minor=1_000_00)
    net.accepts(
        "T3.admin+checker",
        ChangeOfficer(officer_id="maker", roles=(Role.MAKER,), limits=(limit,)),
    )
    who = "T3.maker+checker"
    most = Transfer(to="S2", money=CNY, amount_minor=1_000_00)
    more = Transfer(to="S2", money=CNY, amount_minor=1_000_01)
    cent = Transfer(to="S2", money=CNY, amount_minor=1)
    for raw in (net.signed((who, more)), net.signed((who, most), (who, cent))):
        net.turned_away(raw, Outcome.UNAUTHORISED, Members.OVER_LIMIT)
    net.accepts(who, most)


def test_unlicensed_verb(net: Net) -> None:
    """A supplier issues no money."""
    raw = net.signed(("S2.maker+checker", Mint(to="S2", money="CNY@S2", amount_minor=1)))
    net.turned_away(raw, Outcome.UNAUTHORISED, Members.UNLICENSED)


def test_suspended(net: Net, market: Market) -> None:
    """Who is suspended starts nothing new, and still pays and is paid."""
    net.accepts("CB.maker+checker", Mint(to="D2", money=CNY, amount_minor=100_00))
    order = Suspend(
        member="D2", order_id="T/1", expires_at_ms=net.now_ms + DAY_MS, reason="books not filed"
    )
    net.accepts("SUP.compliance", order)
    message = market.draft(100_00, by_debtor=True, debtor="D2")
    raw = net.signed(("D2.maker+checker", message))
    net.turned_away(raw, Outcome.UNAUTHORISED, Members.SUSPENDED)
    net.accepts("D2.maker+checker", Transfer(to="S1", money=CNY, amount_minor=100_00))
    net.accepts("CB.maker+checker", Mint(to="D2", money=CNY, amount_minor=1))


def test_frozen(net: Net) -> None:
    """A frozen account pays nothing out, is still paid, and is free when the order is lifted."""
    net.accepts("CB.maker+checker", Mint(to="factor-b", money=CNY, amount_minor=100_00))
    subject = f"{CNY}/factor-b"
    order = Freeze(
        scope=Scope.CASH_ACCOUNT,
        subject=subject,
        member="factor-b",
        order_id="T/2",
        expires_at_ms=net.now_ms + DAY_MS,
        reason="court ruling",
    )
    net.accepts("SUP.compliance", order)
    asked = Transfer(to="S1", money=CNY, amount_minor=1)
    net.refuses("factor-b.maker+checker", asked, Members.FROZEN)
    net.accepts("CB.maker+checker", Mint(to="factor-b", money=CNY, amount_minor=1))
    lifted = Unfreeze(
        scope=Scope.CASH_ACCOUNT, subject=subject, order_id="T/2", reason="ruling annulled"
    )
    net.accepts("SUP.compliance", lifted)
    net.accepts("factor-b.maker+checker", asked)
