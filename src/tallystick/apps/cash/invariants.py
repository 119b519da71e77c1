"""What must always hold of cash."""

from collections.abc import Iterator

from tallystick.apps.cash.records import Balance, Held, Supply
from tallystick.ledger.view import View


def balances_add_up_to_the_supply(view: View) -> Iterator[str]:
    """Per money, the sum of balances is what was issued less what was redeemed."""
    sums: dict[str, int] = {}
    for balance in view.scan(Balance):
        sums[balance.money] = sums.get(balance.money, 0) + balance.total_minor
    for supply in view.scan(Supply):
        about = supply.issued_minor - supply.redeemed_minor
        found = sums.pop(supply.money, 0)
        if found != about:
            yield f"{supply.money}: {about} is about, balances are {found}"
    for money, found in sums.items():
        yield f"{money}: never issued, balances are {found}"


def no_balance_is_negative(view: View) -> Iterator[str]:
    """Nothing available, held or redeemed is below zero or above what is there."""
    for balance in view.scan(Balance):
        if balance.available_minor < 0 or balance.held_minor < 0:
            yield f"{balance.party} has a negative balance of {balance.money}"
    for supply in view.scan(Supply):
        if not 0 <= supply.redeemed_minor <= supply.issued_minor:
            yield f"{supply.money}: more was redeemed than issued"


def held_is_the_sum_of_holds(view: View) -> Iterator[str]:
    """What a balance says is held is what its holds keep, and no hold is empty or overfull."""
    sums: dict[tuple[str, str], int] = {}
    for kept in view.scan(Held):
        if not 0 < kept.remaining_minor <= kept.amount_minor:
            yield f"hold {kept.hold_id} keeps {kept.remaining_minor} of {kept.amount_minor}"
        of = (kept.owner, kept.money)
        sums[of] = sums.get(of, 0) + kept.remaining_minor
    for balance in view.scan(Balance):
        found = sums.pop((balance.party, balance.money), 0)
        if balance.held_minor != found:
            yield f"{balance.party}: {balance.held_minor} of {balance.money} held, holds {found}"
    for (party, money), found in sums.items():
        yield f"{party}: holds of {found} {money} without a balance"
