"""Other spellings of an invoice number, as clerks and cheats type them."""

import re

_FULL_WIDTH = 0xFEE0


def full_width(number: str) -> str:
    """The number in full-width letters, separators as spaces: `INV-001` → `ｉｎｖ　００１`."""
    typed = re.sub(r"[^A-Za-z0-9]+", " ", number).strip().lower()
    return "".join("\u3000" if char == " " else chr(ord(char) + _FULL_WIDTH) for char in typed)


def retyped(number: str) -> str | None:
    """The number as a tired clerk types it: O for 0, I for 1; None if it has no digits."""
    for right, wrong in (("0", "O"), ("1", "I")):
        if right in number:
            return number.replace(right, wrong, 1)
    typed = re.sub(r"([0-9]+)", r"0\1", number, count=1)
    return typed if typed != number else None
