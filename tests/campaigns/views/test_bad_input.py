"""What staff see, on the page and in the API, when a model fails or nobody may be written to; and that nothing is lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from campaigns.content.drafting import archetypes_waiting, draft_archetype
from campaigns.models import Archetype, AudienceMember, Campaign, CampaignStatus, Offer, Variant
from customers.api.authentication import issue_api_key
from customers.models import ConsentRecord, Customer, ModelVersion, Score, Segment
from tests import model_server as faults
from tests.model_server import ModelServer, Step, use_model_server

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = {
    "subject": "The trails are getting wet",
    "preheader": "And your jacket is waiting",
    "opening": "It has been a while since you were here, and the paths are muddy again.",
    "invitation": "Come and have a look at what is new.",
}
FAULTS: dict[str, tuple[Callable[[], Step] | None, str]] = {
    "down": (None, "cannot be reached"),
    "slow": (lambda: faults.fault_slow_head(30.0), "did not answer in time"),
    "nonsense": (faults.fault_bad_json, "Try again"),
    "a web page": (faults.fault_html, "answers with a web page"),
    "429": (faults.fault_429, "too much to do"),
    "500": (faults.fault_500, "an error of its own"),
    "cut stream": (faults.fault_cut_body, "the connection broke"),
    "slow stream": (faults.fault_slow_body, "did not answer in time"),
}


@pytest.fixture
def campaign(marketer: User) -> Campaign:
    """A draft with two kinds of customer; the segment is whoever lives in Norway."""
    rule = {"field": "country", "op": "is", "value": "Norway"}
    made = Campaign.objects.create(
        name="Autumn", author=marketer, holdout_seed="5eed", scheduled_for=timezone.now(),
        segment=Segment.objects.create(name="Norway", rule=rule),
    )  # fmt: skip
    Offer.objects.create(campaign=made)
    for cell in ("rhythm|*|en", "returns|*|en"):
        Archetype.objects.create(campaign=made, cell=cell, reason=cell.split("|")[0], language="en", size=9)
    return made


@pytest.fixture
def page(client: Client, marketer: User) -> Client:
    client.force_login(marketer)
    return client


@pytest.fixture
def api(marketer: User) -> APIClient:
    _row, key = issue_api_key(marketer, "test")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def work_off_drafts() -> None:
    """As the worker does, again and again until nothing waits any more."""
    now = timezone.now()
    for _turn in range(6):
        for archetype_id in archetypes_waiting(now):
            draft_archetype(archetype_id, now=now)
        now += dt.timedelta(hours=1)
    assert archetypes_waiting(now) == []


def read(page: Client, campaign: Campaign, step: str) -> str:
    response = page.get(f"/campaigns/{campaign.pk}/{step}/")
    assert response.status_code == 200
    return unescape(response.content.decode())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_model_is_told_on_page_and_api_and_mended_by_asking_again(
    fault: str, model_server: ModelServer, campaign: Campaign, page: Client, api: APIClient, settings: Settings
) -> None:
    step, sentence = FAULTS[fault]
    settings.LLM_TIMEOUT_S = 1.0 if fault.startswith("slow") else 20.0
    if step is None:
        settings.LLM_BASE_URL = "http://127.0.0.1:9/v1"
    else:
        model_server.always(step())
    assert page.post(f"/campaigns/{campaign.pk}/drafts/").status_code == 302
    work_off_drafts()

    told = read(page, campaign, "messages")
    assert told.count("draft failed") == 2
    assert sentence in told
    assert told.count("Draft this one") == 2
    for kind in api.get(f"/api/v1/campaigns/{campaign.pk}/archetypes/").json():
        assert (kind["draft_status"], kind["variants"]) == ("failed", [])
        assert sentence in kind["draft_error"]

    use_model_server(settings, model_server)
    model_server.always(faults.answer(GOOD))
    assert api.post(f"/api/v1/campaigns/{campaign.pk}/drafts/").status_code == 202
    work_off_drafts()
    told = read(page, campaign, "messages")
    assert "draft failed" not in told and sentence not in told
    assert told.count(GOOD["subject"]) >= 2


def test_a_text_that_was_there_outlives_a_failed_try_for_another(
    model_server: ModelServer, campaign: Campaign, page: Client
) -> None:
    model_server.always(faults.answer(GOOD))
    page.post(f"/campaigns/{campaign.pk}/drafts/")
    work_off_drafts()
    before = list(Variant.objects.order_by("pk").values_list("pk", "content_hash"))
    model_server.always(faults.fault_wrong_key())
    page.post(f"/campaigns/{campaign.pk}/drafts/", {"archetype": Archetype.objects.order_by("pk")[0].pk})
    work_off_drafts()
    told = read(page, campaign, "messages")
    assert "did not accept the key" in told and told.count(GOOD["subject"]) >= 2
    assert list(Variant.objects.order_by("pk").values_list("pk", "content_hash")) == before


def test_while_a_try_waits_for_its_turn_the_page_says_what_happened(
    model_server: ModelServer, campaign: Campaign, page: Client
) -> None:
    model_server.always(faults.fault_429(retry_after_s=120))
    page.post(f"/campaigns/{campaign.pk}/drafts/")
    for archetype_id in archetypes_waiting(timezone.now()):
        draft_archetype(archetype_id, now=timezone.now())
    told = read(page, campaign, "messages")
    assert "too much to do" in told and "Drafts are being written" in told
    assert "draft failed" not in told


@pytest.mark.parametrize("fault", FAULTS)
def test_trying_the_connection_says_what_is_wrong(
    fault: str, model_server: ModelServer, site_admin: User, client: Client, settings: Settings
) -> None:
    step, sentence = FAULTS[fault]
    settings.LLM_TIMEOUT_S = 1.0 if fault.startswith("slow") else 20.0
    if step is None:
        settings.LLM_BASE_URL = "http://127.0.0.1:9/v1"
    else:
        model_server.always(step())
    client.force_login(site_admin)
    told = client.post("/settings/model-check/", follow=True)
    assert told.status_code == 200
    assert sentence in unescape(told.content.decode())


def freeze(page: Client, api: APIClient, campaign: Campaign) -> tuple[str, str]:
    """What page and API answer to a freeze that they refuse."""
    shown = page.post(f"/campaigns/{campaign.pk}/audience/freeze/", {"holdout_share": "0.1"})
    assert shown.status_code == 422
    answered = api.post(f"/api/v1/campaigns/{campaign.pk}/audience/freeze/")
    assert answered.status_code == 400
    return unescape(shown.content.decode()), answered.json()["errors"][0]["message"]


def make_people(count: int, **fields: str) -> None:
    model = ModelVersion.objects.create(
        version=1, estimator="x", horizon_days=90, trained_at=timezone.now(), data_from=timezone.now(),
        data_until=timezone.now(), artifact=b"",
    )  # fmt: skip
    for number in range(count):
        person = Customer.objects.create(
            external_id=f"c{number}", country="Norway", email=f"c{number}@shopper.test", **fields
        )
        Score.objects.create(customer=person, model=model, as_of=timezone.now(), churn_probability=0.5)


def test_a_segment_that_matches_nobody_is_told_on_page_and_api(
    campaign: Campaign, page: Client, api: APIClient
) -> None:
    for told in freeze(page, api, campaign):
        assert "The segment matches nobody at this moment. Widen its rule, or choose another segment." in told
    campaign.refresh_from_db()
    assert (campaign.audience_frozen_at, campaign.status) == (None, CampaignStatus.DRAFT)
    assert Archetype.objects.count() == 2, "nothing half-done"


def test_an_audience_without_consent_is_told_on_page_and_api(campaign: Campaign, page: Client, api: APIClient) -> None:
    make_people(3)
    for told in freeze(page, api, campaign):
        assert "The segment matches 3 people, but none of them may be written to (no consent: 3)." in told
    assert not AudienceMember.objects.exists()


def test_an_audience_of_test_contacts_is_told_how_to_let_them_in(
    campaign: Campaign, page: Client, api: APIClient, settings: Settings
) -> None:
    settings.USES_MAIL_CATCHER = True
    make_people(2)
    for person in Customer.objects.all():
        ConsentRecord.objects.create(
            customer=person, status="given", legal_basis="consent", source="import", is_test=True,
            recorded_at=timezone.now(),
        )  # fmt: skip
    for told in freeze(page, api, campaign):
        assert "only a test contact: 2" in told and "let them in below" in told


def test_a_campaign_without_anybody_cannot_be_submitted(campaign: Campaign, page: Client) -> None:
    told = page.post(f"/campaigns/{campaign.pk}/submission/", follow=True)
    assert told.status_code in (200, 409, 422)
    assert "audience" in unescape(told.content.decode()).lower()
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT
