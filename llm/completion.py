"""What the door hands out: a checked answer, or a template text that says that it is one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Completion:
    """A checked answer.

    `data` fits the prompt's schema, personal values put back; `call_id` is the `request_id` of the LlmCall that it came
    from. `is_template` says that no model wrote it, `was_reused` that it is an earlier answer to an equal request.
    """

    data: Mapping[str, Any] = field(hash=False)
    call_id: UUID
    prompt_name: str
    prompt_version: str
    model: str
    label: str
    mode: str
    is_template: bool = False
    was_reused: bool = False
