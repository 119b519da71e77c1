"""What a decoder says went wrong, as short plain ASCII: it may quote a stranger's bytes."""

from typing import Final

_HEAD_CHARS: Final = 200
_TAIL_CHARS: Final = 100


def plain_reason(problem: Exception) -> str:
    """The text of a problem, its middle cut out when long: the field is named at the end."""
    text = str(problem).encode("ascii", "backslashreplace").decode("ascii")
    text = "".join(char if char.isprintable() else "?" for char in text)
    if len(text) <= _HEAD_CHARS + _TAIL_CHARS:
        return text
    return f"{text[:_HEAD_CHARS]} ... {text[-_TAIL_CHARS:]}"
