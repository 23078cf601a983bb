"""Currencies in one form, the three capital letters of ISO 4217, from codes, numbers, signs and common names."""

from __future__ import annotations

import re
import unicodedata

# Number and letters of each currency of ISO 4217, as of 2026.
_NUMBERED = """
784AED 971AFN 008ALL 051AMD 973AOA 032ARS 036AUD 533AWG 944AZN 977BAM 052BBD 050BDT 048BHD 108BIF 060BMD 096BND 068BOB
984BOV 986BRL 044BSD 064BTN 072BWP 933BYN 084BZD 124CAD 976CDF 947CHE 756CHF 948CHW 990CLF 152CLP 156CNY 170COP 970COU
188CRC 192CUP 132CVE 203CZK 262DJF 208DKK 214DOP 012DZD 818EGP 232ERN 230ETB 978EUR 242FJD 238FKP 826GBP 981GEL 936GHS
292GIP 270GMD 324GNF 320GTQ 328GYD 344HKD 340HNL 332HTG 348HUF 360IDR 376ILS 356INR 368IQD 364IRR 352ISK 388JMD 400JOD
392JPY 404KES 417KGS 116KHR 174KMF 408KPW 410KRW 414KWD 136KYD 398KZT 418LAK 422LBP 144LKR 430LRD 426LSL 434LYD 504MAD
498MDL 969MGA 807MKD 104MMK 496MNT 446MOP 929MRU 480MUR 462MVR 454MWK 484MXN 979MXV 458MYR 943MZN 516NAD 566NGN 558NIO
578NOK 524NPR 554NZD 512OMR 590PAB 604PEN 598PGK 608PHP 586PKR 985PLN 600PYG 634QAR 946RON 941RSD 643RUB 646RWF 682SAR
090SBD 690SCR 938SDG 752SEK 702SGD 654SHP 925SLE 706SOS 968SRD 728SSP 930STN 222SVC 760SYP 748SZL 764THB 972TJS 934TMT
788TND 776TOP 949TRY 780TTD 901TWD 834TZS 980UAH 800UGX 840USD 858UYU 860UZS 926VED 928VES 704VND 548VUV 882WST 950XAF
951XCD 532XCG 952XOF 953XPF 886YER 710ZAR 967ZMW 924ZWG
"""
_OF_NUMBER = {one[:3]: one[3:] for one in _NUMBERED.split()}
CODES = frozenset(_OF_NUMBER.values())
"""Currencies that are in use."""
WITHDRAWN = frozenset({"ANG", "BGN"})
"""Currencies that were in use until 2025 or 2026."""

# Signs and names, in lower case and without full stops and spaces, of one currency each.
_NAMED = {
    name: code
    for code, names in {
        "AED": "د.إ dhs dh dirham", "ARS": "ar$", "AUD": "a$ au$ aud$ australiandollar australiandollars",
        "BDT": "৳ taka", "BGN": "лв lev", "BRL": "r$ real reais brazilianreal",
        "CAD": "c$ ca$ cad$ can$ canadiandollar canadiandollars", "CHF": "sfr fr swissfranc swissfrancs franken",
        "CLP": "clp$", "CNY": "元 圆 圓 人民币 人民幣 rmb cn¥ yuan renminbi cnh", "COP": "col$ cop$", "CRC": "₡",
        "CZK": "kč kc koruna", "DKK": "dkr", "EGP": "e£ £e", "EUR": "€ euro euros eur€ eu€", "GBP":
        "£ gb£ uk£ stg pound pounds sterling poundsterling poundssterling britishpound britishpounds", "GEL": "₾ lari",
        "GHS": "₵ gh₵ cedi", "HKD": "hk$ hkdollar hongkongdollar 港币 港元", "HUF": "ft forint", "IDR": "rp rupiah",
        "ILS": "₪ nis shekel shekels", "INR": "₹ rs₹ rupee rupees indianrupee indianrupees", "ISK": "ikr",
        "JPY": "円 jp¥ yen japaneseyen 日元", "KES": "ksh", "KHR": "៛", "KRW": "₩ 원 won", "KZT": "₸ tenge", "LAK": "₭",
        "MNT": "₮", "MXN": "mx$ mex$ mexicanpeso mexicanpesos", "MYR": "rm ringgit", "NGN": "₦ naira", "NOK": "nkr",
        "NZD": "nz$ nzdollar newzealanddollar", "PEN": "s/ sol", "PHP": "₱ philippinepeso",
        "PLN": "zł zl zloty złoty złotych",
        "PYG": "₲", "RON": "lei leu", "RUB": "₽ руб р рубль рубли рублей ruble rubles rouble roubles",
        "SAR": "ر.س sr riyal", "SEK": "skr", "SGD": "s$ sg$ singaporedollar", "THB": "฿ baht บาท",
        "TRY": "₺ tl lira turkishlira", "TWD": "nt$ ntd twd$ 新台币 新臺幣 台币", "UAH": "₴ грн hryvnia",
        "USD": "us$ usd$ $us dollar dollars usdollar usdollars 美元", "UYU": "$u", "VND": "₫ đ vnđ dong", "ZAR": "rand",
    }.items()
    for name in names.replace(".", "").split()
}  # fmt: skip

