"""The node's log: one line for each event, as JSON for programs or in columns for people.

Every line has `event`, `level`, `time` (UTC, milliseconds), `node`, and once they are known
`chain`, `member` and `height`. Lines of libraries look the same. No line carries a secret or an
amount: events name blocks, ids and rules.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

from tallystick.engine.cometbft.home import HOME, validator_key
from tallystick.ledger.system import Validator
from tallystick.node import Node

OURS = "tallystick"
"""Logger whose lines are told from INFO on where programs read them; others from WARNING on."""


@dataclass
class Where:
    """What every line says of the node that wrote it; filled as it becomes known."""

    node: str
    """Data folder, as it was named."""
    chain: str = ""
    """Chain, e.g. `pilot-0a1b2c3d`."""
    member: str = ""
    """Member that runs the node; empty while nobody has said."""
    height: Callable[[], int] | None = None
    """Tells the height of the last committed block."""

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        """Add it to a line."""
        found = {"node": self.node, "chain": self.chain, "member": self.member}
        event.update({name: value for name, value in found.items() if value})
        if self.height is not None:
            event.setdefault("height", self.height())
        return event


def member_of(node: Node) -> str:
    """The member whose validator a node is; empty when it is none."""
    if node.settings.engine.kind == "embedded":
        return ""
    key = validator_key(node.folder / HOME)
    validators = node.engine.view().scan(Validator)
    return next((each.member for each in validators if each.public_key == key), "")


def set_up(
    log_format: str, where: Where, *, debug: bool = False, out: TextIO | None = None
) -> None:
    """Have every logger of the process write lines of one form to the error stream.

    `log_format` is `text`, `json`, or `auto`: text on a terminal and JSON elsewhere.
    """
    stream = out or sys.stderr
    as_json = log_format == "json" or (log_format == "auto" and not stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(where, as_json=as_json, colours=stream.isatty()))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if debug else logging.WARNING)
    ours = logging.INFO if as_json else logging.WARNING
    logging.getLogger(OURS).setLevel(logging.DEBUG if debug else ours)
    logging.captureWarnings(capture=True)


def _formatter(where: Where, *, as_json: bool, colours: bool) -> logging.Formatter:
    """How a line is made of a record of the standard library's logging."""
    before: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        where,
        _with_time,
    ]
    if as_json:
        before.append(structlog.stdlib.add_logger_name)
        last: list[Any] = [structlog.processors.format_exc_info, _as_json]
    else:
        plain = structlog.dev.plain_traceback
        last = [
            structlog.dev.ConsoleRenderer(
                colors=colours, exception_formatter=plain, timestamp_key="time"
            )
        ]
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=[remove, *last])


def _with_time(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """When it happened, by the machine's clock."""
    record: logging.LogRecord | None = event.get("_record")
    now = datetime.now(UTC) if record is None else datetime.fromtimestamp(record.created, UTC)
    event["time"] = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _as_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    """One object; the most asked for comes first."""
    first = {name: event.pop(name) for name in ("time", "level", "event") if name in event}
    return msgspec.json.encode(first | dict(event), enc_hook=str).decode()
