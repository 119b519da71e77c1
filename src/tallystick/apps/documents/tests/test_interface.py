"""What other applications may do, through one that does nothing else."""

import pytest

from tallystick.apps.cash.tests.desk.messages import (
    SUBJECT,
    Attach,
    Drop,
    Finance,
    Paid,
    Stand,
    Watch,
)
from tallystick.apps.cash.tests.network import by, network
from tallystick.apps.documents import interface
from tallystick.apps.documents.messages import CancelRegistration
from tallystick.apps.documents.queries import alerts
from tallystick.apps.documents.records import (
    FINANCIERS_MAX,
    WATCHERS_MAX,
    Particulars,
    Purpose,
    Reason,
    Registration,
    RegistrationStatus,
    Watchers,
)
from tallystick.apps.documents.refusals import Refusal
from tallystick.apps.documents.tests.papers import (
    NO_REGISTRATION,
    credited,
    document_of,
    read,
    registered,
    seen,
    stands,
)
from tallystick.ledger.refusal import Fault
from tallystick.testing.world import World
from tallystick.values.codec import decode_key, replace


@pytest.fixture
def world() -> World:
    return network()


def stand(
    registration_id: str,
    particulars: Particulars,
    *,
    member: str = "S1",
    purpose: Purpose = Purpose.OPENING,
    currency: str = "CNY",
) -> Stand:
    return Stand(
        registration_id=registration_id,
        member=member,
        purpose=purpose,
        currency=currency,
        strict=particulars.strict,
        relaxed=particulars.relaxed,
    )


def test_a_record_stands_on_a_registration_from_beginning_to_end(world: World) -> None:
    made = registered(world, "S1", 6_000)
    world.accepts(by("S1"), stand(made, read()))
    assert interface.registration(world.view(), made).subject == SUBJECT
    world.accepts(by("factor"), Finance(registration_id=made))
    world.accepts(by("bank-a"), Finance(registration_id=made))
    world.accepts(by("bank-a"), Finance(registration_id=made))
    kept = seen(world, made)
    assert (kept.status, kept.financiers) == (RegistrationStatus.FNCD, ("factor", "bank-a"))
    world.accepts(by("D1"), Paid(registration_id=made))
    assert seen(world, made).is_paid
    assert stands(world, document_of(world, made)).free_minor == 4_000, "paid stays used"
    world.accepts(by("S1"), Drop(registration_id=made, reason=Reason.OBSA))
    kept = seen(world, made)
    assert (kept.status, kept.reason) == (RegistrationStatus.CANC, Reason.OBSA)
    assert stands(world, document_of(world, made)).free_minor == 10_000


def test_who_is_noted_already_changes_nothing(world: World) -> None:
    made = registered(world, "S1", 6_000)
    world.accepts(by("S1"), stand(made, read()))

    def is_changed() -> bool:
        """Whether one more piece that the factor finances changes the registration."""
        result = world.accepts(by("factor"), Finance(registration_id=made))
        assert result.height is not None
        (changes,) = world.chain.entry(result.height).changes
        return any(decode_key(key)[0] == Registration.spec.name for key, _ in changes)

    assert [is_changed(), is_changed()] == [True, False]


def test_only_so_many_financiers_are_noted() -> None:
    banks = [f"bank-{number}" for number in range(FINANCIERS_MAX + 1)]
    world = network(banks=banks)
    made = registered(world, "S1", 6_000)
    world.accepts(by("S1"), stand(made, read()))
    for bank in banks:
        world.accepts(by(bank), Finance(registration_id=made))
    assert seen(world, made).financiers == tuple(banks[:-1])


def test_who_relies_on_a_registration_is_told_of_disputes_once(world: World) -> None:
    made = registered(world, "S1", 6_000)
    assert interface.told_of_disputes(world.view(), made) == ("S1",)
    world.accepts(by("S1"), stand(made, read()))
    world.accepts(by("factor"), Finance(registration_id=made))
    for parties in (("S2",), ("D1", "S2"), ("factor", "S1")):
        world.accepts(by("S1"), Watch(registration_id=made, parties=parties))
    assert world.view().get(Watchers, made).parties == ("S2", "D1", "factor", "S1")
    told = interface.told_of_disputes(world.view(), made)
    assert told == ("S1", "factor", "S2", "D1")
    other = registered(world, "S1", 1_000)
    assert interface.told_of_disputes(world.view(), other) == ("S1",)


