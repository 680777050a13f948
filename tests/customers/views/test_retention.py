"""The Retention page: what it says of a shop of any size, its files, and who may see it."""

from __future__ import annotations

import csv
import datetime as dt
import io
from html import unescape
from re import findall

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import Customer, Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, marketer: User) -> Client:
    client.force_login(marketer)
    return client


def order(name: str, days_ago: float, total: int = 10, country: str = "") -> None:
    customer, _made = Customer.objects.get_or_create(external_id=name, defaults={"country": country})
    Order.objects.create(
        external_id=f"{name}-{days_ago}", customer=customer, currency="EUR", total=total,
        ordered_at=timezone.now() - dt.timedelta(days=days_ago),
    )  # fmt: skip


def read(page: Client, address: str = "/retention/") -> str:
    answer = page.get(address)
    assert answer.status_code == 200
    return " ".join(unescape(answer.content.decode()).split())


def test_an_empty_shop_is_told_to_import(page: Client) -> None:
    assert "No orders yet" in read(page)


def test_a_first_order_of_today_is_told_to_come_back(page: Client) -> None:
    order("ingrid", 0)
    assert "Only complete days are counted" in read(page)


def test_one_order_is_a_sentence_and_no_crash(page: Client) -> None:
    order("ingrid", 3)
    for address in ("/retention/", "/retention/?by=week"):
        told = read(page, address)
        assert "1 customer has ordered, and has not come a second time yet." in told
        assert "Tenths need at least ten customers." in told
        assert "nobody can have left" in told


def test_one_customer_with_many_orders_is_shown(page: Client) -> None:
    for days in range(2, 400, 30):
        order("ingrid", days)
    assert "The only customer so far ordered <strong>a second time</strong>." in read(page)


def test_every_figure_says_how_it_was_counted(page: Client) -> None:
    for number in range(20):
        order(f"c{number}", 300 - number * 10, total=number + 1, country="DE" if number % 2 else "FR")
        order(f"c{number}", 30 - number)
    told = read(page)
    assert told.count("How this was counted") == 6
    assert "FROM customers_order o WHERE o.ordered_at <" in told
    assert "Who left: Country" in told


def test_in_chinese_the_countries_that_people_left_have_chinese_names(page: Client) -> None:
    for number in range(25):
        order(f"c{number}", 300 - number * 10, country="Germany" if number % 2 else "FR")
    told = page.get("/retention/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "德国" in told and "法国" in told and "Germany" not in told
    told = page.get("/retention/", headers={"accept-language": "en"}).content.decode()
    assert "Germany" in told and "France" in told


def test_a_cell_of_the_map_opens_as_a_segment(page: Client, client: Client, approver: User) -> None:
    for number in range(20):
        order(f"c{number}", 10 + number * 7)
    links = findall(r'href="(/segments/new/\?rule=[^"]+)"', page.get("/retention/").content.decode())
    assert len(links) == 5
    opened = read(page, unescape(links[0]))
    assert "days since the last order" in opened and "number of orders" in opened
    client.force_login(approver)
    assert "?rule=" not in read(client)


def test_an_address_with_a_broken_rule_begins_a_segment_as_usual(page: Client) -> None:
    for rule in ("{", "[]", '{"field": "shoe_size", "op": "gte", "value": 1}', "null", "1"):
        assert page.get("/segments/new/", {"rule": rule}).status_code == 200


@pytest.mark.parametrize("figure", ["cohorts", "intervals", "rfm", "value", "churn"])
def test_every_figure_can_be_downloaded(page: Client, figure: str) -> None:
    for number in range(12):
        order(f"c{number}", 200 + number)
        order(f"c{number}", 100)
    for by in ("week", "month"):
        answer = page.get(f"/retention/{figure}.csv?by={by}")
        rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
        assert answer.status_code == 200 and rows and None not in rows[0]
        assert "attachment" in answer["Content-Disposition"]


def test_a_figure_that_there_is_not_is_not_found(page: Client) -> None:
    assert page.get("/retention/cohorts.csv").status_code == 404
    order("ingrid", 3)
    assert page.get("/retention/shoes.csv").status_code == 404


def test_the_page_asks_as_many_questions_for_thirty_customers_as_for_three(
    page: Client,
) -> None:
    counts = []
    for first, last in ((0, 3), (3, 30)):
        for number in range(first, last):
            order(f"c{number}", 20 + number)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            read(page)
        counts.append(len(asked))
    assert counts[1] <= counts[0]
