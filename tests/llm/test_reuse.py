"""An equal request may get the answer that is in the ledger already, where the caller allows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from llm.budget import read_day_spend
from llm.client import complete
from llm.models import LlmCall
from llm.prompts import Prompt
from tests import model_server as faults
from tests.llm.conftest import NOON
from tests.model_server import ModelServer, answer, answer_text

GOOD = {"subject": "Your garden is waiting", "opening": "The shelves are full again."}
OTHER = {"subject": "The garden calls", "opening": "New seeds are here."}
FACTS = {"shop": "Fernweh", "customer": {"language": "en"}}

pytestmark = pytest.mark.django_db


def ask(prompt: Prompt, facts: Any = FACTS, **changes: Any) -> Any:
    return complete(prompt, facts, **{"purpose": "read", "now": NOON, "may_reuse": True, **changes})


def test_equal_request_is_answered_once_and_the_ledger_says_so(
    model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_PRICE_IN_PER_MTOK, settings.LLM_PRICE_OUT_PER_MTOK = "1", "4"
    model_server.script(answer(GOOD))
    first, spent = ask(invitation), read_day_spend(NOON)

    second = ask(invitation, scope="campaign:2")

    assert (first.was_reused, second.was_reused) == (False, True)
    assert second.data == first.data == GOOD
    assert model_server.count == 1
    row = LlmCall.objects.get(request_id=second.call_id)
    assert (row.was_reused, row.answered_by, row.scope) == (True, first.call_id, "campaign:2")
    assert (row.cost, row.reserved_tokens, row.prompt_tokens) == (Decimal(0), 0, None)
    assert row.masked_request == model_server.chats[0].json
    assert read_day_spend(NOON) == spent


def test_who_does_not_allow_it_always_asks(model_server: ModelServer, invitation: Prompt) -> None:
    model_server.script(answer(GOOD), answer(OTHER))
    ask(invitation)

    assert ask(invitation, may_reuse=False).data == OTHER
    assert ask(invitation).data == OTHER  # the newest answer is the one that is reused
    assert model_server.count == 2


@pytest.mark.parametrize(
    "change",
    [
        "facts",
        "fewer facts",
        "masked value",
        "model",
        "version",
        "name",
        "address",
        "temperature",
        "mode",
        "system",
        "user",
        "schema",
        "max_tokens",
        "max_value_chars",
    ],
)
def test_whatever_changes_the_answer_changes_the_key(
    change: str, model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    model_server.answer_with(lambda request: faults.answer_for(request))
    ask(invitation)
    facts: dict[str, Any] = dict(FACTS)
    prompt = invitation
    if change == "facts":
        facts["shop"] = "Fernweh & Co"
    elif change == "model":
        settings.LLM_MODEL = "another"
    elif change == "address":  # the same server, by another name
        settings.LLM_BASE_URL = settings.LLM_BASE_URL.replace("127.0.0.1", "localhost")
    elif change == "version":
        prompt = replace(invitation, version="2")
    elif change == "name":
        prompt = replace(invitation, name="tests.other")
    elif change == "temperature":
        prompt = replace(invitation, temperature=0.1)
    elif change == "fewer facts":
        facts["customer"] = {}
    elif change == "masked value":  # one person more is meant, whoever it is
        facts["customer"] = {"language": "en", "name": "anna@mail.example.test"}
    elif change == "mode":
        from llm.models import LlmServerMode

        LlmServerMode.objects.update(mode="json_object")
    elif change == "schema":
        slot = {"type": "string", "minLength": 1, "maxLength": 59}
        properties = invitation.schema["properties"] | {"subject": slot}
        prompt = replace(invitation, schema=dict(invitation.schema) | {"properties": properties})
    elif change == "max_value_chars":
        prompt = replace(invitation, max_value_chars=4)  # cuts the facts
    elif change in ("system", "user"):
        prompt = replace(invitation, **{change: getattr(invitation, change) + " Be kind."})
    elif change == "max_tokens":
        prompt = replace(invitation, max_tokens=119)

    assert not ask(prompt, facts).was_reused
    assert model_server.count == 2


@pytest.mark.parametrize("change", ["purpose", "scope", "timeout_s", "key", "label", "price"])
def test_what_changes_nothing_in_the_answer_changes_no_key(
    change: str, model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    model_server.always(answer(GOOD))
    ask(invitation)
    changes: dict[str, Any] = {}
    if change in ("purpose", "scope", "timeout_s"):
        changes = {change: {"purpose": "other", "scope": "campaign:9", "timeout_s": 3.0}[change]}
    else:
        name = {"key": "LLM_API_KEY", "label": "LLM_LABEL", "price": "LLM_PRICE_IN_PER_MTOK"}[change]
        setattr(settings, name, "7")

    assert ask(invitation, **changes).was_reused
    assert model_server.count == 1


def test_personal_values_are_those_of_the_request_at_hand(model_server: ModelServer, invitation: Prompt) -> None:
    model_server.script(answer({"subject": "Hello [NAME_1]", "opening": "Come back, [NAME_1]"}))
    facts = [{"shop": "Fernweh", "customer": {"name": name}} for name in ("Anna Lee", "Bert Moor")]

    first = ask(invitation, facts[0], known_personal_values=["Anna Lee"])
    second = ask(invitation, facts[1], known_personal_values=["Bert Moor"])

    assert (first.data["subject"], second.data["subject"]) == ("Hello Anna Lee", "Hello Bert Moor")
    assert second.was_reused
    assert not LlmCall.objects.filter(response__contains="Anna").exists()


def test_answers_grow_old(model_server: ModelServer, settings: Any, invitation: Prompt) -> None:
    settings.LLM_REUSE_HOURS = 2
    model_server.script(answer(GOOD), answer(OTHER))
    ask(invitation)
    ask(invitation, now=NOON + timedelta(hours=1))

    assert ask(invitation, now=NOON + timedelta(hours=2)).data == OTHER


@pytest.mark.parametrize(("setting", "value"), [("LLM_REUSE_HOURS", 0), ("LLM_KEEP_CALLS_DAYS", 0)])
def test_nothing_is_reused_that_is_not_kept(
    setting: str, value: int, model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    setattr(settings, setting, value)
    model_server.always(answer(GOOD))
    ask(invitation)

    assert not ask(invitation).was_reused


def test_bad_answers_are_never_reused(model_server: ModelServer, invitation: Prompt) -> None:
    model_server.script(*[answer_text("no object")] * 3, answer(GOOD))
    with pytest.raises(Exception, match="form that was asked for"):
        ask(invitation)

    assert not ask(invitation).was_reused


def test_reusing_needs_neither_budget_nor_server(model_server: ModelServer, settings: Any, invitation: Prompt) -> None:
    model_server.always(answer(GOOD))
    ask(invitation)
    model_server.stop()
    settings.LLM_DAILY_TOKEN_CAP = 1

    assert ask(invitation).was_reused
