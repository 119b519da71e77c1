"""Frames of the socket protocol: the length of a message as a varint, then the message."""

from __future__ import annotations

FRAME_BYTES_MAX = 72 * 1024 * 1024
"""Largest frame: a block of the largest size and what comes with it."""
VARINT_BYTES_MAX = 5
"""Bytes in which the length of the largest frame fits, and some more."""


class BadFrame(Exception):
    """Bytes that are no frame: the connection cannot be read any further."""


class FrameReader:
    """Cuts a stream into frames. Each byte is copied twice, however it comes in pieces."""

    def __init__(self, *, bytes_max: int = FRAME_BYTES_MAX) -> None:
        """Begin at a border between frames."""
        self._buffer = bytearray()
        self._bytes_max = bytes_max

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now. `BadFrame` when what comes cannot be one."""
        self._buffer += data
        found: list[bytes] = []
        start = 0
        while (place := self._next(start)) is not None:
            begin, start = place
            found.append(bytes(memoryview(self._buffer)[begin:start]))
        del self._buffer[:start]
        return found

    @property
    def is_between(self) -> bool:
        """Whether the stream stands at a border between frames."""
        return not self._buffer

    def _next(self, start: int) -> tuple[int, int] | None:
        """Where the next frame's message begins and ends; None when it is not complete."""
        length = 0
        for place, byte in enumerate(self._buffer[start : start + VARINT_BYTES_MAX]):
            length |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if length > self._bytes_max:
                    raise BadFrame(f"a frame of {length} bytes: at most {self._bytes_max}")
                begin = start + place + 1
                return (begin, begin + length) if begin + length <= len(self._buffer) else None
        if len(self._buffer) - start >= VARINT_BYTES_MAX:
            raise BadFrame("a frame begins with no length")
        return None


def frame(message: bytes) -> bytes:
    """A message with its length before it."""
    length = len(message)
    head = bytearray()
    while length > 0x7F:
        head.append(0x80 | (length & 0x7F))
        length >>= 7
    head.append(length)
    return bytes(head) + message
