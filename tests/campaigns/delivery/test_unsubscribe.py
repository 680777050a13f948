"""One-click unsubscribe as RFC 8058 asks: signed, without log-in, GET shows, POST acts, twice is once."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.delivery.unsubscribe import BadToken, make_token, read_token, unsubscribe, unsubscribe_url
from campaigns.models import Campaign, Message
from customers.models import ConsentRecord, Customer, CustomerEvent, EventKind, Suppression
from tests.campaigns.arrange import ledger_open

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(running: Campaign) -> Message:
    return Message.objects.select_related("customer").earliest("pk")


@pytest.fixture
def page(row: Message) -> str:
    return reverse("campaigns:unsubscribe", args=[make_token(row.pk, row.customer_id)])


def has_left(customer: Customer) -> bool:
    return ConsentRecord.objects.filter(customer=customer).latest("pk").status == ConsentRecord.Status.WITHDRAWN


def test_the_link_in_the_mail_is_the_page(row: Message, page: str, settings: object) -> None:
    assert unsubscribe_url(row.pk, row.customer_id) == settings.SITE_URL + page  # type: ignore[attr-defined]


def test_looking_changes_nothing_however_often(client: Client, row: Message, page: str) -> None:
    for _scanner in range(20):
        assert client.get(page).status_code == 200
        assert client.head(page).status_code == 200
    assert not has_left(row.customer) and not Suppression.objects.exists()


def test_the_button_withdraws_suppresses_and_is_written_down(row: Message, page: str) -> None:
    client = Client(enforce_csrf_checks=True)
    shown = client.get(page)
    token = shown.cookies["csrftoken"].value

    answer = client.post(page, {"csrfmiddlewaretoken": token}, follow=True)

    assert answer.status_code == 200 and "You are unsubscribed" in answer.content.decode()
    assert has_left(row.customer)
    assert Suppression.objects.get().reason == Suppression.Reason.UNSUBSCRIBED
    event = CustomerEvent.objects.get(kind=EventKind.EMAIL_UNSUBSCRIBED)
    assert event.customer == row.customer and event.properties["campaign"] == row.campaign_id


def test_a_form_from_elsewhere_is_refused(row: Message, page: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(page, {"anything": "else"}).status_code == 403
    assert not has_left(row.customer)


def test_a_mailbox_provider_needs_no_cookie(row: Message, page: str) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post(page, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 204 and answer.content == b""
    assert has_left(row.customer)


def test_twice_is_once(client: Client, row: Message, page: str) -> None:
    for _click in range(3):
        client.post(page, {"List-Unsubscribe": "One-Click"})
    assert ConsentRecord.objects.filter(customer=row.customer).count() == 2
    assert CustomerEvent.objects.filter(kind=EventKind.EMAIL_UNSUBSCRIBED).count() == 1


@pytest.mark.parametrize("altered", ["x", "1-1", "1-1.signature", "1-2." + "A" * 43, "1-1" + chr(0x660) + ".x"])
def test_altered_links_are_refused(client: Client, running: Campaign, altered: str) -> None:
    with pytest.raises(BadToken):
        read_token(altered)
    page = reverse("campaigns:unsubscribe", args=[altered])
    assert client.get(page).status_code == 404
    assert client.post(page, {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert not Suppression.objects.exists()


def test_a_link_is_for_one_person_only(row: Message) -> None:
    signature = make_token(row.pk, row.customer_id).rpartition(".")[2]
    with pytest.raises(BadToken):
        read_token(f"{row.pk}-{row.customer_id + 1}.{signature}")


def test_the_page_speaks_the_customers_language(client: Client, row: Message, page: str) -> None:
    Customer.objects.filter(pk=row.customer_id).update(language="zh-CN")
    assert '<html lang="zh-hans"' in client.get(page).content.decode()


def test_a_customer_who_was_erased_meanwhile_sees_that_it_is_done(client: Client, row: Message, page: str) -> None:
    now = dt.datetime.now(dt.UTC)
    Message.objects.filter(customer=row.customer_id).delete()
    with ledger_open():
        Customer.objects.filter(pk=row.customer_id).delete()
    assert unsubscribe(page.split("/")[2], now=now) is False
    assert "You are unsubscribed" in client.get(page).content.decode()
