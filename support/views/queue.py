"""The queue: conversations by urgency, filtered and searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy
from django.views.decorators.http import require_safe

from support.inbox.working import RIGHT
from support.mail.imap.target import ImapTarget
from support.models import (
    Answer,
    AnswerStatus,
    Article,
    Direction,
    Intent,
    MailboxState,
    Ticket,
    TicketMessage,
    TicketStatus,
    Topic,
)
from support.models.ticket import TO_ANSWER

from .access import read_number
from .wording import name_people_only

ROWS: Final = 25
#: Fields of triage that narrow the queue: the name in the address, the first choice, and all others.
NARROWED_BY: Final[tuple[tuple[str, str | Promise, Sequence[tuple[str, str | Promise]]], ...]] = (
    ("topic", pgettext_lazy("tickets", "About anything"), Topic.choices),
    ("intent", pgettext_lazy("tickets", "Whatever they want"), Intent.choices),
)
#: How much of a customer's newest message is read for its row.
BEGINNING: Final = 200


@require_safe
@permission_required("support.view_ticket", raise_exception=True)
def show_queue(request: HttpRequest) -> HttpResponse:
    """What waits, the most urgent first; ?show=, ?topic= and ?intent= narrow it; ?q=, ?customer= and ?tag= find in all."""
    tag = request.GET.get("tag", "").replace("\x00", "").strip()[:40]
    show, words = request.GET.get("show", "open"), request.GET.get("q", "").replace("\x00", "").strip()[:200]
    customer = read_number(request.GET.get("customer", ""))
    narrowing = _read_narrowing(request)
    rows = _with_beginnings(_choose(request, "all" if words or customer or tag else show)).filter(**narrowing)
    if words:
        rows = rows.matching(words)
    if tag:
        rows = rows.filter(tags__contains=[tag])
    if customer:
        rows = rows.filter(customer=customer)
    page = Paginator(rows.by_urgency() if show != "closed" else rows.order_by("-closed_at"), ROWS).get_page(
        request.GET.get("page")
    )
    suggested = set(
        Answer.objects.filter(ticket__in=[ticket.pk for ticket in page], status=AnswerStatus.SUGGESTED).values_list(
            "ticket", flat=True
        )
    )
    now, views = timezone.now(), _count_views(request, narrowing)
    is_new = not page and not narrowing and not any(number for _name, _label, number in views)
    context: dict[str, Any] = {
        "page": page,
        "rows": [
            {
                "ticket": one,
                "is_late": one.is_late(now),
                "is_suggested": one.pk in suggested,
                "people_only": name_people_only(one),
                "beginning": " ".join((one.beginning or "").split()),
            }
            for one in page
        ],
        "show": "" if words or customer or tag else show,
        "tag": tag,
        "q": words,
        "may_answer": request.user.has_perm(RIGHT),
        "views": views,
        "is_new": is_new,
        "is_narrowed": bool(narrowing),
        "narrow": [(name, label, choices, narrowing.get(name, "")) for name, label, choices in NARROWED_BY],
        "mailbox_fails": _is_mailbox_failing() if request.user.has_perm("support.view_mailboxstate") else False,
    }
    if is_new:
        context |= {
            "has_articles": Article.objects.exists(),
            "contact_url": f"{settings.SITE_URL}{reverse('support:contact')}",
        }
    return render(request, "support/queue.html", context)


def _read_narrowing(request: HttpRequest) -> dict[str, str]:
    """The fields of triage that the queue is narrowed by; what is no value of theirs narrows nothing."""
    return {
        name: value for name, _label, choices in NARROWED_BY if (value := request.GET.get(name, "")) in dict(choices)
    }


def _is_mailbox_failing() -> bool:
    """Whether mail stays away because the mailbox cannot be read."""
    target: ImapTarget | None = settings.SUPPORT_IMAP_TARGET
    if target is None:
        return False
    return MailboxState.objects.filter(mailbox=target.name).exclude(failing_since=None).exists()


def _with_beginnings(found: QuerySet[Ticket]) -> Any:
    """Each ticket with its people and how the customer's newest message begins: many come without a subject."""
    theirs = TicketMessage.objects.filter(ticket=OuterRef("pk"), direction=Direction.IN).newest_spoken()
    beginning = theirs.annotate(beginning=Left("text", BEGINNING)).values("beginning")[:1]
    return found.select_related("customer", "assignee").annotate(beginning=Subquery(beginning))


def _choose(request: HttpRequest, show: str) -> QuerySet[Ticket]:
    found = Ticket.objects.all()
    conditions = _conditions(request)
    return found.filter(conditions[show]) if show in conditions else found


def _conditions(request: HttpRequest) -> dict[str, Q]:
    to_answer = Q(status__in=TO_ANSWER)
    return {
        "open": to_answer,
        "mine": to_answer & Q(assignee=request.user.pk),
        "nobodys": to_answer & Q(assignee=None),
        "late": to_answer & Q(due_at__lt=timezone.now()),
        "complaints": ~Q(status=TicketStatus.CLOSED) & Q(is_complaint=True),
        "look": to_answer & Q(needs_look=True),
        "check": Q(automatic__is_sampled=True, automatic__verdict=""),
        "waiting": Q(status=TicketStatus.WAITING),
        "closed": Q(status=TicketStatus.CLOSED),
    }


def _count_views(request: HttpRequest, narrowing: dict[str, str]) -> list[tuple[str, str, int]]:
    """Each view with its number as far as it is narrowed, in one query."""
    conditions = _conditions(request)
    narrowed = Ticket.objects.filter(**narrowing)
    counts = narrowed.aggregate(**{name: Count("pk", filter=condition) for name, condition in conditions.items()})
    labels = {
        "open": _("To answer"),
        "mine": _("Mine"),
        "nobodys": _("Nobody’s"),
        "late": pgettext("tickets", "Late"),
        "complaints": _("Complaints"),
        "look": _("Needs a look"),
        "check": _("Automatic, to check"),
        "waiting": _("Waiting for the customer"),
        "closed": _("Closed"),
    }
    return [(name, label, counts[name]) for name, label in labels.items()]
