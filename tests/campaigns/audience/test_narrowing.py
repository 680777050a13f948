"""A share of the audience is written to: the first in the ranking, and some of the others at random."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.approval.editing import edit_campaign
from campaigns.approval.hashing import part_hashes
from campaigns.audience.drift import measure_drift
from campaigns.audience.freeze import freeze_audience
from campaigns.audience.holdout import draw_position, draws_holdout, explore_seed
from campaigns.models import ApprovalPart, AudienceMember, Campaign
from customers.models import Customer, Reaction

from .conftest import NOW, MakeCustomer

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd(make_customer: MakeCustomer) -> list[Customer]:
    """Eighty people, ranked in the order in which they came, and four whom the ranking does not know."""
    people = [make_customer(f"c{number}", score={}) for number in range(84)]
    Reaction.objects.bulk_create(
        Reaction(
            customer=person, kind="message", group="not_known", band=1, score=-place, study=1, as_of=NOW, effect=0,
            effect_low=-0.1, effect_high=0.1, rate=0.3, rate_low=0.2, rate_high=0.4,
        )
        for place, person in enumerate(people[:80])
    )  # fmt: skip
    return people


def _narrow(campaign: Campaign, share: float | None, explore: float = 0.25) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(write_share=share, explore_share=explore)
    campaign.refresh_from_db()
    freeze_audience(campaign, now=NOW, actor=None)


def test_the_first_are_in_and_of_the_others_those_whom_the_seed_draws(
    campaign: Campaign, crowd: list[Customer]
) -> None:
    _narrow(campaign, 0.5)
    members = {member.customer_id: member for member in AudienceMember.objects.filter(campaign=campaign)}
    for place, person in enumerate(crowd):
        member = members[person.pk]
        drawn = draw_position(explore_seed("5eed"), person.pk) < 0.25
        arm = "holdout" if draws_holdout("5eed", person.pk, 0.2) else "treatment"
        if place < 40 or place >= 80:  # who has no place stays: nothing speaks against writing to them
            assert (member.arm, member.is_explored) == (arm, False)
        elif drawn:
            assert (member.arm, member.is_explored) == (arm, True)
        else:
            assert (member.arm, member.exclusion_reason) == ("excluded", "little_gain")
    assert campaign.audience_counts["excluded"] == {
        "little_gain": sum(member.exclusion_reason == "little_gain" for member in members.values())
    }
    assert 0 < sum(member.is_explored for member in members.values()) < 40


def test_who_is_left_out_is_no_drift_and_the_choice_is_approved_with_the_audience(
    campaign: Campaign, crowd: list[Customer]
) -> None:
    _narrow(campaign, None)
    everybody = part_hashes(campaign)[ApprovalPart.AUDIENCE]
    assert not AudienceMember.objects.filter(campaign=campaign, arm="excluded").exists()
    _narrow(campaign, 0.5)
    half = part_hashes(campaign)[ApprovalPart.AUDIENCE]
    drift = measure_drift(campaign, now=NOW)
    assert drift is not None and drift.changed == 0
    Campaign.objects.filter(pk=campaign.pk).update(explore_share=0.3)
    assert len({everybody, half, part_hashes(campaign)[ApprovalPart.AUDIENCE]}) == 3


def test_a_live_campaign_is_not_narrowed(campaign: Campaign, crowd: list[Customer]) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(kind="triggered")
    campaign.refresh_from_db()
    _narrow(campaign, 0.1)
    assert not AudienceMember.objects.filter(campaign=campaign, exclusion_reason="little_gain").exists()


def test_the_page_takes_the_choice_freezes_again_and_review_says_it(
    campaign: Campaign, crowd: list[Customer], client: Client, marketer: User
) -> None:
    edit_campaign(marketer, campaign, {}, now=NOW)
    freeze_audience(campaign, now=NOW, actor=None)
    client.force_login(marketer)
    address = f"/campaigns/{campaign.pk}/narrowing/"
    assert client.post(address, {"write_percent": "50", "explore_percent": "10"}).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.write_share, campaign.explore_share) == (0.5, 0.1)
    left_out = AudienceMember.objects.filter(campaign=campaign, exclusion_reason="little_gain").count()
    assert left_out > 0
    for page in ("audience", "review"):
        said = client.get(f"/campaigns/{campaign.pk}/{page}/").content.decode()
        assert f"{left_out} people are left out" in said, page
    client.post(address, {"write_percent": "3", "explore_percent": "10"})
    campaign.refresh_from_db()
    assert campaign.write_share == 0.5
    client.post(address, {"write_percent": "100", "explore_percent": "10"})
    assert not AudienceMember.objects.filter(campaign=campaign, exclusion_reason="little_gain").exists()


def test_a_stranger_may_not_choose(campaign: Campaign, client: Client, approver: User) -> None:
    client.force_login(approver)
    response = client.post(f"/campaigns/{campaign.pk}/narrowing/", {"write_percent": "50", "explore_percent": "10"})
    campaign.refresh_from_db()
    assert response.status_code in {302, 403} and campaign.write_share is None
