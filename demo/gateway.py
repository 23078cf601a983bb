"""A client of the gateway, as a shop's frontend uses it: shelves are read over HTTP, and events may be posted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from demo.customers import POPULAR

DEPTH = 20
"""Items on a page."""

PERSONAL = "personal"


class GatewayError(RuntimeError):
    """A request to the gateway did not succeed."""


@dataclass(frozen=True)
class Shelf:
    """An answer of the gateway. `source` is the source of the list, `through` the time of its last event."""

    item_ids: list[str]
    titles: list[str]
    source: str
    model_version: str | None
    through: datetime | None
    request_id: str | None

    @property
    def is_personal(self) -> bool:
        """Whether it was ranked for this customer."""
        return self.source == PERSONAL


@dataclass(frozen=True)
class Found:
    """The first page of search results. `fallback` says what answered if the worker was late."""

    item_ids: list[str]
    titles: list[str]
    total: int
    source: str
    fallback: str | None
    meant: str | None
    request_id: str | None


class Gateway:
    """A client of one gateway; use it as an async context manager."""

    def __init__(self, url: str, *, key: str | None = None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        # Ignore the proxies of the environment: the server is local.
        self._client = httpx.AsyncClient(
            base_url=url, headers=headers, timeout=10, trust_env=False, transport=transport
        )

    async def __aenter__(self) -> Gateway:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def home(self, customer_id: str, *, limit: int = DEPTH) -> Shelf:
        """Return the shelf that is ranked for this customer."""
        return await self._shelf(f"/v1/users/{customer_id}/recommendations", limit)

    async def popular(self, *, limit: int = DEPTH) -> Shelf:
        """Return the shelf for everybody."""
        return await self._shelf("/v1/popular", limit)

    async def similar(self, item_id: str, *, limit: int = DEPTH) -> Shelf:
        """Return the items that are similar to this one."""
        return await self._shelf(f"/v1/items/{item_id}/similar", limit)

    async def shelf_of(self, group: str, customer_id: str) -> Shelf:
        """Return the shelf that a customer of this group is shown."""
        return await (self.popular() if group == POPULAR else self.home(customer_id))

    async def search(self, query: str, *, limit: int = DEPTH) -> Found:
        """Return the search results."""
        answer = await self._request("GET", f"/v1/search?q={quote(query)}&limit={limit}")
        return Found(
            item_ids=[item["item_id"] for item in answer["items"]],
            titles=[item["title"] for item in answer["items"]],
            total=answer["total"],
            source=answer["source"],
            fallback=answer["fallback"],
            meant=answer["meant"],
            request_id=answer["request_id"],
        )

    async def send(self, events: Sequence[dict[str, Any]]) -> None:
        """Post events; they are durable when this returns."""
        answer = await self._request("POST", "/v1/events", {"events": list(events)})
        if rejected := answer.get("rejected"):
            raise GatewayError(f"the gateway rejected events: {rejected}")

    async def _shelf(self, path: str, limit: int) -> Shelf:
        return to_shelf(await self._request("GET", f"{path}?limit={limit}"))

    async def _request(self, method: str, path: str, body: Any = None) -> Any:
        content = msgspec.json.encode(body) if body is not None else None
        headers = {"Content-Type": "application/json"} if content else None
        try:
            answer = await self._client.request(method, path, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise GatewayError(f"{method} {path.partition('?')[0]}: {type(error).__name__} {error}") from error
        if answer.is_error:
            raise GatewayError(f"{method} {path.partition('?')[0]}: {answer.status_code} {answer.text[:200]}")
        return msgspec.json.decode(answer.content)


def to_shelf(answer: dict[str, Any]) -> Shelf:
    """Return the gateway's JSON as a shelf."""
    through = answer.get("through")
    return Shelf(
        item_ids=[item["item_id"] for item in answer["items"]],
        titles=[item.get("title") or item["item_id"] for item in answer["items"]],
        source=answer["source"],
        model_version=answer.get("model_version"),
        through=datetime.fromisoformat(through) if through else None,
        request_id=answer.get("request_id"),
    )
