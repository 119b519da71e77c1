"""The last act: a proof, checked without the node, that an invoice is not registered."""

from __future__ import annotations

from msgspec.structs import replace

from tallystick.client.client import Client
from tallystick.client.verify import Trust, verify_record
from tallystick.demo.play import Play
from tallystick.demo.stage import StageProblem
from tallystick.formats.fingerprint import fingerprint
from tallystick.formats.ubl_document import Invoice
from tallystick.ledger.genesis import Genesis
from tallystick.values.codec import encode_key


def prove_absence(play: Play, client: Client, genesis: Genesis) -> None:
    """Ask for proofs of absence under both fingerprints, and check them against the node's key."""
    invoice = play.unregistered or _unheard_of(play)
    if invoice is None:
        return
    play.tell.act("An invoice that nobody has registered")
    made = invoice.fingerprint
    for form, key in (("strict", made.strict), ("relaxed", made.relaxed)):
        proof = client.prove("documents", "taken", form, key.hex())
        wanted = encode_key("documents.taken", form, key)
        if verify_record(proof, Trust.of(genesis), key=wanted).is_present:
            raise StageProblem(f"{invoice.number} is registered after all")
        play.tell.say(
            f"{invoice.number}, {form} spelling: no record under {key.hex()[:16]}…, proved against"
            f" the signed header of block {proof.seal.header.height}."
        )
    play.tell.say("The proof shows hashes of neighbours only; anybody can check it offline.")


def _unheard_of(play: Play) -> Invoice | None:
    """An invoice that does not exist: the first draft's with a number of its own."""
    if not play.drafts:
        return None
    first = play.drafts[0]
    number = f"{first.number[:50]}/unheard-of"
    return replace(first, number=number, fingerprint=fingerprint(first.seller_number, number))
