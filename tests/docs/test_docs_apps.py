"""The reference tells what a message may be refused with, and not what cannot occur."""

from __future__ import annotations

from tallystick.apps import APPS
from tallystick.catalogue import Catalogue
from tools.docs_apps import page, reachable

CATALOGUE = Catalogue(APPS)


def test_pairs_that_cannot_occur_are_left_out() -> None:
    info = CATALOGUE.app("receivables")
    split = CATALOGUE.message("receivables", "split")
    assert info is not None
    assert split is not None
    names = {f"{each.app}.{each.name}" for each in reachable(info, split)}
    assert "receivables.NOT_HOLDER" in names
    assert "cash.NO_SUCH_HOLD" not in names
    told = page(CATALOGUE, info).partition("### Split\n")[2].partition("\n### ")[0]
    assert "`NOT_HOLDER`" in told
    assert "`NO_SUCH_HOLD`" not in told
