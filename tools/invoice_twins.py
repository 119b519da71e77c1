"""Twins of ten published invoices: the same traits and amounts, every word our own.

They stand in for the published files where those are absent. Traits and decisions are those that
the published ones must get: a negative and its positive, a due date that is the issue date, a
payee who is not the seller, one VAT number for both parties, two duplicates, and so on.
"""

from dataclasses import replace

from tools.make_invoices import InvoiceText, LineText, PartyText

_NORTH = PartyText(name="Nordvind Kraft", country="DK", city="Odense", register_number="DK31415926")
_SOUTH = PartyText(name="Sydhavn Smedje", country="DK", city="Aarhus", register_number="DK27182818")
_POWER = LineText(name="Power", quantity="1", price="625743.54", percent="25", unit="KWH")

_POSITIVE = InvoiceText(
    file="BIS3_Invoice_positive.XML",
    number="20190",
    issued="2019-01-25",
    due="2019-02-24",
    currency="DKK",
    seller=_NORTH,
    buyer=_SOUTH,
    lines=(_POWER,),
)

_WHOLESALER = PartyText(
    name="Groothandel De Linde",
    country="NL",
    city="Hoorn",
    register_number="60000019",
    vat_number="NL8100.00.019.B.01",
)
_CANTEEN = PartyText(name="Kantine Zeezicht", country="NL", city="Egmond", other_number="4711")

_GROCERIES = InvoiceText(
    file="guide-example1.xml",
    number="80150109",
    issued="2015-01-09",
    due="2015-01-09",
    currency="EUR",
    seller=_WHOLESALER,
    buyer=_CANTEEN,
    lines=(
        *(
            LineText(name=f"Crate of groceries {n}", quantity="2", price="8.50", percent="6")
            for n in range(1, 18)
        ),
        LineText(name="Napkins", quantity="1", price="4.21", percent="6"),
        LineText(name="Cleaning goods", quantity="1", price="46.37", percent="21"),
        LineText(name="Oil, returned", quantity="6", price="18.33", net="-109.98", percent="6"),
    ),
)

_SHOP = PartyText(
    name="Fjordbutikken",
    country="NO",
    city="Molde",
    register_number="800000019",
    vat_number="NO800000019MVA",
)
_OFFICE = PartyText(
    name="Kontorhuset",
    country="NO",
    city="Bergen",
    register_number="800000027",
    vat_number="NO800000027MVA",
)

_COMPUTERS = InvoiceText(
    file="guide-example2.xml",
    number="FB108",
    issued="2013-06-30",
    due="2013-07-20",
    currency="NOK",
    seller=_SHOP,
    buyer=_OFFICE,
    payee=PartyText(name="Inkasso Vest", country="NO", city="Bergen", register_number="800000035"),
    lines=(
        LineText(
            name="Workstation",
            quantity="2",
            price="1273.00",
            net="1273.00",
            percent="25",
            base="1",
            adjustments=((False, "12.00"), (True, "12.00")),
        ),
        LineText(name="Manual, returned", quantity="-1", price="3.96", percent="15", base="1"),
        LineText(name="Handbook", quantity="2", price="2.48", percent="15", base="1"),
        LineText(name="Old desk, returned", quantity="-1", price="25.00", percent="0", base="1"),
        LineText(name="Cable", quantity="250", price="0.75", percent="25", base="1", unit="MTR"),
    ),
    adjustments=((False, "100.00", "25"), (True, "100.00", "25")),
    prepaid="1000.00",
)

_GRID = PartyText(
    name="Mreža Jadran",
    country="HR",
    city="Zadar",
    register_number="080000019",
    vat_number="HR10000000009",
)

_LEFT = PartyText(
    name="Leverancier Zuid",
    country="BE",
    city="Gent",
    register_number="0800000019",
    vat_number="BE0800000019",
)
_RIGHT = PartyText(
    name="Client Nord",
    country="BE",
    city="Namur",
    register_number="0800000027",
    vat_number="BE0800000027",
)

