"""Shops that can be learned from, but are odd: what is said of their customers stays within reason, and every page stands."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from customers.models import Customer, ModelVersion, Order, Score, ScoreStatus
from customers.scoring.explain import describe_reason
from customers.scoring.refresh import refresh_scores

pytestmark = pytest.mark.django_db

FIELDS = ("order", "customer", "at", "quantity", "price", "currency", "product")
COLUMNS = ",".join(f"{field}={field}" for field in FIELDS)
FIRST = dt.datetime(2025, 1, 1, 10, tzinfo=dt.UTC)
DAYS = 240
PAGES = ("/", "/predictions/", "/predictions/replay/", "/retention/", "/customers/")
Line = tuple[int, str, dt.datetime, int, float, str, str]
Shop = Callable[[], Iterator[Line]]


def usual(customers: int = 260) -> Iterator[Line]:
    """Orders of 10 to 80 euros; a part of the customers stops at some time."""
    rng = np.random.default_rng(4)
    for c in range(customers):
        gap, day = rng.lognormal(3.5, 0.8), rng.uniform(0, 150)
        end = min(day + rng.exponential(150), DAYS)
        while day < end:
            at = FIRST + dt.timedelta(days=float(day))
            yield (
                c * 1_000 + int(day),
                f"c{c}",
                at,
                1,
                round(float(rng.uniform(10, 80)), 2),
                "EUR",
                f"p{rng.integers(9)}",
            )
            day += rng.exponential(gap) + 1


def one_orders_all_the_time() -> Iterator[Line]:
    yield from usual()
    for n in range(10_000):
        yield 10**6 + n, "whale", FIRST + dt.timedelta(hours=n * DAYS * 24 / 10_000), 1, 5.0, "EUR", "p1"


def some_pay_in_yen() -> Iterator[Line]:
    for order, customer, at, quantity, price, _currency, product in usual():
        in_yen = int(customer[1:]) % 4 == 0
        yield order, customer, at, quantity, price * 160 if in_yen else price, "JPY" if in_yen else "EUR", product


def more_comes_back_than_was_bought() -> Iterator[Line]:
    """Mixed orders whose sum is below nought."""
    for line in usual():
        yield line
        if line[0] % 3 == 0:
            yield (*line[:3], -2, *line[4:6], "other")


def all_is_free() -> Iterator[Line]:
    for line in usual():
        yield (*line[:4], 0.0, *line[5:])


SHOPS: list[Shop] = [one_orders_all_the_time, some_pay_in_yen, more_comes_back_than_was_bought, all_is_free]


def import_shop(lines: Iterator[Line], path: Path) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(FIELDS)
        rows.writerows((order, who, f"{at:%Y-%m-%d %H:%M}", *rest) for order, who, at, *rest in lines)
    call_command("import_orders", str(path), "--columns", COLUMNS, "--currency", "EUR", "--json", stdout=StringIO())


@pytest.mark.parametrize("shop", SHOPS, ids=[shop.__name__ for shop in SHOPS])
def test_what_is_said_stays_within_reason(shop: Shop, tmp_path: Path, analyst: User, client: Client) -> None:
    import_shop(shop(), tmp_path / "orders.csv")

    assert refresh_scores(now=timezone.now()) > 0

    model = ModelVersion.objects.get()
    json.dumps(model.metrics, allow_nan=False)
    scores = Score.objects.filter(status=ScoreStatus.SCORED)
    assert scores.count() > 200
    for score in scores:
        assert score.churn_probability is not None and 0 < score.churn_probability < 1
        assert score.expected_orders is not None and 0 <= score.expected_orders <= 2 * model.horizon_days
        assert score.expected_value is not None and 0 <= score.expected_value < 10_000
        for reason in score.reasons:
            assert math.isfinite(reason["points"])
            assert describe_reason(reason)
    is_mixed = any("another currency" in limit for limit in model.card["limits"])
    assert is_mixed == (shop is some_pay_in_yen)
    client.force_login(analyst)
    for address in PAGES:
        assert client.get(address).status_code == 200
    dearest = scores.order_by("-expected_value")[0]
    assert client.get(f"/customers/{dearest.customer_id}/").status_code == 200


def test_an_order_dated_in_the_future_changes_no_score(tmp_path: Path) -> None:
    import_shop(usual(), tmp_path / "orders.csv")
    now = FIRST + dt.timedelta(days=DAYS)
    refresh_scores(now=now)
    before = dict(Score.objects.values_list("customer__external_id", "churn_probability"))
    for person in Customer.objects.order_by("pk")[:20]:
        Order.objects.create(
            external_id=f"typo-{person.pk}", customer=person, ordered_at=now + dt.timedelta(days=3_650), currency="EUR",
            total=99,
        )  # fmt: skip

    refresh_scores(now=now)

    assert dict(Score.objects.values_list("customer__external_id", "churn_probability")) == before


def test_guests_alone_are_no_customers(tmp_path: Path, analyst: User, client: Client) -> None:
    """Orders without a customer cannot be imported, and the pages then say that there is nothing to learn from."""
    with pytest.raises(CommandError, match="no customer"):
        import_shop(((line[0], "", *line[2:]) for line in usual()), tmp_path / "orders.csv")

    assert refresh_scores(now=timezone.now()) == 0
    client.force_login(analyst)
    for address in PAGES:
        assert client.get(address).status_code == 200
    assert "Nothing to learn from yet" in client.get("/predictions/").content.decode()
