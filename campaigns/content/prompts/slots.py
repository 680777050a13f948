"""What a slot may hold: the JSON schema of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: A negated class must exclude `"`, `\\` and newline, or the JSON breaks.
FORBIDDEN: Final = r'0-9%{}\[\]<>"\\\n\r'


def make_slot(longest: int, shortest: int = 4) -> dict[str, Any]:
    """A text of `shortest` to `longest` characters."""
    # llama.cpp drops maxLength beside a pattern, so the length stands in the pattern.
    return {"type": "string", "pattern": f"^[^{FORBIDDEN}]{{{shortest},{longest}}}$"}


def make_list(most: int, longest: int, shortest: int = 4) -> dict[str, Any]:
    """Up to `most` such texts."""
    return {"type": "array", "items": make_slot(longest, shortest), "maxItems": most}


def make_object(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A closed object with all of these."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
