"""The steps of a sequence: what they are made of, and that every change of them takes the approvals back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms.models import model_to_dict

from campaigns.approval.editing import edit_campaign
from campaigns.approval.hashing import VARIANT_FIELDS, hash_messages, part_hashes
from campaigns.approval.policy import NotReady, find_obstacles
from campaigns.approval.sequence import add_follow_up, edit_follow_up, move_follow_up, remove_follow_up
from campaigns.approval.texts import ask_for_text, copy_text
from campaigns.content.drafting import request_drafts
from campaigns.content.facts import find_send_day
from campaigns.content.steps import MOST_STEPS, read_steps
from campaigns.models import Approval, ApprovalPart, Archetype, Campaign, FollowUp, Offer, TransitionConflict, Variant
from customers.models import AuditEntry
from tests.campaigns.arrange import NOW, Cast, add_step, approve, make_campaign, make_cast, make_variant, start, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    """Three steps: at once, after three days, after two more."""
    campaign = make_campaign(cast.marketer)
    add_step(campaign, cast.marketer, wait_hours=72, purpose="Answer questions")
    add_step(campaign, cast.marketer, wait_hours=48, only_if="not_clicked")
    return campaign


def step(campaign: Campaign, number: int) -> FollowUp:
    return FollowUp.objects.select_related("campaign").get(campaign=campaign, number=number)


def subjects(campaign: Campaign) -> list[tuple[int, str]]:
    texts = Variant.objects.filter(archetype__campaign=campaign).order_by("step")
    return list(texts.values_list("step", "subject"))


def test_the_first_follow_up_ends_on_an_order_unless_something_else_was_chosen(cast: Cast) -> None:
    campaign = make_campaign(cast.marketer)
    add_follow_up(cast.marketer, campaign, {"wait_hours": 24}, now=NOW)
    assert campaign.exit_on == ["ordered"]
    other = make_campaign(cast.marketer, [], name="Other")
    edit_campaign(cast.marketer, other, {"exit_on": ["left_segment", "complained"]}, now=NOW)
    add_follow_up(cast.marketer, other, {"wait_hours": 24}, now=NOW)
    assert other.exit_on == ["complained", "left_segment"]


def test_what_cannot_be_is_refused_with_a_reason(cast: Cast, campaign: Campaign) -> None:
    with pytest.raises(ValidationError, match="exit rules"):
        edit_campaign(cast.marketer, campaign, {"exit_on": ["event:email_opened"]}, now=NOW)
    for wait in (0, 24 * 181):
        with pytest.raises(ValidationError):
            add_follow_up(cast.marketer, campaign, {"wait_hours": wait}, now=NOW)
    with pytest.raises(ValidationError):
        add_follow_up(cast.marketer, campaign, {"only_if": "full_moon"}, now=NOW)
    with pytest.raises(NotReady):
        add_follow_up(cast.marketer, campaign, {"number": 7}, now=NOW)
    while FollowUp.objects.count() + 1 < MOST_STEPS:
        add_follow_up(cast.marketer, campaign, {}, now=NOW)
    with pytest.raises(NotReady, match="8 steps"):
        add_follow_up(cast.marketer, campaign, {}, now=NOW)


def test_every_step_needs_a_text_before_it_can_be_approved(cast: Cast, campaign: Campaign) -> None:
    assert find_obstacles(campaign) == []
    Variant.objects.filter(step=3).delete()
    assert [sentence for sentence in find_obstacles(campaign) if "step 3" in sentence]
    with pytest.raises(NotReady, match="step 3"):
        submit(campaign, cast)


@pytest.mark.parametrize("change", ["add", "wait", "condition", "move", "remove", "exits"])
def test_every_change_of_the_steps_voids_what_was_approved(cast: Cast, campaign: Campaign, change: str) -> None:
    approve(campaign, cast)
    user = cast.marketer
    before = part_hashes(campaign)
    {
        "add": lambda: add_follow_up(user, campaign, {}, now=NOW),
        "wait": lambda: edit_follow_up(user, step(campaign, 2), {"wait_hours": 96}, now=NOW),
        "condition": lambda: edit_follow_up(user, step(campaign, 2), {"only_if": "clicked"}, now=NOW),
        "move": lambda: move_follow_up(user, step(campaign, 2), up=False, now=NOW),
        "remove": lambda: remove_follow_up(user, step(campaign, 3), now=NOW),
        "exits": lambda: edit_campaign(user, campaign, {"exit_on": []}, now=NOW),
    }[change]()
    campaign.refresh_from_db()
    assert campaign.status == "draft"
    assert not Approval.objects.filter(campaign=campaign, voided_at=None).exists()
    assert part_hashes(campaign)[ApprovalPart.TIMING] != before[ApprovalPart.TIMING]
    assert AuditEntry.objects.filter(action="campaign_edited", object_id=str(campaign.pk)).exists()


def test_what_a_step_is_for_voids_nothing_and_the_same_values_change_nothing(cast: Cast, campaign: Campaign) -> None:
    approve(campaign, cast)
    edit_follow_up(cast.marketer, step(campaign, 2), {"purpose": "Listen"}, now=NOW)
    edit_follow_up(cast.marketer, step(campaign, 2), {"wait_hours": 72, "only_if": "always"}, now=NOW)
    campaign.refresh_from_db()
    assert (campaign.status, step(campaign, 2).purpose) == ("approved", "Listen")


@pytest.mark.parametrize("locked", ["review", "sending"])
def test_steps_are_locked_in_review_and_while_sending(cast: Cast, campaign: Campaign, locked: str) -> None:
    submit(campaign, cast) if locked == "review" else start(campaign, cast)
    for act in (
        lambda: add_follow_up(cast.marketer, campaign, {}, now=NOW),
        lambda: edit_follow_up(cast.marketer, step(campaign, 2), {"wait_hours": 1}, now=NOW),
        lambda: move_follow_up(cast.marketer, step(campaign, 2), up=False, now=NOW),
        lambda: remove_follow_up(cast.marketer, step(campaign, 2), now=NOW),
    ):
        with pytest.raises(TransitionConflict):
            act()


def test_who_may_not_edit_is_refused(campaign: Campaign, analyst: User) -> None:
    with pytest.raises(PermissionDenied):
        add_follow_up(analyst, campaign, {}, now=NOW)


def test_a_removed_step_takes_its_texts_along_and_the_later_ones_move_up(cast: Cast, campaign: Campaign) -> None:
    add_step(campaign, cast.marketer, wait_hours=24)
    remove_follow_up(cast.marketer, step(campaign, 2), now=NOW)
    assert [(one.number, one.wait_hours) for one in read_steps(campaign.pk)] == [(1, 0), (2, 48), (3, 24)]
    assert subjects(campaign) == [(1, "Your jacket misses you"), (2, "The door is open"), (3, "Make a list")]


def test_steps_change_places_with_all_that_is_theirs(cast: Cast, campaign: Campaign) -> None:
    move_follow_up(cast.marketer, step(campaign, 3), up=True, now=NOW)
    assert [(one.number, one.wait_hours, one.purpose) for one in read_steps(campaign.pk)][1:] == [
        (2, 48, ""),
        (3, 72, "Answer questions"),
    ]
    assert subjects(campaign)[1:] == [(2, "The door is open"), (3, "Which one keeps you warm?")]
    with pytest.raises(NotReady):
        move_follow_up(cast.marketer, step(campaign, 2), up=True, now=NOW)
    with pytest.raises(NotReady):
        move_follow_up(cast.marketer, step(campaign, 3), up=False, now=NOW)


def test_a_text_is_checked_for_the_day_on_which_its_step_goes_out(cast: Cast, campaign: Campaign) -> None:
    """Today's offer ends in thirty days; what a step of the fortieth says of it is false."""
    assert find_send_day(campaign, NOW, 3) == (NOW + dt.timedelta(days=5)).date()
    assert Variant.objects.get(step=3).facts["send_date"] == (NOW + dt.timedelta(days=5)).date().isoformat()
    assert not Variant.objects.get(step=3).is_blocked
    edit_follow_up(cast.marketer, step(campaign, 2), {"wait_hours": 24 * 40}, now=NOW)
    assert Variant.objects.get(step=3).facts["send_date"] == (NOW + dt.timedelta(days=42)).date().isoformat()
    assert Variant.objects.get(step=3).is_blocked


