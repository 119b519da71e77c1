"""Frames: however the bytes come in pieces, the same messages come out; what is none is refused."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.engine.cometbft.frames import BadFrame, FrameReader, frame

LENGTHS = (0, 1, 127, 128, 129, 16_383, 16_384, 70_000)


@given(st.lists(st.binary(max_size=300), max_size=20), st.lists(st.integers(1, 50), min_size=1))
def test_any_cutting_gives_the_same_messages(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(frame(message) for message in messages)
    reader = FrameReader()
    found = []
    place = turn = 0
    while place < len(stream):
        step = cuts[turn % len(cuts)]
        found += reader.feed(stream[place : place + step])
        place, turn = place + step, turn + 1
    assert found == messages
    assert reader.is_between


def test_byte_by_byte() -> None:
    messages = [bytes([n % 256]) * n for n in LENGTHS]
    reader = FrameReader()
    found = []
    for message in messages:
        for byte in frame(message):
            found += reader.feed(bytes([byte]))
    assert found == messages


def test_a_frame_that_is_not_complete_is_kept() -> None:
    reader = FrameReader()
    assert reader.feed(frame(b"abc")[:-1]) == []
    assert not reader.is_between
    assert reader.feed(b"c" + frame(b"d")) == [b"abc", b"d"]


def test_a_giant_frame_is_refused_by_its_length_alone() -> None:
    reader = FrameReader(bytes_max=1_000)
    assert reader.feed(frame(bytes(1_000))) == [bytes(1_000)]
    with pytest.raises(BadFrame, match="1001 bytes: at most 1000"):
        reader.feed(frame(bytes(1_001))[:3])


def test_a_length_without_end_is_refused() -> None:
    with pytest.raises(BadFrame, match="no length"):
        FrameReader().feed(b"\xff" * 5)
    reader = FrameReader()
    assert reader.feed(b"\xff" * 4) == []
    with pytest.raises(BadFrame):
        reader.feed(b"\xff")


@given(st.binary(max_size=200))
def test_garbage_is_frames_or_refused(garbage: bytes) -> None:
    reader = FrameReader(bytes_max=1_000)
    try:
        found = reader.feed(garbage)
    except BadFrame:
        return
    assert all(len(message) <= 1_000 for message in found)


def test_a_large_frame_in_small_pieces_takes_linear_time() -> None:
    """Sixteen times the bytes take about sixteen times as long; quadratic work takes 256 times.

    Both streams fit the processor's cache, so that a machine which does other things slows both.
    """

    def taken(size: int) -> float:
        stream, reader = frame(bytes(size)), FrameReader()
        began = time.thread_time()
        for place in range(0, len(stream), 256):
            reader.feed(stream[place : place + 256])
        return time.thread_time() - began

    def is_linear() -> bool:
        small = min(taken(64_000) for _ in range(9))
        return min(taken(1_024_000) for _ in range(3)) < 64 * small

    assert any(is_linear() for _ in range(5))
