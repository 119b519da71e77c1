"""Reading a page of figures, and the files that name figures."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families


def figures_of(page: bytes) -> dict[str, float]:
    """Every figure by its name and labels: `tally_transactions_total{outcome=accepted}`."""
    found = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[sample.name + ("{" + labels + "}" if labels else "")] = sample.value
    return found


def names_of(page: bytes) -> set[str]:
    """Names of all figures, without labels."""
    return {
        sample.name
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }
