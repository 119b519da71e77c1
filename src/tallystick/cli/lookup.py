"""What words refer to: records on the node, disclosures in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tallystick.catalogue import Catalogue, FieldInfo
from tallystick.cli import help as helps
from tallystick.client.client import Client, NodeRefused
from tallystick.formats.commitment import (
    Disclosure,
    disclosed_amount,
    disclosed_fingerprint,
    disclosed_particulars,
    read_disclosure,
)
from tallystick.formats.ubl_document import Kind
from tallystick.ledger.app import Record
from tallystick.values.codec import from_json
from tallystick.wording import ZONE_MINUTES, Wording, WordingProblem, spellings

_KINDS = {Kind.INVOICE.value: "invoice", Kind.CREDIT_NOTE.value: "credit_note"}
"""Kind of a UBL file → kind of a document on the ledger."""


def record_lookup(client: Client, catalogue: Catalogue) -> Callable[[str, str], Record | None]:
    """Finds a record by class name and id, for the currency of an amount."""

    def lookup(name: str, key: str) -> Record | None:
        for app in catalogue.apps:
            for info in app.records:
                if info.name == name and len(info.type.spec.key) == 1:
                    found = client.record(app.name, info.command, key)
                    return None if found is None else typed(info.type, found)
        return None

    return lookup


def typed(type_: type[Any], plain: Any) -> Any:
    """A struct from the plain data that a node answered."""
    return from_json(type_, msgspec.json.encode(plain))


def disclosure_facts(name: str) -> Mapping[str, object]:
    """Facts that a disclosure file tells messages."""
    path = Path(name)
    if not path.exists():
        raise WordingProblem(f"--disclosure: there is no file {name}")
    return facts_of(read_disclosure(path))


def facts_of(disclosure: Disclosure) -> dict[str, object]:
    """Root, and of an invoice also fingerprints, particulars, currency and payable amount."""
    values = disclosure.values
    kind = values.get("kind", "")
    facts: dict[str, object] = {"kind": _KINDS.get(kind, kind or "other"), "root": disclosure.root}
    if "invoice_number" not in values:
        return facts
    made = disclosed_fingerprint(disclosure)
    currency, payable_minor = disclosed_amount(disclosure)
    return {
        **facts,
        "scheme": made.scheme,
        "strict": made.strict,
        "relaxed": made.relaxed,
        "particulars": disclosed_particulars(disclosure),
        "currency": currency,
        "payable_minor": payable_minor,
    }


def read_files(
    fields: Sequence[FieldInfo], given: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Words by option; for a struct `@FILE` is replaced by what the file says, e.g. its JSON."""
    structs = {
        spelling
        for info in fields
        if helps.nested_structs(info.type)
        for spelling in spellings(info.name)
    }
    return {
        name: [_file(w) if name in structs and w.startswith("@") else w for w in words]
        for name, words in given.items()
    }


def _file(word: str) -> str:
    """Content of a file."""
    try:
        return Path(word[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise WordingProblem(f"{word}: the file cannot be read: {problem}") from None


def zone_of(client: Client) -> int:
    """Minutes east of UTC of the network's calendar; the usual ones if the node does not tell."""
    try:
        rules = client.query("governance", "constitution")["rules"]
        for calendar in client.query("governance", "calendars"):
            if calendar["calendar_id"] == rules["calendar_id"]:
                return int(calendar["utc_offsets"][-1]["minutes"])
    except (NodeRefused, KeyError, IndexError):
        return ZONE_MINUTES
    return ZONE_MINUTES


def node_wording(client: Client, catalogue: Catalogue) -> Wording:
    """The grammar, with the node's zone and records and the disclosures in files."""
    return Wording(
        zone_minutes=zone_of(client),
        lookup=record_lookup(client, catalogue),
        disclosed=disclosure_facts,
    )
