"""IP addresses in one form, from what web servers and proxies write: with ports, in lists, in any spelling of IPv6.

One address is left: an IPv4 address with four numbers, also where it came mapped into IPv6, or an IPv6 address as RFC
5952 writes it. Ports, zones and quotes are no part of it. 6to4 and NAT64 addresses stay what they are.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator

from workers.canonical.errors import unreadable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

WANTED = "IP address: send IPv4 or IPv6, or the value of X-Forwarded-For or Forwarded"

_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_PLAIN = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}", re.ASCII)
_FOR = re.compile(r"(?:^|[;,\s])for\s*=\s*(\"[^\"]*\"|[^;,\s]+)", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;\s]+")
_LONGEST = 128
_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::\S*)?")
# A port after IPv4, also where that ends an IPv6 address; RFC 7239 lets a proxy hide it as `_` and a word.
_PORT = re.compile(r"(.*\d+\.\d+\.\d+\.\d+):(?:\d{1,5}|_[\w.-]+)?")
_NINTH = re.compile(r"((?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}):\d{1,5}", re.IGNORECASE)
_ZONE = re.compile(r"%.*")
_WHOLE = re.compile(r"(.*)/(?:32|128)")

# Networks behind a proxy, which are not where a customer is seen from. Those for documentation are not among them.
_INSIDE = [
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "::/127", "fc00::/7", "fe80::/10",
    )
]  # fmt: skip


def canonical(text: str) -> str:
    """Return the address that a text names. Raises `Unreadable`.

    Of a list (X-Forwarded-For, Forwarded), in which the customer comes first and each proxy adds the one it was asked
    by, that is the first readable address outside private networks, or the first readable one where all are inside.
    """
    if _PLAIN.fullmatch(text):
        return text
    found = list(_addresses(unicodedata.normalize("NFKC", text)))
    if not found:
        raise unreadable(text, WANTED)
    return str(next((one for one in found if not _is_inside(one)), found[0]))


def _addresses(text: str) -> Iterator[Address]:
    for one in _FOR.findall(text) or _BETWEEN.split(text):
        plain = one.strip("\"' ")
        if len(plain) <= _LONGEST and (address := _address(plain)) is not None:
            yield address


def _address(text: str) -> Address | None:
    bracketed = _BRACKETED.fullmatch(text)
    plain = bracketed[1] if bracketed else text
    for ending in (_PORT, _NINTH, _WHOLE):
        if (found := ending.fullmatch(plain)) is not None:
            plain = found[1]
    try:
        address = ipaddress.ip_address(_ZONE.sub("", plain))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_inside(address: Address) -> bool:
    return any(address in network for network in _INSIDE if network.version == address.version)
