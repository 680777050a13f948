"""Rights by the API: an objection to profiling, beside the copy and the erasure."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from customers.api.authentication import issue_api_key
from customers.models import AuditEntry, Customer, InterestProfile, Preference, PreferenceChange
from tests.campaigns.arrange import NOW

pytestmark = pytest.mark.django_db
URL = "/api/v1/privacy/objection/"


@pytest.fixture
def ana() -> Customer:
    person = Customer.objects.create(external_id="ana", email="ana@shopper.test")
    InterestProfile.objects.create(customer=person, as_of=NOW)
    return person


def test_an_objection_takes_away_what_was_worked_out_and_twice_is_once(api: APIClient, ana: Customer) -> None:
    first = api.post(URL, {"external_id": "ana", "objects": True}).json()
    assert first["objects_to_profiling_at"] is not None
    assert not InterestProfile.objects.exists()
    assert api.post(URL, {"external_id": "ana", "objects": True}).json() == first
    change = PreferenceChange.objects.get()
    assert (change.source, change.message_id) == ("api", None)
    [entry] = AuditEntry.objects.filter(action="profiling_objected")
    assert entry.details == {"objects": True} and entry.object_id == str(ana.pk)
    assert api.post(URL, {"external_id": "ana", "objects": False}).json() == {"objects_to_profiling_at": None}
    assert Preference.objects.get().objects_to_profiling_at is None


def test_whoever_is_not_here_and_whoever_may_not_is_told_so(
    api: APIClient, marketing: APIClient, site_admin: User, ana: Customer
) -> None:
    assert api.post(URL, {"external_id": "nobody", "objects": True}).status_code == 404
    assert api.post(URL, {"external_id": "ana"}).status_code == 400
    assert marketing.post(URL, {"external_id": "ana", "objects": True}).status_code == 403
    for scope, code in (("privacy", 200), ("read", 403), ("write", 403)):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_api_key(site_admin, 'k', scopes=[scope])[1]}")
        assert client.post(URL, {"external_id": "ana", "objects": True}).status_code == code


def test_staff_note_it_on_the_customers_page(
    client: Client, support_agent: User, marketer: User, ana: Customer
) -> None:
    page, act = reverse("customers:detail", args=[ana.pk]), reverse("customers:person-objects", args=[ana.pk])
    client.force_login(marketer)
    assert client.post(act, {"objects": "1"}).status_code == 403
    client.force_login(support_agent)
    assert "They object to profiling" in client.get(page).content.decode()
    assert "objects to profiling since" in client.post(act, {"objects": "1"}, follow=True).content.decode()
    assert Preference.objects.get(customer=ana).objects_to_profiling_at is not None
    client.post(act, {"objects": "0"})
    assert Preference.objects.get(customer=ana).objects_to_profiling_at is None
    assert client.get(act).status_code == 405
