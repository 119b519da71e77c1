"""A folder is opened by the body that made it, or made anew by the one that is asked for."""

from pathlib import Path

import pytest

from tallystick.errors import SettingsError, StoreError
from tallystick.settings import FILE, load
from tallystick.store.kinds import kind_for, kind_of, open_state, read_state
from tallystick.store.rocks import RocksStore


def test_the_kind_is_a_setting(tmp_path: Path) -> None:
    assert load(tmp_path, {}).store.kind == "auto"
    (tmp_path / FILE).write_text('[store]\nkind = "lsm"\n', encoding="utf-8")
    assert load(tmp_path, {}).store.kind == "lsm"
    assert load(tmp_path, {"TALLY_STORE": "rocksdb"}).store.kind == "rocksdb"
    with pytest.raises(SettingsError, match="TALLY_STORE: 'paper' is none of"):
        load(tmp_path, {"TALLY_STORE": "paper"})


def filled(path: Path) -> None:
    """A store of the usual kind."""
    store = RocksStore(str(path))
    store.apply(1, {b"a": b"1"}, {})
    store.close()


def test_knows_what_a_folder_holds(tmp_path: Path) -> None:
    assert kind_of(tmp_path / "none") is None
    (tmp_path / "empty").mkdir()
    assert kind_of(tmp_path / "empty") is None
    filled(tmp_path / "state")
    assert kind_of(tmp_path / "state") == "rocksdb"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "current").touch()
    assert kind_of(tmp_path / "other") == "lsm"


def test_reads_what_is_there(tmp_path: Path) -> None:
    filled(tmp_path / "state")
    store = read_state(tmp_path / "state")
    assert (store.height(), store.get(b"a")) == (1, b"1")
    store.close()
    with pytest.raises(StoreError):
        read_state(tmp_path / "none")


@pytest.mark.parametrize("is_native", (True, False))
def test_a_folder_keeps_its_kind_and_a_new_one_gets_the_quickest(
    tmp_path: Path, is_native: bool
) -> None:
    path = tmp_path / "state"
    assert kind_for(path, "auto", is_native=is_native) == ("lsm" if is_native else "rocksdb")
    assert kind_for(path, "rocksdb", is_native=is_native) == "rocksdb"
    assert kind_for(path, "lsm", is_native=is_native) == "lsm"
    filled(path)
    assert kind_for(path, "auto", is_native=is_native) == "rocksdb"
    assert kind_for(path, "lsm", is_native=is_native) == "lsm"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "current").touch()
    assert kind_for(tmp_path / "other", "auto", is_native=is_native) == "lsm"


def test_another_kind_is_made_anew(tmp_path: Path) -> None:
    path, told = tmp_path / "state", list[str]()
    path.mkdir()
    (path / "current").write_bytes(b"of another kind")
    store = open_state(path, "rocksdb", begins=0, tell=told.append)
    assert (store.height(), list(store.scan(b""))) == (0, [])
    store.close()
    assert told == ["the state was kept by lsm: it is made anew by rocksdb, from the block log"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["state"]


def test_the_same_kind_is_opened(tmp_path: Path) -> None:
    filled(tmp_path / "state")
    (tmp_path / "state.gone").mkdir()
    store = open_state(tmp_path / "state", "rocksdb", begins=7, tell=pytest.fail)
    assert store.get(b"a") == b"1"
    store.close()
    assert not (tmp_path / "state.gone").exists()


def test_nothing_is_removed_that_the_log_cannot_make_again(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.mkdir()
    (path / "current").touch()
    with pytest.raises(SettingsError, match=r'begins with block 8\. Set kind = "lsm"'):
        open_state(path, "rocksdb", begins=7, tell=pytest.fail)
    assert (path / "current").exists()
