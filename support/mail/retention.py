"""Forgets files, header blocks and full texts of mail some time after their conversation was closed; what was said stays."""

from __future__ import annotations

import datetime as dt

import structlog
from django.conf import settings

from customers.models.kept_files import remove_strays
from support.models import Attachment, MailOutcome, MailSource, SeenMail

from .attaching import forget_files

log = structlog.get_logger(__name__)

#: Of one run, so that it is short; the next goes on.
MOST_ROWS = 500
#: How long the page can say why a mail opened no ticket.
KEEP_NOTES = dt.timedelta(days=90)


def forget_old(*, now: dt.datetime) -> int:
    """How many files and mails were forgotten. Safe to run twice."""
    forgotten = 0
    if settings.SUPPORT_FILE_DAYS:
        forgotten = _forget_before(now - dt.timedelta(days=settings.SUPPORT_FILE_DAYS), now)
    strays = remove_strays(set(Attachment.objects.exclude(stored_as="").values_list("stored_as", flat=True)))
    automatic = SeenMail.objects.exclude(outcome__in=[MailOutcome.TAKEN, MailOutcome.FLOOD])
    automatic.filter(seen_at__lt=now - KEEP_NOTES).delete()
    if forgotten or strays:
        log.info("files_forgotten", rows=forgotten, strays=strays)
    return forgotten


def _forget_before(closed_before: dt.datetime, now: dt.datetime) -> int:
    files = Attachment.objects.exclude(stored_as="").filter(message__ticket__closed_at__lt=closed_before)
    rows = list(files.order_by("pk")[:MOST_ROWS])
    forget_files(rows)
    old = MailSource.objects.filter(forgotten_at=None, message__ticket__closed_at__lt=closed_before)
    mails = MailSource.objects.filter(pk__in=list(old.order_by("pk").values_list("pk", flat=True)[:MOST_ROWS]))
    return len(rows) + mails.update(headers="", whole="", forgotten_at=now)
