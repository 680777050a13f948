"""A server gets LLM_MAX_CONCURRENCY requests at a time, from however many workers."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from llm import errors
from llm.client import complete
from llm.configuration import configured_model
from llm.models import LlmCall
from llm.prompts import Prompt
from llm.records import count_open_calls, settle_lost_calls
from tests.llm.conftest import NOON
from tests.model_server import ModelServer, Step, answer

GOOD = {"subject": "Your garden is waiting", "opening": "The shelves are full again."}
FACTS = {"shop": "Fernweh", "customer": {"language": "en"}}


def ask(prompt: Prompt, **changes: Any) -> Any:
    return complete(prompt, FACTS, purpose="draft", **{"now": NOON, **changes})


def hold_place(seconds: float) -> LlmCall:
    """A call that another worker has open, until its lease ends."""
    return LlmCall.objects.create(
        completion_id=uuid4(),
        purpose="draft",
        prompt_name="p",
        prompt_version="1",
        server_host=configured_model().host,
        masked_request={},
        created_at=NOON,
        keep_until=NOON + timedelta(days=1),
        lease_until=timezone.now() + timedelta(seconds=seconds),
    )


@pytest.mark.django_db(transaction=True)
def test_never_more_requests_at_a_time_than_there_are_places(
    model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_MAX_CONCURRENCY, settings.LLM_TIMEOUT_S = 2, 120
    at_a_time, seen, lock = 0, [], threading.Lock()

    def count(request: dict[str, Any]) -> Step:
        nonlocal at_a_time
        with lock:
            at_a_time += 1
            seen.append(at_a_time)
        time.sleep(0.1)
        with lock:
            at_a_time -= 1
        return answer(GOOD)

    model_server.answer_with(count)
    done: list[Any] = []

    def work() -> None:
        try:
            done.append(ask(invitation).data)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert done == [GOOD] * 8
    assert max(seen) == 2


@pytest.mark.django_db
def test_waiting_for_a_place_is_bounded_and_costs_nothing(
    model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_MAX_CONCURRENCY = 1
    hold_place(600)

    with pytest.raises(errors.ServerBusy) as caught:
        ask(invitation, timeout_s=0.3)

    assert caught.value.is_retryable
    assert not caught.value.counts_as_try
    assert model_server.requests == []
    assert LlmCall.objects.count() == 1


@pytest.mark.django_db
def test_dead_worker_gives_its_place_back_when_its_lease_ends(
    model_server: ModelServer, settings: Any, invitation: Prompt
) -> None:
    settings.LLM_MAX_CONCURRENCY = 1
    hold_place(-1)
    model_server.always(answer(GOOD))

    assert ask(invitation).data == GOOD


@pytest.mark.django_db
def test_place_of_another_server_is_not_ours(model_server: ModelServer, settings: Any, invitation: Prompt) -> None:
    settings.LLM_MAX_CONCURRENCY = 1
    hold_place(600)
    with ModelServer() as elsewhere:
        elsewhere.always(answer(GOOD))
        settings.LLM_BASE_URL = elsewhere.base_url

        assert ask(invitation).data == GOOD


@pytest.mark.django_db
def test_zero_is_no_limit(model_server: ModelServer, settings: Any, invitation: Prompt) -> None:
    settings.LLM_MAX_CONCURRENCY = 0
    hold_place(600)
    model_server.always(answer(GOOD))

    assert ask(invitation).data == GOOD


@pytest.mark.django_db
@pytest.mark.parametrize("step", [answer(GOOD), Step(status=500), Step(drops=True)], ids=["good", "500", "dropped"])
def test_place_is_free_again_however_the_call_ended(step: Step, model_server: ModelServer, invitation: Prompt) -> None:
    model_server.always(step)
    with contextlib.suppress(errors.ModelError):
        ask(invitation)

    assert LlmCall.objects.exists()
    assert count_open_calls(configured_model()) == 0


@pytest.mark.django_db
def test_call_of_a_dead_worker_is_settled_and_stays_counted(model_server: ModelServer) -> None:
    call, alive = hold_place(-120), hold_place(600)
    LlmCall.objects.filter(pk=call.pk).update(reserved_tokens=700)

    assert (settle_lost_calls(), settle_lost_calls()) == (1, 0)

    call.refresh_from_db()
    alive.refresh_from_db()
    assert (call.outcome, call.reserved_tokens, alive.outcome) == ("timed_out", 700, "asked")


WORKER = """
import os, sys, django
django.setup()
from datetime import UTC, datetime
from django.conf import settings
settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_TIMEOUT_S = sys.argv[1], "m", 0.5
settings.DATABASES["default"]["NAME"] = sys.argv[2]
from llm.status import try_connection
try_connection(datetime.now(UTC))
"""


@pytest.mark.django_db(transaction=True)
def test_killed_process_gives_its_place_back(model_server: ModelServer, settings: Any, invitation: Prompt) -> None:
    settings.LLM_MAX_CONCURRENCY = 1
    model_server.always(answer(GOOD, wait_s=30))
    name = str(connection.settings_dict["NAME"])
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "retention_site.settings"}
    worker = subprocess.Popen([sys.executable, "-c", WORKER, model_server.base_url, name], env=environment)
    wait_until(lambda: model_server.count == 1)
    worker.kill()
    worker.wait()
    call = LlmCall.objects.get()
    assert call.outcome == "asked"
    assert count_open_calls(configured_model()) == 1

    wait_until(lambda: count_open_calls(configured_model()) == 0)  # half a second and what settling may take

    model_server.always(answer(GOOD))
    assert ask(invitation).data == GOOD


def wait_until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)
