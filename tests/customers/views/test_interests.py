"""The panel on a customer's page and the switch on the Settings page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.ingest.recorder import NewEvent, record_events
from customers.models import Customer, InterestProfile, Product, TextReading, TextReadingSwitch

pytestmark = pytest.mark.django_db
NOW = timezone.now()
REVIEW = "It leaks <b>badly</b>, says my husband."


@pytest.fixture
def anna(db: None) -> Customer:
    return Customer.objects.create(external_id="K-1", email="anna@tarnside.test", first_name="Anna")


@pytest.fixture
def profile(anna: Customer) -> InterestProfile:
    stove = Product.objects.create(sku="S1", name="Gas Stove")
    likes = {"category": "Tents", "share": 0.62, "ordered": 3, "carts": 0, "searched": 1, "viewed": 4,
             "price_level": 0.8, "price_band": "high"}  # fmt: skip
    at = (NOW - dt.timedelta(days=3)).isoformat()
    return InterestProfile.objects.create(
        customer=anna, as_of=NOW, categories=[likes], price_level=0.71, price_band="high", price_lines=3,
        searches=[{"query": "hiking boots", "category": "Boots", "times": 2, "last_at": at}],
        viewed=[{"product_id": stove.pk, "times": 1, "last_at": at}, {"product_id": 999_999, "times": 1, "last_at": at}],
    )  # fmt: skip


@pytest.fixture
def write_review(anna: Customer) -> Callable[..., None]:
    """A review of Anna that a model has read."""

    def write(text: str = REVIEW, number: int = 1) -> None:
        at = NOW - dt.timedelta(days=number)
        record_events([NewEvent(anna.pk, "review_written", at, f"e{number}", {"text": text})], source="shop")
        with connection.cursor() as cursor:
            cursor.execute("SELECT encode(sha256(convert_to(lower(%s), 'UTF8')), 'hex')", [text])
            (text_hash,) = cursor.fetchone()
        TextReading.objects.create(
            text_hash=text_hash, prompt_version="1", model="m", customer=anna, kind="review_written", event_source="shop",
            event_external_id=f"e{number}", occurred_at=at, status="read", read_at=NOW, sentiment="negative",
            sentiment_confidence="high", model_label="Small model",
            topics=[{"topic": "need:quality", "confidence": "high"}, {"topic": "need:gift", "confidence": "low"}],
        )  # fmt: skip

    return write


def open_page(client: Client, user: User, customer: Customer) -> str:
    client.force_login(user)
    return client.get(reverse("customers:detail", args=[customer.pk])).content.decode()


def test_the_panel_says_likes_price_level_and_what_was_not_bought(
    client: Client, marketer: User, anna: Customer, profile: InterestProfile
) -> None:
    page = open_page(client, marketer, anna)

    for words in ("Tents", "62%", "3 purchases, 1 search, 4 views", "dearer than 71%", "hiking boots", "Gas Stove"):
        assert words in page, words
    assert "Read by a language model" not in page


def test_before_the_first_night_the_panel_says_when_it_will_come(
    client: Client, marketer: User, anna: Customer
) -> None:
    assert "Worked out every night" in open_page(client, marketer, anna)


def test_what_a_model_read_is_labelled_and_shows_the_text_that_it_read(
    client: Client, marketer: User, anna: Customer, write_review: Callable[..., None]
) -> None:
    write_review()

    page = open_page(client, marketer, anna)

    assert "Read by a language model" in page
    assert "Small model" in page
    assert "It leaks &lt;b&gt;badly&lt;/b&gt;" in page
    assert "a gift" not in page  # the model was not sure


def test_who_may_not_see_events_sees_the_topic_and_not_the_text(
    client: Client, make_user: Any, anna: Customer, write_review: Callable[..., None]
) -> None:
    from django.contrib.auth.models import Permission

    write_review()
    guest = make_user("gus", "")
    guest.user_permissions.add(Permission.objects.get(codename="view_customer"))

    page = open_page(client, guest, anna)

    assert "quality" in page
    assert "leaks" not in page


def test_the_page_asks_no_more_for_more_texts(
    client: Client, marketer: User, anna: Customer, profile: InterestProfile, write_review: Callable[..., None]
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            open_page(client, marketer, anna)
        return len(queries)

    write_review()
    open_page(client, marketer, anna)
    few = count()
    for number in range(2, 30):
        write_review(f"It leaks in {number} places", number)

    assert count() == few


def test_an_admin_switches_reading_on_and_off(client: Client, site_admin: User) -> None:
    client.force_login(site_admin)
    assert "Switch it on" in client.get(reverse("settings")).content.decode()

    for word in ("yes", "yes", "no"):
        response = client.post(reverse("customers:text-reading"), {"is_on": word})
        assert response.status_code == 302

    switched = TextReadingSwitch.objects.order_by("pk").values_list("is_on", "changed_by__username")
    assert list(switched) == [(True, "ada"), (False, "ada")]


def test_a_marketer_sees_the_switch_and_may_not_use_it(client: Client, marketer: User) -> None:
    client.force_login(marketer)

    page = client.get(reverse("settings")).content.decode()

    assert "Let the language model read searches, reviews and tickets" in page
    assert "Switch it on" not in page
    assert client.post(reverse("customers:text-reading"), {"is_on": "yes"}).status_code == 403
    assert not TextReadingSwitch.objects.exists()
