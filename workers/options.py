"""Options of a model's preset from the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from model.errors import ConfigError


def read(options: Sequence[str], value: Callable[[str, str], Any]) -> dict[str, Any]:
    """Return NAME=VALUE options by name; `value` parses the text of a name.

    Raises `ConfigError` for one without "=".
    """
    given = {}
    for option in options:
        name, equals, text = option.partition("=")
        if not equals:
            raise ConfigError(f"--set takes NAME=VALUE, such as --set epochs=10; got {option!r}")
        given[name.strip()] = value(name.strip(), text)
    return given
