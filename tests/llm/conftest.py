"""A prompt like those of the drafts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from llm.prompts import Prompt

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def invitation() -> Prompt:
    """A prompt like those of the drafts: two short texts from a few facts."""
    return Prompt(
        name="tests.invitation",
        version="1",
        system="You write short invitations for a shop. Use only the facts. Write no digits.",
        user="Write a subject and an opening for the customers described by this JSON.",
        variables=("shop", "customer"),
        schema={
            "type": "object",
            "properties": {
                "subject": {"type": "string", "minLength": 1, "maxLength": 60},
                "opening": {"type": "string", "minLength": 1, "maxLength": 300},
            },
            "required": ["subject", "opening"],
            "additionalProperties": False,
        },
        max_tokens=120,
    )
