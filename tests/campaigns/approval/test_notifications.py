"""Who is told of what, once, by mail and in the menu, without a word about customers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core import mail
from pytest_django import Settings

from campaigns.approval import notices, workflow
from campaigns.approval.notices import mail_notifications
from campaigns.approval.notifying import notify_of
from campaigns.delivery import control
from campaigns.delivery.scheduler import start_campaign
from campaigns.models import (
    Campaign,
    CampaignTransition,
    Message,
    Notification,
    NotificationChoice,
    NotificationKind,
)
from tests.at_once import do_at_once
from tests.campaigns import arrange
from tests.campaigns.arrange import NOW, Cast
from tests.conftest import MakeUser

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    return arrange.make_campaign(cast.marketer)


def told() -> set[tuple[str, str]]:
    return {(row.user.username, row.kind) for row in Notification.objects.select_related("user")}


def test_a_submission_tells_everybody_who_may_approve(
    campaign: Campaign, cast: Cast, make_user: MakeUser, analyst: User, outsider: User, site_admin: User
) -> None:
    make_user("abe", "approver")
    gone = make_user("gus", "approver")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    arrange.submit(campaign, cast)
    assert told() == {("ava", "review_asked"), ("abe", "review_asked"), ("ada", "review_asked")}


def test_a_writer_with_the_right_is_not_asked(campaign: Campaign, cast: Cast, site_admin: User) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(author=site_admin)
    arrange.submit(Campaign.objects.get(pk=campaign.pk), cast)
    assert told() == {("ava", "review_asked")}


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda c, p: workflow.request_changes(p.approver, c, comment="Warmer.", now=NOW), {("mara", "changes_asked")}),
        (lambda c, p: workflow.approve_campaign(p.approver, c, now=NOW), {("mara", "approved")}),
    ],
)
def test_a_decision_tells_the_author(
    campaign: Campaign, cast: Cast, act: Callable[[Campaign, Cast], object], expected: set[tuple[str, str]]
) -> None:
    arrange.submit(campaign, cast)
    act(campaign, cast)
    assert told() - {("ava", "review_asked")} == expected


def test_scheduling_tells_who_approved_and_an_edit_that_voids_too(campaign: Campaign, cast: Cast) -> None:
    arrange.schedule(campaign, cast)
    assert ("ava", "scheduled") in told()
    workflow.unschedule_campaign(cast.marketer, campaign, now=NOW)
    assert ("ava", "voided") in told() and ("mara", "voided") not in told()


def test_a_missed_campaign_and_one_that_the_breaker_stopped_tell_both(campaign: Campaign, cast: Cast) -> None:
    arrange.schedule(campaign, cast)
    start_campaign(campaign, now=NOW)
    control.pause_campaign(None, campaign, reason="The mail server refused us.", now=NOW)
    other = arrange.make_campaign(cast.marketer, arrange.make_customers(2, prefix="o"), name="Other")
    arrange.schedule(other, cast)
    start_campaign(other, now=workflow.window_end(other))
    assert {("mara", "paused"), ("ava", "paused"), ("mara", "missed"), ("ava", "missed")} <= told()


def test_a_pause_by_hand_is_no_news(campaign: Campaign, cast: Cast) -> None:
    arrange.start(campaign, cast)
    control.pause_campaign(cast.marketer, campaign, reason="Lunch.", now=NOW)
    assert not {row for row in told() if row[1] == "paused"}


def test_what_asked_for_a_review_that_is_over_is_no_longer_news(campaign: Campaign, cast: Cast) -> None:
    arrange.approve(campaign, cast)
    row = Notification.objects.get(kind="review_asked")
    assert (row.read_at, row.mail_state) == (NOW, Notification.Mail.NONE)
    assert mail_notifications(NOW) == 1, "the author is mailed that it is approved"


def test_telling_twice_adds_nothing(campaign: Campaign, cast: Cast) -> None:
    arrange.submit(campaign, cast)
    notify_of(campaign, CampaignTransition.objects.get(), now=NOW)
    assert Notification.objects.count() == 1


def test_a_refused_change_tells_nobody(campaign: Campaign, cast: Cast) -> None:
    arrange.submit(campaign, cast)
    with pytest.raises(Exception, match="cannot be done"):
        workflow.submit_campaign(cast.marketer, campaign, now=NOW)
    assert Notification.objects.count() == 1


def test_silenced_kinds_and_mails(campaign: Campaign, cast: Cast, make_user: MakeUser) -> None:
    quiet, no_mail = make_user("abe", "approver"), make_user("amy", "approver")
    NotificationChoice.objects.create(user=quiet, silenced=[NotificationKind.REVIEW_ASKED])
    NotificationChoice.objects.create(user=no_mail, wants_mail=False)
    User.objects.filter(pk=cast.approver.pk).update(email="")
    arrange.submit(campaign, cast)
    states = dict(Notification.objects.values_list("user__username", "mail_state"))
    assert states == {"ava": "none", "amy": "none"}


def test_each_is_mailed_once_in_the_language_of_its_reader(campaign: Campaign, cast: Cast, make_user: MakeUser) -> None:
    NotificationChoice.objects.create(user=make_user("abe", "approver"), language="zh-hans")
    arrange.submit(campaign, cast)
    assert mail_notifications(NOW) == 2
    assert mail_notifications(NOW) == 0
    by_address = {message.to[0]: message for message in mail.outbox}
    assert len(mail.outbox) == 2
    english, chinese = by_address["ava@tarnside.test"], by_address["abe@tarnside.test"]
    assert "mara asks for your approval of “Autumn”." in english.subject
    assert f"/campaigns/{campaign.pk}/review/" in english.body
    assert "Autumn" in chinese.subject and "审批" in chinese.subject
    assert english.extra_headers["Message-ID"] != chinese.extra_headers["Message-ID"]


def test_nothing_of_a_customer_or_a_comment_is_mailed_and_no_message_is_counted(campaign: Campaign, cast: Cast) -> None:
    arrange.submit(campaign, cast)
    mail_notifications(NOW)
    workflow.request_changes(cast.approver, campaign, comment="Ask Kim Number0 (c0@shopper.test) first.", now=NOW)
    mail_notifications(NOW)
    words = " ".join(f"{message.subject} {message.body}" for message in mail.outbox)
    assert len(mail.outbox) == 2
    assert not any(word in words for word in ("Kim", "Number0", "shopper.test", "Scots"))
    assert not Message.objects.exists()


def test_a_mail_server_that_is_down_is_tried_again_and_not_for_ever(
    campaign: Campaign, cast: Cast, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 1.0
    arrange.submit(campaign, cast)
    now = NOW
    for attempt in range(1, notices.MOST_ATTEMPTS + 1):
        assert mail_notifications(now) == 0
        row = Notification.objects.get()
        assert row.attempts == attempt and row.held_until is not None
        assert mail_notifications(now) == 0, "held: not tried again at once"
        now = row.held_until + dt.timedelta(seconds=1)
    assert Notification.objects.get().mail_state == Notification.Mail.FAILED


def test_old_news_is_not_mailed(campaign: Campaign, cast: Cast) -> None:
    arrange.submit(campaign, cast)
    mail_notifications(NOW + notices.STALE_AFTER * 2)
    assert mail.outbox == []
    assert Notification.objects.get().mail_state == Notification.Mail.FAILED


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_mail_each_once() -> None:
    cast = arrange.make_cast()
    for number in range(8):
        user = User.objects.create_superuser(f"admin{number}", f"admin{number}@tarnside.test")
        assert user.has_perm("campaigns.approve_campaign")
    arrange.submit(arrange.make_campaign(cast.marketer), cast)
    waiting = Notification.objects.filter(mail_state="waiting").count()
    mailed = do_at_once(*[lambda: mail_notifications(NOW)] * 4)
    assert sum(mailed) == waiting == len(mail.outbox) == 9
