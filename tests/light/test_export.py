"""Proofs as files: what they prove to whom, and that no byte of them can be changed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from tallystick.client.light import verify_export
from tallystick.client.verify import Proven
from tallystick.engine.cometbft.light.blocks import LightBlock
from tallystick.engine.cometbft.light.export import (
    Export,
    Trusted,
    export_from_bytes,
    sealed,
    trust_from_json,
    trust_to_json,
)
from tallystick.engine.cometbft.light.verify import DAY_NS, Terms
from tallystick.errors import BadAnswer, HeaderRefused, NoSuchBlock, TrustExpired, TrustTooFar
from tallystick.ledger.proof import Step
from tallystick.ledger.receipt import Outcome
from tallystick.values.codec import encode, replace
from tests.light.forge import CHAIN_ID, GENESIS_NS, header, set_of, signed, signers
from tests.light.made_proof import files
from tests.light.proofs import (
    APP_HASH,
    RECEIPTS,
    RECORDS,
    archive_of,
    export_of,
    receipt_claim,
    record_claim,
    sealed_chain,
)
from tests.light.vectors import FILE

FLIPS = 500
NOW = Terms(now_ns=GENESIS_NS + DAY_NS)
LATE = Terms(now_ns=GENESIS_NS + 1_000 * DAY_NS)
ABCD, EFGH = signers(1, 2, 3, 4), signers(5, 6, 7, 8)
CHANGING = [
    ABCD, ABCD, ABCD, signers(1, 2, 3, 5), signers(1, 2, 5, 6), signers(1, 5, 6, 7), EFGH, EFGH,
    EFGH, EFGH, EFGH,
]  # fmt: skip
"""All validators change on the way from block 1 to block 11."""
HEIGHT = 9
"""The claims hold after this block; block 10 seals them."""
BLOCKS = sealed_chain(CHANGING, HEIGHT)
THERE, ABSENT, RECEIPT = record_claim(b"key 7"), record_claim(b"nobody"), receipt_claim(3)


def trust_in(height: int) -> Trusted:
    """Height and hash, as one writes `--trust 7:ab12…`."""
    return Trusted(chain_id="", height=height, hash=BLOCKS[height - 1].header.hash)


def proved(export: Export, trusted: Trusted | LightBlock, terms: Terms = NOW) -> Proven:
    return verify_export(export_from_bytes(export.to_bytes()), trusted, terms)


@pytest.mark.parametrize("trusted", (1, 2, 5, 9, 10, 11))
def test_a_record_is_proved_to_who_trusts_any_block(trusted: int) -> None:
    export = export_of(THERE, BLOCKS, HEIGHT, trusted)
    for trust in (trust_in(trusted), Trusted.of(BLOCKS[trusted - 1]), BLOCKS[trusted - 1]):
        proven = proved(export, trust)
        assert (proven.height, proven.is_present) == (HEIGHT, True)
        assert proven.block_ms == BLOCKS[HEIGHT - 1].header.time_ns // 1_000_000


def test_absence_and_receipts_are_proved_too() -> None:
    absent = export_of(ABSENT, BLOCKS, HEIGHT)
    assert not verify_export(absent, trust_in(1), NOW, key=b"nobody").is_present
    receipt = export_of(RECEIPT, BLOCKS, HEIGHT)
    wanted = RECEIPTS[3].transaction_id
    proven = verify_export(receipt, trust_in(1), NOW, transaction_id=wanted)
    assert proven.outcome is Outcome.ACCEPTED


def test_a_proof_of_something_else_is_not_the_proof_asked_for() -> None:
    for claim, asked in (
        (THERE, {"key": b"key 8"}),
        (THERE, {"transaction_id": bytes(32)}),
        (RECEIPT, {"transaction_id": bytes(32)}),
        (RECEIPT, {"key": b"key 7"}),
    ):
        with pytest.raises(BadAnswer, match="something else"):
            verify_export(export_of(claim, BLOCKS, HEIGHT), trust_in(1), NOW, **asked)


def test_few_blocks_travel_where_validators_stay() -> None:
    blocks = sealed_chain([ABCD] * 40, 30)
    assert [b.height for b in export_of(THERE, blocks, 30).blocks] == [1, 31]
    heights = [block.height for block in export_of(THERE, BLOCKS, HEIGHT).blocks]
    assert heights[0] == 1
    assert heights[-1] == HEIGHT + 1
    assert len(heights) <= 5


def test_the_first_validators_are_enough() -> None:
    """A genesis names them: no header needs to be known."""
    trust = Trusted(chain_id=CHAIN_ID, height=1, validators=set_of(ABCD))
    assert proved(export_of(THERE, BLOCKS, HEIGHT), trust).is_present
    with pytest.raises(TrustExpired):
        proved(export_of(THERE, BLOCKS, HEIGHT), trust, LATE)
    with pytest.raises(HeaderRefused, match="not the one that is trusted"):
        proved(export_of(THERE, BLOCKS, HEIGHT), replace(trust, validators=set_of(EFGH)))
    with pytest.raises(HeaderRefused, match="of chain forge-01234567, not of forge-76543210"):
        proved(export_of(THERE, BLOCKS, HEIGHT), replace(trust, chain_id="forge-76543210"))
    for less in (replace(trust, chain_id=""), replace(trust, validators=())):
        with pytest.raises(BadAnswer, match="must be trusted"):
            proved(export_of(THERE, BLOCKS, HEIGHT), less)


# --- time


def test_trust_that_is_too_old_is_refused_forward() -> None:
    with pytest.raises(TrustExpired, match="trust a newer header"):
        proved(export_of(THERE, BLOCKS, HEIGHT), trust_in(1), LATE)


@pytest.mark.parametrize("trusted", (10, 11))
def test_backward_age_does_not_matter(trusted: int) -> None:
    assert proved(export_of(THERE, BLOCKS, HEIGHT, trusted), trust_in(trusted), LATE).is_present


def test_a_majority_of_old_validators_that_lies_later_convinces_nobody() -> None:
    """They left at block 7. Years later they sign another block 10, in which the state is theirs.

    Who trusts block 1 by then is refused; who trusts a header of today comes back to the real one.
    """
    lie = signed(header(10, ABCD, ABCD, before=BLOCKS[8].header, app_hash=APP_HASH), ABCD)
    honest = sealed_chain(CHANGING, 5)  # the claim does not hold after block 9
    false = replace(export_of(THERE, BLOCKS, HEIGHT), blocks=(honest[0], lie))
    with pytest.raises(TrustExpired):
        proved(false, Trusted.of(honest[0]), LATE)
    backward = replace(false, blocks=(lie,), back=(honest[10].header,))
    with pytest.raises(HeaderRefused, match="block 11 names another block"):
        proved(backward, Trusted.of(honest[10]), LATE)


# --- what is missing


def test_the_blocks_between_are_needed() -> None:
    export = export_of(THERE, BLOCKS, HEIGHT)
    with pytest.raises(TrustTooFar):
        proved(replace(export, blocks=(BLOCKS[0], BLOCKS[9])), trust_in(1))
    with pytest.raises(BadAnswer, match="--trusted HEIGHT"):
        proved(export, trust_in(11))
    with pytest.raises(BadAnswer, match="--trusted HEIGHT"):
        proved(replace(export, blocks=(BLOCKS[9],)), replace(trust_in(11), chain_id=CHAIN_ID))
    long = sealed_chain([ABCD] * 20, 4)
    back = export_of(THERE, long, 4, 20)
    trusted = Trusted.of(long[19])
    assert proved(back, trusted).is_present
    with pytest.raises(BadAnswer, match="between block 5 and block 20"):
        proved(replace(back, back=back.back[:-1]), trusted)
    with pytest.raises(BadAnswer, match="votes are not in the proof"):
        proved(back, replace(trusted, hash=None))
    with pytest.raises(NoSuchBlock):
        export_of(THERE, long, 4, 21)


def test_a_whole_light_block_need_not_be_in_the_proof() -> None:
    export = export_of(THERE, BLOCKS, HEIGHT)
    assert proved(replace(export, blocks=export.blocks[1:]), BLOCKS[0]).is_present
    assert proved(replace(export, blocks=(BLOCKS[9],)), BLOCKS[10]).is_present
    spoiled = replace(BLOCKS[0], validators=BLOCKS[9].validators)
    with pytest.raises(HeaderRefused, match="not those that it names"):
        proved(export, spoiled)


def test_the_blocks_of_another_history_are_refused() -> None:
    other = sealed_chain([ABCD] * 11, 1)
    with pytest.raises(HeaderRefused, match="not the one that is trusted"):
        proved(export_of(THERE, BLOCKS, HEIGHT, 2), Trusted.of(other[1]))
    with pytest.raises(HeaderRefused, match="not the one that is trusted"):
        proved(export_of(THERE, BLOCKS, HEIGHT, 2), other[1])
    with pytest.raises(HeaderRefused, match="not the one that is trusted"):
        proved(export_of(THERE, BLOCKS, HEIGHT, 11), other[10])


LIES: tuple[tuple[Callable[[Any], Any], str], ...] = (
    (lambda e: replace(e, state_root=bytes(32)), "roots are not those of the app hash"),
    (lambda e: replace(e, receipts_root=bytes(32)), "roots are not those of the app hash"),
    (lambda e: replace(e, record=replace(e.record, key=b"key 8")), "does not lead to the state"),
    (lambda e: replace(e, record=replace(e.record, record=b"x")), "does not lead to the state"),
    (lambda e: replace(e, record=replace(e.record, left=e.record.path)), "does not lead"),
    (lambda e: replace(e, record=None), "neither a record nor a receipt"),
    (lambda e: replace(e, receipt=RECEIPT), "neither a record nor a receipt"),
    (lambda e: replace(e, block=BLOCKS[7].header), "not the block before block 10"),
    (lambda e: replace(e, blocks=e.blocks[:-1]), "not the block before"),
    (lambda e: replace(e, blocks=e.blocks[::-1]), "not in order"),
    (lambda e: replace(e, blocks=(*e.blocks, e.blocks[-1])), "not in order"),
    (lambda e: replace(e, back=(BLOCKS[10].header,)), "made for who trusts block 11"),
    (lambda e: replace(e, record=None, receipt=receipt_claim(0)), ""),
)


@pytest.mark.parametrize("number", range(len(LIES)))
def test_a_proof_with_one_thing_changed_proves_nothing(number: int) -> None:
    change, words = LIES[number]
    lie = change(export_of(THERE, BLOCKS, HEIGHT))
    if not words:
        assert proved(lie, trust_in(1)).outcome is Outcome.ACCEPTED
        return
    with pytest.raises((BadAnswer, HeaderRefused), match=words):
        proved(lie, trust_in(1))


def test_a_receipt_in_another_place_proves_nothing() -> None:
    export = export_of(RECEIPT, BLOCKS, HEIGHT)
    assert export.receipt is not None
    for claim in (
        replace(export.receipt, receipt=replace(RECEIPTS[3], outcome=Outcome.REFUSED)),
        replace(export.receipt, steps=export.receipt.steps[1:]),
        replace(export.receipt, steps=(Step(is_left=True, hash=bytes(32)),)),
    ):
        with pytest.raises(BadAnswer, match="receipts root"):
            proved(replace(export, receipt=claim), trust_in(1))


@pytest.mark.parametrize("claim", (THERE, ABSENT, RECEIPT), ids=("there", "absent", "receipt"))
@pytest.mark.parametrize("trusted", (1, 11))
def test_no_byte_of_a_proof_can_be_changed(claim: Any, trusted: int) -> None:
    """Random bytes become random others; each such file is refused, whichever byte it was."""
    data = export_of(claim, BLOCKS, HEIGHT, trusted).to_bytes()
    chance = random.Random(f"{trusted}{type(claim)}")
    for _ in range(FLIPS // 6 + 1):
        spoiled = bytearray(data)
        spoiled[chance.randrange(len(data))] ^= chance.randrange(1, 256)
        with pytest.raises((BadAnswer, HeaderRefused)):
            verify_export(export_from_bytes(bytes(spoiled)), trust_in(trusted), NOW)


@pytest.mark.parametrize("claim", (THERE, ABSENT, RECEIPT), ids=("there", "absent", "receipt"))
@pytest.mark.parametrize("trusted", (1, 11))
def test_who_makes_the_files_hash_anew_cannot_lie(claim: Any, trusted: int) -> None:
    """Every byte matters without the hash at the end, too.

    One thing may come of it: absence of another key, whose neighbours are the same. That is true.
    """
    body = encode(export_of(claim, BLOCKS, HEIGHT, trusted))
    chance = random.Random(f"anew {trusted}{type(claim)}")
    for place in chance.sample(range(len(body)), FLIPS // 6 + 1):
        spoiled = bytearray(body)
        spoiled[place] ^= chance.randrange(1, 256)
        try:
            export = export_from_bytes(sealed(bytes(spoiled)))
            proven = verify_export(export, trust_in(trusted), NOW)
        except (BadAnswer, HeaderRefused):
            continue
        assert claim is ABSENT
        assert not proven.is_present
        assert export.record is not None
        assert export.record.key not in (*RECORDS, ABSENT.key)


def test_a_file_has_one_form() -> None:
    data = export_of(THERE, BLOCKS, HEIGHT).to_bytes()
    body = data[:-32]
    wrong = (sealed(body + b"\x00"), sealed(body[:-1]), sealed(b""), sealed(encode(THERE)))
    for other in (data + b"\x00", data[:-1], b"", b"{}", encode(THERE), *wrong):
        with pytest.raises(BadAnswer, match="not a proof"):
            export_from_bytes(other)


def test_trust_is_a_file_too() -> None:
    for trust in (BLOCKS[4], Trusted.of(BLOCKS[4]), trust_in(3)):
        assert trust_from_json(trust_to_json(trust)) == trust
    with pytest.raises(BadAnswer, match="not a trusted block"):
        trust_from_json(b"{}")


def test_a_way_back_has_an_end() -> None:
    with pytest.raises(BadAnswer, match="more than 100000 blocks"):
        export_of(THERE, BLOCKS, HEIGHT, 200_000)
    assert archive_of(BLOCKS).height() == len(BLOCKS)


def test_the_files_of_this_format_stay_as_they_are() -> None:
    """A change of a byte needs a new format number: proofs are kept for years."""
    golden = json.loads((FILE.parent / "light_proof.json").read_text("utf-8"))
    assert golden == files()
    for each in golden["files"]:
        height, _, hash_ = each["trust"].partition(":")
        trusted = Trusted(chain_id="", height=int(height), hash=bytes.fromhex(hash_))
        export = export_from_bytes(bytes.fromhex(each["file"]))
        assert verify_export(export, trusted, Terms(golden["now_ns"])).height == each["height"]
