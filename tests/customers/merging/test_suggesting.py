"""Whom we think to be one person; whom the shop vouches for is merged by itself, and nobody else ever is."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.test import APIClient

from campaigns.models import AudienceMember, Variant
from customers.api.authentication import issue_api_key
from customers.merging.suggesting import find_suggestions, keep_apart, list_open, merge_vouched
from customers.merging.undo import undo_merge
from customers.models import Customer, CustomerMerge, MergeSuggestion, PrivacyRequest

from .shops import NOW

pytestmark = pytest.mark.django_db


def make(external_id: str, source: str = "shop", *, verified: bool = True, **fields: Any) -> Customer:
    given = {"email": "ruth@tarnside.test", "attributes": {"email_verified": True} if verified else {}} | fields
    return Customer.objects.create(external_id=external_id, source=source, **given)


def sweep() -> int:
    find_suggestions()
    return merge_vouched(now=NOW)


def test_the_same_address_verified_by_two_systems_is_merged_into_the_older_row() -> None:
    old, new = make("a"), make("b", "crm", email="Ruth@Tarnside.test")
    assert sweep() == 1
    done = CustomerMerge.objects.get()
    assert (done.survivor_id, done.loser_id, done.reason) == (old.pk, new.pk, "verified")
    assert sweep() == 0, "a second sweep finds nothing to do"


@pytest.mark.parametrize(
    "second",
    [
        {"verified": False},
        {"source": "shop"},
        {"attributes": {"email_verified": "true"}},
        {"first_name": "Ida"},
    ],
    ids=["not verified", "one system keeps them apart", "a word is no mark", "another name"],
)
def test_whatever_speaks_against_it_leaves_it_to_people(second: dict[str, Any]) -> None:
    make("a", first_name="Ruth")
    make("b", **({"source": "crm"} | second))
    assert sweep() == 0
    row = list_open().get()
    assert not row.is_verified and row.why == "email"


def test_three_with_one_address_are_never_merged_by_themselves() -> None:
    for source in ("shop", "crm", "till"):
        make("a", source)
    assert sweep() == 0 and list_open().count() == 2


def test_a_desk_that_many_share_is_no_suggestion() -> None:
    for number in range(6):
        make(f"a{number}", phone="+442079460000")
    assert find_suggestions() == 0


def test_the_same_number_is_a_suggestion_only() -> None:
    make("a", email="", phone="+442079460000")
    make("b", "crm", email="", phone="+442079460000")
    assert sweep() == 0 and list_open().get().why == "phone"


def test_no_merge_by_itself_breaks_an_experiment_or_outruns_a_question(variants: list[Variant]) -> None:
    campaign = variants[0].archetype.campaign
    for customer, arm in ((make("a"), "holdout"), (make("b", "crm"), "treatment")):
        AudienceMember.objects.create(campaign=campaign, customer=customer, arm=arm)
    asks = make("c", email="ida@tarnside.test")
    make("d", "crm", email="ida@tarnside.test")
    PrivacyRequest.objects.create(customer_number=asks.pk, kind="erasure", source="page", asked_at=NOW, due_at=NOW)
    assert sweep() == 0
    assert list_open().count() == 2 and not list_open().filter(is_verified=True).exists()


def test_it_can_be_switched_off(settings: Settings) -> None:
    settings.AUTOMATIC_MERGES = False
    make("a")
    make("b", "crm")
    assert sweep() == 0 and list_open().get().is_verified


def test_what_people_kept_apart_or_undid_stays_so() -> None:
    make("a")
    make("b", "crm")
    assert sweep() == 1
    undo_merge(CustomerMerge.objects.get().pk, actor=None, now=NOW + dt.timedelta(days=1))
    assert sweep() == 0 and not list_open().exists()
    make("c", email="x@tarnside.test", verified=False)
    make("d", email="x@tarnside.test", verified=False)
    find_suggestions()
    assert keep_apart(list_open().get(), actor=None, now=NOW)
    assert find_suggestions() == 0 and not list_open().exists()


def test_a_suggestion_goes_when_the_addresses_differ_by_now() -> None:
    make("a", verified=False)
    other = make("b", verified=False)
    find_suggestions()
    Customer.objects.filter(pk=other.pk).update(email="new@tarnside.test")
    find_suggestions()
    assert not MergeSuggestion.objects.exists()


def test_segments_alias_of_two_known_ids_merges_them(site_admin: User, settings: Settings) -> None:
    old, new = make("old", verified=False), make("new", verified=False, email="other@tarnside.test")
    client = APIClient()
    credentials = base64.b64encode(f"{issue_api_key(site_admin, 'segment')[1]}:".encode()).decode()
    client.credentials(HTTP_AUTHORIZATION=f"Basic {credentials}")

    def send(call: dict[str, Any]) -> Any:
        return client.post(f"/v1/{call['type']}", call, "json").json()

    assert send({"type": "alias", "previousId": "old", "userId": "new", "messageId": "m1"})["success"]
    assert merge_vouched(now=NOW) == 1
    done = CustomerMerge.objects.get()
    assert (done.loser_id, done.survivor_id, done.reason) == (old.pk, new.pk, "alias")

    send({"type": "identify", "userId": "old", "anonymousId": "v1", "traits": {"firstName": "Ruth", "size": "L"}})
    send(
        {
            "type": "track",
            "event": "Product Viewed",
            "userId": "old",
            "messageId": "m2",
            "timestamp": "2026-01-05T10:00:00Z",
        }
    )
    send(
        {
            "type": "track",
            "event": "Product Viewed",
            "anonymousId": "v1",
            "messageId": "m3",
            "timestamp": "2026-01-05T10:00:01Z",
        }
    )
    order = {"order_id": "o1", "total": 12, "currency": "EUR", "products": [{"product_id": "T1", "price": 12}]}
    send({"type": "track", "event": "Order Completed", "userId": "old", "messageId": "m4", "properties": order})
    new.refresh_from_db()
    assert Customer.objects.known().get() == new
    assert (new.first_name, new.events.count(), new.orders.count()) == ("Ruth", 2, 1)

    undo_merge(done.pk, actor=None, now=NOW)
    old.refresh_from_db()
    assert (old.first_name, old.attributes, old.events.count(), old.orders.count()) == ("Ruth", {"size": "L"}, 2, 1)
    new.refresh_from_db()
    assert (new.first_name, new.attributes, new.events.count(), new.orders.count()) == ("", {}, 0, 0)
