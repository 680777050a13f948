"""The Result page: what was known before taken out, kinds of customer, alarms, and what is said before the end."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign, CampaignResult
from campaigns.outcomes.attribution import measure_campaign
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

pytestmark = pytest.mark.django_db


def _estimate(effect: float) -> dict[str, Any]:
    one = {"effect": effect, "low": effect - 2.0, "high": effect + 2.0}
    return {"plain": one, "adjusted": one, "is_adjusted": True, "correlation": 0.4, "narrowing": 0.09}


@pytest.fixture
def campaign(marketer: User, approver: User) -> Campaign:
    people = arrange.make_customers(6)
    cast = arrange.make_cast()
    made = arrange.make_campaign(cast.marketer, people[:4], held_out=people[4:])
    arrange.start(made, cast)
    Campaign.objects.filter(pk=made.pk).update(sending_started_at=NOW)
    made.refresh_from_db()
    return made


def _store(campaign: Campaign, *, day: int = 70, **changes: Any) -> None:
    at = NOW + dt.timedelta(days=day)
    figures = measure_campaign(campaign, as_of=at) | changes
    CampaignResult.objects.create(campaign=campaign, day=at.date(), figures=figures, measured_at=at)


def _read(client: Client, user: User, campaign: Campaign) -> str:
    client.force_login(user)
    answer = client.get(reverse("campaigns:result", args=[campaign.pk]))
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_estimates_and_kinds_of_customer_are_shown(campaign: Campaign, marketer: User, client: Client) -> None:
    archetype = campaign.archetypes.get()
    row = {"treated": 900, "holdout": 90, "points": 3.0, "low": 1.0, "high": 5.0, "p_holm": 0.01}
    _store(
        campaign, cap=180.0,
        estimates={"kept": _estimate(3.0), "orders": _estimate(0.25), "paid": _estimate(4.5)},
        archetypes=[{"archetype": archetype.pk, **row}, {"archetype": archetype.pk, **row, "p_holm": 0.4}],
    )  # fmt: skip
    page = _read(client, marketer, campaign)
    for words in ("With what was known before taken out", "+3.0", "+0.250", "€4.50", "€180.00", "9%",
                  "more ordered", "no clear difference"):  # fmt: skip
        assert words in page


def test_alarms_of_the_draw_are_said_first(campaign: Campaign, marketer: User, client: Client) -> None:
    _store(
        campaign,
        sample_ratio={"expected_holdout": 40.0, "p_value": 1e-6, "is_alarming": True},
        reached_by_others={"treated": 3, "holdout": 1},
    )
    page = _read(client, marketer, campaign)
    assert "not as large as they were drawn" in page
    assert "1 of the 2 people held out" in page


@pytest.mark.parametrize(
    ("look", "words"),
    [
        ({"verdict": "positive", "weeks": None}, "Clear before the end: more"),
        ({"verdict": "negative", "weeks": None}, "Clear before the end: fewer"),
        ({"verdict": "", "weeks": 3}, "may take 3 more weeks"),
        ({"verdict": "", "weeks": None}, "orders are counted for"),
    ],
)
def test_before_the_end_only_what_holds_at_every_look_is_said(
    campaign: Campaign, marketer: User, client: Client, look: dict[str, Any], words: str
) -> None:
    _store(campaign, day=20, any_look={"points": 2.0, "low": -1.5, "high": 5.5, **look})
    page = _read(client, marketer, campaign)
    assert words in page
    assert "−1.5 to +5.5 however often one looks" in page
    assert '<div class="figure">+2.0</div>' in page, "the difference that the interval is around"
    assert "So far 0.0% of those who were written to have ordered" in page


def test_the_truth_of_a_demo_shop_is_held_against_a_result_only_at_its_end(
    campaign: Campaign, marketer: User, client: Client
) -> None:
    at = NOW + dt.timedelta(days=20)
    figures = measure_campaign(campaign, as_of=at)
    result = CampaignResult.objects.create(
        campaign=campaign, day=at.date(), figures=figures, measured_at=at, true_effect_points=1.5
    )
    page = _read(client, marketer, campaign)
    assert "True +1.5 points over the whole" in page and "The interval" not in page.split("How we know")[0]
    figures["retention"]["verdict"] = "no_effect"
    CampaignResult.objects.filter(pk=result.pk).update(figures=figures)
    assert "The interval covers it." in _read(client, marketer, campaign)


def test_the_list_shows_no_interval_that_holds_for_one_look_only(
    campaign: Campaign, marketer: User, client: Client
) -> None:
    _store(campaign, day=20)
    client.force_login(marketer)
    assert "interval" not in client.get(reverse("campaigns:list")).content.decode()
    CampaignResult.objects.all().delete()
    _store(campaign, day=20, any_look={"points": 2.0, "low": -1.5, "high": 5.5, "verdict": "", "weeks": None})
    assert "+2.0 points, most likely −1.5 to +5.5 points" in client.get(reverse("campaigns:list")).content.decode()


def test_a_result_of_an_earlier_version_is_still_shown(campaign: Campaign, marketer: User, client: Client) -> None:
    at = NOW + dt.timedelta(days=70)
    figures = measure_campaign(campaign, as_of=at)
    for name in ("estimates", "cap", "any_look", "archetypes", "sample_ratio", "reached_by_others"):
        del figures[name]
    CampaignResult.objects.create(campaign=campaign, day=at.date(), figures=figures, measured_at=at)
    assert "With what was known before" not in _read(client, marketer, campaign)


def test_orders_money_and_kinds_are_bounded_at_every_look(campaign: Campaign, marketer: User, client: Client) -> None:
    look = {
        "points": 3.0,
        "low": 0.5,
        "high": 5.5,
        "verdict": "positive",
        "weeks": None,
        "treated": 800,
        "holdout": 200,
    }
    _store(
        campaign, day=20, cap=180.0,
        estimates={"kept": _estimate(3.0), "orders": _estimate(0.25), "paid": _estimate(4.5)},
        any_look={"points": 3.0, "low": -2.5, "high": 8.5, "verdict": "", "weeks": None},
        any_look_amounts={"orders": {"effect": 0.25, "low": -0.125, "high": 0.625, "verdict": ""},
                          "paid": {"effect": 4.5, "low": 1.25, "high": 7.75, "verdict": "positive"}},
        any_look_archetypes={str(campaign.archetypes.get().pk): look},
        risks={"leaves": look | {"verdict": "", "low": -1.5}, "stays": look}, archetypes=[],
    )  # fmt: skip
    page = _read(client, marketer, campaign)
    for words in ("However often one looks", "−0.125 … +0.625", "€1.25", "€7.75", "By kind of customer, so far",
                  "By how likely they were to leave", "Likely to leave", "Likely to stay", "more ordered",
                  "no clear difference"):  # fmt: skip
        assert words in page
    assert "Clear before the end" not in page


def test_a_text_is_called_better_only_when_that_is_sure(campaign: Campaign, marketer: User, client: Client) -> None:
    assert "Which text does best" not in _read(client, marketer, campaign)
