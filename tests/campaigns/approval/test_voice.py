"""A new voice or new policies: who may, and what they do to the texts that are not yet sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.approval import workflow
from campaigns.approval.voice import restore_policies, restore_voice, save_policies, save_voice
from campaigns.content.voice import read_voice
from campaigns.delivery.scheduler import start_campaign
from campaigns.models import (
    Approval,
    Archetype,
    BrandVoice,
    Campaign,
    CampaignStatus,
    CampaignTransition,
    ShopPolicies,
    TransitionConflict,
    Variant,
)
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(minutes=5)
#: A word of the text that `arrange` writes, and one that is in none.
SAID, UNSAID = "harbour", "bargain"


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    return arrange.make_campaign(cast.marketer)


def ban(user: User, word: str, base: int = 0) -> Any:
    return save_voice(user, {"en": {"banned": [word]}}, base=base, now=LATER)


def only_text(campaign: Campaign) -> Variant:
    return Variant.objects.get(archetype__campaign=campaign)


def valid_approvals(campaign: Campaign) -> int:
    return Approval.objects.filter(campaign=campaign, voided_at=None).count()


@pytest.mark.parametrize("role", ["approver", "admin"])
def test_who_approves_may_save_and_restore(role: str, make_user: MakeUser) -> None:
    user = make_user("somebody", role)
    assert ban(user, UNSAID).revision.number == 1
    ban(user, "cheap", base=1)
    restored = restore_voice(user, 1, base=2, now=LATER).revision
    assert restored.number == 3
    assert restored.restored_from == BrandVoice.objects.get(number=1)
    assert restored.texts == BrandVoice.objects.get(number=1).texts
    save_policies(user, {"en": ["Open daily"]}, base=0, now=LATER)
    save_policies(user, {"en": []}, base=1, now=LATER)
    assert restore_policies(user, 1, base=2, now=LATER).revision.texts["en"] == ["Open daily"]


@pytest.mark.parametrize("role", ["marketer", "analyst", "support", ""])
def test_nobody_else_saves_or_restores(role: str, make_user: MakeUser, site_admin: User) -> None:
    ban(site_admin, "cheap")
    save_policies(site_admin, {"en": ["Open daily"]}, base=0, now=LATER)
    user = make_user("somebody", role)
    for attempt in (
        lambda: ban(user, UNSAID, base=1),
        lambda: restore_voice(user, 1, base=1, now=LATER),
        lambda: save_policies(user, {"en": []}, base=1, now=LATER),
        lambda: restore_policies(user, 1, base=1, now=LATER),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
    assert BrandVoice.objects.count() == ShopPolicies.objects.count() == 1


def test_a_stale_page_saves_and_restores_nothing(approver: User, site_admin: User) -> None:
    ban(site_admin, "cheap")
    with pytest.raises(TransitionConflict):
        ban(approver, UNSAID)
    ban(site_admin, "cheaper", base=1)
    with pytest.raises(TransitionConflict):
        restore_voice(approver, 1, base=1, now=LATER)
    with pytest.raises(TransitionConflict):
        restore_voice(approver, 9, base=2, now=LATER)
    with pytest.raises(ValidationError, match="Nothing was changed"):
        restore_voice(approver, 2, base=2, now=LATER)
    assert BrandVoice.objects.count() == 2


@pytest.mark.parametrize("reach", [arrange.submit, arrange.approve, arrange.schedule])
def test_a_banned_word_in_a_text_voids_what_was_approved(
    campaign: Campaign, cast: Cast, reach: Callable[..., Campaign]
) -> None:
    reach(campaign, cast)
    saved = ban(cast.approver, SAID)

    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT
    assert campaign.content_hash == ""
    assert valid_approvals(campaign) == 0
    assert [found.pk for found in saved.returned] == [campaign.pk]
    assert (saved.checked, saved.blocked) == (1, 1)
    last = CampaignTransition.objects.filter(campaign=campaign).order_by("number").last()
    assert last is not None
    assert (last.to_status, last.actor) == ("draft", cast.approver)
    assert "v1" in last.reason
    assert only_text(campaign).is_blocked


@pytest.mark.parametrize("reach", [arrange.submit, arrange.approve, arrange.schedule])
def test_a_voice_that_blocks_nothing_leaves_the_approval_alone(
    campaign: Campaign, cast: Cast, reach: Callable[..., Campaign]
) -> None:
    reach(campaign, cast)
    before = only_text(campaign)
    status, approvals = campaign.status, valid_approvals(campaign)
    saved = save_voice(cast.approver, {"en": {"banned": [UNSAID], "avoid": [SAID]}}, base=0, now=LATER)

    campaign.refresh_from_db()
    after = only_text(campaign)
    assert (campaign.status, valid_approvals(campaign)) == (status, approvals)
    assert saved.returned == []
    assert (after.content_hash, after.source) == (before.content_hash, before.source)
    assert after.facts["voice"]["version"] == 1
    assert "voice-avoid" in {row["code"] for row in after.findings}
    assert workflow.find_stale_parts(campaign) == [] or status == CampaignStatus.IN_REVIEW


def test_a_scheduled_campaign_that_was_left_alone_is_still_sent(campaign: Campaign, cast: Cast) -> None:
    arrange.schedule(campaign, cast)
    ban(cast.approver, UNSAID)
    start_campaign(campaign, now=NOW)
    assert campaign.status == CampaignStatus.SENDING


def test_what_is_being_sent_is_not_touched(campaign: Campaign, cast: Cast) -> None:
    arrange.start(campaign, cast)
    findings = only_text(campaign).findings
    saved = ban(cast.approver, SAID)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.SENDING
    assert saved.checked == 0
    assert only_text(campaign).findings == findings


def test_a_text_that_nobody_gets_sends_no_campaign_back(campaign: Campaign, cast: Cast) -> None:
    nobody = Archetype.objects.create(campaign=campaign, cell="none", language="en", size=0)
    arrange.approve(campaign, cast)
    arrange.make_variant(nobody, cast.marketer, opening="A true bargain")
    assert ban(cast.approver, UNSAID).returned == []
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.APPROVED


def test_the_voice_of_another_language_says_nothing_of_this_one(campaign: Campaign, cast: Cast) -> None:
    arrange.approve(campaign, cast)
    save_policies(cast.approver, {"en": ["Open daily"]}, base=0, now=LATER)
    assert save_voice(cast.approver, {"en": {"avoid": [UNSAID]}}, base=0, now=LATER).checked == 1
    saved = save_voice(cast.approver, {"zh": {"banned": [SAID]}}, base=1, now=LATER)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.APPROVED
    assert saved.checked == 0
    assert only_text(campaign).facts["voice"]["version"] == 2, "it stands on the newest number all the same"


def test_a_promise_that_is_no_longer_made_voids_what_was_approved(campaign: Campaign, cast: Cast) -> None:
    save_policies(cast.approver, {"en": ["Free returns within 30 days"]}, base=0, now=NOW)
    text = only_text(campaign)
    arrange.make_variant(text.archetype, cast.marketer, opening="The wind is back. You have 30 days for free returns.")
    arrange.approve(campaign, cast)
    claims = [claim for claim in only_text(campaign).claims if claim["fact"] == "policy"]
    assert {(claim["says"], claim["version"]) for claim in claims} == {("Free returns within 30 days", "1")}

    kept = ["Free returns within 30 days", "Open daily"]
    assert save_policies(cast.approver, {"en": kept}, base=1, now=LATER).returned == []
    assert {claim["version"] for claim in only_text(campaign).claims if claim["fact"] == "policy"} == {"2"}

    other = save_policies(cast.approver, {"zh": ["每天营业"]}, base=2, now=LATER)
    assert other.checked == 0
    assert {claim["version"] for claim in only_text(campaign).claims if claim["fact"] == "policy"} == {"3"}

    gone = save_policies(cast.approver, {"en": ["Open daily"]}, base=3, now=LATER)
    campaign.refresh_from_db()
    assert [found.pk for found in gone.returned] == [campaign.pk]
    assert campaign.status == CampaignStatus.DRAFT
    assert "policies v4" in campaign.status_reason


def test_nothing_is_saved_where_the_check_fails(
    campaign: Campaign, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any) -> int:
        raise RuntimeError

    monkeypatch.setattr("campaigns.approval.voice.recheck_standing", fail)
    with pytest.raises(RuntimeError):
        ban(cast.approver, SAID)
    assert read_voice() is None


def test_more_texts_ask_no_more_questions(campaign: Campaign, cast: Cast) -> None:
    archetype, counts = only_text(campaign).archetype, []
    assert cast.approver.has_perm("campaigns.add_brandvoice")  # rights are read once and kept
    for base, labels in enumerate(("BC", "DEFGHIJ")):
        for label in labels:
            arrange.make_variant(archetype, cast.marketer, label=label)
        with CaptureQueriesContext(connection) as asked:
            ban(cast.approver, f"word{base}", base=base)
        counts.append(len(asked))
    assert counts[0] == counts[1]
