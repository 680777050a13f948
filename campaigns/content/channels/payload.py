"""JSON whose texts are Liquid: each text is filled by itself, so that no value can break the JSON around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from campaigns.content.liquid_engine import RenderError, fill


def write_payload(payload: Mapping[str, Any]) -> str:
    """The JSON that a source keeps: the same bytes for the same payload."""
    return json.dumps(payload, ensure_ascii=False, indent=1)


def fill_payload(source: str, slots: Mapping[str, str]) -> str:
    """The JSON with every text filled. Raises RenderError."""
    try:
        payload = json.loads(source)
    except ValueError as error:
        raise RenderError("the source is not JSON") from error
    return write_payload(_fill(payload, slots))


def _fill(value: Any, slots: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return fill(value, slots, is_html=False)
    if isinstance(value, list):
        return [_fill(part, slots) for part in value]
    if isinstance(value, dict):
        return {name: _fill(part, slots) for name, part in value.items()}
    return value
