"""Ask a server of ours over HTTP whether it is well."""

from __future__ import annotations

import urllib.error
import urllib.request

# A proxy that the environment names must not come between a machine and itself.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def problem(url: str, *, timeout: float = 5.0) -> str | None:
    """Return None when `url` answers 200, else what it does instead."""
    try:
        with _DIRECT.open(url, timeout=timeout) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        with error:
            detail = error.read(200).decode(errors="replace")
        return f"{url} answers {error.code} {detail}".rstrip()
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        return f"{url} does not answer ({getattr(error, 'reason', error)})"
    return None if status == 200 else f"{url} answers {status}"
