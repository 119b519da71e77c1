"""The dozen example invoices: a supply chain of three tiers under two core enterprises.

Every company is invented; its unified social credit code is well formed (GB 32100-2015 over an
organisation code of GB 11714-1997) and made up. Amounts include 13 % VAT.
"""

from decimal import ROUND_HALF_UP, Decimal

from tools.make_invoices import CENT, InvoiceText, LineText, PartyText

_CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VAT = "13"
_ISSUED, _DUE = "2026-06-30", "2026-10-01"


def credit_code(region: str, organisation: str) -> str:
    """Unified social credit code of a company: 91, region, organisation, two check characters."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    sum_ = sum(int(digit, 36) * weight for digit, weight in zip(organisation, weights, strict=True))
    body = f"91{region}{organisation}" + "0123456789X0"[(11 - sum_ % 11) % 11]
    weighted = sum(_CODE_CHARACTERS.index(each) * pow(3, at, 31) for at, each in enumerate(body))
    return body + _CODE_CHARACTERS[-weighted % 31]


def _company(name: str, english: str, city: str, number: str) -> PartyText:
    return PartyText(
        name=name,
        trading_name=english,
        country="CN",
        city=city,
        register_number=number,
        vat_number=number,
    )


HUAYUE = _company(
    "华岳重工（示例）有限公司",
    "Huayue Heavy Industries (example)",
    "上海",
    credit_code("310115", "MA1TT001"),
)
LINHAI = _company(
    "临海电器（示例）有限公司",
    "Linhai Appliances (example)",
    "杭州",
    credit_code("330106", "MA2TT002"),
)
HENGTONG = _company(
    "恒通精密机械（示例）有限公司",
    "Hengtong Precision (example)",
    "苏州",
    credit_code("320505", "MA3TT003"),
)
RUIFENG = _company(
    "瑞丰电机（示例）有限公司",
    "Ruifeng Motors (example)",
    "宁波",
    credit_code("330212", "MA4TT004"),
)
HONGYUAN = _company(
    "宏远铸造（示例）有限公司",
    "Hongyuan Castings (example)",
    "无锡",
    credit_code("320281", "MA5TT005"),
)
ANDA = _company(
    "安达五金（示例）有限公司",
    "Anda Hardware (example)",
    "合肥",
    credit_code("340104", "MA6TT006"),
)


def _net(gross: str) -> Decimal:
    """Amount before VAT that comes nearest to `gross` with VAT."""
    return (Decimal(gross) * 100 / (100 + int(_VAT))).quantize(CENT, ROUND_HALF_UP)


def _rounding(gross: str) -> str:
    """What is missing to `gross` to the cent: BT-114, at most one cent."""
    net = _net(gross)
    tax = (net * int(_VAT) / 100).quantize(CENT, ROUND_HALF_UP)
    return str(Decimal(gross) - net - tax)


def _hundred(name: str, gross: str) -> LineText:
    """A line of a hundred pieces that comes to `gross` with VAT."""
    return LineText(name=name, quantity="100", price=str(_net(gross) / 100), percent=_VAT)


def _invoice(
    file: str, number: str, parties: tuple[PartyText, PartyText], goods: tuple[str, str]
) -> InvoiceText:
    """An invoice of seller to buyer for goods of one kind and their price with VAT."""
    return InvoiceText(
        file=file,
        number=number,
        issued=_ISSUED,
        due=_DUE,
        seller=parties[0],
        buyer=parties[1],
        lines=(_hundred(*goods),),
        rounding=_rounding(goods[1]),
    )


_MOTORS = ("伺服电机 servo motor", "300000.00")

EXAMPLES = (
    _invoice(
        "01-hengtong-to-huayue.xml",
        "HT-2026-0630",
        (HENGTONG, HUAYUE),
        ("主轴箱 spindle box", "1000000.00"),
    ),
    _invoice("02-ruifeng-to-linhai.xml", "INV-001", (RUIFENG, LINHAI), _MOTORS),
    _invoice(
        "03-hongyuan-to-hengtong.xml",
        "HY-26-118",
        (HONGYUAN, HENGTONG),
        ("铸铁床身 cast bed", "250000.00"),
    ),
    _invoice(
        "04-anda-to-hongyuan.xml",
        "AD0625",
        (ANDA, HONGYUAN),
        ("紧固件 fastener set", "225000.00"),
    ),
    _invoice(
        "05-hongyuan-to-ruifeng.xml",
        "HY-26-121",
        (HONGYUAN, RUIFENG),
        ("电机壳体 motor housing", "120000.00"),
    ),
    _invoice(
        "06-anda-to-hongyuan.xml",
        "AD0627",
        (ANDA, HONGYUAN),
        ("法兰 flange", "100000.00"),
    ),
    _invoice(
        "07-hengtong-to-linhai.xml",
        "HT-2026-0631",
        (HENGTONG, LINHAI),
        ("导轨 guide rail", "60000.00"),
    ),
    InvoiceText(
        file="08-ruifeng-to-huayue-line-warning.xml",
        number="INV-002",
        issued=_ISSUED,
        due=_DUE,
        seller=RUIFENG,
        buyer=HUAYUE,
        lines=(
            LineText(
                name="备用转子，退一件 spare rotor, one returned",
                quantity="12",
                price="7079.65",
                net=str(_net("88000.00")),
                percent=_VAT,
            ),
        ),
        rounding=_rounding("88000.00"),
    ),
    InvoiceText(
        file="09-hengtong-to-huayue-prepaid.xml",
        number="HT-2026-0615",
        issued="2026-06-15",
        due=_DUE,
        seller=HENGTONG,
        buyer=HUAYUE,
        lines=(_hundred("刀库 tool magazine", "450000.00"),),
        prepaid="50000.00",
        rounding=_rounding("450000.00"),
    ),
    _invoice("10-ruifeng-to-linhai-again.xml", "ｉｎｖ　００１", (RUIFENG, LINHAI), _MOTORS),
    InvoiceText(
        file="11-hengtong-credit-note.xml",
        kind="CreditNote",
        number="HT-CN-2026-004",
        issued="2026-07-01",
        seller=HENGTONG,
        buyer=HUAYUE,
        names_invoice="HT-2026-0615",
        lines=(_hundred("刀库退货 returned tool magazine", "20000.00"),),
        rounding=_rounding("20000.00"),
    ),
    InvoiceText(
        file="12-hengtong-to-huayue-wrong-total.xml",
        number="HT-2026-0632",
        issued=_ISSUED,
        due=_DUE,
        seller=HENGTONG,
        buyer=HUAYUE,
        lines=(_hundred("夹具 fixture", "150000.00"),),
        stated={"PayableAmount": "155000.00"},
    ),
)
"""The examples, in the order of their names."""
