import pytest

from tallystick.apps.cash.tests.network import by, network
from tallystick.apps.documents.messages import Commit
from tallystick.apps.documents.queries import document, documents, particulars
from tallystick.apps.documents.records import Kind
from tallystick.apps.documents.refusals import Refusal
from tallystick.apps.documents.tests.papers import ROOT, commit, read
from tallystick.ledger.refusal import Refused
from tallystick.values.codec import replace


def test_a_commitment_is_its_owners_secret() -> None:
    world = network()
    contract = world.accepts(by("S1"), Commit(kind=Kind.CONTRACT, root=ROOT)).id
    invoice = commit(world, "S1")
    kept = document(world.view("S1"), contract)
    assert (kept.owner, kept.kind, kept.root, kept.version) == ("S1", Kind.CONTRACT, ROOT, 1)
    assert kept.committed_at_ms == world.ledger_ms - 1
    assert particulars(world.view("S1"), invoice).particulars == read()
    for asker in ("S1", "supervisor"):
        found = documents(world.view(asker), "S1")
        assert {each.document_id for each in found} == {contract, invoice}
    assert [each.document_id for each in documents(world.view(), "S1", Kind.INVOICE)] == [invoice]
    assert list(documents(world.view("S2"), "S1")) == []
    with pytest.raises(Refused) as no:
        document(world.view("S2"), contract)
    assert no.value.code is Refusal.NO_SUCH_DOCUMENT


def test_refused_in_this_order() -> None:
    world = network()
    odd = replace(read(currency="XXX", payable_minor=0), scheme=2)
    for kind, told, code in (
        (Kind.CONTRACT, odd, Refusal.PARTICULARS_UNWANTED),
        (Kind.INVOICE, None, Refusal.PARTICULARS_MISSING),
        (Kind.CREDIT_NOTE, None, Refusal.PARTICULARS_MISSING),
        (Kind.INVOICE, odd, Refusal.UNKNOWN_SCHEME),
        (Kind.INVOICE, replace(odd, scheme=1), Refusal.UNKNOWN_CURRENCY),
        (Kind.INVOICE, read(payable_minor=0), Refusal.ZERO_AMOUNT),
    ):
        world.refuses(by("S1"), Commit(kind=kind, root=ROOT, particulars=told), code)
