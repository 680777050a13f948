"""What real small models sent, replayed: which of it gets through the door, and why the rest does not.

Recorded from llama.cpp's server with SmolLM2-135M-Instruct Q4_1 and Qwen2.5-Coder-0.5B-Instruct Q4_K_M, seed 7.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from llm import errors
from llm.answers import CallFailed, FailureKind, read_envelope, read_object
from llm.client import complete
from llm.prompts import Prompt
from tests.llm.conftest import NOON
from tests.model_server import RECORDED, ModelServer, recorded

TAKEN = None
# Which failure each recording is; a pattern with its own length limit is the only limit that llama.cpp keeps.
VERDICTS: dict[str, FailureKind | None] = {
    "smollm2-135m_slots_json_schema": FailureKind.CUT_OFF,
    "smollm2-135m_bounded_json_schema": TAKEN,
    "smollm2-135m_free_json_schema": TAKEN,
    "smollm2-135m_zh_json_schema": FailureKind.CUT_OFF,
    "smollm2-135m_zh_bounded_json_schema": FailureKind.CUT_OFF,
    "smollm2-135m_json_object": FailureKind.BAD_OUTPUT,
    "smollm2-135m_text": FailureKind.CUT_OFF,
    "smollm2-135m_cut_off": FailureKind.CUT_OFF,
    "qwen2.5-0.5b_slots_json_schema": TAKEN,
    "qwen2.5-0.5b_bounded_json_schema": TAKEN,
    "qwen2.5-0.5b_free_json_schema": TAKEN,
    "qwen2.5-0.5b_zh_json_schema": FailureKind.BAD_OUTPUT,
    "qwen2.5-0.5b_zh_bounded_json_schema": TAKEN,
    "qwen2.5-0.5b_json_object": FailureKind.BAD_OUTPUT,
    "qwen2.5-0.5b_text": FailureKind.BAD_OUTPUT,
    "qwen2.5-0.5b_cut_off": FailureKind.CUT_OFF,
}


def read_schema(name: str, fallback: Any) -> Any:
    request = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))["request"]
    return request["response_format"]["json_schema"]["schema"] if name.endswith("json_schema") else fallback


@pytest.mark.parametrize("name", VERDICTS)
def test_recorded_answer_gets_its_verdict(name: str, invitation: Prompt) -> None:
    schema = read_schema(name, invitation.schema)

    try:
        data = read_object(read_envelope(recorded(name).body), schema)
    except CallFailed as error:
        verdict: FailureKind | None = error.failure.kind
    else:
        verdict = TAKEN
        assert set(data) == set(schema["properties"])

    assert verdict is VERDICTS[name]


def test_every_recording_is_judged() -> None:
    assert {path.stem for path in RECORDED.glob("*.json")} == set(VERDICTS)


@pytest.mark.django_db
def test_right_shape_with_a_wrong_value_is_repaired_where_the_schema_is_heeded(
    model_server: ModelServer, invitation: Prompt
) -> None:
    """A first answer with too long a subject must not cost a good server its enforced schema."""
    prompt = replace(invitation, schema=read_schema("qwen2.5-0.5b_zh_json_schema", None))
    model_server.script(recorded("qwen2.5-0.5b_zh_json_schema"), recorded("qwen2.5-0.5b_slots_json_schema"))

    done = complete(prompt, {"shop": "a", "customer": "b"}, purpose="draft", now=NOON)

    assert done.mode == "json_schema"
    assert model_server.modes == ["json_schema", "json_schema"]


@pytest.mark.django_db
def test_endless_answer_is_asked_for_once_more_and_then_given_up(model_server: ModelServer, invitation: Prompt) -> None:
    model_server.always(recorded("smollm2-135m_slots_json_schema"))

    with pytest.raises(errors.ModelAnswerCutOff):
        complete(invitation, {"shop": "a", "customer": "b"}, purpose="draft", now=NOON)

    assert model_server.count == 2
    assert "too long" in model_server.chats[1].user_turn
