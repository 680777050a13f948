"""Threads of a review: where they hang, who may write them, and that no redraft loses one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied

from campaigns.approval import comments, workflow
from campaigns.approval.policy import NotReady
from campaigns.models import (
    Campaign,
    CampaignStatus,
    CampaignTransition,
    CommentPlace,
    ReviewComment,
    TransitionConflict,
    Variant,
)
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    return arrange.submit(arrange.make_campaign(cast.marketer), cast)


@pytest.fixture
def text(campaign: Campaign) -> Variant:
    return Variant.objects.select_related("archetype").get(archetype__campaign=campaign)


@pytest.fixture
def thread(campaign: Campaign, text: Variant, cast: Cast) -> ReviewComment:
    return comments.start_thread(
        cast.approver, campaign, variant=text, field="opening", quote="The wind is back", body="Too gloomy.", now=NOW
    )


def test_a_comment_is_anchored_to_words_of_a_text_and_changes_no_state(
    thread: ReviewComment, campaign: Campaign, text: Variant
) -> None:
    before = campaign.content_hash
    campaign.refresh_from_db()
    assert (thread.place, thread.variant, thread.field) == (CommentPlace.TEXT, text, "opening")
    assert thread.about and thread.is_open
    assert comments.still_stands(thread) is True
    assert (campaign.status, campaign.content_hash) == (CampaignStatus.IN_REVIEW, before)
    workflow.approve_campaign(User.objects.get(username="ava"), campaign, now=NOW)
    assert campaign.status == CampaignStatus.APPROVED


@pytest.mark.parametrize("place", ["campaign", "audience", "timing", "measurement"])
def test_a_comment_may_be_about_a_part(campaign: Campaign, cast: Cast, place: str) -> None:
    made = comments.start_thread(cast.marketer, campaign, place=place, body="Why so late?", now=NOW)
    assert (made.place, made.variant, comments.still_stands(made)) == (place, None, None)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"body": "  "}, "Write what"),
        ({"body": "x" * 2001}, "At most"),
        ({"body": "x", "quote": "words"}, "Only a text"),
        ({"body": "x", "place": "text"}, "which text"),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_sentence(
    campaign: Campaign, cast: Cast, asked: dict[str, str], words: str
) -> None:
    with pytest.raises(NotReady, match=words):
        comments.start_thread(cast.approver, campaign, now=NOW, **asked)  # type: ignore[arg-type]
    assert not ReviewComment.objects.exists()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"quote": "words that stand nowhere"}, "do not stand"),
        ({"quote": "Your jacket", "field": "opening"}, "do not stand"),
        ({"field": "price"}, "no such part"),
    ],
)
def test_only_words_that_stand_there_can_be_quoted(
    campaign: Campaign, text: Variant, cast: Cast, asked: dict[str, str], words: str
) -> None:
    with pytest.raises(NotReady, match=words):
        comments.start_thread(cast.approver, campaign, variant=text, body="x", now=NOW, **asked)  # type: ignore[arg-type]


def test_a_text_of_another_campaign_cannot_be_meant(text: Variant, cast: Cast) -> None:
    other = arrange.make_campaign(cast.marketer, arrange.make_customers(2, prefix="o"), name="Other")
    with pytest.raises(NotReady, match="another campaign"):
        comments.start_thread(cast.approver, other, variant=text, body="x", now=NOW)


def test_who_may_neither_edit_nor_approve_says_nothing(
    campaign: Campaign, thread: ReviewComment, analyst: User, outsider: User
) -> None:
    for person in (analyst, outsider):
        for act in (
            lambda p=person: comments.start_thread(p, campaign, body="x", now=NOW),
            lambda p=person: comments.reply(p, thread, body="x", now=NOW),
            lambda p=person: comments.resolve(p, thread, now=NOW),
            lambda p=person: comments.reopen(p, thread, now=NOW),
        ):
            with pytest.raises(PermissionDenied):
                act()
    assert ReviewComment.objects.count() == 1


def test_nothing_is_said_about_what_is_over(campaign: Campaign, cast: Cast) -> None:
    workflow.cancel_campaign(cast.marketer, campaign, now=NOW)
    with pytest.raises(TransitionConflict):
        comments.start_thread(cast.approver, campaign, body="Too late.", now=NOW)


def test_resolving_answering_and_opening_again(thread: ReviewComment, cast: Cast) -> None:
    comments.resolve(cast.marketer, thread, now=NOW)
    assert (thread.is_open, thread.resolved_by) == (False, cast.marketer)
    with pytest.raises(TransitionConflict):
        comments.resolve(cast.marketer, thread, now=NOW)

    comments.reopen(cast.approver, thread, now=NOW)
    assert thread.is_open
    with pytest.raises(TransitionConflict):
        comments.reopen(cast.approver, thread, now=NOW)

    comments.resolve(cast.marketer, thread, now=NOW)
    answer = comments.reply(cast.approver, thread, body="Not yet.", now=NOW)
    assert thread.is_open and answer.parent == thread
    with pytest.raises(TransitionConflict):
        comments.reply(cast.approver, answer, body="To an answer.", now=NOW)


def test_no_rewriting_and_no_removing_of_a_text_loses_a_comment(
    thread: ReviewComment, campaign: Campaign, text: Variant, cast: Cast
) -> None:
    workflow.request_changes(cast.approver, campaign, now=NOW)
    workflow.edit_variant(cast.marketer, text, {"opening": "The sun is back in Leith."}, now=NOW)
    thread = ReviewComment.objects.select_related("variant__archetype").get(pk=thread.pk)
    assert (thread.quote, comments.still_stands(thread)) == ("The wind is back", False)

    Variant.objects.filter(pk=text.pk).delete()
    thread = ReviewComment.objects.select_related("variant__archetype").get(pk=thread.pk)
    assert (thread.variant, thread.quote, thread.body) == (None, "The wind is back", "Too gloomy.")
    assert thread.about.endswith("A") and comments.still_stands(thread) is False


def test_changes_can_be_asked_for_with_an_open_comment_alone(
    thread: ReviewComment, campaign: Campaign, cast: Cast
) -> None:
    workflow.request_changes(cast.approver, campaign, now=NOW)
    assert campaign.status == CampaignStatus.DRAFT
    assert CampaignTransition.objects.get(to_status="draft").reason == "Comments that are open: 1."


def test_without_any_word_no_changes_are_asked_for(campaign: Campaign, thread: ReviewComment, cast: Cast) -> None:
    comments.resolve(cast.approver, thread, now=NOW)
    with pytest.raises(NotReady, match="Say what"):
        workflow.request_changes(cast.approver, campaign, comment=" ", now=NOW)
    assert Campaign.objects.get(pk=campaign.pk).status == CampaignStatus.IN_REVIEW


def test_a_general_comment_becomes_a_thread_and_the_next_submission_says_what_is_open(
    campaign: Campaign, cast: Cast
) -> None:
    workflow.request_changes(cast.approver, campaign, comment="Warmer, please.", now=NOW)
    made = ReviewComment.objects.get()
    assert (made.place, made.body, made.author) == (CommentPlace.CAMPAIGN, "Warmer, please.", cast.approver)
    assert CampaignTransition.objects.get(to_status="draft").reason == "Warmer, please."

    workflow.submit_campaign(cast.marketer, campaign, now=NOW)
    last = CampaignTransition.objects.order_by("number").last()
    assert last is not None and last.reason == "Comments that are open: 1."
