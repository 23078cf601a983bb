"""Countries in one form, the two letters of ISO 3166, from its other codes and from names in many languages."""

from __future__ import annotations

import gettext
import re
import unicodedata
from functools import cache

from workers.canonical.errors import unreadable

WANTED = "country: send its two letters (ISO 3166)"

# With Kosovo, whose code is nobody else's.
_LISTED = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD
CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF
GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
VN VU WF WS YE YT ZA ZM ZW XK
"""
CODES = frozenset(_LISTED.split())
"""The codes of countries and territories."""

# Names in use that the standard does not have.
_ALIASES = {
    "AE": "UAE, Emirates", "BA": "Bosnia", "BN": "Brunei", "BO": "Bolivia", "BQ": "Caribbean Netherlands",
    "BS": "The Bahamas", "CD": "DR Congo, DRC, Democratic Republic of the Congo, Congo Kinshasa",
    "CG": "Congo Brazzaville, Congo Republic", "CI": "Ivory Coast, Cote dIvoire", "CN": "Mainland China, PRC",
    "CV": "Cape Verde", "CZ": "Czech Republic, Czechia", "FM": "Micronesia",
    "GB": "UK, Great Britain, Britain, England, Scotland, Wales, Northern Ireland, United Kingdom of Great Britain",
    "GM": "The Gambia", "GR": "EL, Hellas", "HK": "Hong Kong SAR, Hongkong", "IE": "Eire, Republic of Ireland",
    "IR": "Iran", "KN": "St Kitts and Nevis", "KP": "North Korea, DPRK",
    "KR": "South Korea, Korea, Republic of Korea, ROK", "LA": "Laos", "LC": "St Lucia", "MD": "Moldova",
    "MK": "Macedonia, FYROM", "MM": "Burma", "MO": "Macau, Macau SAR, Macao SAR", "NL": "Holland, The Netherlands",
    "PH": "The Philippines", "PS": "Palestine", "RO": "ROM", "RU": "Russia, Россия", "SH": "Saint Helena, St Helena",
    "ST": "Sao Tome", "SY": "Syria", "SZ": "Swaziland", "TL": "East Timor", "TR": "Turkey",
    "TW": "Taiwan, Taiwan ROC, 台灣", "TZ": "Tanzania",
    "US": "USA, US of A, United States of America, America, The United States", "VA": "Vatican, Vatican City",
    "VC": "St Vincent and the Grenadines", "VE": "Venezuela", "VG": "British Virgin Islands", "VI": "US Virgin Islands",
    "VN": "Vietnam", "XK": "XKX, Kosovo", "ZA": "RSA",
}  # fmt: skip
_LANGUAGES = (
    "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da", "nb_NO", "fi", "cs", "hu", "ro", "el", "tr", "ru", "uk", "he",
    "ar", "hi", "th", "vi", "id", "ja", "ko", "zh_CN", "zh_TW",
)  # fmt: skip
_IGNORED = re.compile(r"[\W_]+")


def canonical(text: str) -> str:
    """Return the two letters of the country that a text names, by a code or a name. Raises `Unreadable`."""
    if text in CODES:
        return text
    name = _plain(text)
    found = name.upper() if name.upper() in CODES else _named().get(name) or _translated().get(name)
    if found is None:
        raise unreadable(text, WANTED)
    return found


def trait(value: str) -> str:
    """Return what a shop calls a shopper's country; two letters of ISO 3166 in capitals, whatever else as it is.

    A trait is the shop's own word. Only that much of it can be nothing else.
    """
    if value in CODES:
        return value
    code = value.strip().upper()
    return code if code in CODES else value


def warm() -> None:
    """Read the names, which takes a while, before somebody waits for one."""
    _named()
    _translated()


def _plain(text: str) -> str:
    """Return a name without case, accents, spaces and what stands between words."""
    parts = unicodedata.normalize("NFKD", text.replace("&", " and "))
    return _IGNORED.sub("", "".join(one for one in parts if not unicodedata.combining(one)).casefold())


@cache
def _named() -> dict[str, str]:
    """Codes and English names."""
    import pycountry  # takes a tenth of a second, for what few orders need

    found: dict[str, str] = {}
    for one in pycountry.countries:
        given = [one.alpha_3, one.numeric, *_names(one)]
        for name in given:
            before, _, after = name.partition(", ")
            found |= {_plain(name): one.alpha_2, _plain(f"{after} {before}"): one.alpha_2}
    return found | {_plain(name): code for code, names in _ALIASES.items() for name in names.split(", ")}


@cache
def _translated() -> dict[str, str]:
    """Names in other languages. One that means two countries is the one that an earlier language means by it."""
    import pycountry

    found: dict[str, str] = {}
    for language in _LANGUAGES:
        words = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True)
        for one in pycountry.countries:
            for name in _names(one):
                found.setdefault(_plain(words.gettext(name)), one.alpha_2)
    return found


def _names(country: object) -> list[str]:
    return [name for kind in ("name", "common_name", "official_name") if (name := getattr(country, kind, None))]
