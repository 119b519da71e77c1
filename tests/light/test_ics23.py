"""Records proved up to the app hash in ICS 23 form, as another's verifier judged it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tallystick.errors import BadAnswer
from tests.light.forge import signers
from tests.light.made_ics23 import cases
from tests.light.proofs import export_of, receipt_claim, record_claim, sealed_chain
from tests.light.vectors import FILE

GOLDEN: dict[str, Any] = json.loads((FILE.parent / "ics23_app_hash.json").read_text("utf-8"))


def test_the_proofs_are_those_that_another_verifier_judged() -> None:
    judged = [{k: v for k, v in case.items() if k != "valid"} for case in GOLDEN["cases"]]
    made = cases()
    assert made["cases"] == judged
    assert made["spec"] == GOLDEN["spec"]


def test_it_took_all_good_ones_and_no_forgery() -> None:
    good = [case["story"].startswith(("there: ", "absent: ")) for case in GOLDEN["cases"]]
    assert [case["valid"] for case in GOLDEN["cases"]] == good
    assert (good.count(True), good.count(False)) == (24, 9)


def test_a_file_gives_its_proof_in_that_form() -> None:
    blocks = sealed_chain([signers(1, 2, 3, 4)] * 5, 2)
    export = export_of(record_claim(b"key 10"), blocks, 2)
    assert export.ics23().hex() == GOLDEN["cases"][2]["proof"]
    with pytest.raises(BadAnswer, match="only proofs of records"):
        export_of(receipt_claim(1), blocks, 2).ics23()
