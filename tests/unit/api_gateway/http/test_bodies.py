"""Packed bodies: taken as they were, bounded when unpacked. The gateway here has no database."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zstandard
from litestar.testing import TestClient

from api_gateway.http import bodies
from api_gateway.http.errors import Invalid, TooLarge
from tests.support import gateways
from workers.settings import Settings

# No batch, which is said without a database; a body that cannot be unpacked is refused before.
TEXT = b'{"rows": []}'


@pytest.fixture(scope="module")
def offline() -> Iterator[TestClient[Any]]:
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/none")
    with gateways.client(settings) as client:
        yield client


def bare(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def streamed(body: bytes) -> bytes:
    """Return zstd that does not say how large it was."""
    packer = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return packer.compress(body) + packer.flush()


PACKED: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("GZIP", gzip.compress),
    ("x-gzip", gzip.compress),
    ("gzip", lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:])),
    ("deflate", zlib.compress),
    ("deflate", bare),
    ("zstd", zstandard.compress),
    ("zstd", streamed),
    ("zstd", lambda body: zstandard.compress(body[:5]) + zstandard.compress(body[5:])),
    ("gzip, zstd", lambda body: zstandard.compress(gzip.compress(body))),
    ("identity", lambda body: body),
    ("identity, gzip", gzip.compress),
]


@pytest.mark.parametrize(("encoding", "pack"), PACKED)
@pytest.mark.parametrize("path", ["/v1/events", "/v1/catalogue", "/v1/orders/labels"])
def test_a_packed_body_is_the_body(offline: Any, path: str, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    answer = offline.post(path, content=pack(TEXT), headers={"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "the body is no batch of rows")


@pytest.mark.parametrize("path", ["/v1/orders/screen", "/v1/keys", "/v1/reviews/o/decide"])
def test_every_door_unpacks(offline: Any, path: str) -> None:
    answer = offline.post(path, content=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, "missing required field" in answer.json()["error"]["message"]) == (400, True)


@pytest.mark.parametrize("encoding", ["br", "compress", "gzip, br", "gzip, gzip, gzip, gzip"])
def test_an_unknown_encoding_is_refused_with_those_that_are_known(offline: Any, encoding: str) -> None:
    answer = offline.post("/v1/events", content=TEXT, headers={"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported")
    assert answer.headers["accept-encoding"] == "gzip, deflate, zstd"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("body", [TEXT, b"\x00\x01\x02", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd"])
def test_a_body_that_is_not_packed_so_is_refused(offline: Any, encoding: str, body: bytes) -> None:
    answer = offline.post("/v1/events", content=body, headers={"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "body")


@pytest.mark.parametrize(("encoding", "pack"), [pair for pair in PACKED if "identity" not in pair[0]])
def test_half_of_a_packed_body_is_refused(offline: Any, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    whole = pack(TEXT)
    answer = offline.post("/v1/events", content=whole[: len(whole) - 6], headers={"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "body")


@pytest.mark.parametrize(("encoding", "pack"), [pair for pair in PACKED if "identity" not in pair[0]])
def test_a_body_is_unpacked_up_to_the_limit_and_no_further(
    offline: Any, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    fits = offline.post("/v1/events", content=pack(b" " * bodies.MOST_BYTES), headers={"Content-Encoding": encoding})
    assert fits.status_code == 400
    answer = offline.post(
        "/v1/events", content=pack(b" " * (bodies.MOST_BYTES + 1)), headers={"Content-Encoding": encoding}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
def test_a_bomb_is_not_unpacked(name: str) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}[name]
    bomb = pack(b"\x00" * (64 * 2**20))
    tracemalloc.start()
    with pytest.raises((TooLarge, Invalid)):
        bodies._unpack(bomb, [name])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * bodies.MOST_BYTES
