"""Bodies as they were before the sender packed them (Content-Encoding), and no larger than a door takes."""

from __future__ import annotations

import asyncio
import io
import zlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
import zstandard
from litestar import Request

from api_gateway.http.errors import Invalid, TooLarge, Unsupported

MOST_BYTES = 4 * 1024 * 1024
"""Of a body, packed or not."""

T = TypeVar("T")

_MOST_ENCODINGS = 3
# What RFC 9659 lets a sender ask of a receiver.
_ZSTD_WINDOW = 8 * 1024 * 1024


async def unpacked(request: Request[Any, Any, Any], body: bytes) -> bytes:
    """Return the body of the request as it was before its Content-Encoding.

    Raises `errors.Unsupported` for an unknown encoding, `errors.TooLarge` once more than `MOST_BYTES` come out, and
    `errors.Invalid` where the body is not packed as it says.
    """
    given = request.headers.get("content-encoding")
    if not given:
        return body
    encodings = [name for one in given.split(",") if (name := one.strip().lower()) not in ("", "identity")]
    if len(encodings) > _MOST_ENCODINGS or not set(encodings) <= _UNPACK.keys():
        raise Unsupported(
            f"a body packed as {given[:64]!r} is not read", field="content-encoding", accept=", ".join(_NAMES)
        )
    return await asyncio.to_thread(_unpack, body, encodings)


def decoded(body: bytes, kind: type[T]) -> T:
    """Return a body that holds one JSON object of this type. Raises `errors.Invalid`, naming the field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason, _, path = str(error).partition(" - at `$")
        raise Invalid(reason, field=path.rstrip("`").lstrip(".") or "body") from error


def _unpack(body: bytes, encodings: list[str]) -> bytes:
    for name in reversed(encodings):
        try:
            body = _UNPACK[name](body)
        except (zlib.error, zstandard.ZstdError, EOFError) as error:
            raise Invalid(f"the body is not packed as {name}: {error}", field="body") from error
        if len(body) > MOST_BYTES:
            raise TooLarge(
                f"the body unpacks to more than {MOST_BYTES} bytes", field="body", fix="send fewer rows in a request"
            )
    return body


def _gzip(body: bytes) -> bytes:
    return _inflate(body, zlib.MAX_WBITS | 16)


def _deflate(body: bytes) -> bytes:
    """Read zlib's format, as the standard says, or bare deflate, as some senders took it."""
    try:
        return _inflate(body, zlib.MAX_WBITS)
    except zlib.error:
        return _inflate(body, -zlib.MAX_WBITS)


def _inflate(body: bytes, format: int) -> bytes:
    """Return up to one byte more than a body may have."""
    found = b""
    while body and len(found) <= MOST_BYTES:
        stream = zlib.decompressobj(format)
        found += stream.decompress(body, MOST_BYTES + 1 - len(found))
        if not stream.eof and len(found) <= MOST_BYTES:
            raise EOFError("it ends in the middle")
        body = stream.unused_data  # several may follow each other
    return found


def _zstd(body: bytes) -> bytes:
    """Return up to one byte more than a body may have."""
    reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(
        io.BytesIO(body), read_across_frames=True
    )
    found = bytearray()
    while len(found) <= MOST_BYTES and (piece := reader.read(MOST_BYTES + 1 - len(found))):
        found += piece
    return bytes(found)


_NAMES = ("gzip", "deflate", "zstd")
_UNPACK: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "zstd": _zstd,
}  # fmt: skip
