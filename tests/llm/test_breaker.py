"""A server that fails again and again is left alone, by all workers together, until one request finds it well."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from llm import errors
from llm.answers import Failure, FailureKind
from llm.breaker import note_failure, pass_breaker, read_breaker
from llm.budget import read_day_spend
from llm.client import complete
from llm.configuration import configured_model
from llm.models import LlmCall, LlmServerHealth
from llm.prompts import Prompt
from llm.status import try_connection
from tests import model_server as faults
from tests.llm.conftest import NOON
from tests.model_server import ModelServer, answer

GOOD = {"subject": "Your garden is waiting", "opening": "The shelves are full again."}
FACTS = {"shop": "Fernweh", "customer": {"language": "en"}}
DOWN = Failure(FailureKind.SERVER_ERROR, "upstream failed", 503)


def ask(prompt: Prompt, **changes: Any) -> Any:
    return complete(prompt, FACTS, purpose="draft", **{"now": NOON, **changes})


def fail(prompt: Prompt, times: int, **changes: Any) -> list[type[errors.ModelError]]:
    kinds = []
    for _ in range(times):
        with pytest.raises(errors.ModelError) as caught:
            ask(prompt, **changes)
        kinds.append(type(caught.value))
    return kinds


@pytest.fixture
def broken_server(model_server: ModelServer, settings: Any) -> ModelServer:
    """Fails with 503; three failures are enough."""
    settings.LLM_BREAKER_FAILURES, settings.LLM_BREAKER_PAUSE_S = 3, 30
    model_server.always(faults.fault_error(503, "Overloaded"))
    return model_server


@pytest.mark.django_db
def test_open_breaker_refuses_with_a_sentence_and_costs_nothing(broken_server: ModelServer, invitation: Prompt) -> None:
    kinds = fail(invitation, 3)
    spent = read_day_spend(NOON)
    cache.clear()  # whatever is lost with a cache, this is not

    with pytest.raises(errors.ServerPaused) as caught:
        ask(invitation)

    assert kinds == [errors.ModelUnreachable] * 3
    assert caught.value.is_retryable
    assert not caught.value.counts_as_try
    assert 30 <= (caught.value.retry_after_s or 0) < 60
    assert "left alone" in caught.value.staff_message
    assert broken_server.count == 3
    assert LlmCall.objects.count() == 3
    assert read_day_spend(NOON) == spent


@pytest.mark.django_db
def test_state_says_why_and_since_when(broken_server: ModelServer, invitation: Prompt) -> None:
    fail(invitation, 3)

    state = read_breaker(configured_model(), NOON)

    assert (state.is_open, state.failures) == (True, 3)
    assert state.opened_at is not None
    assert timedelta(0) <= state.opened_at - NOON < timedelta(minutes=2)
    assert "Overloaded" in state.reason


@pytest.mark.django_db
def test_one_good_answer_after_the_pause_closes_it(broken_server: ModelServer, invitation: Prompt) -> None:
    fail(invitation, 3)
    broken_server.always(answer(GOOD))

    done = ask(invitation, now=NOON + timedelta(minutes=3))

    assert done.data == GOOD
    assert not read_breaker(configured_model(), NOON).is_open
    assert ask(invitation).data == GOOD


@pytest.mark.django_db
def test_failed_probe_doubles_the_pause_up_to_ten_minutes(broken_server: ModelServer, invitation: Prompt) -> None:
    fail(invitation, 3)
    pauses = []
    for hour in range(1, 9):
        fail(invitation, 1, now=NOON + timedelta(hours=hour))
        row = LlmServerHealth.objects.get()
        assert row.retry_at is not None
        assert row.last_failed_at is not None
        pauses.append((row.retry_at - row.last_failed_at).total_seconds())

    assert pauses == [60, 120, 240, 480, 600, 600, 600, 600]
    assert broken_server.count == 3 + 8


@pytest.mark.django_db
def test_only_one_caller_probes_and_a_probe_that_dies_is_succeeded(broken_server: ModelServer) -> None:
    info, later = configured_model(), NOON + timedelta(minutes=1)
    for _ in range(3):
        note_failure(info, DOWN, NOON)

    assert pass_breaker(info, later, probe_s=20)
    with pytest.raises(errors.ServerPaused):
        pass_breaker(info, later + timedelta(seconds=19), probe_s=20)
    assert pass_breaker(info, later + timedelta(seconds=21), probe_s=20)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_back", [False, True])
def test_twenty_workers_at_once_send_one_probe(broken_server: ModelServer, invitation: Prompt, is_back: bool) -> None:
    fail(invitation, 3)
    broken_server.forget()
    seen: list[str] = []
    start, others_are_done = threading.Barrier(20), threading.Event()

    def answer_last(request: dict[str, Any]) -> faults.Step:
        others_are_done.wait(15)
        return answer(GOOD) if is_back else faults.fault_error(503, "Overloaded")

    broken_server.answer_with(answer_last)

    def work() -> None:
        try:
            start.wait()
            ask(invitation, now=NOON + timedelta(minutes=3))
            seen.append("answered")
        except errors.ModelError as error:
            seen.append(type(error).__name__)
            if len(seen) == 19:
                others_are_done.set()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert broken_server.count == 1
    assert sorted(seen) == sorted(["answered" if is_back else "ModelUnreachable", *["ServerPaused"] * 19])
    assert read_breaker(configured_model(), NOON + timedelta(minutes=3)).is_open is not is_back
    if is_back:
        ask(invitation, now=NOON + timedelta(minutes=3))


@pytest.mark.django_db
def test_probe_that_the_budget_refuses_is_free_for_the_next(
    broken_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    fail(invitation, 3)
    settings.LLM_CALL_TOKEN_CAP = 1
    later = NOON + timedelta(minutes=3)
    fail(invitation, 1, now=later)
    settings.LLM_CALL_TOKEN_CAP = 8_000
    broken_server.always(answer(GOOD))

    assert ask(invitation, now=later).data == GOOD


@pytest.mark.django_db
@pytest.mark.parametrize(
    "step",
    [
        faults.fault_refusal(),
        faults.fault_error(400, "too long an input"),
        faults.fault_bad_json(),
        faults.fault_html(),
    ],
    ids=["refusal", "400", "bad JSON", "html"],
)
def test_what_is_about_the_request_is_no_failure_of_the_server(
    step: faults.Step, broken_server: ModelServer, invitation: Prompt
) -> None:
    broken_server.always(step)

    assert errors.ServerPaused not in fail(invitation, 5)


@pytest.mark.django_db
def test_failures_far_apart_do_not_open_it(broken_server: ModelServer, invitation: Prompt) -> None:
    kinds = [fail(invitation, 1, now=NOON + timedelta(hours=hour)) for hour in range(6)]

    assert kinds == [[errors.ModelUnreachable]] * 6


@pytest.mark.django_db
def test_other_models_and_servers_go_on(broken_server: ModelServer, settings: Any, invitation: Prompt) -> None:
    fail(invitation, 3)
    broken_server.always(answer(GOOD))
    settings.LLM_MODEL = "another"

    assert ask(invitation).data == GOOD


@pytest.mark.django_db
def test_server_that_names_a_longer_wait_gets_it(broken_server: ModelServer, invitation: Prompt) -> None:
    broken_server.always(faults.fault_429(retry_after_s=300))
    fail(invitation, 3)

    with pytest.raises(errors.ServerPaused) as caught:
        ask(invitation)

    assert 300 <= (caught.value.retry_after_s or 0) < 330


@pytest.mark.django_db
def test_person_who_tries_the_connection_is_not_refused_and_closes_it(
    broken_server: ModelServer, invitation: Prompt
) -> None:
    fail(invitation, 3)
    assert "Overloaded" in try_connection(NOON).message
    broken_server.answer_with(lambda request: faults.answer_for(request))

    assert try_connection(NOON).works

    broken_server.always(answer(GOOD))
    assert ask(invitation).data == GOOD
