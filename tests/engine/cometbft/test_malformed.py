"""Requests that no CometBFT makes: each is answered, refused, or halts with a word; none breaks."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.bundle import encode_tick
from tallystick.engine.cometbft.dispatch import ROUTES, Route, answer, route_of
from tallystick.engine.cometbft.frames import BadFrame, FrameReader
from tallystick.errors import TallystickError
from tests.engine.cometbft.stand import Stand
from tests.till.messages import Fill

STAND = Stand()
FILL = ("A", Fill(currency="CNY", amount_minor=1))
GOOD = STAND.bundle(FILL)

NUMBERS = st.one_of(st.integers(-2, 3), st.sampled_from((2**31 - 1, 2**53, 2**63 - 1, -(2**63))))
BYTES = st.one_of(st.binary(max_size=40), st.sampled_from((GOOD, GOOD[:-1], encode_tick(1))))
TIMES = st.builds(
    abci.Timestamp, seconds=NUMBERS, nanos=st.sampled_from((0, -1, 2**31 - 1, -(2**31)))
)


def request_of(kind: str) -> st.SearchStrategy[abci.Request]:
    """Requests of one kind with any values in any of its fields."""
    field = abci.Request.DESCRIPTOR.fields_by_name[kind]
    return value_of(field.message_type).map(lambda value: abci.Request(**{kind: value}))


def value_of(described: Any) -> st.SearchStrategy[Any]:
    """Any value of a message."""
    if described.name == "Timestamp":
        return TIMES
    made: Any = getattr(abci, described.name)
    fields = {field.name: field_of(field) for field in described.fields}
    return st.fixed_dictionaries({}, optional=fields).map(lambda said: made(**said))


def field_of(field: Any) -> st.SearchStrategy[Any]:
    """Any value of a field."""
    if field.message_type is not None:
        value: st.SearchStrategy[Any] = value_of(field.message_type)
    elif field.type == field.TYPE_BYTES:
        value = BYTES
    elif field.type == field.TYPE_STRING:
        value = st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace").decode())
    elif field.type == field.TYPE_BOOL:
        value = st.booleans()
    elif field.type in (field.TYPE_UINT32, field.TYPE_ENUM):
        value = st.integers(0, 2**31 - 1)
    elif field.type == field.TYPE_UINT64:
        value = st.integers(0, 2**64 - 1)
    else:
        value = NUMBERS
    return st.lists(value, max_size=3) if field.is_repeated else value


def tried(stand: Stand, message: bytes) -> abci.Response | None:
    """The response to a request's bytes; None when it was refused, or halted with a word."""
    try:
        said = answer(stand.application, message, route_of(message))
    except (BadFrame, TallystickError):
        return None
    (message,) = FrameReader().feed(said)
    return abci.Response.FromString(message)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(ROUTES)).flatmap(request_of))
def test_any_values_in_any_fields(request: abci.Request) -> None:
    stand = Stand()
    found = tried(stand, request.SerializeToString())
    if found is not None:
        assert found.WhichOneof("value") == request.WhichOneof("value")
    assert tried(stand, abci.Request(info=abci.RequestInfo()).SerializeToString()) is not None
    stand.application.execute_ahead()


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=60))
def test_any_bytes(message: bytes) -> None:
    tried(STAND, message)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_byte_of_a_good_request_changed(data: st.DataObject) -> None:
    stand = Stand()
    hash_, height, time = stand.named([GOOD], None)
    request = abci.RequestFinalizeBlock(txs=[GOOD], hash=hash_, height=height, time=time)
    message = bytearray(abci.Request(finalize_block=request).SerializeToString())
    place = data.draw(st.integers(0, len(message) - 1))
    message[place] ^= data.draw(st.integers(1, 255))
    tried(stand, bytes(message))
    stand.finalize([GOOD])
    stand.commit()


def test_routes_are_told_by_the_first_bytes() -> None:
    for kind, route in ROUTES.items():
        request = abci.Request()
        getattr(request, kind).SetInParent()
        assert route_of(request.SerializeToString()) is route
    for message in (b"", b"\x80", b"\xff\xff", b"\x00"):
        assert route_of(message) is Route.READ
