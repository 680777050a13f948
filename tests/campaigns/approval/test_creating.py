"""A new campaign: who may make one, and what it starts with."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from pytest_django import Settings

from campaigns.approval.editing import create_campaign
from campaigns.models import Campaign, CampaignStatus, Offer
from customers.models import Segment

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def segment(db: None) -> Segment:
    return Segment.objects.create(name="All", rule={"match": "all", "rules": []})


def test_a_new_campaign_is_a_draft_of_its_author(marketer: User, segment: Segment, settings: Settings) -> None:
    settings.HOLDOUT_SHARE = 0.15
    offer = {"kind": "percent", "value": 10, "code": "TEN"}
    campaign = create_campaign(marketer, {"name": "Spring", "segment": segment}, offer, now=NOW)
    assert (campaign.status, campaign.author, campaign.created_at) == (CampaignStatus.DRAFT, marketer, NOW)
    assert campaign.holdout_share == 0.15
    assert len(campaign.holdout_seed) == 32
    assert (campaign.offer.kind, campaign.offer.code) == ("percent", "TEN")


def test_without_an_offer_it_promises_nothing(marketer: User, segment: Segment) -> None:
    campaign = create_campaign(marketer, {"name": "Spring", "segment": segment}, now=NOW)
    assert campaign.offer.kind == Offer.Kind.NONE


def test_an_approver_makes_no_campaigns(approver: User, segment: Segment) -> None:
    with pytest.raises(PermissionDenied):
        create_campaign(approver, {"name": "Spring", "segment": segment}, now=NOW)
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("fields", "offer"),
    [({"holdout_share": 0.9}, {}), ({"status": "approved"}, {}), ({}, {"kind": "percent", "value": -1})],
)
def test_what_cannot_be_is_refused_and_nothing_is_left(
    marketer: User, segment: Segment, fields: dict[str, object], offer: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        create_campaign(marketer, {"name": "Spring", "segment": segment, **fields}, offer, now=NOW)
    assert not Campaign.objects.exists()
