"""Fifteen kinds of model fault, fifty drafts each: every row says what happened, nothing of it can be approved, no 5xx."""

from __future__ import annotations

import datetime as dt
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from campaigns import tasks
from campaigns.approval import workflow
from campaigns.approval.policy import NotReady, find_obstacles
from campaigns.content.drafting import MOST_ATTEMPTS, request_drafts
from campaigns.models import (
    Approval,
    Archetype,
    Arm,
    AudienceMember,
    Campaign,
    CampaignStatus,
    DraftStatus,
    Message,
    TransitionConflict,
    Variant,
)
from customers.models import Segment
from llm.budget import read_day_spend
from llm.models import LlmCall
from tests import model_server as faults
from tests.campaigns import arrange
from tests.model_server import ModelServer, Step, answer, answer_text, find_schema

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DRAFTS = 50
#: So many of them are new; the others are at their last try already, which spares waiting for what is the same again.
FROM_THE_START = 5
CHINESE = {
    "subject": "欢迎回来",
    "preheader": "好久不见",
    "opening": "山里的路又湿了，您的外套在等您。",
    "invitation": "来看看新品吧。",
}

KINDS: dict[str, Step] = {
    "429": faults.fault_429(),
    "no credit": faults.fault_insufficient_quota(),
    "500": faults.fault_500(),
    "503": faults.fault_error(503, "Overloaded"),
    "time-out": faults.fault_slow_head(),
    "slow drip": faults.fault_slow_body(),
    "cut stream": faults.fault_cut_body(says_length=False),
    "dropped": faults.fault_dropped(),
    "bad JSON": faults.fault_bad_json(),
    "half an object": answer({"subject": "Come back to us"}),
    "over-long": faults.fault_over_long(),
    "refusal": faults.fault_refusal(),
    "empty": faults.fault_empty(),
    "HTML": faults.fault_html(),
    "wrong language": answer(CHINESE),
}


@pytest.fixture
def campaign(marketer: User) -> Campaign:
    """Fifty kinds of customer with somebody in each, and no text yet."""
    made = arrange.make_campaign(marketer, send_at=timezone.now() + dt.timedelta(days=1), now=timezone.now())
    Segment.objects.update(rule={"field": "country", "op": "in", "value": ["Scotland"]})
    people = arrange.make_customers(DRAFTS, prefix="p")
    Archetype.objects.filter(campaign=made).delete()
    archetypes = Archetype.objects.bulk_create(
        Archetype(campaign=made, cell=f"kind {n}", interest=f"Shelf {n}", language="en", size=1) for n in range(DRAFTS)
    )
    AudienceMember.objects.filter(campaign=made).delete()
    AudienceMember.objects.bulk_create(
        AudienceMember(campaign=made, customer=person, arm=Arm.TREATMENT, archetype=archetype)
        for person, archetype in zip(people, archetypes, strict=True)
    )
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_fifty_drafts_end_in_rows_that_say_what_happened_and_cannot_be_approved(
    kind: str,
    campaign: Campaign,
    marketer: User,
    approver: User,
    site_admin: User,
    model_server: ModelServer,
    settings: Settings,
) -> None:
    settings.LLM_TIMEOUT_S = 0.2 if kind in ("time-out", "slow drip") else 20.0
    settings.LLM_BREAKER_FAILURES = 0
    settings.LLM_DAILY_TOKEN_CAP = 10_000_000
    _answer_with(model_server, kind)

    request_drafts(campaign, user=marketer, now=timezone.now())
    _work_off(campaign)

    rows = Archetype.objects.filter(campaign=campaign)
    wanted = DraftStatus.DRAFTED if kind == "wrong language" else DraftStatus.FAILED
    assert set(rows.values_list("draft_status", flat=True)) == {wanted}
    assert all(len(said) > 30 for said in rows.values_list("draft_error", flat=True))
    assert not [
        variant.pk for variant in Variant.objects.filter(archetype__campaign=campaign) if not variant.is_blocked
    ]
    _try_to_approve(campaign, marketer, approver)
    _look_everywhere(campaign, site_admin, str(rows[0].draft_error))
    assert not LlmCall.objects.filter(outcome=LlmCall.Outcome.ASKED).exists()
    assert read_day_spend(timezone.now()).tokens <= 10_000_000