def test_what_was_approved_before_there_were_steps_keeps_its_hash(cast: Cast) -> None:
    campaign = make_campaign(cast.marketer)
    texts = Variant.objects.values_list("archetype_id", "archetype__language", *VARIANT_FIELDS)
    shop = [settings.SHOP_NAME, settings.SHOP_URL, settings.SHOP_FROM_EMAIL, settings.SHOP_POSTAL_ADDRESS]
    offer = model_to_dict(Offer.objects.get(campaign=campaign), exclude=["id", "campaign"])
    facts = {"composer": 1, "shop": shop, "offer": offer, "texts": list(texts)}
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    assert hash_messages(campaign) == hashlib.sha256(canonical.encode()).hexdigest()
    timing = part_hashes(campaign)[ApprovalPart.TIMING]
    add_step(campaign, cast.marketer, wait_hours=24)
    assert part_hashes(campaign)[ApprovalPart.TIMING] != timing
    remove_follow_up(cast.marketer, step(campaign, 2), now=NOW)
    assert hash_messages(campaign) == hashlib.sha256(canonical.encode()).hexdigest()
    assert part_hashes(campaign)[ApprovalPart.TIMING] == timing


def test_a_text_is_added_to_the_step_that_is_named(cast: Cast, campaign: Campaign) -> None:
    second = Variant.objects.select_related("archetype__campaign").get(step=2)
    assert copy_text(cast.marketer, second, now=NOW).step == 2
    Variant.objects.filter(step=3).delete()
    made = copy_text(cast.marketer, second, step=3, now=NOW)
    assert (made.step, made.label, made.subject) == (3, "A", second.subject)
    with pytest.raises(NotReady, match="no step 4"):
        copy_text(cast.marketer, second, step=4, now=NOW)
    with pytest.raises(NotReady, match="no step 4"):
        ask_for_text(cast.marketer, second.archetype, step=4, now=NOW)


def test_drafts_of_steps_that_changed_places_are_no_longer_written(cast: Cast, campaign: Campaign) -> None:
    request_drafts(campaign, user=cast.marketer, also_edited=True, now=NOW)
    move_follow_up(cast.marketer, step(campaign, 2), up=False, now=NOW)
    archetype = Archetype.objects.get()
    assert [(item["step"], item["label"]) for item in archetype.draft_plan] == [(1, "A")]
    remove_follow_up(cast.marketer, step(campaign, 3), now=NOW)
    assert [(item["step"], item["label"]) for item in Archetype.objects.get().draft_plan] == [(1, "A")]


def test_two_texts_of_a_step_are_two_rows_of_the_approval(cast: Cast, campaign: Campaign) -> None:
    before = hash_messages(campaign)
    make_variant(campaign.archetypes.get(), cast.marketer, step=2, label="B", subject="One more question")
    assert hash_messages(campaign) != before
