"""A result is looked at by saved segments: who is in which is written down when people are drawn, and no message moves it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from campaigns.approval.editing import edit_campaign
from campaigns.approval.hashing import part_hashes
from campaigns.audience.any_look import share_confidence
from campaigns.audience.freeze import freeze_audience
from campaigns.audience.looks import MOST_LOOKS
from campaigns.delivery.entering.sweep import let_people_in
from campaigns.models import AudienceMember, Campaign, CampaignResult, Entry
from campaigns.outcomes.attribution import expect, measure_campaign
from campaigns.outcomes.estimates import describe_look
from campaigns.outcomes.sums import count_sums
from campaigns.outcomes.windows import read_window
from customers.models import Customer, Order, Segment
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW
from tests.campaigns.entering.live import MONDAY, make_people, make_triggered, start
from tests.campaigns.outcomes.whom.shop import score_everybody

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
PEOPLE = 240


@pytest.fixture
def segments(db: None) -> list[Segment]:
    """Two of which some people are in both."""
    rules = [
        {"field": "language", "op": "in", "value": ["de"]},
        {"match": "all", "rules": [{"field": "time_zone", "op": "in", "value": ["Europe/Paris"]}, arrange.RULE]},
    ]
    return [Segment.objects.create(name=name, rule=rule) for name, rule in zip(("Odd", "Oban"), rules, strict=True)]


@pytest.fixture
def campaign(segments: list[Segment], marketer: User, approver: User) -> Campaign:
    people = arrange.make_customers(PEOPLE, first_id=5000)
    Customer.objects.filter(pk__in=[each.pk for each in people[::2]]).update(time_zone="Europe/Paris")
    Customer.objects.filter(pk__in=[each.pk for each in people[::3]]).update(language="de")
    score_everybody(people)
    made = arrange.make_campaign(marketer, [])
    Campaign.objects.filter(pk=made.pk).update(holdout_share=0.4)
    made.refresh_from_db()
    edit_campaign(marketer, made, {"looked_at": [segments[1].pk, segments[0].pk]}, now=NOW)
    freeze_audience(made, now=NOW, actor=None)
    return made


def test_who_is_in_which_is_written_down_at_the_freeze(campaign: Campaign, segments: list[Segment]) -> None:
    assert [look["name"] for look in campaign.looks] == ["Oban", "Odd"]
    for member in AudienceMember.objects.filter(campaign=campaign).select_related("customer"):
        assert member.in_looks == (member.customer.time_zone == "Europe/Paris") + 2 * (member.customer.language == "de")
    segments[0].rule = {"field": "country", "op": "in", "value": ["France"]}
    segments[0].save()
    Customer.objects.update(time_zone="UTC")
    assert sum(AudienceMember.objects.values_list("in_looks", flat=True)) > 0


def test_the_result_is_told_for_each_corrected_for_their_number(
    campaign: Campaign, segments: list[Segment], marketer: User, client: Client
) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(sending_started_at=NOW, status="sending")
    campaign.refresh_from_db()
    members = AudienceMember.objects.filter(campaign=campaign).order_by("customer_id")
    Order.objects.bulk_create(
        Order(external_id=f"o{m.pk}", customer_id=m.customer_id, ordered_at=NOW + DAY, total=20, currency="EUR")
        for place, m in enumerate(members)
        if place % 7 < (4 if m.arm == "treatment" else 3)
    )
    Customer.objects.update(time_zone="UTC", language="fr")  # no matter any more
    at = NOW + 5 * DAY
    figures = measure_campaign(campaign, as_of=at)
    assert set(figures["segments"]) == {str(each.pk) for each in segments}
    window = read_window(campaign, as_of=at)
    assert window is not None
    sums = count_sums(campaign, window, as_of=at, currency="EUR")
    for place, look in enumerate(campaign.looks):
        mine = [m for m in members if m.in_looks >> place & 1]
        pair = sums.by_look[place]
        told = figures["segments"][str(look["segment"])]
        assert [told["treated"], told["holdout"]] == [arm.n for arm in pair]
        assert told["treated"] == sum(m.arm == "treatment" for m in mine)
        ordered = set(Order.objects.values_list("customer_id", flat=True))
        assert [arm.kept for arm in pair] == [
            sum(m.customer_id in ordered for m in mine if m.arm == arm) for arm in ("treatment", "holdout")
        ]
        alone = describe_look(
            *(arm.moments for arm in pair), expected=expect(*pair, days=campaign.attribution_days), elapsed_days=0, grows=False,
            confidence=share_confidence(0.95, 2),
        )  # fmt: skip
        assert alone is not None and (told["low"], told["high"]) == (alone["low"], alone["high"])
    CampaignResult.objects.create(campaign=campaign, day=at.date(), figures=figures, measured_at=at)
    client.force_login(marketer)
    page = client.get(reverse("campaigns:result", args=[campaign.pk])).content.decode()
    assert "By segment, as people were drawn" in page and "Oban" in page
    file = b"".join(client.get(reverse("campaigns:result-file", args=[campaign.pk]))).decode()  # type: ignore[call-overload]
    assert "segment,Odd,any_look,points" in file


def test_the_choice_is_a_part_of_what_is_approved_and_needs_a_new_freeze(
    campaign: Campaign, segments: list[Segment], marketer: User
) -> None:
    before = part_hashes(campaign)["measurement"]
    edit_campaign(marketer, campaign, {"looked_at": [segments[0].pk]}, now=NOW)
    campaign.refresh_from_db()
    assert part_hashes(campaign)["measurement"] != before
    assert campaign.audience_frozen_at is None


def test_what_is_no_saved_segment_is_refused(campaign: Campaign, segments: list[Segment], marketer: User) -> None:
    Segment.objects.filter(pk=segments[0].pk).update(is_archived=True)
    api = APIClient()
    api.force_login(marketer)
    for chosen in ([segments[0].pk], [10**9], ["x"], [True], "5", [segments[1].pk] * 3 + list(range(1, 9))):
        with pytest.raises(ValidationError):
            edit_campaign(marketer, campaign, {"looked_at": chosen}, now=NOW)
        answer = api.patch(f"/api/v1/campaigns/{campaign.pk}/", {"looked_at": chosen}, format="json")
        assert answer.status_code == 400, (chosen, answer.content)
    answer = api.patch(f"/api/v1/campaigns/{campaign.pk}/", {"looked_at": []}, format="json")
    assert answer.status_code == 200 and answer.json()["looked_at"] == []


def test_the_audience_page_offers_saved_segments(campaign: Campaign, marketer: User, client: Client) -> None:
    client.force_login(marketer)
    page = client.get(reverse("campaigns:audience", args=[campaign.pk])).content.decode()
    assert "Look at segments besides" in page and page.count('name="looked_at"') == 2
    many = [Segment.objects.create(name=f"S{number}", rule=arrange.RULE).pk for number in range(MOST_LOOKS + 1)]
    answer = client.post(
        reverse("campaigns:freeze", args=[campaign.pk]),
        {"holdout_share": "40", "looked_at": [str(each) for each in many]},
    )
    assert answer.status_code == 422


def test_in_a_live_campaign_it_is_written_down_at_the_entry(segments: list[Segment]) -> None:
    cast = arrange.make_cast()
    make_people(40, now=MONDAY)
    chosen = [segments[0].pk]
    trigger = {"on": "segment", "includes_present": True}
    made = start(make_triggered(cast, now=MONDAY, trigger=trigger, looked_at=chosen), cast, now=MONDAY)
    Customer.objects.filter(pk__in=list(Customer.objects.values_list("pk", flat=True)[:15])).update(language="de")
    let_people_in(MONDAY + dt.timedelta(hours=1))
    entries = Entry.objects.filter(campaign=made).select_related("customer")
    assert entries.filter(in_looks=1).count() == 15
    assert all(entry.in_looks == (entry.customer.language == "de") for entry in entries)
