"""Servers differ in how they can be asked for JSON: the way that works is found once and remembered."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from llm import errors
from llm.client import complete
from llm.models import LlmCall, LlmServerMode
from llm.prompts import Prompt
from tests import model_server as faults
from tests.llm.conftest import NOON
from tests.model_server import ModelServer, answer, answer_for, answer_text, obeying

pytestmark = pytest.mark.django_db

GOOD = {"subject": "Your garden is waiting", "opening": "The shelves are full again."}
FACTS = {"shop": "Fernweh", "customer": {"language": "en"}}


def ask(prompt: Prompt, **changes: Any) -> Any:
    return complete(prompt, FACTS, purpose="draft", **{"now": NOON, **changes})


def test_schema_is_enforced_by_a_server_that_can(model_server: ModelServer, invitation: Prompt) -> None:
    model_server.always(answer(GOOD))

    done = ask(invitation)

    assert done.data == GOOD
    assert (done.mode, done.is_template, done.label) == ("json_schema", False, "Scripted model")
    sent = model_server.chats[0].json
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert sent["response_format"]["json_schema"]["schema"] == invitation.schema
    assert sent["response_format"]["json_schema"]["strict"] is True
    assert (sent["max_tokens"], sent["model"]) == (invitation.max_tokens, faults.MODEL_NAME)
    assert not {"tools", "stream", "n"} & set(sent)


@pytest.mark.parametrize("status", [400, 422, 500])
@pytest.mark.parametrize(
    ("refused", "modes"),
    [
        (("json_schema",), ["json_schema", "json_object"]),
        (("json_schema", "json_object"), ["json_schema", "json_object", "text"]),
    ],
)
def test_server_that_refuses_a_format_is_asked_a_step_lower_and_next_time_at_once(
    status: int, refused: tuple[str, ...], modes: list[str], model_server: ModelServer, invitation: Prompt
) -> None:
    model_server.answer_with(obeying(answer_for, refuses=refused, status=status))

    first, second = ask(invitation), ask(invitation)

    assert model_server.modes == [*modes, modes[-1]]
    assert first.mode == second.mode == modes[-1]
    assert LlmServerMode.objects.get().mode == modes[-1]
    assert json.dumps(dict(invitation.schema)) in model_server.chats[-1].system_turn


def test_server_that_ignores_the_format_gets_the_schema_in_the_prompt(
    model_server: ModelServer, invitation: Prompt
) -> None:
    def talk_unless_told(request: dict[str, Any]) -> faults.Step:
        knows_schema = "JSON schema" in request["messages"][0]["content"]
        return answer_text(f"Sure!\n```json\n{json.dumps(GOOD)}\n```" if knows_schema else "Dear customer, hello.")

    model_server.answer_with(talk_unless_told)

    first, second = ask(invitation), ask(invitation)

    assert first.data == second.data == GOOD
    assert model_server.modes == ["json_schema", "json_object", "json_object"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),
        f"```json\n{json.dumps(GOOD)}\n```",
        f"Here you are: {json.dumps(GOOD)} Anything else?",
        f'<think>A {{brace}} and {{"a": 1}}</think>{json.dumps(GOOD)}',
        '{"subject": "Your garden is waiting", "opening":\n "The shelves are full again."}',
        f"A set {{1, 2}} first, then {json.dumps(GOOD)}",
    ],
)
def test_first_json_object_of_an_answer_is_taken(text: str, model_server: ModelServer, invitation: Prompt) -> None:
    model_server.always(answer_text(text))

    assert ask(invitation).data == GOOD


def test_one_repair_shows_the_model_its_answer_and_what_was_wrong(
    model_server: ModelServer, invitation: Prompt
) -> None:
    model_server.answer_with(obeying(answer_for, refuses=("json_schema",), status=400))
    ask(invitation)
    model_server.forget()
    model_server.script(answer({"subject": "x" * 80, "opening": "Hello"}), answer(GOOD))

    assert ask(invitation).data == GOOD

    assert model_server.modes == ["json_object", "json_object"]
    repair = model_server.chats[1]
    shown = json.loads(repair.user_turn.rsplit("\n", 1)[1])
    assert json.loads(shown["previous_answer"])["subject"] == "x" * 80
    assert "subject" in shown["problems"]
    assert [message["role"] for message in repair.json["messages"]] == ["system", "user"]
    assert list(LlmCall.objects.order_by("-id").values_list("is_repair", flat=True)[:2]) == [True, False]


def test_proven_server_is_repaired_once_in_its_own_mode(model_server: ModelServer, invitation: Prompt) -> None:
    model_server.script(answer(GOOD))
    ask(invitation)
    model_server.forget()
    model_server.always(answer({"subject": ""}))

    with pytest.raises(errors.ModelAnswerInvalid):
        ask(invitation)

    assert model_server.modes == ["json_schema", "json_schema"]


def test_proven_server_that_fails_is_not_asked_again(model_server: ModelServer, invitation: Prompt) -> None:
    model_server.script(answer(GOOD), faults.fault_500())
    ask(invitation)

    with pytest.raises(errors.ModelUnreachable):
        ask(invitation)

    assert model_server.count == 2


def test_prose_that_runs_into_the_limit_is_a_server_that_ignores_the_format(
    model_server: ModelServer, invitation: Prompt
) -> None:
    model_server.script(answer_text("Once upon a time", finish_reason="length"), answer(GOOD))

    assert ask(invitation).mode == "json_object"


def test_parameters_that_a_newer_model_refuses_are_changed_and_remembered(
    model_server: ModelServer, invitation: Prompt
) -> None:
    def refuse_old_parameters(request: dict[str, Any]) -> faults.Step:
        if "max_tokens" in request:
            text = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return faults.fault_error(400, text, param="max_tokens", code="unsupported_parameter")
        if "temperature" in request:
            return faults.fault_error(400, "Unsupported value", param="temperature", code="unsupported_value")
        return answer(GOOD)

    model_server.answer_with(refuse_old_parameters)

    ask(invitation)
    ask(invitation)

    assert model_server.count == 4
    assert set(model_server.modes) == {"json_schema"}
    assert model_server.chats[-1].json["max_completion_tokens"] == invitation.max_tokens
    known = LlmServerMode.objects.get()
    assert known.wants_max_completion_tokens
    assert known.rejects_temperature


def test_what_was_learned_is_kept_for_each_address_and_model_and_not_for_ever(
    model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    model_server.answer_with(obeying(answer_for, refuses=("json_schema",), status=400))
    ask(invitation)
    settings.LLM_MODEL = "another"
    ask(invitation)
    model_server.forget()
    model_server.always(answer(GOOD))

    ask(invitation, now=NOON + timedelta(days=6))
    ask(invitation, now=NOON + timedelta(days=8))

    assert model_server.modes == ["json_object", "json_schema"]
    assert dict(LlmServerMode.objects.values_list("model", "mode")) == {
        faults.MODEL_NAME: "json_object",
        "another": "json_schema",
    }
