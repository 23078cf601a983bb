"""E-mail addresses in one form: lower case, the domain as it goes over the wire (IDNA), nothing around it.

RFC 5321 lets a host tell `Ann` from `ann`; none that people write to does, and whoever evades a count would use it.
Dots and `+` before the `@` stay: what they mean is up to each provider.
"""

from __future__ import annotations

import re
import unicodedata

import idna

from workers.canonical.errors import unreadable

WANTED = "e-mail address: send name@domain"

_NAMED = re.compile(r"[^<>]*<([^<>]+)>\s*")
_PARTS = re.compile(r"(\"[^\"]+\"|[^@\s\"<>,;]+)\s*@\s*([^@\s\"<>,;]+?)\.?")
_ASCII_DOMAIN = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+")


def canonical(text: str) -> str:
    """Return the address that a text names, also as `mailto:` or `Name <address>`. Raises `Unreadable`."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()
    if plain[:7].lower() == "mailto:":
        plain = plain[7:].partition("?")[0].replace("%40", "@")
    if (named := _NAMED.fullmatch(plain)) is not None:
        plain = named[1].strip()
    parts = _PARTS.fullmatch(plain.strip("'"))
    domain = _domain(parts[2]) if parts else None
    if parts is None or domain is None:
        raise unreadable(text, WANTED)
    return f"{unicodedata.normalize('NFC', parts[1].lower())}@{domain}"


def _domain(text: str) -> str | None:
    try:
        return idna.encode(text, uts46=True).decode().lower()
    except idna.IDNAError:  # an underscore, for example, which hosts do not have and domains do
        plain = text.lower()
        return plain if _ASCII_DOMAIN.fullmatch(plain) and ".." not in plain else None
