"""Prompts are versioned data; what varies travels as JSON in the user turn."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.prompts import Prompt, PromptError, list_prompts, register_prompt

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
PROMPT = Prompt(
    name="tests.registry", version="1", system="Be brief.", user="Write.", variables=("facts",), schema=SCHEMA
)


def test_equal_prompts_are_registered_once() -> None:
    assert register_prompt(PROMPT) is PROMPT
    register_prompt(replace(PROMPT))

    assert list_prompts().count(PROMPT) == 1


def test_changed_prompt_needs_a_new_version() -> None:
    register_prompt(PROMPT)

    with pytest.raises(PromptError, match="new version"):
        register_prompt(replace(PROMPT, system="Be long."))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {**SCHEMA, "additionalProperties": True},
        {**SCHEMA, "required": []},
        {**SCHEMA, "properties": {}},
    ],
)
def test_schema_that_no_strict_mode_takes_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(PromptError):
        replace(PROMPT, schema=schema)


@pytest.mark.parametrize("variables", [{}, {"facts": 1, "email": "a@b.test"}])
def test_only_declared_variables_may_leave(variables: dict[str, Any]) -> None:
    with pytest.raises(PromptError):
        PROMPT.check_variables(variables)


@given(st.text())
def test_a_value_can_never_leave_its_place_in_the_json(text: str) -> None:
    turn = PROMPT.render_user_turn({"facts": text})

    fixed, values = turn.split("\n\n", 1)
    assert fixed == "Write."
    assert "\n" not in values
    assert json.loads(values) == {"facts": text}
