"""A refusal as the API answers it: values for programs, a sentence for people."""

from __future__ import annotations

import json

from tallystick.api.problem import Problems
from tallystick.apps import APPS
from tallystick.apps.members.refusals import Refusal
from tallystick.catalogue import Catalogue
from tallystick.ledger.refusal import Refused

PROBLEMS = Problems(Catalogue(APPS))


def test_values_are_plain_and_the_sentence_is_in_words() -> None:
    no = Refused(Refusal.IN_THE_PAST, {"at_ms": 1_783_299_600_000})
    error = json.loads(PROBLEMS.told(no).content)["error"]
    assert error["values"] == {"at_ms": 1_783_299_600_000}
    assert error["message"] == "members 22 IN_THE_PAST: the time 2026-07-06 09:00 has passed"
