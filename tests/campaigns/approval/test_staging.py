"""Changes to a campaign that runs: prepared beside it, approved by a second person, in force at one moment."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied, ValidationError
from pytest_django import Settings

from campaigns.approval import policy, workflow
from campaigns.approval.four_eyes import switch_four_eyes
from campaigns.approval.hashing import content_hash, part_hashes
from campaigns.approval.policy import NotReady
from campaigns.approval.staging import deciding, preparing
from campaigns.approval.staging.affected import count_affected
from campaigns.approval.validity import explain_expiry
from campaigns.approval.workflow import find_stale_parts
from campaigns.delivery import control
from campaigns.models import (
    Approval,
    Campaign,
    CampaignKind,
    CampaignStatus,
    CampaignTransition,
    Entry,
    FollowUp,
    Message,
    Notification,
    NotificationKind,
    Offer,
    StagedChange,
    TransitionConflict,
    Variant,
)
from customers.models import AuditEntry, Segment
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast

pytestmark = pytest.mark.django_db

LATER = NOW + dt.timedelta(hours=1)
NEW_WORDS = {
    "subject": "The new jackets are in",
    "opening": "They came on the morning boat, and they keep the wind out.",
}


@pytest.fixture
def running(cast: Cast) -> Campaign:
    return arrange.start(arrange.make_campaign(cast.marketer), cast)


@pytest.fixture
def text(running: Campaign) -> Variant:
    return Variant.objects.select_related("archetype__campaign").get(archetype__campaign=running)


def stage(user: User, campaign: Campaign, text: Variant | None = None, **offer: object) -> StagedChange:
    change = preparing.open_change(user, campaign, reason="The new season is here.", now=NOW)
    if text is not None:
        preparing.stage_text(user, change, text, NEW_WORDS, now=NOW)
    if offer:
        preparing.stage_fields(user, change, offer=offer, now=NOW)
    return change


def apply(cast: Cast, change: StagedChange) -> StagedChange:
    deciding.submit_change(cast.marketer, change, now=NOW)
    return deciding.approve_change(cast.approver, change, seen_hash=change.change_hash, now=LATER)


def test_what_runs_goes_on_unchanged_while_a_change_is_prepared(running: Campaign, text: Variant, cast: Cast) -> None:
    before = content_hash(running)

    change = stage(cast.marketer, running, text, code="NEW10")
    deciding.submit_change(cast.marketer, change, now=NOW)

    assert content_hash(running) == before and find_stale_parts(running) == []
    assert Variant.everything.get().subject == "Your jacket misses you"
    assert Offer.objects.get().code == "BACK10"
    (told,) = change.outcome["texts"]
    assert told["was"]["subject"] == "Your jacket misses you" and told["will_be"]["subject"] == NEW_WORDS["subject"]
    assert "BACK10" in told["was"]["text"] and "NEW10" in told["will_be"]["text"]
    assert change.outcome["touched"] == ["messages"]


def test_an_approved_change_is_in_force_and_what_it_does_not_touch_stays_approved(
    running: Campaign, text: Variant, cast: Cast
) -> None:
    kept = dict(Approval.objects.exclude(part="messages").values_list("part", "pk"))
    other = apply(cast, stage(cast.marketer, running, text))

    new = Variant.objects.get(archetype__campaign=running)
    old = Variant.everything.get(pk=text.pk)
    assert (new.subject, new.edited_by, new.label) == (NEW_WORDS["subject"], cast.marketer, "A") and new.pk != old.pk
    assert (old.subject, old.source, old.retired_at) == (text.subject, text.source, LATER)
    valid = Approval.objects.filter(voided_at=None)
    assert dict(valid.exclude(part="messages").values_list("part", "pk")) == kept
    assert (valid.get(part="messages").approved_by, valid.get(part="messages").is_own) == (cast.approver, False)
    assert Approval.objects.get(part="messages", voided_at=LATER).void_reason == "Replaced by change 1."
    running.refresh_from_db()
    assert find_stale_parts(running) == [] and running.content_hash == content_hash(running) == other.change_hash
    assert (other.status, other.decided_by, other.decided_at) == ("applied", cast.approver, LATER)


def test_a_later_rule_of_the_segment_is_nothing_to_approve(running: Campaign, text: Variant, cast: Cast) -> None:
    """It goes to those who were frozen, and approving it would approve a rule that it does not go by."""
    Segment.objects.update(rule={"field": "country", "op": "is", "value": "Atlantis"})
    change = stage(cast.marketer, running, text)
    assert change.outcome["touched"] == ["messages"]
    apply(cast, change)
    assert find_stale_parts(running) == []


def test_history_and_audit_tell_it(running: Campaign, text: Variant, cast: Cast) -> None:
    apply(cast, stage(cast.marketer, running, text))

    rows = CampaignTransition.objects.filter(campaign=running, from_status="sending", to_status="sending")
    assert [(row.actor, row.reason) for row in rows] == [
        (cast.marketer, "Change 1 was submitted: messages."),
        (cast.approver, "Change 1 is in force: messages."),
    ]
    audit = AuditEntry.objects.filter(object_id=str(running.pk)).order_by("pk").values_list("action", flat=True)
    assert list(audit)[-5:] == [
        "change_prepared",
        "change_submitted",
        "approval_voided",
        "part_approved",
        "change_applied",
    ]


def test_an_offer_changes_every_text_that_tells_it(running: Campaign, cast: Cast) -> None:
    archetype = Variant.objects.get().archetype
    Campaign.objects.filter(pk=running.pk).update(status="draft")
    second = arrange.make_variant(archetype, cast.marketer, label="B", subject="Another one")
    Campaign.objects.filter(pk=running.pk).update(status="sending")
    until = (NOW + dt.timedelta(days=60)).date()

    change = stage(cast.marketer, running, valid_until=until)
    assert change.outcome["touched"] == ["messages"] and len(change.outcome["texts"]) == 2
    apply(cast, change)

    assert Offer.objects.get().valid_until == until
    assert {text.label for text in Variant.objects.all()} == {"A", "B"} and Variant.everything.count() == 4
    new = Variant.objects.get(label="B")
    assert new.source["text"] != second.source["text"] and new.stands_on["offer"]["valid_until"] == until.isoformat()
    assert new.edited_at == second.edited_at, "code wrote the difference, nobody edited the words"


def test_timing_of_a_live_campaign_and_its_steps(running: Campaign, cast: Cast) -> None:
    Campaign.objects.filter(pk=running.pk).update(kind=CampaignKind.TRIGGERED)
    running.refresh_from_db()
    FollowUp.objects.create(campaign=running, number=2, wait_hours=72)
    until = NOW + dt.timedelta(days=90)
    change = preparing.open_change(cast.marketer, running, now=NOW)
    fields = {"live_until": until, "re_entry_days": 30, "exit_on": ["ordered"], "send_window_hours": 48}
    preparing.stage_fields(cast.marketer, change, fields=fields, follow_ups={2: 24}, now=NOW)
    assert change.outcome["texts"] == [] and "timing" in change.outcome["touched"]

    apply(cast, change)

    running.refresh_from_db()
    assert (running.live_until, running.re_entry_days, running.exit_on, running.send_window_hours) == (
        until, 30, ["ordered"], 48,
    )  # fmt: skip
    assert FollowUp.objects.get().wait_hours == 24
    assert Approval.objects.get(part="timing", voided_at=None).approved_at == LATER
    assert find_stale_parts(running) == []


@pytest.mark.parametrize(
    ("fields", "offer"),
    [
        ({"holdout_share": 0.2}, {}), ({"segment_id": 1}, {}), ({"holdout_seed": "x"}, {}), ({"kind": "triggered"}, {}),
        ({"trigger": {}}, {}), ({"live_until": LATER}, {}), ({"exit_on": ["ordered"]}, {}), ({}, {"value": 90}),
        ({}, {"kind": "amount"}), ({"send_window_hours": 0}, {}), ({}, {"valid_until": dt.date(2026, 1, 1)}),
        ({"allowed_drift_share": 3.0}, {}), ({}, {"url": "no address"}),
    ],
)  # fmt: skip
def test_what_would_be_another_experiment_or_cannot_be_is_refused(
    running: Campaign, cast: Cast, fields: dict[str, object], offer: dict[str, object]
) -> None:
    change = preparing.open_change(cast.marketer, running, now=NOW)
    with pytest.raises(ValidationError):
        preparing.stage_fields(cast.marketer, change, fields=fields, offer=offer, now=NOW)
    change.refresh_from_db()
    assert change.outcome["texts"] == [] and not change.changes["campaign"] and not change.changes["offer"]
    running.refresh_from_db()
    assert content_hash(running) == running.content_hash


@pytest.mark.parametrize(("zone", "is_over"), [("America/Los_Angeles", False), ("Asia/Shanghai", True)])
def test_an_offer_ends_with_the_day_of_the_shop(
    running: Campaign, cast: Cast, settings: Settings, zone: str, is_over: bool
) -> None:
    settings.SHOP_TIME_ZONE = zone
    Offer.objects.update(valid_from=None)
    change = preparing.open_change(cast.marketer, running, now=NOW)
    hour = 5 if zone.startswith("America") else 23  # the day before, and the day after, by the shop's clock
    now = NOW.replace(hour=hour)
    ends = now.date() - dt.timedelta(days=not is_over)
    if is_over:
        with pytest.raises(NotReady, match="over already"):
            preparing.stage_fields(cast.marketer, change, offer={"valid_until": ends}, now=now)
    else:
        preparing.stage_fields(cast.marketer, change, offer={"valid_until": ends}, now=now)


def test_the_guard_rails_read_staged_words_as_any_others(running: Campaign, text: Variant, cast: Cast) -> None:
    change = preparing.open_change(cast.marketer, running, now=NOW)
    preparing.stage_text(cast.marketer, change, text, {"opening": "Everything is 70% off for you."}, now=NOW)

    assert change.outcome["texts"][0]["is_blocked"]
    with pytest.raises(NotReady, match="blocks it"):
        deciding.submit_change(cast.marketer, change, now=NOW)
    preparing.stage_text(cast.marketer, change, text, {"opening": ""}, now=NOW)
    with pytest.raises(NotReady, match="not complete"):
        deciding.submit_change(cast.marketer, change, now=NOW)


def test_the_same_words_as_now_take_the_text_out_of_the_change(running: Campaign, text: Variant, cast: Cast) -> None:
    change = stage(cast.marketer, running, text, code="NEW10")
    preparing.stage_text(cast.marketer, change, text, {name: getattr(text, name) for name in NEW_WORDS}, now=NOW)
    preparing.stage_fields(cast.marketer, change, offer={"code": "BACK10"}, now=NOW)

    assert change.outcome["texts"] == [] and change.outcome["touched"] == []
    with pytest.raises(NotReady, match="Nothing would be different"):
        deciding.submit_change(cast.marketer, change, now=NOW)


def test_one_change_waits_at_a_time(running: Campaign, cast: Cast, second_marketer: User) -> None:
    first = stage(cast.marketer, running)
    with pytest.raises(TransitionConflict, match="Change 1 waits"):
        preparing.open_change(second_marketer, running, now=NOW)
    preparing.withdraw_change(second_marketer, first, now=NOW)
    assert preparing.open_change(second_marketer, running, now=NOW).number == 2


@pytest.mark.parametrize("status", ["draft", "in_review", "approved", "scheduled", "sent", "missed", "cancelled"])
def test_only_what_runs_is_changed_this_way(running: Campaign, cast: Cast, status: str) -> None:
    Campaign.objects.filter(pk=running.pk).update(status=status)
    running.refresh_from_db()
    with pytest.raises(TransitionConflict):
        preparing.open_change(cast.marketer, running, now=NOW)


def test_a_paused_campaign_is_changed_too(running: Campaign, text: Variant, cast: Cast) -> None:
    control.pause_campaign(cast.marketer, running, reason="A wrong word.", now=NOW)
    apply(cast, stage(cast.marketer, running, text))
    control.resume_campaign(cast.marketer, running, now=LATER)
    assert running.status == CampaignStatus.SENDING and find_stale_parts(running) == []


def test_who_wrote_any_of_it_does_not_approve_it(
    running: Campaign, text: Variant, cast: Cast, second_marketer: User, outsider: User, site_admin: User
) -> None:
    approvers = Group.objects.get(name="approver")
    for person in (cast.marketer, second_marketer):
        person.groups.add(approvers)
    change = preparing.open_change(second_marketer, running, now=NOW)
    preparing.stage_text(second_marketer, change, text, NEW_WORDS, now=NOW)
    deciding.submit_change(second_marketer, change, now=NOW)

    for person in (cast.marketer, second_marketer, outsider):  # author of the campaign, of the change, nobody
        fresh = User.objects.get(pk=person.pk)
        assert policy.may_approve_change(fresh, change).is_forbidden
        with pytest.raises(PermissionDenied):
            deciding.approve_change(fresh, change, now=NOW)
    assert StagedChange.objects.get().status == "in_review"

    deciding.approve_change(site_admin, change, now=NOW)
    again = preparing.open_change(cast.marketer, running, now=NOW)
    preparing.stage_fields(cast.marketer, again, offer={"code": "MORE10"}, now=NOW)
    deciding.submit_change(cast.marketer, again, now=NOW)
    writer = User.objects.get(pk=second_marketer.pk)
    assert policy.may_approve_change(writer, again).is_forbidden, "the texts of the change before are theirs"


def test_with_four_eyes_off_the_writer_approves_with_a_mark(
    running: Campaign, text: Variant, cast: Cast, site_admin: User
) -> None:
    cast.marketer.groups.add(Group.objects.get(name="approver"))
    author = User.objects.get(pk=cast.marketer.pk)
    switch_four_eyes(site_admin, is_required=False, reason="One of us is ill.", now=NOW)
    change = stage(author, running, text)
    deciding.submit_change(author, change, now=NOW)
    deciding.approve_change(author, change, now=NOW)
    assert Approval.objects.get(part="messages", voided_at=None).is_own


@pytest.mark.parametrize("act", ["open", "text", "fields", "submit", "withdraw", "approve", "refuse", "update"])
def test_without_the_right_nothing(running: Campaign, text: Variant, cast: Cast, outsider: User, act: str) -> None:
    if act != "open":
        change = stage(cast.marketer, running, text)
    if act in ("approve", "refuse"):
        deciding.submit_change(cast.marketer, change, now=NOW)
    acts = {
        "open": lambda: preparing.open_change(outsider, running, now=NOW),
        "text": lambda: preparing.stage_text(outsider, change, text, {"subject": "x"}, now=NOW),
        "fields": lambda: preparing.stage_fields(outsider, change, offer={"code": "X"}, now=NOW),
        "submit": lambda: deciding.submit_change(outsider, change, now=NOW),
        "withdraw": lambda: preparing.withdraw_change(outsider, change, now=NOW),
        "approve": lambda: deciding.approve_change(outsider, change, now=NOW),
        "refuse": lambda: deciding.refuse_change(outsider, change, reason="no", now=NOW),
        "update": lambda: preparing.bring_up_to_date(outsider, change, now=NOW),
    }
    with pytest.raises(PermissionDenied):
        acts[act]()


def test_run_twice_each_decision_is_a_conflict(running: Campaign, text: Variant, cast: Cast) -> None:
    change = apply(cast, stage(cast.marketer, running, text))
    for again in (
        lambda: deciding.approve_change(cast.approver, change, now=LATER),
        lambda: deciding.refuse_change(cast.approver, change, reason="no", now=LATER),
        lambda: deciding.submit_change(cast.marketer, change, now=LATER),
        lambda: preparing.withdraw_change(cast.marketer, change, now=LATER),
        lambda: preparing.bring_up_to_date(cast.marketer, change, now=LATER),
        lambda: preparing.stage_text(cast.marketer, change, text, {"subject": "x"}, now=LATER),
    ):
        with pytest.raises(TransitionConflict):
            again()
    assert Variant.everything.count() == 2 and Approval.objects.count() == 5


def test_a_refused_change_says_why_and_can_be_taken_up_again(running: Campaign, text: Variant, cast: Cast) -> None:
    change = stage(cast.marketer, running, text, code="NEW10")
    deciding.submit_change(cast.marketer, change, now=NOW)
    with pytest.raises(NotReady):
        deciding.refuse_change(cast.approver, change, reason=" ", now=NOW)
    deciding.refuse_change(cast.approver, change, reason="The boat came in the evening.", now=NOW)

    assert (change.status, change.decision_reason) == ("refused", "The boat came in the evening.")
    again = preparing.open_change(cast.marketer, running, like=change, now=NOW)
    assert (again.number, again.changes["texts"], again.changes["offer"]) == (
        2, {str(text.pk): NEW_WORDS}, {"code": "NEW10"},
    )  # fmt: skip
    told = Notification.objects.filter(kind=NotificationKind.CHANGE_REFUSED)
    assert [row.user for row in told] == [cast.marketer]


def test_who_may_approve_is_told_and_the_writers_hear_what_came_of_it(
    running: Campaign, text: Variant, cast: Cast, second_marketer: User
) -> None:
    change = stage(second_marketer, running, text)
    deciding.submit_change(second_marketer, change, now=NOW)
    asked = Notification.objects.filter(kind=NotificationKind.CHANGE_ASKED)
    assert [(row.user, row.read_at) for row in asked] == [(cast.approver, None)]

    deciding.approve_change(cast.approver, change, now=LATER)

    assert asked.get().read_at == LATER, "what is decided is no longer asked for"
    told = Notification.objects.filter(kind=NotificationKind.CHANGE_APPLIED).order_by("user__username")
    assert [row.user for row in told] == [cast.marketer, second_marketer]


def test_what_was_seen_is_what_is_approved(running: Campaign, text: Variant, cast: Cast) -> None:
    change = stage(cast.marketer, running, text)
    deciding.submit_change(cast.marketer, change, now=NOW)
    with pytest.raises(TransitionConflict, match="submitted anew"):
        deciding.approve_change(cast.approver, change, seen_hash="f" * 64, now=NOW)


def test_a_campaign_that_changed_meanwhile_asks_for_another_look(running: Campaign, text: Variant, cast: Cast) -> None:
    change = stage(cast.marketer, running, text)
    deciding.submit_change(cast.marketer, change, now=NOW)
    Offer.objects.update(code="CHANGED")  # by hand, past our code

    with pytest.raises(TransitionConflict, match="no longer what this change was made from"):
        deciding.approve_change(cast.approver, change, now=NOW)
    assert preparing.is_outdated(change)

    preparing.bring_up_to_date(cast.marketer, change, now=NOW)
    assert change.status == "open" and not preparing.is_outdated(change)
    assert "CHANGED" in change.outcome["texts"][0]["will_be"]["text"], "all that is stale is composed anew"
    deciding.submit_change(cast.marketer, change, now=NOW)
    deciding.approve_change(cast.approver, change, now=NOW)
    assert find_stale_parts(running) == []


def test_nobody_decides_for_weeks(running: Campaign, text: Variant, cast: Cast) -> None:
    change = stage(cast.marketer, running, text)
    deciding.submit_change(cast.marketer, change, now=NOW)
    late = NOW + dt.timedelta(days=running.valid_days)
    with pytest.raises(NotReady, match="Nobody decided"):
        deciding.approve_change(cast.approver, change, now=late)

    assert deciding.reopen_outlived_changes(NOW) == 0
    assert deciding.reopen_outlived_changes(late) == 1 and deciding.reopen_outlived_changes(late) == 0
    change.refresh_from_db()
    assert (change.status, change.submitted_at) == ("open", None)


def test_a_change_without_any_difference_renews_what_was_approved_too_long_ago(running: Campaign, cast: Cast) -> None:
    """A live campaign that outlived its approval pauses; it need not be begun anew for that."""
    late = NOW + dt.timedelta(days=running.valid_days)
    before = content_hash(running)
    change = preparing.open_change(cast.marketer, running, now=late)
    assert (
        change.outcome["touched"] == ["messages", "audience", "timing", "measurement"] and not change.outcome["texts"]
    )

    deciding.submit_change(cast.marketer, change, now=late)
    deciding.approve_change(cast.approver, change, now=late)

    assert set(Approval.objects.filter(voided_at=None).values_list("approved_at", flat=True)) == {late}
    assert content_hash(running) == before and explain_expiry(running, now=late) == ""


def test_a_campaign_that_ends_takes_its_change_along(running: Campaign, text: Variant, cast: Cast) -> None:
    change = stage(cast.marketer, running, text)
    workflow.cancel_campaign(cast.marketer, running, now=LATER)
    change.refresh_from_db()
    assert (change.status, change.decided_at) == ("withdrawn", LATER)


def test_affected_are_counted_by_what_can_still_change(running: Campaign, text: Variant, cast: Cast) -> None:
    had, waits, doubtful = Message.objects.order_by("pk")
    Message.objects.filter(pk=had.pk).update(status="delivered")
    Message.objects.filter(pk=doubtful.pk).update(status="retry_wait", in_doubt_since=NOW)
    Campaign.objects.filter(pk=running.pk).update(kind="triggered", sending_started_at=NOW - dt.timedelta(days=14))
    for part, kept in part_hashes(running).items():
        Approval.objects.filter(part=part).update(part_hash=kept)
    for number, customer in enumerate((had.customer, waits.customer), start=1):
        Entry.objects.create(
            campaign=running, customer=customer, cause=f"event:{number}", arm="treatment", archetype=text.archetype,
            entered_at=NOW - dt.timedelta(days=number), next_step=number, next_at=LATER,
        )  # fmt: skip
    change = StagedChange.objects.select_related("campaign").get(pk=stage(cast.marketer, running, text).pk)

    found = count_affected(change, now=NOW)

    assert (found.waiting, found.in_doubt, found.had) == (1, 1, 1)
    assert found.under_way == 1, "one of the two has this text before them"
    assert (found.people, found.weekly) == (2, 1)


def test_two_steps_keep_their_texts_apart(running: Campaign, text: Variant, cast: Cast) -> None:
    FollowUp.objects.create(campaign=running, number=2, wait_hours=24)
    second = Variant.objects.get(pk=text.pk)
    second.pk, second.step = None, 2
    second.save()
    change = preparing.open_change(cast.marketer, running, now=NOW)
    preparing.stage_text(cast.marketer, change, second, {"subject": "One more word"}, now=NOW)
    apply(cast, change)

    assert {(row.step, row.subject) for row in Variant.objects.all()} == {(1, text.subject), (2, "One more word")}
    assert Variant.objects.get(step=1).pk == text.pk
