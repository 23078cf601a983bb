"""Hosts and origins: which names the gateway answers to, and which pages may send to it.

A page that a browser shows cannot choose the header `Host`. A page whose name was made to point to this machine (DNS
rebinding) therefore sends a host that is not allowed.
"""

from __future__ import annotations

import ipaddress
import re

from workers.settings import Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_ANYWHERE = ("", "0.0.0.0", "::")
_MOST_SEEN = 1_000
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:@/]+)(?::[0-9]*)?")


class Hosts:
    """The allowed hosts: loopback names, the address that is listened on, and those of RESHELF_ALLOWED_HOSTS.

    Where the gateway listens on all addresses, every IP address is allowed: rebinding needs a name.
    """

    def __init__(self, settings: Settings) -> None:
        bound = settings.gateway_host.lower()
        given = {one.lower() for one in listed(settings.allowed_hosts)}
        self._names = LOOPBACK | given | {f"[{bound}]" if ":" in bound else bound}
        self._any_address = settings.gateway_host in _ANYWHERE
        self._seen: set[bytes] = set()

    def allows(self, host: bytes) -> bool:
        """Return whether a request with this header may be answered; the port does not matter."""
        if host in self._seen:
            return True
        if not self._is_allowed(_without_port(host.decode("latin-1").lower())):
            return False
        if len(self._seen) < _MOST_SEEN:
            self._seen.add(host)
        return True

    def _is_allowed(self, name: str) -> bool:
        if not name:
            return False
        return name in self._names or (self._any_address and _is_address(name))


def listed(setting: str | None) -> list[str]:
    """Return the values of a setting that are separated by commas."""
    return [one for given in (setting or "").split(",") if (one := given.strip())]


def is_same(origin: bytes, host: bytes) -> bool:
    """Return whether an `Origin` is that of this gateway itself, whose scheme a proxy may have changed."""
    return origin.lower() in (b"http://" + host.lower(), b"https://" + host.lower())


def _without_port(host: str) -> str:
    """Return the name of the header, nothing if it is not written as one."""
    found = _HOST.fullmatch(host)
    return "" if found is None else found[1]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
