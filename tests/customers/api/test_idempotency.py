"""Idempotency-Key: the same answer, and nothing done twice. And no more requests in a minute than the limit."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from customers.api.authentication import issue_api_key
from customers.api.idempotency import IdempotencyMiddleware
from customers.models import ApiKey, Customer, KeptAnswer, Order, Segment

pytestmark = pytest.mark.django_db
URL = "/api/v1/customers/"
ANA = {"external_id": "ana", "first_name": "Ana"}
LINES = [{"quantity": 1, "unit_price": "189.00"}]


def post(api: APIClient, body: Any, key: str = "k1", url: str = URL) -> Any:
    return api.post(url, body, headers={"Idempotency-Key": key})


def test_the_same_request_gets_the_same_answer(api: APIClient) -> None:
    first, second = post(api, ANA), post(api, ANA)
    assert (first.status_code, second.status_code) == (201, 201)  # without the key the second would be 200
    assert second.json() == first.json()
    assert second["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first
    assert post(api, ANA, "k2").status_code == 200


def test_what_did_not_hold_is_tried_again(api: APIClient) -> None:
    """An order of a customer who is not there yet is one that can be sent again once they are."""
    order = {
        "external_id": "o-1",
        "customer": "c-9",
        "ordered_at": "2026-03-01T12:00:00Z",
        "currency": "EUR",
        "lines": LINES,
    }
    assert post(api, order, url="/api/v1/orders/").status_code == 400
    assert post(api, {"external_id": "c-9"}, "k2").status_code == 201
    again = post(api, order, url="/api/v1/orders/")
    assert again.status_code == 201 and "Idempotent-Replayed" not in again


@pytest.mark.parametrize(
    ("body", "url"),
    [({**ANA, "first_name": "Anna"}, URL), (ANA, "/api/v1/customers/?x=1"), ([ANA], "/api/v1/customers/bulk/")],
)
def test_a_key_is_for_one_request(api: APIClient, body: Any, url: str) -> None:
    post(api, ANA)
    answer = post(api, body, url=url)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency")
    assert Customer.objects.get().first_name == "Ana"


def test_keys_of_others_are_not_ours(api: APIClient, marketing: APIClient) -> None:
    post(api, ANA)
    assert post(marketing, ANA).status_code == 403
    assert not KeptAnswer.objects.filter(status=403).exists()


def test_who_lost_the_right_gets_no_kept_answer(site_admin: User) -> None:
    """An answer may hold all that is kept of a person."""
    _row, key = issue_api_key(site_admin, "shop")
    client = APIClient(headers={"Authorization": f"Bearer {key}"})
    assert post(client, ANA).status_code == 201
    assert post(client, {"external_id": "ana"}, "k2", "/api/v1/privacy/export/").status_code == 200
    site_admin.is_superuser = False
    site_admin.save()
    site_admin.groups.clear()
    assert post(client, {"external_id": "ana"}, "k2", "/api/v1/privacy/export/").status_code == 403


def test_an_action_of_a_set_of_views_gets_its_answer_again(marketing: APIClient) -> None:
    segment = Segment.objects.create(name="All", rule={"match": "all", "rules": []})
    body = {"name": "Spring", "goal": "Bring them back", "segment": segment.pk}
    first, second = (post(marketing, body, url="/api/v1/campaigns/") for _number in range(2))
    assert (first.status_code, second.status_code) == (201, 201) and first.json() == second.json()
    base = f"/api/v1/campaigns/{first.json()['id']}/pause/"
    assert {post(marketing, {}, "k2", base).status_code for _number in range(2)} == {409}


@pytest.mark.parametrize("key", ["k" * 256, "a\tb"])
def test_a_key_that_no_key_can_be(api: APIClient, key: str) -> None:
    assert post(api, ANA, key).status_code == 400
    assert not Customer.objects.exists()


def test_what_failed_on_our_side_is_tried_again(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    api.raise_request_exception = False

    def fail(*_given: Any, **_named: Any) -> None:
        raise RuntimeError("the database is away")

    with monkeypatch.context() as broken:
        broken.setattr("customers.api.customers.write_groups", fail)
        assert post(api, ANA).status_code == 500
    assert post(api, ANA).status_code == 201


def test_after_a_day_a_key_is_new(api: APIClient) -> None:
    post(api, ANA)
    KeptAnswer.objects.update(begun_at=timezone.now() - dt.timedelta(hours=25))
    assert post(api, {**ANA, "first_name": "Anna"}).status_code == 200
    assert KeptAnswer.objects.outlived(timezone.now() + dt.timedelta(hours=25)).count() == 1


def test_a_key_that_has_ended_is_not_told_again(api: APIClient) -> None:
    post(api, ANA)
    ApiKey.objects.update(revoked_at=timezone.now())
    answer = post(api, ANA)
    assert (answer.status_code, "Idempotent-Replayed" in answer) == (401, False)
    assert "Ana" not in answer.content.decode()


def test_where_the_first_died_the_second_may_try(api: APIClient) -> None:
    post(api, ANA)
    KeptAnswer.objects.update(status=None, body="")
    waiting = post(api, ANA)
    assert (waiting.status_code, waiting["Retry-After"]) == (409, "1")
    KeptAnswer.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert post(api, ANA).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_one_is_worked_on() -> None:
    runs: list[int] = []
    answers: list[int] = []
    begin, all_asked = threading.Barrier(20), threading.Event()

    def work(_request: HttpRequest) -> HttpResponse:
        runs.append(1)
        all_asked.wait(30)
        return HttpResponse("{}", status=201)

    def ask() -> None:
        request = RequestFactory().post(
            URL, "{}", content_type="application/json", headers={"Authorization": "Bearer rk_x", "Idempotency-Key": "k"}
        )
        begin.wait(30)
        answers.append(IdempotencyMiddleware(work)(request).status_code)
        if len(answers) >= 19:
            all_asked.set()
        close_old_connections()
        connection.close()

    threads = [threading.Thread(target=ask) for _number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(runs) == 1
    assert sorted(answers) == [201] + [409] * 19


# --- Limits ----------------------------------------------------------------------------------------------------------


def test_more_than_the_limit_is_asked_to_wait(api: APIClient, marketing: APIClient, settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    codes = [api.get("/api/v1/segments/").status_code for _number in range(8)]
    assert codes.count(429) >= 2 and codes[0] == 200  # where a minute ends between them, both have three
    answer = next(found for found in (api.get("/api/v1/segments/") for _number in range(8)) if found.status_code == 429)
    assert 0 < int(answer["Retry-After"]) <= 60
    assert marketing.get("/api/v1/segments/").status_code == 200
    settings.API_REQUESTS_PER_MINUTE = 0
    assert api.get("/api/v1/segments/").status_code == 200
    assert Order.objects.count() == 0


def test_who_asks_too_much_is_told_when_to_ask_again(api: APIClient, settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    answer = next(found for found in (api.get("/api/v1/segments/") for _number in range(8)) if found.status_code == 429)
    wait = int(answer["Retry-After"])
    unit = "second" if wait == 1 else "seconds"
    assert answer.json() == {"detail": f"These were too many requests for one minute. Ask again in {wait} {unit}."}
