"""The ways in for a wish to be written to: the public form and the API."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.signing import TimestampSigner
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from campaigns.delivery.opt_in import form
from campaigns.delivery.opt_in.asking import close_outlived
from campaigns.models import CountryRule, OptInRequest
from customers.api import counting
from customers.ingest.consent import record_consent, suppress_address
from customers.models import ConsentRecord, Customer, Order, Suppression
from tests.campaigns import arrange
from tests.customers.api.conftest import client_of

pytestmark = pytest.mark.django_db
WORDING = "Yes, write to me."


@pytest.fixture(autouse=True)
def counters_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one stretch of time for all of a test."""
    own = uuid4().hex
    monkeypatch.setattr(counting, "_number_window", lambda window_s: 0)
    monkeypatch.setattr(form, "_is_within", lambda who, most, kept=form._is_within: kept(f"{own}:{who}", most))


def old_stamp(seconds: float = 60) -> str:
    """As a page that was opened some time ago carries it."""

    class Earlier(TimestampSigner):
        def timestamp(self) -> str:
            from django.core.signing import b62_encode

            return b62_encode(int(timezone.now().timestamp() - seconds))

    return Earlier(salt=form.SALT).sign("form")


def fill_in(client: Client, address: str, **changes: Any) -> int:
    told = {"email": address, "agrees": "1", "stamp": old_stamp(), "website": ""} | changes
    return client.post("/sign-up/", {key: value for key, value in told.items() if value is not None}).status_code


def test_a_stranger_and_a_customer_get_the_same_answer(client: Client) -> None:
    known = arrange.make_customers(1, consents=False)[0]
    record_consent(known, source="checkout", now=timezone.now())
    answers = {
        client.post("/sign-up/", {"email": address, "agrees": "1", "stamp": old_stamp()}).content
        for address in (known.email.upper(), "new@shopper.test", "new@shopper.test")
    }
    assert len(answers) == 1
    stranger = Customer.objects.get(source="sign-up")
    assert stranger.email == "new@shopper.test" and stranger.consents.get().status == "pending"
    assert OptInRequest.objects.get().customer == stranger, "a customer who agreed is not asked again"
    assert "offers and news" in OptInRequest.objects.get().wording


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"stamp": ""}, 429), ({"stamp": "form:1:x"}, 429), ({"website": "http://spam.example"}, 429),
        ({"agrees": None}, 422), ({"email": "nobody"}, 422), ({"email": "a@" + "b" * 260 + ".example"}, 422),
    ],
)  # fmt: skip
def test_what_no_person_sent_makes_nothing(client: Client, changes: dict[str, Any], status: int) -> None:
    assert fill_in(client, "new@shopper.test", **changes) == status
    assert not Customer.objects.exists() and not OptInRequest.objects.exists()


def test_a_form_that_is_sent_at_once_or_a_day_later_is_not_believed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form, "QUICKEST_S", 3600)  # on a machine that stalls two seconds are soon over
    assert fill_in(client, "a@shopper.test", stamp=form.make_stamp()) == 429
    assert fill_in(client, "a@shopper.test", stamp=old_stamp(25 * 3600)) == 429
    assert fill_in(client, "a@shopper.test", stamp=old_stamp(23 * 3600)) == 200


def test_one_network_address_signs_up_so_many(client: Client) -> None:
    answers = [fill_in(client, f"{number}@shopper.test") for number in range(form.MOST_FROM_ONE + 2)]
    assert set(answers[: form.MOST_FROM_ONE]) == {200} and answers[form.MOST_FROM_ONE] == 429
    assert cache is not None and Customer.objects.count() == form.MOST_FROM_ONE


def test_who_never_confirmed_is_forgotten_and_who_bought_is_not(client: Client) -> None:
    for name in ("never", "bought"):
        assert fill_in(client, f"{name}@shopper.test") == 200
    Order.objects.create(
        customer=Customer.objects.get(email="bought@shopper.test"), external_id="o1", ordered_at=timezone.now(),
        currency="EUR", total=1,
    )  # fmt: skip
    late = timezone.now() + dt.timedelta(days=31)
    close_outlived(late)
    close_outlived(late)
    assert Customer.objects.get().email == "bought@shopper.test"


