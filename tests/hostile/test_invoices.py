"""A folder of files that attack whoever reads them: each is refused, the good one goes on."""

from pathlib import Path

import msgspec
import pytest

from tallystick.cli.main import run
from tallystick.formats.codes import Reason
from tests.formats.builder import SOUND, edited
from tests.formats.test_ubl_refusals import bomb, with_doctype
from tools.make_invoices import render

HUNDRED_MB = 100 * 1024 * 1024
FILES = {
    "1-good.xml": (None, render(SOUND)),
    "2-not-xml.xml": (Reason.NOT_WELL_FORMED, b"PK\x03\x04"),
    "3-cut.XML": (Reason.NOT_WELL_FORMED, render(SOUND)[:-20]),
    "4-laughs.xml": (Reason.DTD_FORBIDDEN, with_doctype(bomb())),
    "5-entity.xml": (
        Reason.DTD_FORBIDDEN,
        with_doctype('<!DOCTYPE Invoice [<!ENTITY x SYSTEM "file:///etc/passwd">]>').replace(
            b"INV-001", b"&x;"
        ),
    ),
    "6-namespace.xml": (Reason.WRONG_NAMESPACE, edited(("xsd:Invoice-2", "xsd:Invoice-3"))),
    "7-totals.xml": (Reason.BR_CO_16, edited((">100.00</cbc:Pay", ">1000.00</cbc:Pay"))),
    "8-large.xml": (Reason.FILE_TOO_LARGE, b""),
}
"""Name → why it is refused (None: it is a draft), content."""


def test_a_folder_of_attacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, (_, data) in FILES.items():
        (tmp_path / name).write_bytes(data)
    with (tmp_path / "8-large.xml").open("r+b") as large:
        large.truncate(HUNDRED_MB)
    assert run(["invoices", "import", str(tmp_path), "--json"]) == 0
    said = msgspec.json.decode(capsys.readouterr().out, type=list[dict[str, object]])
    wanted = [
        (name, "draft" if code is None else "refused", code.value if code else None)
        for name, (code, _) in FILES.items()
    ]
    assert [(each["name"], each["outcome"], each["code"]) for each in said] == wanted
    assert "root:" not in str(said)
