"""Caps hold before the call, by an estimate, and for many workers at once."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from llm.budget import estimate_tokens, price_tokens, read_day_spend, read_limits, read_scope_spend
from llm.client import complete
from llm.errors import BudgetExceeded, ModelError
from llm.models import LlmCall
from llm.prompts import Prompt
from llm.records import delete_expired_calls
from tests import model_server as faults
from tests.llm.conftest import NOON
from tests.model_server import ModelServer, answer

GOOD = {"subject": "Your garden is waiting", "opening": "The shelves are full again."}
FACTS = {"shop": "Fernweh", "customer": {"language": "en"}}


def ask(prompt: Prompt, **changes: Any) -> Any:
    return complete(prompt, FACTS, purpose="draft", **{"now": NOON, **changes})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("LLM_CALL_TOKEN_CAP", 150),
        ("LLM_DAILY_TOKEN_CAP", 150),
        ("LLM_CALL_COST_CAP", "0.000001"),
        ("LLM_DAILY_COST_CAP", "0.000001"),
        ("LLM_DAILY_TOKEN_CAP", 0),
    ],
)
def test_call_over_a_cap_is_refused_before_anything_is_sent(
    setting: str, value: Any, model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_PRICE_IN_PER_MTOK, settings.LLM_PRICE_OUT_PER_MTOK = "1", "4"
    setattr(settings, setting, value)

    with pytest.raises(BudgetExceeded, match=setting) as caught:
        ask(invitation)

    assert not caught.value.is_retryable
    assert model_server.requests == []
    call = LlmCall.objects.get()
    assert (call.outcome, call.reserved_tokens, call.error) == ("over_budget", 0, caught.value.staff_message)


@pytest.mark.django_db
def test_what_was_used_replaces_what_was_reserved(model_server: ModelServer, settings: Any, invitation: Prompt) -> None:
    model_server.always(answer(GOOD))
    ask(invitation)
    settings.LLM_DAILY_TOKEN_CAP = 1_500

    while True:
        try:
            ask(invitation)
        except BudgetExceeded:
            break

    assert model_server.count > 3
    assert read_day_spend(NOON).tokens == 160 * model_server.count <= settings.LLM_DAILY_TOKEN_CAP


@pytest.mark.django_db
def test_a_new_day_has_its_own_cap(model_server: ModelServer, settings: Any, invitation: Prompt) -> None:
    settings.LLM_DAILY_TOKEN_CAP = 1_500
    model_server.always(answer(GOOD, usage={"prompt_tokens": 1_400, "completion_tokens": 90}))
    ask(invitation)

    with pytest.raises(BudgetExceeded):
        ask(invitation)

    assert ask(invitation, now=NOON + timedelta(days=1)).data == GOOD


@pytest.mark.django_db
def test_repairs_count_against_the_cap_of_the_call(
    model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_CALL_TOKEN_CAP = 1_200
    model_server.always(faults.answer_text("no object", usage={"prompt_tokens": 700, "completion_tokens": 300}))

    with pytest.raises(BudgetExceeded):
        ask(invitation)

    assert model_server.count == 1


@pytest.mark.django_db
@pytest.mark.parametrize("step", [faults.fault_429(), faults.fault_wrong_key(), faults.fault_html()])
def test_refusals_of_the_server_cost_nothing(step: faults.Step, model_server: ModelServer, invitation: Prompt) -> None:
    model_server.always(step)

    with pytest.raises(ModelError):
        ask(invitation)

    assert read_day_spend(NOON).tokens == 0


@pytest.mark.django_db
def test_lost_answer_is_counted_as_if_it_had_been_written(model_server: ModelServer, invitation: Prompt) -> None:
    model_server.always(faults.fault_slow_head())

    with pytest.raises(ModelError):
        ask(invitation, timeout_s=0.2)

    assert read_day_spend(NOON).tokens > invitation.max_tokens


@pytest.mark.django_db(transaction=True)
def test_spend_stays_under_the_cap_under_ten_fold_load(
    model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    model_server.always(answer(GOOD, wait_s=0.3))
    ask(invitation)
    reserved_by_one = LlmCall.objects.get().reserved_tokens
    settings.LLM_DAILY_TOKEN_CAP, settings.LLM_MAX_CONCURRENCY = reserved_by_one + 4 * 700, 0
    outcomes: list[str] = []

    def work() -> None:
        try:
            ask(invitation)
            outcomes.append("ok")
        except BudgetExceeded:
            outcomes.append("over")
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(outcomes) == {"ok", "over"}
    assert model_server.count == 1 + outcomes.count("ok")
    assert read_day_spend(NOON).tokens <= settings.LLM_DAILY_TOKEN_CAP


def test_prices_are_per_million_tokens_rounded_up(settings: Any) -> None:
    settings.LLM_PRICE_IN_PER_MTOK, settings.LLM_PRICE_OUT_PER_MTOK = "0.15", "0.60"

    assert price_tokens(read_limits(), 1_000_000, 1_000_000) == Decimal("0.750000")
    assert price_tokens(read_limits(), 1, 0) == Decimal("0.000001")


def test_without_prices_there_is_no_cost(settings: Any) -> None:
    settings.LLM_PRICE_IN_PER_MTOK = settings.LLM_PRICE_OUT_PER_MTOK = ""

    assert price_tokens(read_limits(), 1_000, 1_000) is None


@given(st.text())
def test_estimate_is_never_below_half_a_token_for_each_character(text: str) -> None:
    assert len(text) / 2 <= estimate_tokens(text) <= 2 * len(text) + 1


@pytest.mark.django_db
@pytest.mark.parametrize(("setting", "value"), [("LLM_CAMPAIGN_TOKEN_CAP", 1_500), ("LLM_CAMPAIGN_COST_CAP", "0.003")])
def test_campaign_has_its_own_cap_on_all_days_together(
    setting: str, value: Any, model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_PRICE_IN_PER_MTOK, settings.LLM_PRICE_OUT_PER_MTOK = "1", "4"
    setattr(settings, setting, value)
    model_server.always(answer(GOOD, usage={"prompt_tokens": 900, "completion_tokens": 500}))
    ask(invitation, scope="campaign:1")

    with pytest.raises(BudgetExceeded, match=setting):
        ask(invitation, scope="campaign:1", now=NOON + timedelta(days=3))

    assert model_server.count == 1
    assert ask(invitation, scope="campaign:2").data == GOOD
    assert ask(invitation).data == GOOD


@pytest.mark.django_db
def test_caps_do_not_forget_with_the_ledger(model_server: ModelServer, settings: Any, invitation: Prompt) -> None:
    settings.LLM_KEEP_CALLS_DAYS = 0
    model_server.always(answer(GOOD))
    for _ in range(2):
        ask(invitation, scope="campaign:1")
    ask(invitation)
    before = read_scope_spend("campaign:1"), read_day_spend(NOON)

    assert delete_expired_calls(NOON) == 3
    assert delete_expired_calls(NOON) == 0

    assert not LlmCall.objects.exists()
    assert (read_scope_spend("campaign:1"), read_day_spend(NOON)) == before
    assert before[0].tokens == 320


@pytest.mark.django_db
def test_day_is_the_shops_day(model_server: ModelServer, settings: Any, invitation: Prompt) -> None:
    settings.SHOP_TIME_ZONE = "Asia/Shanghai"
    model_server.always(answer(GOOD))
    ask(invitation, now=NOON.replace(hour=15))

    assert read_day_spend(NOON.replace(hour=15, minute=59)).tokens == 160
    assert read_day_spend(NOON.replace(hour=16)).tokens == 0


@pytest.mark.django_db
def test_server_that_uses_more_than_it_may_is_estimated_higher_from_then_on(
    model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    ask(invitation)
    model_server.always(answer(GOOD, usage={"prompt_tokens": 120, "completion_tokens": 4_000}))
    ask(invitation)
    used = read_day_spend(NOON).tokens
    settings.LLM_DAILY_TOKEN_CAP = used + 4_000

    with pytest.raises(BudgetExceeded):
        ask(invitation)

    assert read_day_spend(NOON).tokens == used
