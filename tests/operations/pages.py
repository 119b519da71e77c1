"""Reading a page of figures, and the files that name figures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

DOCS = Path(__file__).parents[2] / "docs" / "operations"

FIGURE = re.compile(r"\b(?:tally|cometbft)_[a-z0-9_]+\b")


def figures_of(page: bytes) -> dict[str, float]:
    """Every figure by its name and labels: `tally_transactions_total{outcome=accepted}`."""
    found = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[sample.name + ("{" + labels + "}" if labels else "")] = sample.value
    return found


def names_of(page: bytes) -> set[str]:
    """Names of all figures, without labels; of a histogram also its own."""
    families = list(text_string_to_metric_families(page.decode()))
    found = {sample.name for family in families for sample in family.samples}
    return found | {family.name for family in families if family.type == "histogram"}


def alerts() -> list[dict[str, Any]]:
    """The alert rules."""
    found = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in found["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """The panels of the dashboard that show something."""
    found = json.loads((DOCS / "dashboard.json").read_text(encoding="utf-8"))
    return [panel for panel in found["panels"] if panel["type"] != "row"]


def named() -> Iterator[tuple[str, str]]:
    """Every figure that the files name, and where."""
    for rule in alerts():
        yield from ((rule["alert"], name) for name in FIGURE.findall(rule["expr"]))
    for panel in panels():
        for target in panel["targets"]:
            yield from ((panel["title"], name) for name in FIGURE.findall(target["expr"]))
    text = (DOCS / "monitoring.md").read_text(encoding="utf-8")
    for block in re.findall(r"`((?:tally|cometbft)_[a-z0-9_]+)(?:\{[a-z]+\})?`", text):
        if not block.endswith("_"):
            yield "monitoring.md", block
