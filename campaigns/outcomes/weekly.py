"""The week's figures by mail, to those colleagues who want them: what the report pages say, in the same words.

Nothing of a customer is in it, and no name but those of campaigns and groups. It is no message of a campaign and counts nowhere.
"""

from __future__ import annotations

import datetime as dt
import html
import re
import smtplib
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.signing import BadSignature, Signer
from django.db import connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns.approval.notifying import with_right
from campaigns.models import NotificationChoice, WeeklyMail

from .reports.cost import read_cost_report
from .reports.fairness import read_fairness_report
from .reports.ledger import read_ledger
from .reports.lift import read_lift_report
from .reports.retention import read_retention_report
from .reports.telling import tell_fairness
from .reports.week import read_week

log = structlog.get_logger(__name__)

#: From this hour of a Monday on, by the shop's clock, until the day after it: then the week is old news.
FIRST_HOUR: Final = 7
LAST_DAY: Final = 1
MOST_ATTEMPTS: Final = 5
PAUSE: Final = dt.timedelta(minutes=10)
SALT: Final = "campaigns.outcomes.weekly"
#: Answers by which a mail server says that it did not take the mail. After anything else nobody knows.
_REFUSALS: Final = (
    smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError,
)  # fmt: skip


def mail_weekly(now: dt.datetime) -> int:
    """Write this week's row for everybody who wants it, and mail what waits; returns how many left.

    Safe to run as often as one likes and by several at once: the row is unique for user and week, and it is marked as being
    sent, committed, before the mail server is asked. A worker that dies after that leaves a mail of which nobody knows
    whether it left; it is not sent again.
    """
    week = find_week(now)
    WeeklyMail.objects.filter(state=WeeklyMail.State.SENDING, tried_at__lt=now - PAUSE).update(
        state=WeeklyMail.State.UNKNOWN
    )
    if week is None:
        WeeklyMail.objects.filter(state=WeeklyMail.State.WAITING).update(state=WeeklyMail.State.FAILED)
        return 0
    _queue(week)
    if not WeeklyMail.objects.filter(state=WeeklyMail.State.WAITING, week=week).exists():
        return 0
    figures = _read_figures(now, week)  # before a row is marked: a figure that cannot be had costs nobody their mail
    mailed = 0
    while (row := _claim(week, now)) is not None:
        mailed += _send(row, figures, now)
    return mailed


def find_week(now: dt.datetime) -> dt.date | None:
    """The Monday whose mail is due at `now`, by the shop's clock; None at other times."""
    local = now.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE))
    if local.weekday() > LAST_DAY or (local.weekday() == 0 and local.hour < FIRST_HOUR):
        return None
    return local.date() - dt.timedelta(days=local.weekday())


def make_token(user_id: int) -> str:
    """What ends a person's weekly mail without a log-in."""
    return Signer(sep=".", salt=SALT).sign(str(user_id))


def find_choice(token: str) -> NotificationChoice | None:
    """Whose token it is; None for one that we did not make, or whose person is gone."""
    try:
        user_id = int(Signer(sep=".", salt=SALT).unsign(token))
    except (BadSignature, ValueError):
        return None
    return NotificationChoice.objects.filter(user=user_id).first()


