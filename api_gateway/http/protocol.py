"""HTTP as uvicorn speaks it, with bounds on what it keeps of a request before anybody has looked at it.

uvicorn's parser takes headers without end, and waits without end for a request that has begun.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEADER_BYTES = 64 * 1024
FIRST_SECONDS = 15.0
"""How long a new connection may wait with the first byte of a request, and with its last header."""
REQUEST_SECONDS = 60.0
"""How long a request may take to arrive."""


class _Stage(Enum):
    BETWEEN, HEADERS, BODY = range(3)


class Protocol(HttpToolsProtocol):
    """A connection. What exceeds a bound is answered (408, 431) where nothing of an answer was sent, and closed."""

    _stage = _Stage.HEADERS
    _header_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(FIRST_SECONDS, self._expire)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and see what is still missing."""
        super().data_received(data)
        if self.transport.is_closing() or self._stage is _Stage.BETWEEN:
            self._stop_timer()
            return
        if self._stage is _Stage.HEADERS:
            self._header_bytes += len(data)
            if self._header_bytes > MOST_HEADER_BYTES:
                self._refuse(b"431 Request Header Fields Too Large", b"the headers are too large")
                return
        if self._timer is None:
            seconds = FIRST_SECONDS if self._stage is _Stage.HEADERS else REQUEST_SECONDS
            self._timer = self.loop.call_later(seconds, self._expire)

    def on_message_begin(self) -> None:
        """Note that headers come."""
        self._stage, self._header_bytes = _Stage.HEADERS, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that the body comes."""
        self._stage = _Stage.BODY
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that all of it is there."""
        self._stage = _Stage.BETWEEN
        super().on_message_complete()

    def _expire(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self._refuse(b"408 Request Timeout", b"the request took too long to arrive")

    def _refuse(self, status: bytes, message: bytes) -> None:
        self._stop_timer()
        if self.cycle is None or self.cycle.response_complete:
            lines = [b"HTTP/1.1 " + status, b"content-type: text/plain; charset=utf-8"]
            lines += [b"content-length: %d" % len(message), b"connection: close", b"", message]
            self.transport.write(b"\r\n".join(lines))
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
