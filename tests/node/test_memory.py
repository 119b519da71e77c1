"""How many records a node keeps decoded: what is set, or what suits the memory there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.errors import SettingsError
from tallystick.node.memory import FEWEST, MOST, RECORD_BYTES, SHARE, records_in_memory
from tallystick.settings import load


def test_what_is_set_counts() -> None:
    assert records_in_memory(7) == 7


@pytest.mark.parametrize(
    ("limit", "records"), ((1, FEWEST), (300_000 * SHARE * RECORD_BYTES, 300_000))
)
def test_a_share_of_the_memory_that_the_process_may_have(
    tmp_path: Path, limit: int, records: int
) -> None:
    file = tmp_path / "memory.max"
    file.write_text(f"{limit}\n")
    assert records_in_memory("auto", file) == records


@pytest.mark.parametrize("text", ("max\n", None, str(2**60)))
def test_without_a_limit_the_machine_counts(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "memory.max"
    if text is not None:
        file.write_text(text)
    found = records_in_memory("auto", file)
    assert FEWEST <= found <= MOST
    assert found == records_in_memory("auto", tmp_path / "none")


def test_the_setting_and_its_variable(tmp_path: Path) -> None:
    assert load(tmp_path, {}).state.cache_records == "auto"
    (tmp_path / "node.toml").write_text("[state]\ncache_records = 5000")
    assert load(tmp_path, {}).state.cache_records == 5_000
    assert load(tmp_path, {"TALLY_CACHE_RECORDS": "9000"}).state.cache_records == 9_000
    assert load(tmp_path, {"TALLY_CACHE_RECORDS": "auto"}).state.cache_records == "auto"
    for wrong in ("0", "many"):
        with pytest.raises(SettingsError, match="TALLY_CACHE_RECORDS"):
            load(tmp_path, {"TALLY_CACHE_RECORDS": wrong})