def test_only_so_many_watchers_are_noted(world: World) -> None:
    made = registered(world, "S1", 6_000)
    many = tuple(f"holder-{number}" for number in range(WATCHERS_MAX + 1))
    world.accepts(by("S1"), Watch(registration_id=made, parties=many))
    assert world.view().get(Watchers, made).parties == many[:-1]
    credited(world, "S1", document_of(world, made), 9_000)
    (alert,) = alerts(world.view())
    assert alert.seen_by == ("S1", *many[:-1])


def test_require_usable_refuses_in_this_order(world: World) -> None:
    odd = replace(read(), strict=bytes(32))

    def ask(registration_id: str, **other: object) -> Stand:
        wrong = stand(registration_id, odd, member="S2", purpose=Purpose.SETTLEMENT, currency="EUR")
        return replace(wrong, **other)

    world.refuses(by("S1"), ask(NO_REGISTRATION), Refusal.NO_SUCH_REGISTRATION)
    made = registered(world, "S1", 6_000)
    world.refuses(by("S1"), ask(made), Refusal.NOT_OWNER, id=made)
    waits = registered(world, "S1", 1, read("INV-OO1"))
    world.refuses(by("S1"), ask(waits, member="S1"), Refusal.STILL_PENDING)
    world.accepts(by("S1"), CancelRegistration(registration_id=waits))
    world.refuses(by("S1"), ask(waits, member="S1"), Refusal.CANCELLED)
    used = registered(world, "S1", 1_000)
    world.accepts(by("S1"), stand(used, read()))
    world.refuses(by("S1"), ask(used, member="S1"), Refusal.IN_USE)
    world.refuses(by("S1"), Attach(registration_id=used), Refusal.IN_USE)
    world.accepts(by("factor"), Finance(registration_id=used))
    world.refuses(by("S1"), ask(used, member="S1"), Refusal.ALREADY_FINANCED)
    world.refuses(by("S1"), ask(made, member="S1"), Refusal.OTHER_PURPOSE)
    mine = {"member": "S1", "purpose": Purpose.OPENING}
    world.refuses(by("S1"), ask(made, **mine), Refusal.OTHER_CURRENCY, currency="EUR")
    third = registered(world, "S1", 3_000)
    credited(world, "S1", document_of(world, made), 1_000)
    mine["currency"] = "CNY"
    world.refuses(by("S1"), ask(third, **mine), Refusal.DISPUTED)
    world.refuses(by("S1"), ask(made, **mine), Refusal.OTHER_FINGERPRINT, id=made)
    relaxed = replace(read(), relaxed=bytes(32))
    world.refuses(by("S1"), stand(made, relaxed), Refusal.OTHER_FINGERPRINT)


def test_nobody_is_made_to_stand_for_another(world: World) -> None:
    made = registered(world, "S1", 6_000)
    world.refuses(by("S2"), Attach(registration_id=made), Refusal.NOT_OWNER)


def test_only_the_record_that_stands_on_it_may_let_it_go(world: World) -> None:
    made = registered(world, "S1", 6_000)
    world.accepts(by("S1"), stand(made, read()))
    other = Drop(registration_id=made, reason=Reason.RJCT, subject="desk-00000000000000ff")
    with pytest.raises(Fault):
        world.send((by("S1"), other))


def test_a_record_stands_on_live_registrations_alone(world: World) -> None:
    made = registered(world, "S1", 6_000)
    world.accepts(by("S1"), CancelRegistration(registration_id=made))
    with pytest.raises(Fault):
        world.send((by("S1"), Attach(registration_id=made)))


def test_what_a_registration_used_is_freed_once(world: World) -> None:
    """Another one uses the same invoice: freeing the first again would free what that uses."""
    made = registered(world, "S1", 2_000)
    registered(world, "S1", 4_000)
    world.accepts(by("S1"), Attach(registration_id=made))
    world.accepts(by("S1"), Drop(registration_id=made, reason=Reason.OBSA))
    with pytest.raises(Fault):
        world.send((by("S1"), Drop(registration_id=made, reason=Reason.OBSA)))