# --- the API ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def api(site_admin: User) -> APIClient:
    return client_of(site_admin)


def tell(api: APIClient, customer: Customer, **given: Any) -> tuple[int, str]:
    told = {"customer": customer.external_id, "status": "given", "wording": WORDING, "collected_by": "checkout"}
    answer = api.post("/api/v1/consents/", told | given, format="json")
    return answer.status_code, answer.json().get("outcome", "")


def test_a_checkout_delivers_a_consent_with_its_proof(api: APIClient, settings: Settings) -> None:
    scot = arrange.make_customers(1, consents=False)[0]
    at = timezone.now() - dt.timedelta(days=2)
    proof = {"order": "1001"}
    assert tell(api, scot, given_at=at.isoformat(), proof=proof, network_address="192.0.2.1") == (201, "given")
    record = scot.consents.get()
    assert (record.recorded_at, record.source) == (at, "checkout")
    assert record.proof == {"wording": WORDING, "asked_at": at.isoformat(), "order": "1001", "by": "api"}
    assert tell(api, scot) == (200, "standing")
    assert tell(api, scot, status="withdrawn", wording="") == (201, "withdrawn")
    assert tell(api, scot, status="withdrawn", wording="") == (200, "unchanged")
    listed = api.get("/api/v1/consents/", {"customer": scot.pk}).json()["results"]
    assert [row["status"] for row in listed] == ["withdrawn", "given"]


def test_the_api_never_raises_a_consent_above_a_no(api: APIClient) -> None:
    scot = arrange.make_customers(1, consents=False)[0]
    tell(api, scot)
    tell(api, scot, status="withdrawn", wording="")
    yesterday = (timezone.now() - dt.timedelta(days=1)).isoformat()
    assert tell(api, scot, given_at=yesterday) == (200, "unchanged")
    assert tell(api, scot) == (201, "pending"), "the person is asked by mail"
    assert scot.consents.order_by("-recorded_at", "-pk")[0].status == "pending"
    assert Suppression.objects.filter(reason="unsubscribed").exists()
    bounced = arrange.make_customers(1, prefix="b", consents=False)[0]
    suppress_address(bounced.email, reason=Suppression.Reason.BOUNCED)
    assert tell(api, bounced) == (200, "suppressed")


def test_a_german_checkout_waits_for_the_mail(api: APIClient) -> None:
    CountryRule.objects.update_or_create(country="DE", defaults={"needs_double_opt_in": True})
    customer = Customer.objects.create(external_id="g", email="g@shopper.test", country="DE")
    assert tell(api, customer) == (201, "pending")
    assert tell(api, customer, channel="sms") == (200, "no_address")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"wording": " "}, "wording"), ({"customer": "nobody"}, "customer"), ({"status": "pending"}, "status"),
        ({"channel": "pigeon"}, "channel"), ({"given_at": "2999-01-01T00:00:00Z"}, "given_at"),
        ({"network_address": "x"}, "network_address"), ({"proof": []}, "proof"), ({"collected_by": "\0"}, "collected_by"),
    ],
)  # fmt: skip
def test_what_is_no_consent_is_refused_with_its_place(api: APIClient, given: dict[str, Any], path: str) -> None:
    scot = arrange.make_customers(1, consents=False)[0]
    told = {"customer": scot.external_id, "status": "given", "wording": WORDING, "collected_by": "checkout"} | given
    answer = api.post("/api/v1/consents/", told, format="json")
    assert answer.status_code == 400 and [error["path"] for error in answer.json()["errors"]] == [path]
    assert not ConsentRecord.objects.exists()


def test_whoever_may_not_note_consents_does_not(marketer: User) -> None:
    scot = arrange.make_customers(1, consents=False)[0]
    assert tell(client_of(marketer), scot)[0] == 403
