"""The pages: both side by side, the list with its undo, the time line; and who may do it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.ingest.consent import record_consent, withdraw_consent
from customers.merging.merge import merge_customers
from customers.merging.suggesting import find_suggestions
from customers.models import Customer, CustomerMerge, MergeSuggestion

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair() -> tuple[Customer, Customer]:
    old = Customer.objects.create(
        external_id="c-old", email="ruth@tarnside.test", first_name="Ruth", phone="+442079460001"
    )
    new = Customer.objects.create(external_id="c-new", email="ruth@tarnside.test", first_name="Ruth", last_name="Aske")
    now = timezone.now()
    record_consent(old, source="form", now=now - dt.timedelta(days=2))
    record_consent(new, source="form", now=now - dt.timedelta(days=1))
    withdraw_consent(old, source="page", now=now - dt.timedelta(hours=1))
    return old, new


@pytest.fixture
def desk(client: Client, support_agent: User) -> Client:
    client.force_login(support_agent)
    return client


def page(client: Client, name: str, *args: Any, **query: Any) -> str:
    answer = client.get(reverse(f"customers:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_both_side_by_side_say_what_moves_and_what_holds(desk: Client, pair: tuple[Customer, Customer]) -> None:
    old, new = pair
    told = page(desk, "merge", new.pk, **{"with": old.pk})
    assert "c-old" in told and "c-new" in told and "+442079460001" in told
    assert '<span class="tag stop">no</span>' in told, "the stricter answer holds"
    swapped = page(desk, "merge", new.pk, **{"with": old.pk, "keep": "other"})
    assert "Type <b>c-new</b> to confirm" in swapped


def test_merging_takes_the_typed_id_and_the_page_of_the_old_one_leads_on(
    desk: Client, pair: tuple[Customer, Customer]
) -> None:
    old, new = pair
    url = f"{reverse('customers:merge', args=[new.pk])}?with={old.pk}"
    wrong = desk.post(url, {"confirm": "c-new", "note": "card 7"})
    assert wrong.status_code == 422 and "card 7" in wrong.content.decode()
    assert not CustomerMerge.objects.exists()
    assert desk.post(url, {"confirm": "c-old", "note": "card 7"}).status_code == 302
    assert CustomerMerge.objects.get().note == "card 7"
    assert desk.get(reverse("customers:detail", args=[old.pk])).headers["Location"] == reverse(
        "customers:detail", args=[new.pk]
    )
    told = page(desk, "detail", new.pk)
    assert "Was merged with" in told and "c-old" in told
    assert "Ruth Aske" in page(desk, "list", q="c-old"), "an old id finds the survivor"


def test_the_undo_says_what_happens_and_parts_them(desk: Client, pair: tuple[Customer, Customer]) -> None:
    old, new = pair
    merge = merge_customers(old.pk, new.pk, reason="staff", actor=None, now=timezone.now())
    url = reverse("customers:merge-undo", args=[merge.pk])
    told = page(desk, "merge-undo", merge.pk)
    assert "What has come for c-old since then goes to c-old." in told
    assert CustomerMerge.objects.get().undone_at is None, "looking undoes nothing"
    assert desk.post(url).status_code == 302
    assert Customer.objects.known().count() == 2
    assert "cannot be undone" in page(desk, "merge-undo", merge.pk)
    assert "undone" in page(desk, "merges")
    assert "Was parted again from" in page(desk, "detail", new.pk)


def test_suggestions_are_decided_on_the_list(desk: Client, pair: tuple[Customer, Customer]) -> None:
    find_suggestions()
    row = MergeSuggestion.objects.get()
    assert "same e-mail" in page(desk, "merges") and "Compare" in page(desk, "detail", pair[0].pk)
    assert "c-new" in page(desk, "merge", pair[0].pk)
    desk.post(reverse("customers:merge-apart", args=[row.pk]))
    assert "Nobody looks like two" in page(desk, "merges")


def test_who_may_not_merge_sees_the_list_and_no_button(
    client: Client, analyst: User, pair: tuple[Customer, Customer]
) -> None:
    find_suggestions()
    client.force_login(analyst)
    assert "Compare" not in page(client, "merges")
    for name, number in (("merge", pair[0].pk), ("merge-undo", 1), ("merge-apart", 1)):
        assert client.post(reverse(f"customers:{name}", args=[number])).status_code == 403


def test_the_list_asks_as_often_for_twenty_as_for_three(desk: Client, django_assert_max_num_queries: Any) -> None:
    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            rows = [
                Customer.objects.create(external_id=f"{side}{number}", email=f"{number}@tarnside.test") for side in "ab"
            ]
            if number % 2:
                merge_customers(rows[0].pk, rows[1].pk, reason="staff", actor=None, now=timezone.now())
        find_suggestions()

    fill(0, 6)
    page(desk, "merges")
    with django_assert_max_num_queries(20):
        page(desk, "merges")
    fill(6, 40)
    with django_assert_max_num_queries(20):
        page(desk, "merges")
