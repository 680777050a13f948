"""How mail comes in, whether it does, and what of it opened no conversation."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from support.mail.hook import HOOK_PATH, SIGNERS, is_taking_mail
from support.mail.imap.target import ImapTarget
from support.models import MailboxState, MailOutcome, MailWay, SeenMail

DAYS: Final = 30
#: Two rounds of the poll and some.
LATE_AFTER: Final = dt.timedelta(minutes=10)


@require_safe
@permission_required("support.view_mailboxstate", raise_exception=True)
def show_mailbox(request: HttpRequest) -> HttpResponse:
    """The ways in with their state, and the last 30 days' mails by what became of them."""
    return render(request, "support/mailbox.html", describe_mail(timezone.now()))


def describe_mail(now: dt.datetime) -> dict[str, Any]:
    target: ImapTarget | None = settings.SUPPORT_IMAP_TARGET
    state = MailboxState.objects.filter(mailbox=target.name).first() if target else None
    seen = SeenMail.objects.filter(seen_at__gt=now - dt.timedelta(days=DAYS))
    return {
        "target": target,
        "state": state,
        "is_late": bool(state and not state.trouble and state.checked_at and now - state.checked_at > LATE_AFTER),
        "takes_hook": is_taking_mail(),
        "hook_url": f"{settings.SITE_URL}{HOOK_PATH}",
        "hook_provider": settings.SUPPORT_HOOK_PROVIDER,
        "hook_is_wrong": bool(settings.SUPPORT_HOOK_PROVIDER) and not is_taking_mail(),
        "providers": sorted(SIGNERS),
        "hook_seen": seen.filter(way=MailWay.HOOK).aggregate(last=Max("seen_at"))["last"],
        "trusted_server": settings.SUPPORT_AUTH_SERVER,
        "address": settings.SUPPORT_ADDRESS,
        "days": DAYS,
        "outcomes": _count_outcomes(seen),
        "unreadable": list(seen.filter(outcome=MailOutcome.UNREADABLE).order_by("-seen_at")[:20]),
        "limits": {
            "mail": settings.SUPPORT_MAIL_MB,
            "files": settings.ATTACHMENTS_PER_MAIL,
            "file": settings.ATTACHMENT_MB,
            "days": settings.SUPPORT_FILE_DAYS,
        },
    }


def _count_outcomes(seen: Any) -> list[tuple[str, str, int]]:
    counts = dict(seen.values_list("outcome").annotate(n=Count("pk")))
    return [(value, str(label), counts[value]) for value, label in MailOutcome.choices if value in counts]
