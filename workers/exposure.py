"""Which servers may listen beyond this machine: none without a key or a password."""

from __future__ import annotations

import ipaddress

from workers.settings import Settings, SettingsError

DEVELOPMENT_SECRET = "reshelf-dev"
"""What compose.yaml takes for every secret that is not set."""


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


def gateway_url(settings: Settings) -> str:
    """Return the gateway's URL from this machine."""
    scheme = "http" if settings.gateway_tls_certificate is None else "https"
    return f"{scheme}://{local(settings.gateway_host)}:{settings.gateway_port}"


def flower_url(settings: Settings) -> str:
    """Return Flower's URL from this machine."""
    return f"http://{local(settings.flower_host)}:{settings.flower_port}"


def api_keys(settings: Settings) -> list[str]:
    """Return the keys of RESHELF_API_KEYS, which may do everything."""
    keys = (key.strip() for key in (settings.api_keys or "").split(","))
    return [key for key in keys if key]


def check_gateway(settings: Settings) -> None:
    """Raise `SettingsError` if the gateway would be open to other machines."""
    if settings.open_on_loopback and not is_loopback(settings.gateway_host):
        raise SettingsError(
            f"RESHELF_OPEN_ON_LOOPBACK is for this machine alone, and RESHELF_GATEWAY_HOST={settings.gateway_host} "
            "lets other machines in: unset one of them"
        )
    check_tls(settings)


def check_tls(settings: Settings) -> None:
    """Raise `SettingsError` unless certificate and key are both set, or neither, and are files."""
    files = {
        "RESHELF_GATEWAY_TLS_CERTIFICATE": settings.gateway_tls_certificate,
        "RESHELF_GATEWAY_TLS_KEY": settings.gateway_tls_key,
    }
    if set(files.values()) == {None}:
        return
    for name, file in files.items():
        if file is None or not file.is_file():
            raise SettingsError(f"{name}={file or ''} is no file: TLS needs the certificate and its key")


def check_flower(settings: Settings) -> None:
    """Raise `SettingsError` if Flower, which can stop workers, would be open to other machines without a password."""
    if not is_loopback(settings.flower_host) and not settings.flower_basic_auth:
        raise SettingsError(
            f"RESHELF_FLOWER_HOST={settings.flower_host} lets other machines in: set "
            "RESHELF_FLOWER_BASIC_AUTH to name:password"
        )
    if settings.flower_basic_auth and ":" not in settings.flower_basic_auth:
        raise SettingsError("RESHELF_FLOWER_BASIC_AUTH must look like name:password")


def check_secrets(settings: Settings) -> None:
    """Raise `SettingsError` if a container is published beyond loopback with a secret that compose.yaml has."""
    if is_loopback(settings.publish):
        return
    secrets = {
        "POSTGRES_PASSWORD": settings.database_url,
        "REDIS_PASSWORD": settings.broker_url,
        "RESHELF_API_KEYS": settings.api_keys,
        "RESHELF_FLOWER_BASIC_AUTH": settings.flower_basic_auth,
    }
    if known := [name for name, value in secrets.items() if DEVELOPMENT_SECRET in (value or "")]:
        raise SettingsError(
            f"RESHELF_PUBLISH={settings.publish} lets other machines in, and {', '.join(known)} is the default that "
            "everybody knows: `make env` writes secrets of your own into .env"
        )
