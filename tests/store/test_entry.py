"""The bytes of the log are those of `docs/reference/log-format.md`; nothing else is readable."""

import re
from pathlib import Path

from tallystick.store.entry import (
    HEADER_BYTES,
    OVERHEAD_BYTES,
    TIP_BYTES,
    Header,
    Tip,
    decode_header,
    decode_tip,
    encode_entry,
    encode_tip,
)
from tallystick.testing.disk import SimulatedDisk
from tests.store.worlds import FOLDER, GENESIS, open_log

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "log-format.md").read_text("utf-8")


def dumps() -> list[bytes]:
    """The hex dumps of the page: the segment, the tip."""
    found = []
    for block in re.findall(r"```hexdump\n(.*?)```", PAGE, flags=re.DOTALL):
        lines = [line.split(maxsplit=1) for line in block.splitlines()]
        assert [int(offset, 16) for offset, _ in lines] == list(range(0, 16 * len(lines), 16))
        found.append(b"".join(bytes.fromhex(text) for _, text in lines))
    return found


def test_the_log_writes_the_bytes_of_the_page() -> None:
    disk = SimulatedDisk()
    log = open_log(disk)
    hashes = []
    for block in (b"first block", b""):
        log.append(block)
        hashes.append(log.last_hash.hex())
    segment, tip = dumps()
    assert disk.files() == {f"{FOLDER}/00000001.log": segment, f"{FOLDER}/tip": tip}
    assert re.findall(r"Hash of entry \d: `([0-9a-f]{64})`", PAGE) == hashes


def test_the_bytes_of_the_page_are_read_back() -> None:
    segment, tip = dumps()
    _, first = encode_entry(1, GENESIS, b"first block")
    _, second = encode_entry(2, first, b"")
    assert decode_header(segment) == Header(height=1, body_bytes=11, previous=GENESIS)
    assert decode_header(segment, 79) == Header(height=2, body_bytes=0, previous=first)
    assert decode_tip(tip) == Tip(height=2, entry_hash=second)
    assert (HEADER_BYTES, OVERHEAD_BYTES, TIP_BYTES) == (60, 68, 56)


def test_no_other_header_or_tip_is_readable() -> None:
    entry, digest = encode_entry(7, GENESIS, b"body")
    tip = encode_tip(Tip(7, digest))
    for bit in range(8):
        for offset in range(HEADER_BYTES):
            wrong = bytearray(entry)
            wrong[offset] ^= 1 << bit
            assert decode_header(bytes(wrong)) is None
        for offset in range(TIP_BYTES):
            wrong = bytearray(tip)
            wrong[offset] ^= 1 << bit
            assert decode_tip(bytes(wrong)) is None
    for size in range(HEADER_BYTES):
        assert decode_header(entry[:size]) is None
    assert decode_tip(tip + b"\x00") is None
    assert decode_tip(tip[:-1]) is None
