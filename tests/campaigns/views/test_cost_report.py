"""The page Cost, its file, the prices, the minutes, and the card on a campaign's result."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.models import AudienceMember, Campaign, CampaignResult, CostRates, StaffTime
from campaigns.outcomes.attribution import measure_campaign
from campaigns.outcomes.lift import estimate_lift
from campaigns.outcomes.pricing import save_rates
from customers.models import AuditEntry
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW

pytestmark = pytest.mark.django_db
END = NOW + dt.timedelta(days=61)


@pytest.fixture
def campaign(marketer: User, approver: User) -> Campaign:
    people = arrange.make_customers(6)
    cast = arrange.make_cast()
    made = arrange.make_campaign(cast.marketer, people[:4], held_out=people[4:], name='=SUM("Autumn")')
    arrange.start(made, cast)
    Campaign.objects.filter(pk=made.pk).update(sending_started_at=NOW)
    made.refresh_from_db()
    return made


def _store(campaign: Campaign, treated_kept: int, *, discount: float = 4.0) -> None:
    """A result of 400 written to and 400 held out, of whom 100 ordered."""
    lift = estimate_lift(400, treated_kept, 400, 100)
    spread = [[1.0 if row == column else 0.0 for column in range(5)] for row in range(5)]
    arm = {"n": 400, "means": [20.0, discount, discount, 0.2, 0.25], "spread": spread}
    figures = measure_campaign(campaign, as_of=END)
    figures |= {"retention": lift.as_json()}
    figures["spending"] |= {"treated": arm, "holdout": arm | {"means": [18.0, 0.0, 0.0, 0.0, 0.25]}}
    CampaignResult.objects.update_or_create(
        campaign=campaign, day=END.date(), defaults={"figures": figures, "measured_at": END}
    )


def _read(client: Client, user: User, name: str = "campaigns:report-cost", *args: Any) -> str:
    client.force_login(user)
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    if answer.streaming:
        return b"".join(answer.streaming_content).decode()  # type: ignore[arg-type]
    return str(answer.content.decode())


def test_before_anything_was_measured_the_page_says_so(marketer: User, client: Client) -> None:
    assert "No campaign has been measured yet" in _read(client, marketer)


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (160, "Each customer kept cost about"),
        (110, "cannot be bounded"),
        (60, "No customer was kept"),
    ],
)  # fmt: skip
def test_the_sentence_says_what_the_interval_allows(
    campaign: Campaign, marketer: User, client: Client, kept: int, words: str
) -> None:
    _store(campaign, kept)
    for name, args in (("campaigns:report-cost", ()), ("campaigns:result", (campaign.pk,))):
        assert words in _read(client, marketer, name, *args)
    assert "Some prices are not known" in _read(client, marketer)


def test_home_says_the_same_figure(campaign: Campaign, marketer: User, client: Client) -> None:
    _store(campaign, 160)
    told = CampaignResult.objects.get().figures["retention"]["kept"]
    each = f"€{1600 / told:,.2f}"
    assert each in _read(client, marketer)
    assert each in _read(client, marketer, "home")


def test_the_file_holds_no_formula_and_is_noted(campaign: Campaign, marketer: User, client: Client) -> None:
    _store(campaign, 160)
    lines = _read(client, marketer, "campaigns:report-cost-file").splitlines()
    assert lines[0].lstrip("\ufeff").startswith("campaign,started_on")
    assert lines[1].startswith('"\'=SUM(""Autumn"")"')
    assert "bounded" in lines[1]
    assert AuditEntry.objects.filter(action="exported", object_kind="report", object_id="cost").exists()


def test_prices_are_typed_and_kept(campaign: Campaign, approver: User, marketer: User, client: Client) -> None:
    client.force_login(approver)
    url = reverse("campaigns:cost-rates")
    assert client.post(url, {"margin": "140"}).status_code == 422
    assert not CostRates.objects.exists()
    assert client.post(url, {"margin": "42.5", "price:email": "0.0004"}).status_code == 302
    rates = CostRates.objects.get()
    assert (rates.margin_share, rates.message_prices) == (Decimal("0.425"), {"email": "0.0004"})
    assert 'value="42.5"' in _read(client, approver, "campaigns:cost-rates")
    client.force_login(marketer)
    assert client.post(url, {"margin": "1"}).status_code == 403
    assert CostRates.objects.count() == 1


def test_a_provider_that_messages_left_by_can_be_priced(campaign: Campaign, approver: User, client: Client) -> None:
    _store(campaign, 160)
    assert "price:email/mill" not in _read(client, approver, "campaigns:cost-rates")
    result = CampaignResult.objects.get()
    result.figures["spending"]["sent"] = [{"channel": "email", "route": "mill", "number": 4}]
    result.save()
    assert 'name="price:email/mill"' in _read(client, approver, "campaigns:cost-rates")


def test_what_was_left_is_said_as_plainly_where_it_is_a_loss(campaign: Campaign, marketer: User, analyst: User,
                                                              client: Client) -> None:  # fmt: skip
    known = {"staff_hour": Decimal(0), "delivery": None, "model_exchange": None, "message_prices": {"email": "0"}}
    save_rates(analyst, known | {"margin_share": Decimal("0.5")}, now=NOW)
    _store(campaign, 160, discount=9.0)
    assert "cost more than they earned" in _read(client, marketer)
    _store(campaign, 160, discount=0.1)
    assert "earned more than they cost" in _read(client, marketer)


def test_minutes_are_entered_and_taken_back(campaign: Campaign, marketer: User, analyst: User, client: Client) -> None:
    _store(campaign, 160)
    url = reverse("campaigns:staff-time", args=[campaign.pk])
    client.force_login(marketer)
    client.post(url, {"minutes": "ninety"})
    assert not StaffTime.objects.exists()
    client.post(url, {"minutes": "90"})
    assert StaffTime.objects.get().minutes == 90
    assert "as entered" in _read(client, marketer, "campaigns:result", campaign.pk)
    client.post(url, {"minutes": ""})
    assert not StaffTime.objects.exists()
    client.force_login(analyst)
    assert client.post(url, {"minutes": "90"}).status_code == 403
    assert AudienceMember.objects.filter(campaign=campaign).count() == 6
