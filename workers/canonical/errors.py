"""What is said of a text that names nothing of its kind."""

from __future__ import annotations

_MOST_SHOWN = 64


class Unreadable(ValueError):
    """The text names nothing of its kind; says what it should be."""


def unreadable(text: str, wanted: str) -> Unreadable:
    """Return the error of a text that names no such thing."""
    return Unreadable(f"{text[:_MOST_SHOWN]!r} is no {wanted}")
