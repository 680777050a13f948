"""The page of the model: what it shows, to whom, and the button that tries the connection."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from llm.answers import Failure, FailureKind
from llm.breaker import note_failure
from llm.budget import note_overrun
from llm.configuration import configured_model
from llm.figures import read_days, read_purposes, read_troubles
from llm.models import LlmCall
from tests import model_server as faults
from tests.model_server import ModelServer

pytestmark = pytest.mark.django_db
PAGE, TRY = "model-settings", "check-model"


def write_call(purpose: str, outcome: str = "ok", *, days_ago: int = 0, **fields: Any) -> LlmCall:
    now = timezone.now() - timedelta(days=days_ago)
    fields = {"latency_ms": 800, "reserved_tokens": 160, "server_host": configured_model().host} | fields
    return LlmCall.objects.create(
        completion_id="00000000-0000-0000-0000-000000000001",
        attempt=LlmCall.objects.count() + 1,
        purpose=purpose,
        outcome=outcome,
        prompt_name="p",
        prompt_version="1",
        masked_request={},
        created_at=now,
        keep_until=now + timedelta(days=90),
        **fields,
    )


def show(client: Client, user: User) -> str:
    client.force_login(user)
    response = client.get(reverse(PAGE))
    assert response.status_code == 200
    return response.content.decode()


def test_page_tells_use_and_failures_by_purpose(client: Client, marketer: User, model_server: ModelServer) -> None:
    for latency in range(1, 101):
        write_call("draft_message", latency_ms=latency * 100)
    write_call("draft_message", "timed_out", error="It did not answer in time.", days_ago=1, latency_ms=None)
    write_call("read_texts", was_reused=True, reserved_tokens=0)

    page = show(client, marketer)

    assert "Drafts of messages" in page
    assert "5.0 s" in page  # the median of 100 to 10,000 ms
    assert "9.5 s" in page
    assert "It did not answer in time." in page
    assert "16,160 tokens" not in page
    assert "16,160" in page


def test_figures_count_only_what_was_sent(model_server: ModelServer) -> None:
    write_call("draft_message")
    write_call("draft_message", "template", reserved_tokens=0)
    write_call("draft_message", "over_budget", reserved_tokens=0)
    write_call("draft_message", was_reused=True, reserved_tokens=0)
    write_call("draft_message", "bad_output", days_ago=3)

    (row,) = read_purposes(timezone.now())
    days = read_days(timezone.now())

    assert (row.sent, row.failed, row.reused, row.over_budget, row.templates) == (2, 1, 1, 1, 1)
    assert (len(days), days[-1].sent, days[-4].failed) == (30, 1, 1)
    assert {(t.outcome, t.count) for t in read_troubles(timezone.now())} == {("bad_output", 1), ("over_budget", 1)}


def test_open_breaker_says_why_and_since_when(
    client: Client, marketer: User, model_server: ModelServer, settings: Any
) -> None:
    for _ in range(5):
        note_failure(configured_model(), Failure(FailureKind.SERVER_ERROR, "upstream failed", 503), timezone.now())

    page = show(client, marketer)

    assert "is left alone since it failed" in page
    assert "upstream failed" in page
    assert "after 5 failures in a row" in page


def test_server_that_uses_too_much_is_named(client: Client, marketer: User, model_server: ModelServer) -> None:
    note_overrun(configured_model(), used=1_500, reserved=1_000)

    assert "times 1.5, because a call used more" in show(client, marketer)


def test_try_says_what_happened_and_not_twice_at_once(
    client: Client, marketer: User, model_server: ModelServer
) -> None:
    client.force_login(marketer)

    first = client.post(reverse(TRY), follow=True).content.decode()
    second = client.post(reverse(TRY), follow=True).content.decode()

    assert "Scripted model answered in" in first
    assert "tried a moment ago" in second
    assert model_server.count == 1


def test_try_that_fails_says_what_to_do(client: Client, marketer: User, model_server: ModelServer) -> None:
    model_server.always(faults.fault_wrong_key())
    client.force_login(marketer)

    assert "LLM_API_KEY" in client.post(reverse(TRY), follow=True).content.decode()


def test_looking_asks_nobody_and_trying_needs_a_post(client: Client, marketer: User, model_server: ModelServer) -> None:
    show(client, marketer)

    assert client.get(reverse(TRY)).status_code == 405
    assert model_server.requests == []


@pytest.mark.parametrize("name", ["support_agent", "outsider"])
def test_who_may_not_see_calls_is_refused(name: str, client: Client, request: Any, model_server: ModelServer) -> None:
    client.force_login(request.getfixturevalue(name))

    assert client.get(reverse(PAGE)).status_code == 403
    assert client.post(reverse(TRY)).status_code == 403
    assert model_server.requests == []


def test_without_a_model_it_says_how_to_connect_one(client: Client, marketer: User, settings: Any) -> None:
    settings.LLM_BASE_URL = settings.LLM_MODEL = ""

    page = show(client, marketer)

    assert "No language model is connected." in page
    assert reverse(TRY) not in page


def test_number_of_queries_does_not_grow(client: Client, marketer: User, model_server: ModelServer) -> None:
    counts = []
    for size in (3, 30):
        for number in range(size):
            write_call(f"purpose_{number}", "error", scope=f"campaign:{number}")
        client.force_login(marketer)
        client.get(reverse(PAGE))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(PAGE))
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 35
