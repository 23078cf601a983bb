"""The page at /schema: the OpenAPI document as plain HTML, without scripts or external files."""

from __future__ import annotations

from html import escape
from typing import Any

from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

Schema = dict[str, Any]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b }
code { background: #f2f2f0; padding: .1em .3em } table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
td, th { text-align: left; vertical-align: top; border-top: 1px solid #ddd; padding: .3rem .6rem .3rem 0 }
h3 { margin-top: 2.5rem } small { color: #555 } @media (prefers-color-scheme: dark) {
body { background: #161616; color: #e8e8e8 } code { background: #2a2a2a } td, th { border-color: #333 }
small { color: #aaa } a { color: #8ab4f8 } }
"""


class ReferencePlugin(OpenAPIRenderPlugin):
    """Renders the document as one page."""

    def __init__(self) -> None:
        super().__init__(path="/", favicon="", style="")

    def render(self, request: Request[Any, Any, Any], openapi_schema: Schema) -> bytes:
        """Return the page."""
        info = openapi_schema["info"]
        operations = "".join(
            _operation(method.upper(), path, operation)
            for path, item in openapi_schema["paths"].items()
            for method, operation in item.items()
            if isinstance(operation, dict) and "operationId" in operation
        )
        schemas = "".join(_schema(name, one) for name, one in openapi_schema["components"]["schemas"].items())
        return (
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])}</title>"
            f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
            f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])}"
            f"<p><a href='{escape(self.get_openapi_json_route(request))}'>openapi.json</a>"
            f"<h2>Paths</h2>{operations}<h2>Messages and answers</h2>{schemas}</html>"
        ).encode()


def _operation(method: str, path: str, operation: Schema) -> str:
    parameters = "".join(
        _row(one["name"], one["in"], one.get("schema", {}), one.get("description", ""))
        for one in operation.get("parameters", ())
    )
    answers = "".join(
        f"<tr><td><code>{status}</code><td>{escape(one.get('description', ''))}"
        for status, one in operation["responses"].items()
    )
    return (
        f"<h3 id='{operation['operationId']}'><code>{method} {escape(path)}</code></h3>"
        f"<p><b>{escape(operation.get('summary', ''))}.</b> {escape(operation.get('description') or '')}"
        + (f"<table>{parameters}</table>" if parameters else "")
        + f"<table>{answers}</table>"
    )


def _schema(name: str, schema: Schema) -> str:
    required = set(schema.get("required", ()))
    rows = "".join(
        _row(field, "required" if field in required else "", one, one.get("description", ""))
        for field, one in schema.get("properties", {}).items()
    )
    return f"<h3 id='{escape(name)}'>{escape(name)}</h3><p>{escape(schema.get('description', ''))}<table>{rows}</table>"


def _row(name: str, place: str, schema: Schema, description: str) -> str:
    kind = f"<small>{escape(_kind(schema))} {escape(place)}</small>"
    return f"<tr><td><code>{escape(name)}</code><td>{kind}<td>{escape(description)}"


def _kind(schema: Schema) -> str:
    """Return the type of a schema in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " or ".join(_kind(one) for one in schema[several])
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    kind = schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
