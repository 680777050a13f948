"""Words of a notification, and the sweep that mails those that wait. Nothing of a customer is in them, nor what colleagues typed
but the campaign's name; they are no messages of a campaign and count nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns.models import Notification, NotificationChoice, NotificationKind

log = structlog.get_logger(__name__)

BATCH: Final = 50
MOST_ATTEMPTS: Final = 5
#: Longer than a whole batch takes at a slow server; after a crash the row is free again then.
HOLD_S: Final = 600
#: News that nobody could be mailed for so long is in the menu only.
STALE_AFTER: Final = dt.timedelta(days=2)


def tell_notification(notification: Notification) -> str:
    """The news in a sentence, in the reader's language."""
    sentences = {
        NotificationKind.REVIEW_ASKED: _("%(who)s asks for your approval of “%(campaign)s”."),
        NotificationKind.CHANGES_ASKED: _("%(who)s asks for changes to “%(campaign)s”."),
        NotificationKind.APPROVED: _("%(who)s gave the last approval of “%(campaign)s”. It can be scheduled."),
        NotificationKind.SCHEDULED: _("%(who)s scheduled “%(campaign)s”."),
        NotificationKind.MISSED: _("“%(campaign)s” missed its time and was not sent. Choose another time."),
        NotificationKind.PAUSED: _("Sending “%(campaign)s” stopped by itself. Look at the reason, then resume."),
        NotificationKind.VOIDED: _("The approval of “%(campaign)s” is void. It has to be submitted again."),
        NotificationKind.CHANGE_ASKED: _(
            "%(who)s asks for your approval of a change of “%(campaign)s”, which is running."
        ),
        NotificationKind.CHANGE_APPLIED: _("%(who)s approved the change of “%(campaign)s”. It is in force."),
        NotificationKind.CHANGE_REFUSED: _("The change of “%(campaign)s” was not approved. Look at the reason."),
    }
    actor = notification.transition.actor
    who = (actor.get_full_name() or actor.get_username()) if actor is not None else _("Somebody")
    return sentences[NotificationKind(notification.kind)] % {"who": who, "campaign": notification.campaign.name}


def find_page(notification: Notification) -> str:
    """The path of the page on which to act."""
    changes = (NotificationKind.CHANGE_ASKED, NotificationKind.CHANGE_APPLIED, NotificationKind.CHANGE_REFUSED)
    if notification.kind in changes:
        return reverse("campaigns:staged-changes", args=[notification.campaign_id])
    step = "live" if notification.kind in (NotificationKind.PAUSED, NotificationKind.MISSED) else "review-campaign"
    return reverse(f"campaigns:{step}", args=[notification.campaign_id])


def mail_notifications(now: dt.datetime) -> int:
    """Mail what waits; returns how many left. Two sweeps at once share the rows.

    A row is held and its try counted before the network is touched, so that it is mailed once; only a worker that dies
    between the server's answer and the note of it lets it be mailed again, with the same Message-ID, and at most five times.
    """
    Notification.objects.to_be_mailed(now).filter(created_at__lt=now - STALE_AFTER).update(
        mail_state=Notification.Mail.FAILED
    )
    claimed = _claim(now)
    if not claimed:
        return 0
    languages = dict(NotificationChoice.objects.filter(user__in={row.user_id for row in claimed}).values_list(
        "user", "language"))  # fmt: skip
    door, mailed = get_connection(), 0
    try:
        for row in claimed:
            with override(languages.get(row.user_id) or settings.LANGUAGE_CODE):
                mail = _compose(row)
            mailed += _send(row, mail, door, now)
    finally:
        door.close()
    return mailed


def _claim(now: dt.datetime) -> Sequence[Notification]:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_notification SET attempts = attempts + 1, held_until = %(until)s WHERE id IN ("
            " SELECT id FROM campaigns_notification WHERE mail_state = 'waiting' AND (held_until IS NULL OR held_until < %(now)s)"
            " ORDER BY id LIMIT %(size)s FOR UPDATE SKIP LOCKED) RETURNING id",
            {"until": now + dt.timedelta(seconds=HOLD_S), "now": now, "size": BATCH},
        )
        ids = [row[0] for row in cursor.fetchall()]
    found = Notification.objects.filter(pk__in=ids).select_related("user", "campaign", "transition__actor")
    return list(found.order_by("pk"))


def _compose(row: Notification) -> EmailMessage:
    sentence = tell_notification(row)
    body = "\n\n".join(
        [
            sentence,
            f"{settings.SITE_URL}{find_page(row)}",
            _("What you are told, and whether by mail, you choose here: %(url)s")
            % {"url": f"{settings.SITE_URL}{reverse('campaigns:notification-choice')}"},
        ]
    )
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    headers = {"Message-ID": f"<notification-{row.pk}@{domain}>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(f"[Rekindle] {sentence}"[:200], body, None, [row.user.email], headers=headers)


def _send(row: Notification, mail: EmailMessage, door: BaseEmailBackend, now: dt.datetime) -> bool:
    held = Notification.objects.filter(pk=row.pk, mail_state=Notification.Mail.WAITING)
    try:
        door.open()  # kept from one mail to the next; a server that is not there fails each in turn
        door.send_messages([mail])
    except Exception as error:  # whatever a mail server or its address can be wrong with: the others still go
        state = Notification.Mail.FAILED if row.attempts >= MOST_ATTEMPTS else Notification.Mail.WAITING
        held.update(mail_state=state)
        log.warning("notification_not_mailed", notification=row.pk, attempts=row.attempts, error=type(error).__name__)
        return False
    return bool(held.update(mail_state=Notification.Mail.SENT, mailed_at=now, held_until=None))
