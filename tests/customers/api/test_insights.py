"""The figures of retention through the API."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from customers.models import Customer, Order

from .conftest import client_of

pytestmark = pytest.mark.django_db
FIGURES = ("cohorts", "intervals", "rfm", "value")


def order(name: str, days_ago: int, total: int = 10) -> None:
    customer, _made = Customer.objects.get_or_create(external_id=name)
    Order.objects.create(
        external_id=f"{name}-{days_ago}", customer=customer, currency="EUR", total=total,
        ordered_at=timezone.now() - dt.timedelta(days=days_ago),
    )  # fmt: skip


def test_every_figure_says_as_of_when_and_in_which_currency(marketing: APIClient) -> None:
    for number in range(12):
        order(f"c{number}", 100 + number, total=number + 1)
        order(f"c{number}", 20)
    for figure in FIGURES:
        answer = marketing.get(f"/api/v1/insights/{figure}/")
        assert answer.status_code == 200, answer.content
        assert {"as_of", "zone", "currency", "customers", "rows"} <= set(answer.json())
        assert answer.json()["customers"] == 12 and answer.json()["rows"]


def test_cohorts_come_by_month_or_by_week(marketing: APIClient) -> None:
    order("ingrid", 100)
    order("ingrid", 50)
    order("jon", 2)  # without it the shop would be one whose data end with ingrid's order
    months = marketing.get("/api/v1/insights/cohorts/").json()["rows"]
    weeks = marketing.get("/api/v1/insights/cohorts/?by=week").json()["rows"]
    assert sum(row["ordered"] for row in weeks) == 1
    assert len(weeks) > len(months)
    wrong = marketing.get("/api/v1/insights/cohorts/?by=year")
    assert wrong.status_code == 400 and wrong.json()["errors"][0]["path"] == "by"


def test_a_shop_without_orders_says_so(marketing: APIClient) -> None:
    answer = marketing.get("/api/v1/insights/value/")
    assert answer.status_code == 404 and "no order" in answer.json()["detail"]


def test_who_may_not_see_segments_may_not_see_figures_either(support_agent: User, outsider: User) -> None:
    for user in (support_agent, outsider):
        for figure in FIGURES:
            assert client_of(user).get(f"/api/v1/insights/{figure}/").status_code == 403
