"""Texts of customers read by the smallest real model, through the door: the form holds, whatever it makes of the words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from customers.features.interests.profiles import refresh_profiles
from customers.features.interests.texts import queue_texts, read_waiting_texts
from customers.features.interests.vocabulary import CONFIDENCES, SENTIMENTS, list_topics
from customers.models import Customer, InterestProfile, Product, ReadingStatus, TextReading
from llm.models import LlmCall
from retention_site.embedded.local_model import ensure_model, serve_model

from .conftest import NOW, Say

pytestmark = [pytest.mark.slow, pytest.mark.model, pytest.mark.django_db]


@pytest.fixture(scope="module")
def small_model() -> Iterator[str]:
    said: list[str] = []
    path = ensure_model("smollm2-135m", said.append)
    if path is None:
        pytest.skip(f"no weights to run: {said[-1]}")
    with serve_model(path) as base_url:
        yield base_url


def test_a_small_model_reads_texts_into_the_vocabulary_or_says_that_it_could_not(
    small_model: str, settings: Settings, products: dict[str, Product], reading_is_on: None, anna: Customer, say: Say
) -> None:
    settings.LLM_BASE_URL, settings.LLM_API_KEY = small_model, "none"
    settings.LLM_MODEL, settings.LLM_LABEL, settings.LLM_TIMEOUT_S = "local", "Small local model", 180.0
    say(anna, "search_performed", query="waterproof tent for Lindqvist")
    say(anna, "review_written", title="Leaks", text="The family tent leaks. Call me: 0044 7700 900123, Anna Lindqvist.")

    assert queue_texts(NOW) == 2
    for _try in range(3):
        read_waiting_texts(NOW)

    topics = list_topics(sorted({product.category for product in products.values()}))
    rows = list(TextReading.objects.all())
    for row in rows:
        if row.status == ReadingStatus.READ:
            assert {item["topic"] for item in row.topics} <= set(topics)
            assert row.sentiment in SENTIMENTS
            assert row.sentiment_confidence in CONFIDENCES
            assert row.model_label == "Small local model"
        else:
            assert row.error, "a model that cannot do it is a state with a sentence"
    calls = LlmCall.objects.filter(purpose="read_texts")
    assert calls.exists()
    asked = " ".join(str(call.masked_request) for call in calls).lower()
    assert "tent" in asked
    assert not any(secret in asked for secret in ("lindqvist", "900123", "anna"))
    refresh_profiles(as_of=NOW)
    assert InterestProfile.objects.filter(customer=anna).exists()
