"""Versioned prompts and the registry that holds them. No Django here: a prompt is data.

A prompt never has a placeholder in its text. What varies travels as one JSON object at the end of the user turn,
so that a value can never be read as part of the instructions.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class PromptError(ValueError):
    """A prompt is not well formed, or was called with variables that it does not declare."""


@dataclass(frozen=True)
class Prompt:
    """One version of one prompt.

    `system` and `user` are fixed texts; `user` comes before the JSON of the variables. `variables` is the allow-list
    of what may leave the house. `schema` is the JSON schema of the answer: an object, closed, all properties required
    (the common ground of the strict modes of all servers). llama.cpp drops `maxLength` beside a `pattern`, so a length
    belongs into the pattern: `^[^0-9]{1,60}$`. `max_tokens` limits the answer, `max_value_chars` each
    single text among the variables.
    """

    name: str
    version: str
    system: str
    user: str
    variables: tuple[str, ...]
    schema: Mapping[str, Any] = field(hash=False)
    max_tokens: int = 400
    temperature: float = 0.7
    max_value_chars: int = 4_000

    def __post_init__(self) -> None:
        properties = self.schema.get("properties")
        if self.schema.get("type") != "object" or not isinstance(properties, Mapping) or not properties:
            raise PromptError(f"{self.name} {self.version}: the schema has to describe an object with properties")
        if self.schema.get("additionalProperties") is not False:
            raise PromptError(f"{self.name} {self.version}: the schema has to say additionalProperties: false")
        if set(self.schema.get("required", ())) != set(properties):
            raise PromptError(f"{self.name} {self.version}: the schema has to require all of its properties")
        if self.max_tokens < 1 or self.max_value_chars < 1:
            raise PromptError(f"{self.name} {self.version}: the limits have to be positive")

    def check_variables(self, variables: Mapping[str, Any]) -> None:
        """Raise PromptError unless exactly the declared variables are given."""
        given, declared = set(variables), set(self.variables)
        if given != declared:
            extra, missing = sorted(given - declared), sorted(declared - given)
            raise PromptError(f"{self.name} {self.version}: undeclared variables {extra}, missing variables {missing}")

    def render_user_turn(self, values: Mapping[str, Any]) -> str:
        """The fixed text, an empty line, and the values as one JSON object."""
        return f"{self.user.rstrip()}\n\n{render_values(values)}"


def render_values(values: Any) -> str:
    """Values as JSON; dates and decimals become texts."""
    return json.dumps(values, ensure_ascii=False, default=str)


_registered: dict[tuple[str, str], Prompt] = {}


def register_prompt(prompt: Prompt) -> Prompt:
    """Hold a prompt by name and version and return it. Registering an equal prompt again changes nothing;
    another text under a known name and version raises PromptError (a changed prompt is a new version)."""
    known = _registered.setdefault((prompt.name, prompt.version), prompt)
    if known != prompt:
        raise PromptError(f"{prompt.name} {prompt.version} is registered with another text: give it a new version")
    return prompt


def list_prompts() -> tuple[Prompt, ...]:
    """All registered prompts by name and version."""
    return tuple(_registered[key] for key in sorted(_registered))
