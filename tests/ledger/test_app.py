"""What an application declares, and how a ledger looks it up."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

import pytest

from tallystick.ledger.app import (
    App,
    Message,
    Record,
    functions_of,
    key_bytes,
    record,
    rule_name,
    snake,
    structs_of,
    tag_of,
)
from tallystick.ledger.authority import limited_amount
from tallystick.ledger.context import Context, Moment, Work
from tallystick.ledger.genesis import BUDGET
from tallystick.ledger.overlay import Overlay
from tallystick.ledger.refusal import Fault, Refused
from tallystick.ledger.rules import Rules
from tallystick.testing.world import World
from tallystick.values.codec import encode_key
from tallystick.values.units import PartyId
from tests.ledger.toy import APP, contract, messages, records
from tests.ledger.toy.messages import Bell, Close, CountUp, Double, Hammer, Open, Take
from tests.ledger.toy.people import Keys, toy_world
from tests.ledger.toy.records import Counter, Note, Secret, Status
from tests.ledger.toy.refusals import Refusal


def test_names() -> None:
    assert snake("AcceptPass") == "accept_pass"
    assert rule_name(cast("type[Message]", type("Pass", (), {}))) == "pass_"
    assert rule_name(Open) == "open"


def test_what_is_declared_in_the_order_of_the_source() -> None:
    assert APP.record_types == (Counter, Note, Secret)
    assert APP.message_types[:2] == (Open, CountUp)
    assert APP.message_types[-3:] == (Close, Bell, Hammer)
    assert [query.__name__ for query in APP.query_functions] == ["counters"]
    assert [each.__name__ for each in APP.invariant_functions] == ["no_counter_is_below_nothing"]
    assert list(structs_of(records, Message)) == []
    assert list(structs_of(messages, Message)) == list(APP.message_types)


def test_an_application_may_lack_modules() -> None:
    bare = App(name="bare", version=1, messages=None, records=None, refusals=Refusal, contract=None)
    assert bare.message_types == ()
    assert bare.record_types == ()
    assert list(functions_of(None)) == []
    assert Rules([bare]).sent == ()
    assert bare.verbs == {}


def test_a_rule_is_found_by_name_and_version() -> None:
    assert APP.handler(CountUp, 2) is contract.count_up
    assert APP.handler(CountUp, 1) is contract.count_by_one
    assert APP.handler(Double, 2) is contract.double


def test_of_several_old_rules_the_nearest_is_in_force() -> None:
    aged = App(
        name="toy",
        version=9,
        messages=messages,
        records=records,
        refusals=Refusal,
        contract=contract,
        earlier={
            ("count_up", 5): contract.double,
            ("count_up", 3): contract.count_by_one,
            ("open", 8): contract.drop,
        },
    )
    rules = [aged.handler(CountUp, version) for version in (1, 3, 4, 5, 6)]
    assert rules == [
        contract.count_by_one,
        contract.count_by_one,
        contract.double,
        contract.double,
        contract.count_up,
    ]


def test_tags_are_written_out() -> None:
    assert tag_of(Counter) == "toy.counter.1"
    with pytest.raises(Fault, match="Untagged has no tag"):

        @record(key=("party",))
        class Untagged(Record):
            """Nobody wrote its tag."""

            party: PartyId
            """Whose."""


def test_keys_of_records() -> None:
    assert key_bytes(Note(name="n", number=7)) == encode_key("toy.note", "n", 7)
    assert key_bytes(Secret(party="A")) == encode_key("toy.secret", "A")


def test_two_applications_of_one_name() -> None:
    with pytest.raises(Fault, match="one name"):
        Rules([APP, APP])


def test_refusals_are_public_and_permanent() -> None:
    assert Refusal(4) is Refusal.CLOSED
    assert (Refusal.CLOSED.app, Refusal.CLOSED.number) == ("toy", 4)
    assert Refusal.CLOSED.rule == "the toy's own rule"
    assert (Refusal.CLOSED.retry, Refusal.OWNER_NOT_ACTING.retry) == (False, True)
    no = Refused(Refusal.CLOSED, {"counter_id": "x", "number": 2})
    assert str(no) == "toy 4 CLOSED: counter_id=x number=2"


# --- limits


def limited(message: Message, *kept: Counter) -> tuple[str, int] | None:
    """What a limit applies to, over a state with some counters."""
    world = toy_world(records=kept)
    moment = Moment(world.ledger.rules, BUDGET, now_ms=1, height=1)
    work = Work(Overlay(world.chain.state), moment, bytes(32))
    return limited_amount(Context(work, party="A", acting=frozenset("A")), message)


ID = "ctr-0123456789abcdef"
COUNTER = Counter(
    counter_id=ID,
    owner="A",
    currency="EUR",
    amount_minor=42,
    status=Status.OPEN,
)


def test_an_amount_beside_its_currency() -> None:
    take = Take(source="ctr-0", target="ctr-1", currency="CNY", amount_minor=5)
    assert limited(take) == ("CNY", 5)
    assert limited(Take(source="ctr-0", target="ctr-1", currency="CNY")) is None
    assert limited(Open(currency="CNY")) is None


def test_an_amount_of_the_record_referred_to() -> None:
    up = CountUp(counter_id=COUNTER.counter_id, by_minor=1)
    assert limited(up, COUNTER) == ("EUR", 42)
    with pytest.raises(Refused) as no:
        limited(up)
    assert no.value.code is Refusal.NO_SUCH_COUNTER


MODULE = '''
from typing import Annotated
from tallystick.ledger.app import Message, message
from tallystick.values.units import Id, KeyOf, Minor, MoneyId

@message(verb=None, limit_by="{path}")
class Odd(Message, tag="odd.odd.1"):
    """A message with an odd limit."""
    counter_id: Annotated[Id, KeyOf("Counter")] = ""
    plain_id: Id = ""
    amount_minor: Minor = 0
    money: MoneyId | None = None
'''


def declared(source: str) -> ModuleType:
    """A module of such a source."""
    module = ModuleType("odd_messages")
    sys.modules[module.__name__] = module
    exec(source, vars(module))
    return module


def odd(path: str) -> App:
    """An application whose one message says its limit so."""
    module = declared(MODULE.format(path=path))
    return App(
        name="odd", version=1, messages=module, records=None, refusals=Refusal, contract=None
    )


@pytest.mark.parametrize(
    ("path", "told"), (("a.b.c", "one reference"), ("plain_id.amount_minor", "no record"))
)
def test_a_path_that_leads_nowhere_is_our_bug(path: str, told: str) -> None:
    with pytest.raises(Fault, match=told):
        Rules([APP, odd(path)])


def test_an_amount_has_a_currency_or_money() -> None:
    rules = Rules([odd("amount_minor")])
    (message,) = rules.sent
    limit = rules.limits[message]
    reader = toy_world().view()
    assert limit(reader, message(money="EUR@CB", amount_minor=3)) == ("EUR", 3)
    with pytest.raises(Fault, match="without a currency"):
        limit(reader, message(amount_minor=3))


OWN = '''
from typing import Annotated
from tallystick.ledger.app import Message, Record, message, record
from tallystick.values.units import Currency, Id, KeyOf, Minor

@record(key=("counter_id",))
class Counter(Record, tag="odd.counter.1"):
    """Another record of the same name."""
    counter_id: Id
    currency: Currency
    amount_minor: Minor

@message(verb=None, limit_by="counter_id.amount_minor")
class Odd(Message, tag="odd.odd.1"):
    """Refers to the record of its own application."""
    counter_id: Annotated[Id, KeyOf("Counter")]
'''


def test_ones_own_record_is_meant_before_anothers_of_the_same_name() -> None:
    module = declared(OWN)
    own = App(
        name="odd", version=1, messages=module, records=module, refusals=Refusal, contract=None
    )
    limit = Rules([own, APP]).limits[module.Odd]
    world = World(
        [own, APP], Keys(), [module.Counter(counter_id=ID, currency="EUR", amount_minor=9)]
    )
    assert limit(world.view(), module.Odd(counter_id=ID)) == ("EUR", 9)
