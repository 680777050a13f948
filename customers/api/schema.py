"""What every operation of the API may answer besides its own: faults, described once."""

from __future__ import annotations

from typing import Any

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A request that was not accepted.",
    "properties": {
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "path": {"type": "string", "description": "The field, as lines[0].quantity."},
                    "message": {"type": "string"},
                },
            },
        },
    },
    "required": ["detail"],
}
ANSWERS = {
    "400": "The request is wrong; “errors” says where.",
    "401": "No key, or one that is not valid.",
    "403": "The right is missing.",
    "404": "There is nothing here.",
    "409": "Somebody else was faster, or the state does not allow it.",
    "413": "The request is too large.",
    "415": "The body is no JSON.",
}


def add_problems(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Add the answers of ANSWERS to every operation that does not describe them itself."""
    result["components"].setdefault("schemas", {}).setdefault("Problem", PROBLEM)
    for operations in result["paths"].values():
        for method, operation in operations.items():
            for status, description in ANSWERS.items():
                if status in {"413", "415"} and "requestBody" not in operation:
                    continue
                if status == "409" and method == "get":
                    continue
                operation["responses"].setdefault(status, _describe(description))
    return result


def _describe(description: str) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/json": {"schema": reference}}}
