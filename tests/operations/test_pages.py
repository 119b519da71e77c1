"""Alert rules, dashboard, runbook: they name what there is."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.docs.pages import anchors
from tests.operations.pages import DOCS, alerts, named, panels

FAILURES = (
    *("a-node-is-down", "the-network-stands-still", "the-engine-restarts", "a-wrong-app-hash"),
    *("the-disk-is-full", "the-clock-is-wrong", "the-wrong-genesis", "a-validator-signed-twice"),
    *("halted", "a-disk-is-lost", "restored-from-a-backup", "state-sync-fails"),
    *("the-trusted-height-is-too-old", "certificates-expire", "busy", "a-key-is-stolen"),
    *("a-validator-was-voted-out", "newer-rules-than-the-release"),
)


def test_every_alert_says_what_it_is_and_where_to_read_on() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names)) > 15
    known = anchors(DOCS / "runbook.md")
    for rule in alerts():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "runbook.md"
        assert anchor in known, rule["alert"]


def test_the_runbook_has_an_entry_for_every_failure_in_one_form() -> None:
    assert set(FAILURES) <= set(anchors(DOCS / "runbook.md"))
    text = (DOCS / "runbook.md").read_text(encoding="utf-8")
    entries = re.split(r"^## ", text, flags=re.MULTILINE)[2:]
    for entry in entries:
        title = entry.splitlines()[0]
        for part in ("**Seen:**", "**Cause:**", "**Do:**", "**Tested:**"):
            assert entry.count(part) == 1, (title, part)


def test_the_alerts_that_the_runbook_names_exist() -> None:
    text = (DOCS / "runbook.md").read_text(encoding="utf-8")
    names = {rule["alert"] for rule in alerts()}
    assert set(re.findall(r"`(Tally[A-Za-z]+)`", text)) <= names


def test_brackets_of_expressions_close() -> None:
    expressions = [rule["expr"] for rule in alerts()]
    expressions += [target["expr"] for panel in panels() for target in panel["targets"]]
    for expression in expressions:
        for pair in ("()", "[]", "{}"):
            assert expression.count(pair[0]) == expression.count(pair[1]), expression


def test_panels_do_not_lie_on_each_other() -> None:
    places = [panel["gridPos"] for panel in panels()]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(place["x"] + place["w"] <= 24 for place in places)


def test_the_scrape_example_is_yaml_that_names_the_rules() -> None:
    found = yaml.safe_load((DOCS / "prometheus.yml").read_text(encoding="utf-8"))
    assert found["rule_files"] == ["alerts.yml"]
    assert all(job["job_name"].startswith("tally") for job in found["scrape_configs"])


@pytest.mark.parametrize("name", sorted({name for _, name in named() if name.startswith("tally")}))
def test_our_figures_are_written_as_prometheus_wants(name: str) -> None:
    assert re.fullmatch(r"tally(_[a-z0-9]+)+", name)
