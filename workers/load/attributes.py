"""Attributes and tags of an item, as catalogue files write them: JSON, or `name=value` separated by `|`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from workers.load.values import nulls


def parse(text: str) -> tuple[dict[str, str], list[str]]:
    """Return attributes and tags. Raises `ValueError` for JSON that is cut or is no object.

    An attribute without a value (null, or empty) is none. What lies deeper is named by its path: `size.width`.
    """
    if text.startswith("{"):
        return dict(_leaves("", _decoded(text, dict))), []
    if text.startswith("["):
        return {}, tags(text)
    pairs = [part.partition("=") for part in parts(text)]
    named = {name.strip(): value.strip() for name, equals, value in pairs if equals and name.strip()}
    return _given(named), [name for name, equals, _ in pairs if not equals]


def tags(text: str) -> list[str]:
    """Return the tags of a text: a JSON list, or separated by `|`. Raises `ValueError` for JSON that is cut."""
    if text.startswith("["):
        return [tag for tag in dict.fromkeys(_text(one).strip() for one in _decoded(text, list)) if _is_given(tag)]
    return parts(text)


def parts(text: str) -> list[str]:
    """Return the parts between `|`, each once."""
    return [part for part in dict.fromkeys(one.strip() for one in text.split("|")) if _is_given(part)]


def _decoded(text: str, kind: type) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from error


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name.strip()}".strip("."), inner)
    elif path and value is not None:
        text = ", ".join(map(_text, value)) if isinstance(value, list) else _text(value)
        yield from _given({path: text.strip()}).items()


def _given(named: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in named.items() if _is_given(value)}


def _is_given(text: str) -> bool:
    return bool(text) and not nulls.is_null(text)


def _text(value: Any) -> str:
    """Return a value as JSON writes it, and a text as it is; null is empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
