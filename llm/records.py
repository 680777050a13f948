"""skeleton"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from llm.client import Completion
from llm.masking import PersonalValue
from llm.prompts import Prompt


def record_template_call(
    prompt: Prompt,
    variables: Mapping[str, Any],
    data: Mapping[str, Any],
    *,
    purpose: str,
    now: datetime,
    known_personal_values: Iterable[str | PersonalValue] = (),
) -> Completion:
    """Write down that a text came from a template, not from a model."""
    raise NotImplementedError


def delete_expired_calls(now: datetime) -> int:
    """Delete ledger rows whose keep_until has passed; returns how many."""
    raise NotImplementedError
