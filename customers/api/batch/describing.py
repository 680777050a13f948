"""The description of the request for OpenAPI 3.0, from the same types that check it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydantic


def describe(adapter: pydantic.TypeAdapter[Any]) -> dict[str, Any]:
    """JSON schema 2020 in the words of OpenAPI 3.0: references resolved, `const` as `enum`, null as `nullable`."""
    schema = adapter.json_schema()
    described: dict[str, Any] = _translate(schema, schema.get("$defs", {}))
    return described


def _translate(part: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_translate(entry, known) for entry in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _translate(known[part["$ref"].rpartition("/")[2]], known)
    kept = {name: value for name, value in part.items() if name not in {"$defs", "discriminator", "title"}}
    if isinstance(part.get("title"), dict):  # a property that is called so
        kept["title"] = part["title"]
    if "const" in kept:
        kept["enum"] = [kept.pop("const")]
    options = kept.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        rest = [option for option in options if option != {"type": "null"}]
        kept.pop("anyOf")
        kept |= {"nullable": True} | (rest[0] if len(rest) == 1 else {"anyOf": rest})
    return {name: _translate(value, known) for name, value in kept.items()}
