"""Numbers and units as shops write them: `18v` is `18 volt`, `3/4"` is `.75 in.`, `2x4` is `2 in. x 4 in.`."""

from __future__ import annotations

from fractions import Fraction

_SPELLINGS = {
    "in": 'in inch inches inchs " 英寸 吋 寸',
    "ft": "ft foot feet fts ' 英尺",
    "yd": "yd yds yard yards",
    "mm": "mm millimeter millimeters millimetre 毫米 мм",
    "cm": "cm centimeter centimeters centimetre 厘米 公分 см سم סמ",
    "m": "m meter meters metre metres 米 м",
    "sqft": "sqft",
    "cuft": "cuft",
    "lb": "lb lbs pound pounds 磅",
    "oz": "oz ounce ounces 盎司",
    "kg": "kg kgs kilogram kilograms 公斤 千克 кг كجم كغم קג กก",
    "g": "g gr gram grams 克 г гр جم غم ग्राम",
    "gal": "gal gals gallon gallons 加仑",
    "qt": "qt qts quart quarts",
    "pt": "pint pints",
    "l": "l liter liters litre litres 升 л لتر ליטר लीटर",
    "ml": "ml milliliter milliliters 毫升 мл مل מל",
    "volt": "v volt volts 伏 伏特 в",
    "amp": "a amp amps ampere amperes 安 安培",
    "mah": "mah 毫安 毫安时",
    "watt": "w watt watts 瓦 瓦特 вт واط",
    "kw": "kw kilowatt kilowatts 千瓦",
    "hp": "hp horsepower 马力",
    "hz": "hz hertz 赫兹",
    "ga": "ga gauge gage",
    "gb": "gb go гб جيجابايت",
    "tb": "tb to тб",
    "btu": "btu btus",
    "gpm": "gpm",
    "gpf": "gpf",
    "psi": "psi",
    "cfm": "cfm",
    "pk": "pk pack packs pieces piece pcs pc ct count",
    "deg": "degree degrees deg °",
}
UNITS = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings.split()}
"""Every spelling of a unit, and the unit."""

ONLY_GLUED = frozenset(["a", "m", "g", "l", "c", "f", "k", "go", "to", "м", "г", "л", "в"])
"""Units that are also words or letters: only right behind their number."""

BARE = {spelling: unit for spelling, unit in UNITS.items() if len(spelling) > 3 and spelling.isascii()} | {"ft": "ft"}
"""Spellings that are units even without a number before them."""

_DENOMINATORS = frozenset((2, 3, 4, 5, 6, 8, 10, 12, 16, 32, 64))


def number(whole: str, above: str = "", below: str = "") -> str | None:
    """The canonical form of a number: `1`, `1`, `2` (for 1-1/2) is "1.5", `.50` is "0.5", `10,000` is "10000".

    A comma before one or two digits is a decimal one. None where `above`/`below` is no fraction of a measure, such as
    12/2 for two wires of gauge 12. Digits that begin with 0, or too many to be an amount, are a code and stay as they
    are.
    """
    thousands, comma, behind = whole.rpartition(",")
    whole = f"{thousands}.{behind}" if comma and len(behind) < 3 else whole.replace(",", "")
    if below:
        if not 0 < int(above) < int(below) or int(below) not in _DENOMINATORS:
            return None
        value = Fraction(int(above), int(below)) + (int(whole) if whole else 0)
        return f"{float(value):.4f}".rstrip("0").rstrip(".")
    if "." not in whole:
        return whole
    before, _, behind = whole.partition(".")
    behind = behind.rstrip("0")
    return f"{before or '0'}.{behind}" if behind else before or "0"
