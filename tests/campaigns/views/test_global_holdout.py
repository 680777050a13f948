"""The page Hold-out, what customers are told, and the panel that says what a hold-out would show."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.audience.holdout import draws_holdout
from campaigns.audience.planning import find_smallest_at_any_look
from campaigns.models import Campaign, GlobalHoldout, GlobalHoldoutResult
from tests.campaigns import arrange
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
FIGURES: dict[str, Any] = {
    "currency": "EUR", "cap": 400.0, "days": 60,
    "retention": {"treated": 9_500, "holdout": 500, "treated_rate": 0.42, "holdout_rate": 0.38, "treated_kept": 3_990,
                  "holdout_kept": 190},
    "any_look": {"points": 4.0, "low": 1.0, "high": 7.0, "verdict": "positive", "weeks": None},
    "any_look_amounts": {"orders": {"effect": 0.06, "low": -0.01, "high": 0.13, "verdict": ""},
                         "paid": {"effect": 3.5, "low": 0.5, "high": 6.5, "verdict": "positive"}},
    "sample_ratio": {"expected_holdout": 500.0, "p_value": 0.9, "is_alarming": False},
    "reached": {"treated": 8_000, "holdout": 0},
}  # fmt: skip


def _log_in(make_user: MakeUser, role: str) -> Client:
    client = Client()
    client.force_login(make_user(f"{role}-person", role))
    return client


def _begin(share: float = 0.05, salt: str = "5a17" * 8) -> GlobalHoldout:
    began = timezone.now() - 60 * DAY
    return GlobalHoldout.objects.create(
        number=1, salt=salt, share=share, begins_at=began, reason="to learn", changed_at=began
    )


def test_an_administrator_switches_it_on_and_the_page_says_so(make_user: MakeUser) -> None:
    admin = _log_in(make_user, "admin")
    assert "Nobody is held out of all promotions." in admin.get("/settings/hold-out/").content.decode()
    given = {"percent": "5", "renew_days": "180", "reason": "What do all campaigns do together?"}
    told = admin.post("/settings/hold-out/change/", given, follow=True).content.decode()
    assert "From now on these customers get no promotions." in told
    assert "It has just begun." in told
    row = GlobalHoldout.objects.get()
    assert (row.share, row.renew_days) == (0.05, 180)
    assert "That was so already." in admin.post("/settings/hold-out/change/", given, follow=True).content.decode()


@pytest.mark.parametrize("wrong", [{"percent": "40"}, {"renew_days": "5"}, {"reason": ""}, {"percent": "x"}])
def test_what_cannot_be_is_said_and_what_was_typed_stays(make_user: MakeUser, wrong: dict[str, str]) -> None:
    given = {"percent": "5", "renew_days": "180", "reason": "kept as typed"} | wrong
    answer = _log_in(make_user, "admin").post("/settings/hold-out/change/", given)
    assert answer.status_code == 422
    assert given["renew_days"] in answer.content.decode()
    assert not GlobalHoldout.objects.exists()


@pytest.mark.parametrize("role", ["marketer", "approver", "analyst"])
def test_others_read_it_and_change_nothing(make_user: MakeUser, role: str) -> None:
    person = _log_in(make_user, role)
    assert "Change it" not in person.get("/settings/hold-out/").content.decode()
    assert person.post("/settings/hold-out/change/", {"percent": "5"}).status_code == 403


def test_what_all_campaigns_did_is_said_with_its_intervals(make_user: MakeUser) -> None:
    holdout = _begin()
    GlobalHoldoutResult.objects.create(
        holdout=holdout, day=timezone.now().date(), figures=FIGURES, measured_at=timezone.now()
    )
    page = _log_in(make_user, "analyst").get("/settings/hold-out/").content.decode()
    assert "All campaigns together kept about 380 customers who would not have ordered." in page
    assert "+1.0" in page
    assert "+7.0" in page
    assert "no clear difference yet" in page
    assert "derive_holdout" in page


def test_reached_people_and_a_broken_draw_are_said_first(make_user: MakeUser) -> None:
    figures = FIGURES | {
        "reached": {"treated": 1, "holdout": 25},
        "sample_ratio": {"expected_holdout": 800.0, "is_alarming": True},
    }
    GlobalHoldoutResult.objects.create(
        holdout=_begin(), day=timezone.now().date(), figures=figures, measured_at=timezone.now()
    )
    page = _log_in(make_user, "analyst").get("/settings/hold-out/").content.decode()
    assert "25 of the 500 people held out (5.0%)" in page
    assert "not as large as they were drawn" in page


def test_the_customers_page_says_who_is_held_out(make_user: MakeUser) -> None:
    people = arrange.make_customers(40, first_id=9_000_000)
    holdout = _begin(share=0.3)
    drawn = next(each for each in people if draws_holdout(holdout.salt, each.pk, 0.3))
    other = next(each for each in people if not draws_holdout(holdout.salt, each.pk, 0.3))
    marketer = _log_in(make_user, "marketer")
    assert "held out of all" in marketer.get(f"/customers/{drawn.pk}/").content.decode()
    assert "held out of all" not in marketer.get(f"/customers/{other.pk}/").content.decode()


@pytest.fixture
def frozen(db: None) -> Campaign:
    people = arrange.make_customers(200)
    campaign = arrange.make_campaign(arrange.make_cast().marketer, people[40:], held_out=people[:40])
    counts = {"treatment": 160, "holdout": 40, "matched": 200, "excluded": {}}
    Campaign.objects.filter(pk=campaign.pk).update(audience_counts=counts, holdout_share=0.2)
    campaign.refresh_from_db()
    return campaign


def _ask(campaign: Campaign, **given: str) -> str:
    client = Client()
    client.force_login(campaign.author)
    answer = client.get(f"/campaigns/{campaign.pk}/audience/power/", given)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_panel_follows_the_share_the_effect_and_the_margin(frozen: Campaign) -> None:
    assert "<strong>40 held out</strong> (20%)" in _ask(frozen)
    assert "<strong>20 held out</strong> (10%)" in _ask(frozen, holdout_share="10")
    assert "<strong>100 held out</strong> (50%)" in _ask(frozen, holdout_share="50")
    assert "too small to be seen" in _ask(frozen, holdout_share="50", effect_points="2")
    assert "would be seen" in _ask(frozen, holdout_share="50", effect_points="30")
    assert "not even with half of the people" in _ask(frozen, effect_points="1")
    assert "Recommended share" in _ask(frozen, effect_points="40")


@pytest.mark.parametrize("given", ["", "x", "nan", "inf", "-5", "1e9", "0"])
def test_the_panel_takes_anything(frozen: Campaign, given: str) -> None:
    assert "What it can show" in _ask(frozen, holdout_share=given, effect_points=given, margin=given)


def test_before_the_freeze_it_speaks_of_the_whole_segment(frozen: Campaign) -> None:
    Campaign.objects.filter(pk=frozen.pk).update(audience_counts={}, updated_at=timezone.now())
    told = _ask(frozen, holdout_share="10")
    assert "of everybody in the segment" in told
    assert "<strong>20 held out</strong>" in told


def test_the_field_takes_per_cent_and_the_share_it_took_before(frozen: Campaign) -> None:
    client = Client()
    client.force_login(frozen.author)
    page = client.get(f"/campaigns/{frozen.pk}/audience/").content.decode()
    assert 'value="20"' in page
    assert "data-slider" in page
    for typed, share in (("15", 0.15), ("0.25", 0.25), ("1", 0.01)):
        client.post(f"/campaigns/{frozen.pk}/audience/freeze/", {"holdout_share": typed})
        frozen.refresh_from_db()
        assert frozen.holdout_share == share
    assert client.post(f"/campaigns/{frozen.pk}/audience/freeze/", {"holdout_share": "51"}).status_code == 422


def test_what_a_share_would_show_is_told_by_the_intervals_of_the_page(
    make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.views.global_holdout.expect_round", lambda days, now: (20_000, 0.3))
    page = _log_in(make_user, "admin").get("/settings/hold-out/")
    told = {row["percent"]: row for row in page.context["shares"]}
    assert told[5]["smallest"] == find_smallest_at_any_look(19_000, 1_000, 0.3)
    assert told[2]["smallest"] > told[15]["smallest"]
    assert f"{100 * told[5]['smallest']:.1f}" in page.content.decode()
    assert "when a round of 182 days ends" in page.content.decode()
