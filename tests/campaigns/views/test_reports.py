"""The pages Retention, Lift and Fairness: empty, told in a sentence, and as files."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.approval.fairness import Ratio
from campaigns.outcomes.ratio import Bounded
from campaigns.outcomes.reports.telling import judge
from campaigns.views.reports.lift import find_axis
from customers.models import AuditEntry, Customer, SensitiveAttributes
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW
from tests.campaigns.outcomes.test_reports import LATER, _measured, _send, _use, countries  # noqa: F401

pytestmark = pytest.mark.django_db


def _stop_clock(monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> None:
    monkeypatch.setattr(timezone, "now", lambda: now)


def _read(client: Client, user: User, name: str) -> str:
    client.force_login(user)
    answer = client.get(reverse(f"campaigns:report-{name}"))
    assert answer.status_code == 200
    return b"".join(answer).decode()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lift", "No campaign has been measured yet"),
        ("retention", "needs customers who bought more than 90 days ago"),
        ("fairness", "No attribute is marked as sensitive"),
    ],
)
def test_an_empty_shop_is_told_what_is_missing(marketer: User, client: Client, name: str, words: str) -> None:
    assert words in _read(client, marketer, name)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([(2_000, 600, 1_000, 200), (2_000, 600, 1_000, 210)], "2 of them clearly kept customers."),
        ([(2_000, 100, 1_000, 200), (2_000, 400, 1_000, 200)], "None clearly kept customers."),
        ([(2_000, 100, 1_000, 200), (2_000, 400, 1_000, 200)], "1 of them clearly lost customers."),
    ],
)
def test_lift_is_said_in_a_sentence(
    marketer: User, client: Client, counts: list[tuple[int, int, int, int]], words: str
) -> None:
    for number, row in enumerate(counts):
        _measured(f"Campaign {number}", *row)
    page = _read(client, marketer, "lift")
    assert words in page
    assert "Mean over campaigns" in page
    file = _read(client, marketer, "lift-file")
    assert len(file.splitlines()) == 3
    assert AuditEntry.objects.filter(action="exported", object_id="lift").exists()


def test_what_campaigns_added_is_said_beside_the_rate(
    marketer: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stop_clock(monkeypatch, NOW)
    _measured("Loss", 2_000, 100, 1_000, 200)
    assert "kept_by_campaigns,2026-11-01,2000,,-300.0" in _read(client, marketer, "retention-file")
    for number, customer in enumerate(arrange.make_customers(8)):
        for days in (-100, -20) if number < 6 else (-100,):
            _use(customer, 0, NOW + dt.timedelta(days=days))
    page = _read(client, marketer, "retention")
    assert "75.0% of customers stay." in page
    assert "fewer customers stayed than without them" in page


def test_after_a_pause_of_the_shop_an_older_rate_is_told_with_its_day(
    marketer: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stop_clock(monkeypatch, NOW)
    people = arrange.make_customers(3)
    for customer, days in ((people[0], 250), (people[0], 190), (people[1], 240), (people[2], 3)):
        _use(customer, 0, NOW - dt.timedelta(days=days))
    page = _read(client, marketer, "retention")
    assert "nobody bought in the 90 days before the last 90" in page
    assert "bought again (95% interval" not in page


@pytest.mark.usefixtures("countries")
def test_fairness_names_the_groups_that_got_less(
    marketer: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = list(Customer.objects.order_by("pk"))
    _send(people[::2] + people[1:16:2], people[17::2])
    _stop_clock(monkeypatch, LATER)
    page = _read(client, marketer, "fairness")
    assert "Ireland (Country)" in page
    assert "clearly below 0.8" in page
    assert "country,2026-11,Ireland,40,8" in _read(client, marketer, "fairness-file")


def test_a_marked_attribute_without_offers_has_nothing_to_compare(marketer: User, client: Client) -> None:
    SensitiveAttributes.objects.create(keys=["language"], changed_by=marketer, changed_at=NOW)
    assert "Nothing to compare yet" in _read(client, marketer, "fairness")


@pytest.mark.parametrize(
    ("ratio", "word"),
    [(Ratio(0.9, 0.7, 1.1), ""), (Ratio(0.7, 0.5, 0.95), "maybe"), (Ratio(0.6, 0.5, 0.7), "low"), (Ratio(None, None, None), "")],
)  # fmt: skip
def test_a_ratio_below_four_fifths_is_called_clear_only_beyond_doubt(ratio: Ratio, word: str) -> None:
    assert judge(ratio) == word


def test_the_axis_holds_all_intervals_but_the_widest() -> None:
    assert find_axis([]) == 0.05
    assert find_axis([Bounded(1, -7, 9)]) == pytest.approx(0.10)
    assert find_axis([Bounded(0, -90, 90)]) == pytest.approx(0.40)
