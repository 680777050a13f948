"""The smallest real model, end to end through the door: structure only, never wording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llm.client import complete
from llm.models import LlmCall, LlmServerMode
from llm.prompts import Prompt
from llm.status import try_connection
from retention_site.embedded.local_model import ensure_model, serve_model
from tests.llm.conftest import NOON

pytestmark = [pytest.mark.model, pytest.mark.django_db]

# The smallest model repeats itself without end unless the grammar ends the text.
BOUNDED = {
    "type": "object",
    "properties": {
        "subject": {"type": "string", "pattern": r"^[A-Za-z ,.]{1,40}$"},
        "opening": {"type": "string", "pattern": r"^[A-Za-z ,.]{1,80}$"},
    },
    "required": ["subject", "opening"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def small_model() -> Iterator[str]:
    said: list[str] = []
    path: Path | None = ensure_model("smollm2-135m", said.append)
    if path is None:
        pytest.skip(f"no weights to run: {said[-1]}")
    with serve_model(path) as base_url:
        yield base_url


@pytest.fixture
def use_small_model(small_model: str, settings: Any) -> None:
    settings.LLM_BASE_URL, settings.LLM_API_KEY = small_model, "none"
    settings.LLM_MODEL, settings.LLM_LABEL = "local", "Small local model"
    settings.LLM_TIMEOUT_S = 180.0


@pytest.mark.usefixtures("use_small_model")
def test_real_model_answers_in_the_form_that_was_asked_for(invitation: Prompt) -> None:
    prompt = replace(invitation, schema=BOUNDED, max_tokens=400, temperature=0.0)
    variables = {"shop": "Fernweh Garden", "customer": {"likes": "lanterns", "away_for": "three months"}}

    done = complete(prompt, variables, purpose="draft", now=NOON)

    assert set(done.data) == {"subject", "opening"}
    assert all(isinstance(text, str) and text for text in done.data.values())
    call = LlmCall.objects.get(request_id=done.call_id)
    assert call.outcome == LlmCall.Outcome.OK
    assert call.prompt_tokens
    assert call.completion_tokens
    assert call.reserved_tokens == call.prompt_tokens + call.completion_tokens
    assert LlmServerMode.objects.get().mode == done.mode


@pytest.mark.usefixtures("use_small_model")
def test_connection_to_the_real_model_can_be_tried() -> None:
    check = try_connection(NOON)

    assert check.works, check.message
    assert check.mode == "json_schema"