def _answer_with(server: ModelServer, kind: str) -> None:
    """The fault, or for a text of the wrong language one that fits the schema of whichever prompt asks."""

    def in_chinese(request: dict[str, Any]) -> Step:
        return answer({name: CHINESE.get(name, "欢迎") for name in find_schema(request)["properties"]})

    def half(request: dict[str, Any]) -> Step:
        return answer_text('{"subject": "Come back to us"}')

    chosen = {"wrong language": in_chinese, "half an object": half}.get(kind)
    server.answer_with(chosen) if chosen else server.always(KINDS[kind])


def _work_off(campaign: Campaign) -> None:
    """As the sweep does, over and over, without its waiting."""
    rows = Archetype.objects.filter(campaign=campaign)
    rows.filter(pk__in=list(rows.order_by("pk").values_list("pk", flat=True)[FROM_THE_START:])).update(
        draft_attempts=MOST_ATTEMPTS - 1
    )
    for _try in range(MOST_ATTEMPTS + 1):
        rows.update(draft_not_before=None)
        for pk in rows.waiting_for_draft(timezone.now()).values_list("pk", flat=True):
            tasks.draft_archetype(pk)


def _try_to_approve(campaign: Campaign, marketer: User, approver: User) -> None:
    """Through the functions, through the pages, and with the state forced."""
    obstacles = find_obstacles(campaign)
    are_missing = any(said.startswith(f"{DRAFTS} texts are missing") for said in obstacles)
    assert are_missing or sum("finding that blocks" in said for said in obstacles) == DRAFTS
    with pytest.raises(NotReady):
        workflow.submit_campaign(marketer, campaign, now=timezone.now())
    with pytest.raises(TransitionConflict):
        workflow.approve_campaign(approver, campaign, now=timezone.now())
    for user in (marketer, approver):
        browser = Client(raise_request_exception=False)
        browser.force_login(user)
        for noun in ("submission", "approval", "schedule"):
            for address in (f"/campaigns/{campaign.pk}/{noun}/", f"/api/v1/campaigns/{campaign.pk}/{noun}/"):
                assert browser.post(address, {}).status_code < 500, address
    Campaign.objects.filter(pk=campaign.pk).update(status=CampaignStatus.IN_REVIEW)
    with pytest.raises(TransitionConflict):
        workflow.approve_campaign(approver, campaign, now=timezone.now())
    Campaign.objects.filter(pk=campaign.pk).update(status=CampaignStatus.DRAFT)
    assert not Approval.objects.exists() and not Message.objects.exists()


def _look_everywhere(campaign: Campaign, site_admin: User, said: str) -> None:
    """Every page and API list that shows drafts, and the sentence where people look for it."""
    browser = Client(raise_request_exception=False)
    browser.force_login(site_admin)
    texts = Variant.objects.filter(archetype__campaign=campaign).values_list("pk", flat=True)[:3]
    addresses = [
        "/", "/campaigns/", "/review/", "/settings/model/", "/api/v1/campaigns/", "/api/v1/archetypes/", "/api/v1/variants/",
        f"/api/v1/campaigns/{campaign.pk}/", f"/api/v1/campaigns/{campaign.pk}/archetypes/",
        *(f"/campaigns/{campaign.pk}/{step}/" for step in ("goal", "audience", "messages", "timing", "review", "live", "result")),
        *(f"/variants/{text}/{page}" for text in texts for page in ("", "preview/", "model-call/", "decision/")),
        *(f"/api/v1/archetypes/{pk}/" for pk in campaign.archetypes.values_list("pk", flat=True)[:3]),
    ]  # fmt: skip
    answers = {address: browser.get(address, follow=True) for address in addresses}
    assert not {address: reply.status_code for address, reply in answers.items() if reply.status_code >= 500}
    told = unescape(answers[f"/campaigns/{campaign.pk}/messages/"].content.decode())
    assert said in told or said.split(". ")[0] in told
