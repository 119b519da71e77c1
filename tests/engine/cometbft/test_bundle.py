"""Bundles: one encoding, strict limits, and a cache that is bounded."""

from __future__ import annotations

import threading

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.engine.cometbft.bundle import (
    BUNDLE_BYTES_MAX,
    TRANSACTIONS_MAX,
    BadBundle,
    Bundle,
    BundleCache,
    encode_bundle,
    encode_tick,
)
from tallystick.values.codec import encode
from tests.engine.cometbft.stand import Stand
from tests.till.messages import Fill

FILL = ("A", Fill(currency="CNY", amount_minor=1))
STAND = Stand()
RAW = STAND.signed(FILL)
GOOD = encode_bundle(3, [RAW, STAND.signed(FILL)])


def read(raw: bytes) -> Bundle:
    return BundleCache(STAND.ledger).read(raw)


def test_what_was_encoded_is_read() -> None:
    bundle = read(GOOD)
    assert (bundle.raw, bundle.note, bundle.is_tick) == (GOOD, 3, False)
    assert bundle.transactions[0].raw == RAW
    assert encode_bundle(bundle.note, [each.raw for each in bundle.transactions]) == GOOD


def test_a_tick_is_a_bundle_of_nothing_and_the_same_on_every_node() -> None:
    assert encode_tick(7) == bytes([0x93, 1, 7, 0x90])
    bundle = read(encode_tick(2**64 - 1))
    assert bundle.is_tick
    assert bundle.note == 2**64 - 1


@pytest.mark.parametrize(
    ("raw", "why"),
    (
        (b"", "not a bundle"),
        (b"\xc1", "not a bundle"),
        (encode([1, 0]), "not a bundle"),
        (encode([1, 0, [], 0]), "not a bundle"),
        (encode([2, 0, []]), "format 2 is unknown"),
        (encode([1, -1, []]), "not a bundle"),
        (encode({"format": 1, "note": 0, "transactions": []}), "not a bundle"),
        (b"\x93\x01\xcc\x07\x90", "not canonical"),
        (b"\x93\x01\x07\xdc\x00\x00", "not canonical"),
        (encode_tick(7) + b"\x00", "not a bundle"),
        (encode_bundle(0, [b"\xc0"]), "MALFORMED"),
        (encode_bundle(0, [RAW + b"\x00"]), "MALFORMED"),
        (encode_bundle(0, [bytes(70_000)]), "not a bundle"),
        (encode_bundle(0, [b""] * (TRANSACTIONS_MAX + 1)), "not a bundle"),
        (encode_bundle(0, [bytes(60_000)] * 17), f"at most {BUNDLE_BYTES_MAX}"),
        (encode_bundle(0, [STAND.signed(FILL, chain_id="other-00000000")]), "chain other"),
    ),
)
def test_what_is_no_bundle_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(BadBundle, match=why):
        read(raw)


def test_a_full_bundle_is_read() -> None:
    raws = [RAW] * TRANSACTIONS_MAX
    if len(encode_bundle(0, raws)) > BUNDLE_BYTES_MAX:
        raws = raws[: BUNDLE_BYTES_MAX // (len(RAW) + 3) - 1]
    assert len(read(encode_bundle(0, raws)).transactions) == len(raws)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_bundle_or_refused(raw: bytes) -> None:
    _is_bundle_or_refused(raw)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
@settings(max_examples=300)
def test_any_byte_changed_is_a_bundle_or_refused(place: int, byte: int) -> None:
    _is_bundle_or_refused(GOOD[:place] + bytes([byte]) + GOOD[place + 1 :])


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.binary()),
        lambda inner: st.lists(inner, max_size=5),
    )
)
def test_any_messagepack_is_a_bundle_or_refused(value: object) -> None:
    _is_bundle_or_refused(msgspec.msgpack.encode(value))


def _is_bundle_or_refused(raw: bytes) -> None:
    try:
        bundle = read(raw)
    except BadBundle:
        return
    assert encode_bundle(bundle.note, [each.raw for each in bundle.transactions]) == raw


# --- the cache


def test_a_bundle_is_decoded_once() -> None:
    cache = BundleCache(STAND.ledger)
    assert cache.read(GOOD) is cache.read(bytes(bytearray(GOOD)))


def test_what_is_remembered_is_not_decoded() -> None:
    cache = BundleCache(STAND.ledger)
    bundle = Bundle(GOOD, 3, (STAND.ledger.codec.decode(RAW),))
    cache.remember(bundle)
    assert cache.read(GOOD) is bundle


def test_the_cache_is_bounded_by_bytes_and_keeps_what_is_asked_for() -> None:
    cache = BundleCache(STAND.ledger, bytes_max=3 * len(GOOD))
    first = cache.read(GOOD)
    for note in range(10):
        cache.read(encode_bundle(note % 10, [RAW, STAND.signed(FILL)]))
        assert cache.read(GOOD) is first
        assert cache._bytes == sum(len(each.raw) for each in cache._kept.values())
        assert cache._bytes <= 3 * len(GOOD)


def test_what_is_larger_than_the_cache_is_read_and_not_kept() -> None:
    cache = BundleCache(STAND.ledger, bytes_max=10)
    assert cache.read(GOOD) is not cache.read(GOOD)


def test_many_threads_may_read() -> None:
    cache = BundleCache(STAND.ledger, bytes_max=3 * len(GOOD))
    raws = [encode_bundle(note, [RAW]) for note in range(8)]
    wrong: list[bytes] = []

    def work() -> None:
        for turn in range(200):
            raw = raws[turn % len(raws)]
            if cache.read(raw).raw != raw:
                wrong.append(raw)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert cache._bytes == sum(len(each.raw) for each in cache._kept.values())
