"""What the pages about customers say: repeats folded, and errors of a file where they belong."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from customers.views.people import _fold_repeats

WAY = {"currency": "GBP", "time_zone": "Europe/London"}


def entry(kind: str, day: int, detail: str = "") -> dict[str, object]:
    return {"kind": kind, "order": None, "detail": detail, "happened_at": day, "first_at": day, "times": 1}


def test_a_run_of_the_same_thing_is_one_row_with_its_first_day() -> None:
    told = [
        entry("sent", 9),
        entry("sent", 8),
        entry("viewed", 7, "Tent"),
        entry("viewed", 6, "Tent"),
        entry("sent", 5),
    ]
    assert [(row["kind"], row["times"], row["first_at"]) for row in _fold_repeats(told)] == [
        ("sent", 2, 8),
        ("viewed", 1, 7),
        ("viewed", 1, 6),
        ("sent", 1, 5),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "field"), [({"currency": "POU"}, "currency"), ({"time_zone": "Mars/Base"}, "time_zone")]
)
def test_what_is_wrong_with_a_choice_is_said_at_it(
    client: Client, marketer: User, typed: dict[str, str], field: str
) -> None:
    assert list(upload(client, marketer, b"customer,at,price\n", typed).context["form"].errors) == [field]


@pytest.mark.django_db
def test_unknown_columns_are_asked_for_beside_those_of_the_file(client: Client, marketer: User) -> None:
    response = upload(client, marketer, b"foo,bar\n1,2\n", {})
    assert list(response.context["form"].errors) == ["columns"]
    assert "foo, bar" in response.content.decode()


def upload(client: Client, who: User, content: bytes, typed: dict[str, str]) -> Any:
    client.force_login(who)
    response = client.post("/imports/new/", WAY | typed | {"file": SimpleUploadedFile("orders.csv", content)})
    assert response.status_code == 422
    return response
