"""The secret by which names of the erased are kept: a setting, or a file of the home folder that its owner may read.

Every process needs the same one, so several machines set `RESHELF_PRIVACY_SECRET`. Whoever loses it can no longer
recognise who was erased.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from storage.embedded import server
from storage.privacy.names import Secret
from workers.settings import Settings, SettingsError

FILE = "privacy-secret"
_BYTES = 32


def path(home: Path) -> Path:
    """Return the file that holds the secret."""
    return home / FILE


def load(settings: Settings) -> Secret:
    """Return the secret. Raises `SettingsError` if there is none."""
    found = _read(settings)
    if found is None:
        raise SettingsError(
            "somebody was erased, and the secret by which they are recognised is not here: set RESHELF_PRIVACY_SECRET, "
            f"or put back {path(settings.home)}"
        )
    return found


def ensure(settings: Settings) -> Secret:
    """Return the secret; make the file if there is none."""
    found = _read(settings)
    if found is None:
        settings.home.mkdir(parents=True, exist_ok=True)
        server.write_private(path(settings.home), f"{secrets.token_urlsafe(_BYTES)}\n".encode())
        found = load(settings)
    return found


def _read(settings: Settings) -> Secret | None:
    if settings.privacy_secret is not None:
        return Secret(settings.privacy_secret.encode())
    try:
        kept = path(settings.home).read_text().strip()
    except FileNotFoundError:
        return None
    return Secret(kept.encode()) if kept else None