def compose(row: WeeklyMail, figures: dict[str, Any]) -> EmailMultiAlternatives:
    """The mail in the language of its reader, as text and as HTML with the same sentences."""
    url = f"{settings.SITE_URL}{reverse('campaigns:weekly-end', args=[make_token(row.user_id)])}"
    context = figures | {"fairness": tell_fairness(figures["groups"]), "end_url": url, "site": settings.SITE_URL}
    subject = _("The week at %(shop)s") % {"shop": settings.SHOP_NAME}
    context |= {"subject": subject, "week": row.week}
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    mail = EmailMultiAlternatives(
        f"[Rekindle] {subject}"[:200], _as_text(render_to_string("campaigns/reports/weekly.txt", context)), None,
        [row.user.email],
        headers={
            "Message-ID": f"<weekly-{row.pk}@{domain}>", "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )  # fmt: skip
    mail.attach_alternative(render_to_string("campaigns/reports/weekly.html", context), "text/html")
    return mail


def _queue(week: dt.date) -> None:
    wanting = NotificationChoice.objects.filter(wants_weekly=True).values("user")
    able = with_right("view_campaignresult").filter(pk__in=wanting).exclude(email="")
    rows = [WeeklyMail(user=user, week=week) for user in able]
    WeeklyMail.objects.bulk_create(rows, ignore_conflicts=True)
    # Whose right, or whose address, went while their mail was waiting to be tried again.
    waiting = WeeklyMail.objects.filter(week=week, state=WeeklyMail.State.WAITING)
    waiting.exclude(user__in=with_right("view_campaignresult").exclude(email="")).update(state=WeeklyMail.State.FAILED)


def _claim(week: dt.date, now: dt.datetime) -> WeeklyMail | None:
    """One row that waits and is wanted still, marked as being sent. Two workers never get the same."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_weeklymail SET state = 'sending', attempts = attempts + 1, tried_at = %(now)s WHERE id = ("
            " SELECT w.id FROM campaigns_weeklymail w"
            " JOIN campaigns_notificationchoice c ON c.user_id = w.user_id AND c.wants_weekly"
            " WHERE w.state = 'waiting' AND w.week = %(week)s AND (w.tried_at IS NULL OR w.tried_at < %(free)s)"
            " ORDER BY w.id LIMIT 1 FOR UPDATE OF w SKIP LOCKED) RETURNING id",
            {"now": now, "week": week, "free": now - PAUSE},
        )
        found = cursor.fetchone()
    return None if found is None else WeeklyMail.objects.select_related("user").get(pk=found[0])


def _read_figures(now: dt.datetime, week: dt.date) -> dict[str, Any]:
    ledger = read_ledger()
    return {
        "news": read_week(ledger, week),
        "retention": read_retention_report(now, ledger),
        "lift": read_lift_report(ledger),
        "cost": read_cost_report(ledger),
        "groups": read_fairness_report(now),
    }


def _send(row: WeeklyMail, figures: dict[str, Any], now: dt.datetime) -> bool:
    language = NotificationChoice.objects.filter(user=row.user_id).values_list("language", flat=True).first()
    with override(language or settings.LANGUAGE_CODE):
        mail = compose(row, figures)
    state, error = _hand_over(mail, get_connection(), may_wait=row.attempts < MOST_ATTEMPTS)
    held = WeeklyMail.objects.filter(pk=row.pk, state=WeeklyMail.State.SENDING)
    is_sent = state == WeeklyMail.State.SENT
    held.update(state=state, mailed_at=now if is_sent else None)
    if not is_sent:
        log.warning("weekly_not_mailed", row=row.pk, attempts=row.attempts, state=state.value, error=error)
    return is_sent


def _hand_over(mail: EmailMultiAlternatives, door: BaseEmailBackend, *, may_wait: bool) -> tuple[WeeklyMail.State, str]:
    again = WeeklyMail.State.WAITING if may_wait else WeeklyMail.State.FAILED
    try:
        door.open()
    except Exception as error:  # whatever a mail server can be wrong with: nothing was handed over
        return again, type(error).__name__
    try:
        door.send_messages([mail])
    except _REFUSALS as error:
        return again, type(error).__name__
    except Exception as error:
        return WeeklyMail.State.UNKNOWN, type(error).__name__
    finally:
        door.close()
    return WeeklyMail.State.SENT, ""


def _as_text(rendered: str) -> str:
    """The sentences of the pages without their tags: one paragraph to a line, one empty line between them."""
    lines = (re.sub(r"\s+", " ", html.unescape(strip_tags(part))).strip() for part in rendered.split("\n\n"))
    return "\n\n".join(line for line in lines if line) + "\n"
