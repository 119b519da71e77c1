"""A licence that is taken between a draft and its answer: the undertaking does not open."""

from tallystick.apps.members.messages import GrantLicence, RevokeLicence
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.receivables.messages import TRADE, UNDERTAKE, Accept, Confirm
from tallystick.apps.receivables.tests.market import Market


def test_accept_when_the_debtor_may_no_longer_promise() -> None:
    market = Market()
    asked = Accept(undertaking_id=market.does("D1", market.draft(100_00, by_debtor=True)).id)
    market.does("SUP", RevokeLicence(member="D1", verbs=(UNDERTAKE,), reason="lapsed"))
    market.refuses("S1", asked, Members.UNLICENSED, member="D1", verb=UNDERTAKE)
    market.does("SUP", GrantLicence(member="D1", verbs=(UNDERTAKE,)))
    market.does("S1", asked)


def test_confirm_when_the_supplier_may_no_longer_hold() -> None:
    market = Market()
    undertaking_id, read = market.drafted(100_00)
    asked = Confirm(undertaking_id=undertaking_id, fingerprints=(read,))
    market.does("SUP", RevokeLicence(member="S1", verbs=(TRADE,), reason="lapsed"))
    market.refuses("D1", asked, Members.UNLICENSED, member="S1", verb=TRADE)
    market.does("SUP", GrantLicence(member="S1", verbs=(TRADE,)))
    market.does("D1", asked)