_STATIONER = PartyText(name="Papierhuis", country="NL", city="Zwolle", register_number="NL61803398")
_SCHOOL = PartyText(
    name="Skolen ved Bakken", country="DK", city="Vejle", register_number="DK16180339"
)

_GRID_OPERATOR = PartyText(
    name="Netbeheer Oost",
    country="NL",
    city="Almelo",
    register_number="60000027",
    vat_number="NL810000027B01",
)


def _monthly(name: str, price: str, base: str) -> LineText:
    return LineText(name=name, quantity="1", price=price, percent="21", base=base, unit="MON")


TWINS = (
    replace(
        _POSITIVE,
        file="BIS3_Invoice_negativ.XML",
        lines=(replace(_POWER, quantity="-1"),),
    ),
    _POSITIVE,
    _GROCERIES,
    _COMPUTERS,
    InvoiceText(
        file="sample-discount-price.xml",
        number="decimals 1",
        issued="2018-02-05",
        due="2018-02-28",
        currency="EUR",
        seller=_GRID,
        buyer=replace(_GRID, name="Mreža Jadran, prodaja", register_number="080000027"),
        lines=(
            LineText(name="Stavka", quantity="100.000", price="0.1212", percent="25", base="1"),
        ),
    ),
    InvoiceText(
        file="ubl-tc434-creditnote1.xml",
        kind="CreditNote",
        number="4321 / 777",
        issued="2019-09-23",
        currency="EUR",
        seller=_LEFT,
        buyer=_RIGHT,
        lines=(LineText(name="Avoir", quantity="1.00", price="100.11", percent="0"),),
    ),
    replace(_GROCERIES, file="ubl-tc434-example1.xml", note="Sent once more, with a note."),
    replace(_COMPUTERS, file="ubl-tc434-example2.xml", number="fb-108"),
    InvoiceText(
        file="ubl-tc434-example5.xml",
        number="FB110",
        issued="2013-04-10",
        due="2013-05-10",
        currency="DKK",
        seller=_STATIONER,
        buyer=_SCHOOL,
        payee=PartyText(
            name="Faktura Finans", country="DK", city="Vejle", register_number="DK16180347"
        ),
        names_invoice="FB109",
        lines=(
            LineText(
                name="Paper",
                quantity="1000",
                price="1.00",
                percent="25",
                base="1",
                adjustments=((False, "100.00"), (True, "100.00")),
            ),
            LineText(name="Pens", quantity="100", price="5.00", percent="25"),
            LineText(name="Biscuits", quantity="500", price="5.00", percent="12"),
        ),
        adjustments=((False, "150.00", "25"), (True, "150.00", "25")),
        prepaid="2337.50",
        tax_elsewhere=("EUR", "628.62"),
    ),
    InvoiceText(
        file="ubl-tc434-example8.xml",
        number="2200512149",
        issued="2014-11-10",
        due="2014-11-24",
        currency="EUR",
        seller=_GRID_OPERATOR,
        buyer=PartyText(name="Afnemer", country="NL", city="Borne", other_number="2081119"),
        lines=(
            LineText(name="Transport", quantity="16000", price="0.00880", percent="21", unit="KWH"),
            LineText(name="System", quantity="16000", price="0.00101", percent="21", unit="KWH"),
            LineText(
                name="Capacity", quantity="132", price="15.24", percent="21", base="12", unit="KW"
            ),
            LineText(name="Peak", quantity="58", price="1.53", percent="21", base="1", unit="KW"),
            _monthly("Standing charge", "441.00", "12"),
            _monthly("Connection", "678.00", "12"),
            _monthly("Transformers", "83.34", "1"),
            _monthly("Switchgear", "190.31", "1"),
            _monthly("Other devices", "64.21", "1"),
            _monthly("Metering", "64.46", "1"),
        ),
    ),
)
"""The twins, in the order of the published files' names."""
