"""Shops that cannot be learned from, from the file to every page: a sentence of what is missing, never a crash or nonsense."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from customers.models import Customer, ModelVersion, Replay, Score
from customers.scoring.refresh import read_refresh_state, refresh_scores
from customers.scoring.replays import run_replay

pytestmark = pytest.mark.django_db

COLUMNS = "order=order,customer=customer,at=at,quantity=quantity,price=price"
FIRST = dt.datetime(2025, 1, 1, 10, tzinfo=dt.UTC)
PAGES = ("/", "/predictions/", "/predictions/replay/", "/retention/", "/customers/")
Line = tuple[int, int, dt.datetime, int]


def at(days: float) -> dt.datetime:
    return FIRST + dt.timedelta(days=days)


def ten_customers() -> Iterator[Line]:
    for n in range(80):
        yield n, n % 10, at(4 * n), 1


def one_order_each() -> Iterator[Line]:
    for n in range(400):
        yield n, n, at(n % 250), 1


def a_gap_of_a_year() -> Iterator[Line]:
    """Three months of orders, a year of nothing, and three weeks in which others order once."""
    for n in range(500):
        yield n, n % 250, at(n % 90), 1
    for n in range(250):
        yield 1000 + n, 1000 + n, at(455 + n % 21), 1


def one_day() -> Iterator[Line]:
    for n in range(600):
        yield n, n % 300, at(0) + dt.timedelta(minutes=n), 1


def one_moment() -> Iterator[Line]:
    for n in range(600):
        yield n, n % 300, at(0), 1


def refunds_alone() -> Iterator[Line]:
    for n in range(600):
        yield n, n % 300, at(n % 200), -1


def one_order() -> Iterator[Line]:
    yield 1, 1, at(0), 1


Shop = Callable[[], Iterator[Line]]
#: What is said of each, on the page and by the command; the command of a cutoff on 1 June 2025, 30 days ahead.
SHOPS: list[tuple[Shop, str]] = [
    (ten_customers, "There are 10 customers with an order early enough; at least 200 are needed."),
    (one_order_each, "0 ordered again within the horizon"),
    (a_gap_of_a_year, "0 ordered again within the horizon"),
    (one_day, "All orders are of one day, 2025-01-01. Orders over at least 58 days are needed"),
    (one_moment, "All orders are of one day, 2025-01-01. Orders over at least 58 days are needed"),
    (refunds_alone, "Import the orders, too: nothing can be learned from refunds."),
    (one_order, "at least 200 are needed"),
]


def write_file(shop: Shop, path: Path) -> Path:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["order", "customer", "at", "quantity", "price"])
        rows.writerows([n, f"c{c}", f"{when:%Y-%m-%d %H:%M}", q, "12.50"] for n, c, when, q in shop())
    return path


@pytest.mark.parametrize(("shop", "says"), SHOPS, ids=[shop.__name__ for shop, _says in SHOPS])
def test_every_page_says_what_is_missing(shop: Shop, says: str, tmp_path: Path, analyst: User, client: Client) -> None:
    path, told = write_file(shop, tmp_path / "orders.csv"), StringIO()
    call_command("import_orders", str(path), "--columns", COLUMNS, "--currency", "EUR", "--json", stdout=told)
    assert json.loads(told.getvalue())["orders"] == len(list(shop()))

    assert refresh_scores(now=timezone.now()) == 0

    assert not ModelVersion.objects.exists()
    assert not Score.objects.exists()
    assert says in read_refresh_state()["message"]
    client.force_login(analyst)
    for address in PAGES:
        assert client.get(address).status_code == 200
    page = unescape(client.get("/predictions/").content.decode())
    assert "Not enough to learn from" in page
    assert says in page
    assert client.get(f"/customers/{Customer.objects.order_by('pk')[0].pk}/").status_code == 200
    with pytest.raises(CommandError, match=re.escape(says)):
        call_command(
            "backtest", str(path), "--columns", COLUMNS, "--cutoff", "2025-06-01", "--horizon-days", "30", stdout=told
        )


def test_days_cannot_be_replayed_before_there_are_enough(tmp_path: Path, analyst: User, client: Client) -> None:
    path = write_file(ten_customers, tmp_path / "orders.csv")
    call_command("import_orders", str(path), "--columns", COLUMNS, "--currency", "EUR", "--json", stdout=StringIO())
    client.force_login(analyst)

    client.post("/predictions/replay/requests/", {"on": "2025-07-01"})
    replay = Replay.objects.get()
    assert not run_replay(replay.pk, now=timezone.now())

    page = unescape(client.get("/predictions/replay/?on=2025-07-01").content.decode())
    assert "There are 10 customers with an order early enough; at least 200 are needed." in page
