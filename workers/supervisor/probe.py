"""Check over HTTP whether one of our servers is healthy."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request

# Ignore proxies of the environment: the server is on this machine. Its certificate is for the name by which others ask,
# and nothing secret is sent.
_UNNAMED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_UNNAMED.check_hostname = False
_UNNAMED.verify_mode = ssl.CERT_NONE
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_UNNAMED))


def problem(url: str, *, timeout: float = 5.0) -> str | None:
    """Return None if `url` answers 200, else what is wrong."""
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
