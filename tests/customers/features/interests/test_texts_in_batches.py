"""Reading can wait: with LLM_BATCH it goes through the provider's batch interface, and nothing else changes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest

from customers.features.interests.texts import queue_texts, read_waiting_texts
from customers.models import Customer, ReadingStatus, TextReading
from llm.client.batches import hand_over_waiting, look_after_batches
from llm.models import LlmCall
from tests.llm.batch_server import BatchServer, Line

from .conftest import NOW, Say
from .test_texts import Shelves, reading, texts_in

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def server(products: Shelves, reading_is_on: None, settings: Any) -> Iterator[BatchServer]:
    with BatchServer() as server:
        settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_API_KEY = server.base_url, "m", "k"
        settings.LLM_BATCH = True
        yield server


def read_all(now: dt.datetime) -> None:
    queue_texts(now)
    while read_waiting_texts(now):
        pass


def answer_line(line: Line) -> Line:
    found = [reading(text["number"], "category:Tents") for text in texts_in(line["body"])]
    message = {"role": "assistant", "content": json.dumps({"readings": found})}
    usage = {"prompt_tokens": 120, "completion_tokens": 40}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
    return {"custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}}


def test_texts_wait_for_the_batch_and_are_read_from_it(server: BatchServer, anna: Customer, say: Say) -> None:
    for number in range(13):
        say(anna, "search_performed", query=f"tent {'abcdefghijklm'[number]}")
    read_all(NOW)
    say(anna, "search_performed", query="a tent that came later")
    read_all(NOW + dt.timedelta(minutes=1))

    assert not server.chats
    assert set(TextReading.objects.values_list("status", "attempts")) == {(ReadingStatus.WAITING, 0)}
    hand_over_waiting(NOW)
    assert [len(texts_in(line["body"])) for line in server.batches[0].lines] == [10, 3, 1]
    read_all(NOW + HOUR)
    assert set(TextReading.objects.values_list("status", "attempts")) == {(ReadingStatus.WAITING, 0)}

    server.finish(answer=answer_line)
    look_after_batches(NOW + HOUR)
    read_all(NOW + 2 * HOUR)

    assert set(TextReading.objects.values_list("status", flat=True)) == {ReadingStatus.READ}
    assert not server.chats
    assert len(server.batches) == 1
    assert LlmCall.objects.filter(was_reused=False).count() == 3


def test_failed_batch_is_read_at_once(server: BatchServer, anna: Customer, say: Say) -> None:
    say(anna, "search_performed", query="tent")
    read_all(NOW)
    hand_over_waiting(NOW)
    server.finish("failed", lambda line: None)
    look_after_batches(NOW + HOUR)

    read_all(NOW + HOUR)

    assert len(server.chats) == 1