# Signs of several currencies: which one in a country, and which one elsewhere.
_DOLLARS = {
    "AR": "ARS", "AU": "AUD", "BB": "BBD", "BM": "BMD", "BN": "BND", "BS": "BSD", "BZ": "BZD", "CA": "CAD", "CL": "CLP",
    "CO": "COP", "DO": "DOP", "FJ": "FJD", "GY": "GYD", "HK": "HKD", "JM": "JMD", "KY": "KYD", "LR": "LRD", "MX": "MXN",
    "NA": "NAD", "NZ": "NZD", "SB": "SBD", "SG": "SGD", "SR": "SRD", "TT": "TTD", "TW": "TWD", "UY": "UYU",
}  # fmt: skip
_CROWNS = {"DK": "DKK", "FO": "DKK", "GL": "DKK", "IS": "ISK", "NO": "NOK", "SE": "SEK"}
_RUPEES = {"IN": "INR", "LK": "LKR", "MU": "MUR", "NP": "NPR", "PK": "PKR", "SC": "SCR"}
_PESOS = {country: _DOLLARS[country] for country in ("AR", "CL", "CO", "DO", "MX", "UY")} | {"PH": "PHP", "CU": "CUP"}
_SHARED: dict[str, tuple[dict[str, str], str | None]] = {
    "$": (_DOLLARS, "USD"),
    "¥": ({"CN": "CNY"}, "JPY"),
    "kr": (_CROWNS, None),
    "rs": (_RUPEES, "INR"),
    "peso": (_PESOS, None),
    "pesos": (_PESOS, None),
}
# What programs write where they have no value.
_NOTHING = ("nan", "nil")
_LETTERS = re.compile("[A-Z]{3}")
_SPACES = re.compile(r"[\s.\u200b\ufeff]+")


class Unreadable(ValueError):
    """It names no currency; the text says what would."""


def canonical(text: str, country: str | None = None) -> str:
    """Return the code of the currency. `country` (ISO 3166) tells what `$`, `¥`, `kr` and `Rs` are there.

    Elsewhere `$` is the US dollar and `¥` the yen. Three letters that are no code of ISO 4217 are kept, in capitals:
    shops count in others, too. Raises `Unreadable`.
    """
    if text in CODES:
        return text
    plain = _SPACES.sub("", unicodedata.normalize("NFKC", text))
    name = plain.lower()
    if name in _SHARED:
        there, elsewhere = _SHARED[name]
        found = there.get(country or "", elsewhere)
    else:
        found = _NAMED.get(name) or _OF_NUMBER.get(name)
    if found is None and name not in _NOTHING and _LETTERS.fullmatch(plain.upper()):
        found = plain.upper()
    if found is None:
        raise Unreadable(f"{text[:64]!r} names no currency: send its three letters (ISO 4217)")
    return found
