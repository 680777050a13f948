"""The ledger: what left the house, what came back, what it cost; written before the network is touched."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from llm import errors
from llm.answers import Usage
from llm.budget import read_day_spend, read_scope_spend, start_of_day
from llm.client import complete
from llm.models import LlmCall, LlmPastSpend
from llm.prompts import Prompt
from llm.records import delete_expired_calls, record_template_call, settle_call
from retention_site.celery import app
from tests import model_server as faults
from tests.llm.conftest import NOON
from tests.model_server import ModelServer, answer

GOOD = {"subject": "Your garden is waiting", "opening": "The shelves are full again."}
FACTS = {"shop": "Fernweh", "customer": {"language": "en"}}

pytestmark = pytest.mark.django_db


def test_row_tells_what_left_what_came_back_and_what_it_cost(
    model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_PRICE_IN_PER_MTOK, settings.LLM_PRICE_OUT_PER_MTOK = "2.50", "10"
    model_server.always(answer(GOOD))

    done = complete(invitation, FACTS, purpose="draft", now=NOON)

    call = LlmCall.objects.get()
    assert call.request_id == done.call_id
    assert (call.purpose, call.prompt_name, call.prompt_version) == ("draft", "tests.invitation", "1")
    assert (call.model, call.server_host) == (faults.MODEL_NAME, f"127.0.0.1:{model_server.port}")
    assert call.outcome == LlmCall.Outcome.OK
    assert call.masked_request == model_server.chats[0].json
    assert "Your garden is waiting" in call.response
    assert (call.prompt_tokens, call.completion_tokens, call.reserved_tokens) == (120, 40, 160)
    assert (call.cost, call.reserved_cost, call.currency) == (Decimal("0.000700"), Decimal("0.000700"), "USD")
    assert (call.created_at, call.keep_until) == (NOON, NOON + timedelta(days=90))


@pytest.mark.django_db(transaction=True)
def test_intent_is_committed_before_the_server_is_asked(model_server: ModelServer, invitation: Prompt) -> None:
    seen: list[tuple[str, int]] = []

    def look_from_another_connection(request: dict[str, Any]) -> faults.Step:
        call = LlmCall.objects.get()
        seen.append((call.outcome, call.reserved_tokens))
        connection.close()
        return answer(GOOD)

    model_server.answer_with(look_from_another_connection)

    complete(invitation, FACTS, purpose="draft", now=NOON)

    assert [outcome for outcome, _ in seen] == ["asked"]
    assert seen[0][1] > 160


@pytest.mark.django_db(transaction=True)
def test_door_refuses_to_hold_a_transaction_over_the_network(model_server: ModelServer, invitation: Prompt) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        complete(invitation, FACTS, purpose="draft", now=NOON)

    assert model_server.requests == []


def test_answer_that_the_database_cannot_hold_is_kept_without_the_bad_characters(
    model_server: ModelServer, invitation: Prompt
) -> None:
    model_server.always(faults.answer_text(r'{"subject": "a\u0000b\ud800c\u202e", "opening": "d\u200be"}'))

    done = complete(invitation, FACTS, purpose="draft", now=NOON)

    assert done.data == {"subject": "abc", "opening": "de"}
    assert LlmCall.objects.get().outcome == LlmCall.Outcome.OK


def test_reply_with_raw_control_characters_is_kept_as_a_bad_answer(
    model_server: ModelServer, invitation: Prompt
) -> None:
    model_server.always(faults.answer_text("no object \x00 here"))

    with pytest.raises(errors.ModelAnswerInvalid):
        complete(invitation, FACTS, purpose="draft", now=NOON)

    assert set(LlmCall.objects.values_list("response", flat=True)) == {"no object  here"}


def test_settling_twice_keeps_the_first_outcome(model_server: ModelServer, invitation: Prompt) -> None:
    model_server.always(answer(GOOD))
    complete(invitation, FACTS, purpose="draft", now=NOON)
    call = LlmCall.objects.get()

    settle_call(call, LlmCall.Outcome.ERROR, usage=Usage(), latency_ms=1)

    call.refresh_from_db()
    assert call.outcome == LlmCall.Outcome.OK


def test_template_text_is_recorded_as_what_it_is(invitation: Prompt) -> None:
    done = record_template_call(
        invitation,
        {"shop": "Fernweh", "customer": {"name": "Anna Lee"}},
        {"subject": "Hello", "opening": "Anna Lee, come back"},
        purpose="draft",
        now=NOON,
        known_personal_values=["Anna Lee"],
    )

    call = LlmCall.objects.get(request_id=done.call_id)
    assert call.is_template
    assert done.is_template
    assert done.data["opening"] == "Anna Lee, come back"
    assert "Template text, not AI" in done.label
    assert (call.model, call.mode, call.reserved_tokens, call.cost) == ("", "", 0, None)
    assert "Anna" not in f"{call.masked_request}{call.response}"


def test_rows_are_deleted_when_their_time_has_passed(invitation: Prompt, settings: Any) -> None:
    for days in (1, 30):
        settings.LLM_KEEP_CALLS_DAYS = days
        record_template_call(invitation, FACTS, GOOD, purpose="draft", now=NOON)

    assert delete_expired_calls(NOON) == 0
    assert delete_expired_calls(NOON + timedelta(days=2)) == 1
    assert delete_expired_calls(NOON + timedelta(days=2)) == 0


def test_beat_has_the_ledger_cleared_and_what_was_spent_stays_counted(
    model_server: ModelServer, invitation: Prompt, settings: Any
) -> None:
    """By the names that beat uses and the clock of the day: rows of three days ago that were to be kept for two."""
    settings.LLM_KEEP_CALLS_DAYS = 2
    then = timezone.now() - timedelta(days=3)
    done = complete(invitation, FACTS, purpose="draft", now=then, scope="campaign:7")
    kept = complete(invitation, FACTS, purpose="draft", now=timezone.now(), scope="campaign:7")
    entry = next(e for e in settings.CELERY_BEAT_SCHEDULE.values() if "delete_expired" in e["task"])
    assert entry["schedule"] <= 86_400 / 4, "also where the machine is on for some hours a day"

    for _again in range(2):
        app.tasks[entry["task"]].apply(throw=True)

    assert list(LlmCall.objects.values_list("request_id", flat=True)) == [kept.call_id] != [done.call_id]
    assert list(LlmPastSpend.objects.values_list("scope", "on", "calls", "tokens")) == [
        ("campaign:7", start_of_day(then).date(), 1, 160)
    ]
    assert read_scope_spend("campaign:7").tokens == 320
    assert read_day_spend(then).tokens == 160


def test_request_id_and_attempt_are_unique(invitation: Prompt) -> None:
    record_template_call(invitation, FACTS, GOOD, purpose="draft", now=NOON)
    call = LlmCall.objects.get()
    call.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        call.save(force_insert=True)


def test_key_that_a_server_says_back_is_not_kept(model_server: ModelServer, invitation: Prompt) -> None:
    model_server.always(faults.fault_error(400, "Bad key key-of-the-tests in header"))

    with pytest.raises(errors.ModelRequestRejected):
        complete(invitation, FACTS, purpose="draft", now=NOON)

    assert not any("key-of-the-tests" in f"{c.error}{c.masked_request}" for c in LlmCall.objects.all())
