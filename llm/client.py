"""The one door: the only module that imports `openai`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from llm.configuration import configured_model
from llm.errors import NotConfigured
from llm.masking import PersonalValue
from llm.prompts import Prompt


@dataclass(frozen=True)
class Completion:
    """A checked answer. `data` fits the prompt's schema, personal values put back; `call_id` is the
    `request_id` of the LlmCall that it came from."""

    data: Mapping[str, Any]
    call_id: UUID
    prompt_name: str
    prompt_version: str
    model: str
    label: str
    mode: str
    is_template: bool = False


def complete(
    prompt: Prompt,
    variables: Mapping[str, Any],
    *,
    purpose: str,
    now: datetime,
    known_personal_values: Iterable[str | PersonalValue] = (),
    timeout_s: float | None = None,
) -> Completion:
    """Have the configured model answer a prompt with JSON that fits its schema."""
    if not configured_model().is_configured:
        raise NotConfigured
    raise NotImplementedError
