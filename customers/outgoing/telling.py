"""Mails the people who look after integrations when an endpoint was switched off by itself."""

from __future__ import annotations

import datetime as dt

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from customers.models import OutgoingEndpoint

log = structlog.get_logger(__name__)


def tell_of_disabled(now: dt.datetime) -> int:
    """One mail an endpoint, to all who may change endpoints; returns how many. Marked first, so that it is told once."""
    told = 0
    waiting = OutgoingEndpoint.objects.filter(status=OutgoingEndpoint.Status.DISABLED, told_at=None).exclude(
        disabled_why=OutgoingEndpoint.Why.BY_HAND
    )
    for row in waiting:
        if not OutgoingEndpoint.objects.filter(pk=row.pk, told_at=None).update(told_at=now):
            continue
        told += 1
        try:
            _compose(row, _list_keepers()).send()
        except Exception as error:  # whatever a mail server can be wrong with: the page says it all the same
            log.warning("outgoing_notice_not_mailed", endpoint=row.pk, error=type(error).__name__)
    return told


def _list_keepers() -> list[str]:
    able = User.objects.with_perm("customers.change_outgoingendpoint").exclude(email="")
    return list(able.order_by("pk").values_list("email", flat=True))


def _compose(row: OutgoingEndpoint, people: list[str]) -> EmailMessage:
    with override(settings.LANGUAGE_CODE):
        subject = _("The web hook “%(name)s” was switched off") % {"name": str(row)[:80]}
        body = "\n\n".join(
            [
                _("%(url)s gets nothing any more: %(why)s.") % {"url": row.url, "why": row.get_disabled_why_display()},
                _("Look at its log, mend the receiver, and switch it on again:"),
                settings.SITE_URL + reverse("customers:endpoint", args=[row.pk]),
            ]
        )
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    headers = {
        "Message-ID": f"<endpoint-{row.pk}-{row.disabled_at:%Y%m%d%H%M%S}@{domain}>",
        "Auto-Submitted": "auto-generated",
    }
    return EmailMessage(f"[Rekindle] {subject}"[:200], body, None, people, headers=headers)
