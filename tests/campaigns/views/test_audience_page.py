"""The Goal and Audience pages and their API twins: the brief with its limits, the cards, and shaping by hand."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from campaigns.approval.editing import refreeze_audience
from campaigns.models import Archetype, AudienceCell, Campaign, CampaignStatus, Offer
from customers.models import ConsentRecord, Customer, ModelVersion, Score, Segment

pytestmark = pytest.mark.django_db
INTERESTS = {"Jackets": 40, "Boots": 30, "Cookware": 12}


@pytest.fixture
def campaign(marketer: User) -> Campaign:
    """Frozen into two archetypes: Jackets, and Boots with Cookware."""
    now = timezone.now()
    model = ModelVersion.objects.create(
        version=1, estimator="test", horizon_days=60, trained_at=now, data_from=now, data_until=now, artifact=b""
    )
    for interest, people in INTERESTS.items():
        for number in range(people):
            who = Customer.objects.create(
                external_id=f"{interest}{number}",
                email=f"{interest}{number}@x.test",
                country="Norway",
                first_name="Ada",
            )
            ConsentRecord.objects.create(
                customer=who, status="given", legal_basis="consent", source="t", recorded_at=now
            )
            Score.objects.create(
                customer=who, model=model, as_of=now, churn_probability=0.7, main_reason="rhythm", interest=interest
            )
    segment = Segment.objects.create(name="Norway", rule={"field": "country", "op": "is", "value": "Norway"})
    made = Campaign.objects.create(
        name="Autumn", author=marketer, holdout_seed="5eed", segment=segment, max_archetypes=2
    )
    Offer.objects.create(campaign=made)
    refreeze_audience(marketer, made, now=now)
    return made


@pytest.fixture
def page(client: Client, marketer: User) -> Client:
    client.force_login(marketer)
    return client


@pytest.fixture
def api(marketer: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(marketer)
    return client


def by_interest(interest: str) -> Archetype:
    return AudienceCell.objects.get(interest=interest).archetype  # type: ignore[return-value]


def test_the_page_shows_each_archetype_with_its_numbers_people_and_parts(page: Client, campaign: Campaign) -> None:
    shown = page.get(f"/campaigns/{campaign.pk}/audience/").content.decode()
    assert "2 archetypes, each with a text of its own" in shown
    assert "Who was put together" in shown
    assert "Take out Cookware" in shown
    assert "Near their middle" in shown
    assert "70%" in shown


def test_sampled_people_are_shown_only_to_who_may_see_customers(client: Client, campaign: Campaign) -> None:
    user = User.objects.create_user("reader")
    from django.contrib.auth.models import Permission

    user.user_permissions.add(Permission.objects.get(codename="view_campaign"))
    client.force_login(user)
    assert "Near their middle" not in client.get(f"/campaigns/{campaign.pk}/audience/").content.decode()


def test_a_part_is_taken_out_and_put_back_by_hand(page: Client, campaign: Campaign) -> None:
    part = {"archetype": by_interest("Cookware").pk, "side": "interest", "value": "Cookware"}
    answer = page.post(f"/campaigns/{campaign.pk}/archetypes/removal/", part, follow=True)
    assert "is an archetype of its own." in answer.content.decode()
    assert "shaped by hand" in answer.content.decode()
    assert by_interest("Cookware") != by_interest("Boots")
    pair = {"first": by_interest("Cookware").pk, "second": by_interest("Boots").pk}
    answer = page.post(f"/campaigns/{campaign.pk}/archetypes/merger/", pair, follow=True)
    assert "now holds both" in answer.content.decode()
    assert by_interest("Cookware") == by_interest("Boots")
    page.post(f"/campaigns/{campaign.pk}/archetypes/split/", {"forget": "1"})
    assert not Archetype.objects.filter(is_shaped=True).exists()


def test_another_number_is_chosen_within_bounds(page: Client, campaign: Campaign) -> None:
    address = f"/campaigns/{campaign.pk}/archetypes/split/"
    for number, words in (("3", "There are 3 archetypes now."), ("99", "From 1 to 30."), ("x", "From 1 to 30.")):
        assert words in page.post(address, {"max_archetypes": number}, follow=True).content.decode()
    assert Archetype.objects.filter(campaign=campaign).count() == 3


def test_the_freeze_form_takes_channels_and_number_and_says_what_is_wrong(page: Client, campaign: Campaign) -> None:
    address = f"/campaigns/{campaign.pk}/audience/freeze/"
    refused = page.post(address, {"holdout_share": "0.1", "max_archetypes": "31"})
    assert refused.status_code == 422
    assert "less than or equal to 30" in refused.content.decode()
    page.post(address, {"holdout_share": "0.1", "max_archetypes": "3", "channels": ["email", "sms"]})
    campaign.refresh_from_db()
    assert (campaign.max_archetypes, campaign.channels, campaign.audience_frozen_at is not None) == (
        3, ["email", "sms"], True
    )  # fmt: skip


@pytest.mark.parametrize("status", [CampaignStatus.IN_REVIEW, CampaignStatus.SENT])
def test_a_locked_campaign_is_not_shaped(page: Client, campaign: Campaign, status: str) -> None:
    Campaign.objects.update(status=status)
    pair = {"first": by_interest("Jackets").pk, "second": by_interest("Boots").pk}
    assert page.post(f"/campaigns/{campaign.pk}/archetypes/merger/", pair).status_code == 409
    assert "Take out" not in page.get(f"/campaigns/{campaign.pk}/audience/").content.decode()


def test_what_is_not_of_this_campaign_is_not_found(page: Client, campaign: Campaign) -> None:
    base = f"/campaigns/{campaign.pk}"
    assert page.post(f"{base}/archetypes/merger/", {"first": "1000000", "second": "x"}).status_code == 404
    assert page.post(f"{base}/archetypes/removal/", {"archetype": "1000000"}).status_code == 404


def test_a_page_of_thirty_archetypes_asks_as_many_questions_as_one_of_two(page: Client, campaign: Campaign) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    asked = []
    for most in (1, 3):
        page.post(f"/campaigns/{campaign.pk}/archetypes/split/", {"max_archetypes": most})
        with CaptureQueriesContext(connection) as questions:
            page.get(f"/campaigns/{campaign.pk}/audience/")
        asked.append(len(questions))
    assert asked[0] == asked[1]


GOAL = {"name": "Autumn", "kind": "none", "goal": "", "instruction": ""}


def test_the_brief_is_kept_one_fact_to_a_line(page: Client, campaign: Campaign) -> None:
    brief = {"talking_points": "- Repairs are free\r\n\r\n• Open on Sundays", "tone": "calm", "avoid": "sorry"}
    page.post(f"/campaigns/{campaign.pk}/goal/", GOAL | brief | {"segment": campaign.segment_id})
    campaign.refresh_from_db()
    assert campaign.talking_points == "Repairs are free\nOpen on Sundays"
    assert (campaign.tone, campaign.avoid) == ("calm", "sorry")
    assert campaign.audience_frozen_at is not None


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("tone", "x" * 201, "at most 200 characters"),
        ("avoid", "x" * 501, "at most 500 characters"),
        ("talking_points", "x" * 201, "Point 1 has 201 characters"),
        ("talking_points", "\n".join("abcdefghijk"), "At most 10 points"),
        ("talking_points", "x" * 1001, "at most 1000 characters"),
    ],
)
def test_what_is_too_long_is_said_at_the_field_and_nothing_is_lost(
    page: Client, campaign: Campaign, field: str, value: str, words: str
) -> None:
    data = GOAL | {"segment": campaign.segment_id, "name": "Winter", field: value}
    answer = page.post(f"/campaigns/{campaign.pk}/goal/", data)
    assert answer.status_code == 422
    assert words in answer.context["form"].errors[field][0]
    assert "Winter" in answer.content.decode()
    campaign.refresh_from_db()
    assert campaign.name == "Autumn"


def test_the_api_reads_cards_and_shapes_as_the_pages_do(api: APIClient, campaign: Campaign) -> None:
    base = f"/api/v1/campaigns/{campaign.pk}"
    archetypes = api.get(f"{base}/archetypes/").json()
    mixed = next(one for one in archetypes if len(one["card"]["parts"]) == 2)
    card = mixed["card"]
    assert "samples" not in card
    assert {number["key"] for number in card["numbers"]} >= {"churn_probability"}
    part = next(part for part in card["parts"] if part["value"] == "Cookware")
    taken = {"archetype": mixed["id"], "side": part["side"], "value": part["value"]}
    assert api.post(f"{base}/archetypes/removal/", taken).status_code == 200
    pair = {"first": by_interest("Cookware").pk, "second": by_interest("Jackets").pk}
    assert api.post(f"{base}/archetypes/merger/", pair).status_code == 200
    assert by_interest("Cookware") == by_interest("Jackets")
    assert api.post(f"{base}/archetypes/reset/").json()["max_archetypes"] == 3
    assert api.patch(f"{base}/", {"max_archetypes": 31}, format="json").status_code == 400
    points = {"talking_points": "a" * 201, "channels": ["sms"]}
    assert "Point 1" in str(api.patch(f"{base}/", points, format="json").json())
    answer = api.patch(f"{base}/", {"channels": ["email", "sms"], "tone": "calm"}, format="json").json()
    assert (answer["channels"], answer["tone"], answer["audience_frozen_at"]) == (["email", "sms"], "calm", None)


def test_the_api_refuses_what_is_locked_unknown_or_not_allowed(
    api: APIClient, campaign: Campaign, outsider: User
) -> None:
    base = f"/api/v1/campaigns/{campaign.pk}"
    pair = {"first": by_interest("Boots").pk, "second": by_interest("Boots").pk}
    assert api.post(f"{base}/archetypes/merger/", pair).status_code == 400
    lost = {"archetype": 10**9, "side": "interest", "value": "Boots"}
    assert api.post(f"{base}/archetypes/removal/", lost).status_code == 404
    Campaign.objects.update(status=CampaignStatus.SENT)
    assert api.post(f"{base}/archetypes/reset/").status_code == 409
    api.force_authenticate(outsider)
    assert api.post(f"{base}/archetypes/reset/").status_code in (403, 404)
