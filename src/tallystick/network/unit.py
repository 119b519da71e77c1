"""The systemd unit of a node, filled in for one machine."""

from __future__ import annotations

from importlib.resources import files

from tallystick.network.supervisor import NO_USE

TEMPLATE = "tally-node.service"


def unit(*, tally: str, data: str, user: str) -> str:
    """The unit file: which program, which folder, as whom."""
    text = files("tallystick.network").joinpath(TEMPLATE).read_text(encoding="utf-8")
    leave = " ".join(map(str, sorted(NO_USE)))
    for name, value in (("TALLY", tally), ("DATA", data), ("USER", user), ("LEAVE", leave)):
        text = text.replace(f"@{name}@", value)
    return text
