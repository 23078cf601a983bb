"""Which servers may listen beyond this machine: none without a password."""

from __future__ import annotations

import ipaddress

from workers.settings import Settings, SettingsError


def is_loopback(host: str) -> bool:
    """Return whether a server that listens on `host` is reachable only from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def local(host: str) -> str:
    """Return the host name by which this machine reaches a server that listens on `host`."""
    if host in ("", "0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def api_keys(settings: Settings) -> list[str]:
    """Return the keys that the gateway accepts; if there are none, every request is accepted."""
    keys = (key.strip() for key in (settings.api_keys or "").split(","))
    return [key for key in keys if key]


def check_gateway(settings: Settings) -> None:
    """Raise `SettingsError` if the gateway would be open to other machines without keys."""
    if not is_loopback(settings.gateway_host) and not api_keys(settings):
        raise SettingsError(
            f"RESHELF_GATEWAY_HOST={settings.gateway_host} lets other machines in: set RESHELF_API_KEYS "
            "to the keys that the gateway shall accept"
        )


def check_flower(settings: Settings) -> None:
    """Raise `SettingsError` if Flower, which can stop workers, would be open to other machines without a password."""
    if not is_loopback(settings.flower_host) and not settings.flower_basic_auth:
        raise SettingsError(
            f"RESHELF_FLOWER_HOST={settings.flower_host} lets other machines in: set "
            "RESHELF_FLOWER_BASIC_AUTH to name:password"
        )
    if settings.flower_basic_auth and ":" not in settings.flower_basic_auth:
        raise SettingsError("RESHELF_FLOWER_BASIC_AUTH must look like name:password")
