"""Work that can wait goes through the provider's batch interface, and never gets lost or paid twice on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from llm.budget import read_day_spend
from llm.client import complete
from llm.client.batches import hand_over_waiting, look_after_batches
from llm.errors import AnswerPending, BudgetExceeded
from llm.models import LlmBatch, LlmCall
from llm.prompts import Prompt
from tests.llm.batch_server import BatchServer, Line, good_line
from tests.llm.conftest import NOON

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def server(settings: Any) -> Iterator[BatchServer]:
    with BatchServer() as server:
        settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_API_KEY = server.base_url, "m", "k"
        settings.LLM_BATCH, settings.LLM_TIMEOUT_S = True, 20.0
        yield server


def ask(prompt: Prompt, shop: str = "Fernweh", **changes: Any) -> Any:
    facts = {"shop": shop, "customer": {"language": "en"}}
    return complete(prompt, facts, purpose="read", **{"now": NOON, "may_wait": True, **changes})


def leave(prompt: Prompt, *shops: str) -> None:
    for shop in shops:
        with pytest.raises(AnswerPending):
            ask(prompt, shop)


def sweep(minutes: int) -> None:
    look_after_batches(NOON + minutes * MINUTE)
    hand_over_waiting(NOON + minutes * MINUTE)


def test_work_that_can_wait_is_handed_over_together_and_its_answers_are_found(
    server: BatchServer, invitation: Prompt
) -> None:
    leave(invitation, "A", "B", "A")
    assert (server.chats, server.batches, LlmCall.objects.count()) == ([], [], 2)

    sweep(0)
    leave(invitation, "A", "B")
    server.finish()
    sweep(2)

    batch = LlmBatch.objects.get()
    assert batch.status == LlmBatch.Status.ENDED
    assert [line["body"] for line in server.batches[0].lines] == list(
        LlmCall.objects.order_by("pk").values_list("masked_request", flat=True)
    )
    assert [ask(invitation, shop).data["subject"] for shop in ("A", "B")] == ["Good to see you"] * 2
    assert server.chats == []
    assert LlmCall.objects.filter(batch=batch, outcome="ok", reserved_tokens=160).count() == 2
    assert LlmCall.objects.filter(was_reused=True, reserved_tokens=0).count() == 2
    assert read_day_spend(NOON).tokens == 320


def test_sweeping_again_changes_nothing(server: BatchServer, invitation: Prompt) -> None:
    leave(invitation, "A")
    for minutes in (0, 0, 2, 3):
        sweep(minutes)
    server.finish()
    sweep(5)
    before = list(LlmCall.objects.values())
    sweep(6)
    sweep(60)

    assert len(server.batches) == 1
    assert list(LlmCall.objects.values()) == before


def test_batch_of_a_worker_that_died_is_found_by_its_mark(server: BatchServer, invitation: Prompt) -> None:
    leave(invitation, "A")
    server.loses_reply_of.add("/v1/batches")
    sweep(0)
    server.loses_reply_of.clear()
    assert LlmBatch.objects.get().status == LlmBatch.Status.SUBMITTING

    sweep(4)
    server.finish()
    sweep(6)

    assert len(server.batches) == 1
    assert ask(invitation, "A").was_reused
    assert server.chats == []


def test_batch_that_never_arrived_is_asked_one_by_one(server: BatchServer, invitation: Prompt) -> None:
    leave(invitation, "A")
    server.broken["/v1/batches"] = 500
    sweep(0)
    server.broken.clear()
    sweep(4)

    assert LlmBatch.objects.get().status == LlmBatch.Status.FAILED
    assert not ask(invitation, "A").was_reused
    assert len(server.chats) == 1


@pytest.mark.parametrize("status", ["expired", "cancelled", "failed", "completed"])
def test_what_a_batch_leaves_out_is_asked_alone(status: str, server: BatchServer, invitation: Prompt) -> None:
    leave(invitation, "A", "B")
    sweep(0)
    first = server.batches[0].lines[0]["custom_id"]
    server.finish(status, lambda line: good_line(line) if line["custom_id"] == first else None)
    sweep(2)

    assert ask(invitation, "A").was_reused
    assert not ask(invitation, "B").was_reused
    assert len(server.chats) == 1


def test_batch_that_never_ends_is_cancelled_after_a_day(server: BatchServer, invitation: Prompt) -> None:
    leave(invitation, "A")
    sweep(0)
    sweep(60)
    assert LlmBatch.objects.get().status == LlmBatch.Status.RUNNING

    sweep(27 * 60)

    assert server.batches[0].status == "cancelling"
    assert LlmBatch.objects.get().status == LlmBatch.Status.ENDED
    assert not ask(invitation, "A").was_reused


def test_provider_that_cannot_be_reached_is_looked_for_again_later(server: BatchServer, invitation: Prompt) -> None:
    leave(invitation, "A")
    sweep(0)
    server.broken["/v1/batches/batch-0"] = 503
    sweep(2)
    leave(invitation, "A")
    server.broken.clear()
    server.finish()
    sweep(10)

    assert ask(invitation, "A").was_reused


@pytest.mark.parametrize("status", [404, 405, 501])
def test_server_without_batches_is_asked_at_once_and_remembered(
    status: int, server: BatchServer, invitation: Prompt
) -> None:
    leave(invitation, "A")
    server.broken["/v1/files"] = status
    sweep(0)
    if status != 501:  # 501 may have cost something: the next look decides
        assert not ask(invitation, "A").was_reused
        assert not ask(invitation, "B").was_reused
        assert (len(server.chats), LlmBatch.objects.count()) == (2, 1)
    sweep(4)
    assert LlmBatch.objects.get().status == LlmBatch.Status.FAILED


def test_lines_that_mean_nothing_are_passed_over(server: BatchServer, invitation: Prompt) -> None:
    def answer(line: Line) -> Line:
        return good_line(line)

    leave(invitation, "A")
    sweep(0)
    foreign = {"custom_id": "00000000-0000-0000-0000-000000000000", "response": {"status_code": 200, "body": {}}}
    doubled = json.dumps(good_line(server.batches[0].lines[0]))
    server.finish(answer=answer, extra="\n".join(["not JSON", "[]", "{}", json.dumps(foreign), doubled]))
    sweep(2)

    assert ask(invitation, "A").was_reused
    assert LlmCall.objects.filter(outcome="ok", was_reused=False).count() == 1


def test_error_and_bad_answer_in_a_batch_are_asked_alone(server: BatchServer, invitation: Prompt) -> None:
    def answer(line: Line) -> Line:
        if '"A"' in line["body"]["messages"][1]["content"]:
            failed = {"status_code": 429, "body": {"error": {"message": "later"}}}
            return {"custom_id": line["custom_id"], "response": failed}
        good = good_line(line)
        good["response"]["body"]["choices"][0]["message"]["content"] = '{"subject": 1}'
        return good

    leave(invitation, "A", "B")
    sweep(0)
    server.finish(answer=answer)
    sweep(2)

    assert not ask(invitation, "A").was_reused
    assert not ask(invitation, "B").was_reused
    assert list(LlmCall.objects.filter(batch__isnull=False).order_by("pk").values_list("outcome", flat=True)) == [
        "rate_limited",
        "bad_output",
    ]


def test_waiting_counts_against_the_caps(server: BatchServer, settings: Any, invitation: Prompt) -> None:
    leave(invitation, "A")
    settings.LLM_DAILY_TOKEN_CAP = read_day_spend(NOON).tokens + 100

    with pytest.raises(BudgetExceeded):
        ask(invitation, "B")


def test_personal_values_wait_nowhere(server: BatchServer, invitation: Prompt) -> None:
    with pytest.raises(AnswerPending):
        ask(invitation, "Anna Lee's", known_personal_values=["Anna Lee"])
    sweep(0)

    assert b"Anna" not in next(iter(server.files.values()))
    assert "Anna" not in str(list(LlmCall.objects.values()))


def test_off_by_default_and_released_when_switched_off(server: BatchServer, settings: Any, invitation: Prompt) -> None:
    leave(invitation, "A")
    settings.LLM_BATCH = False

    assert not ask(invitation, "A").was_reused
    sweep(1)

    assert server.batches == []
    assert not LlmCall.objects.filter(outcome="waiting").exists()
