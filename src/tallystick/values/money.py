"""Money as whole minor units of a currency and its issuer, and how people write it."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from tallystick.values.errors import AmountError, Overflow, UnknownCurrency
from tallystick.values.units import INT64_MAX, INT64_MIN

# Source: ISO 4217 list one, published 2026-01-01: every code that has minor units.
_CODES_BY_EXPONENT: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD "
        "CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
        "GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK "
        "LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO "
        "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
        "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST "
        "XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

CURRENCIES: Final[Mapping[str, int]] = MappingProxyType(
    {code: digits for digits, codes in _CODES_BY_EXPONENT.items() for code in codes.split()}
)
"""ISO 4217 code to the number of decimals of its minor unit: CNY 2, JPY 0, KWD 3."""

_AMOUNT: Final = re.compile(r"(-?)(0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.([0-9]+))?")
_TEXT_CHARS_MAX: Final = 40


def exponent(currency: str) -> int:
    """How many decimals the currency's minor unit has."""
    digits = CURRENCIES.get(currency)
    if digits is None:
        raise UnknownCurrency(currency)
    return digits


def money_id(currency: str, issuer: str) -> str:
    """The money of one issuer: `CNY@central-bank`."""
    return f"{currency}@{issuer}"


def currency_of(money: str) -> str:
    """The currency of a money id."""
    return money.partition("@")[0]


def issuer_of(money: str) -> str:
    """The issuer of a money id."""
    return money.partition("@")[2]


def format_minor(minor: int, currency: str, *, grouping: bool = True) -> str:
    """The amount as people write it: 100000 CNY is `1,000.00`."""
    digits = exponent(currency)
    whole, part = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    shown = f"{whole:,}" if grouping else str(whole)
    return f"{sign}{shown}.{part:0{digits}}" if digits else f"{sign}{shown}"


def parse_decimal(text: str, currency: str, *, signed: bool = False) -> int:
    """The minor units of an amount as people write it: `1,000.00`, `1000`, `0.01`.

    Groups are of three digits or absent; there are no leading zeros, no exponent and no more
    decimals than the currency has; a minus is read only where `signed` allows it.
    """
    digits = exponent(currency)
    found = _AMOUNT.fullmatch(text) if len(text) <= _TEXT_CHARS_MAX else None
    if found is None:
        raise AmountError("not an amount", text=text, currency=currency)
    sign, whole, part = found[1], found[2].replace(",", ""), found[3] or ""
    if sign and not signed:
        raise AmountError("an amount has no sign", text=text, currency=currency)
    if len(part) > digits:
        raise AmountError("too many decimals", text=text, currency=currency, decimals=digits)
    minor = int(sign + whole + part.ljust(digits, "0"))
    if not INT64_MIN <= minor <= INT64_MAX:
        raise AmountError("too large", text=text, currency=currency)
    return minor


def checked(value: int) -> int:
    """The value itself, if it fits a signed 64-bit integer."""
    if INT64_MIN <= value <= INT64_MAX:
        return value
    raise Overflow("does not fit 64 bits", value=value)


def add(first: int, second: int) -> int:
    """The sum, checked."""
    return checked(first + second)


def sub(first: int, second: int) -> int:
    """The difference, checked."""
    return checked(first - second)


def mul(first: int, second: int) -> int:
    """The product, checked."""
    return checked(first * second)


def total(amounts: Iterable[int]) -> int:
    """The sum of all, checked once at the end: it does not depend on their order."""
    return checked(sum(amounts))
