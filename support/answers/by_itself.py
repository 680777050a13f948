"""Sends what may be sent without a person, through the one door, once for each ticket, with the notice that says so."""

from __future__ import annotations

import datetime as dt
from typing import Final

import structlog
from django.conf import settings
from django.core import signing
from django.db import connection, transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.models import AuditAction, record_audit
from support.models import (
    Answer,
    AnswerStatus,
    AutomaticAnswer,
    AutomaticCategory,
    Direction,
    Ticket,
    TicketConflict,
    TicketMessage,
    TicketStatus,
)
from support.models.message import SendStatus
from support.triage.handing_over import NOT_SENT, PERSON_WANTED, hand_to_person

from .automatic import OLDEST, find_obstacle, is_drawn
from .sending import hand_over, promise_answer
from .switching import is_stopped, want_people_only

SALT: Final = "support.person"
#: A message that is being sent for so long belongs to a worker that died.
STRANDED_AFTER: Final = dt.timedelta(minutes=15)
#: Newest first, so that many which a person has to answer hold up no other.
MOST_LOOKED_AT: Final = 200

log = structlog.get_logger(__name__)


def answer_pending(*, now: dt.datetime, most: int = 20) -> int:
    """Send what may be sent without a person. Returns how many; running it again, or twice at once, sends nothing twice."""
    if is_stopped():
        return 0
    categories = {one.topic: one for one in AutomaticCategory.objects.filter(is_on=True)}
    waiting = Answer.objects.filter(
        status=AnswerStatus.SUGGESTED,
        decided_at=None,
        ticket__status=TicketStatus.OPEN,
        ticket__automatic=None,
        ticket__assignee=None,
        ticket__is_complaint=False,
        ticket__topic__in=list(categories),
        ticket__last_message_at__gte=now - OLDEST,
    )
    sent = 0
    for answer in waiting.select_related("ticket__customer").order_by("-pk")[:MOST_LOOKED_AT]:
        if not find_obstacle(answer.ticket, answer, categories.get(answer.ticket.topic), now=now):
            sent += send_by_itself(answer, now=now) is not None
        if sent >= most:
            break
    return sent


def send_by_itself(answer: Answer, *, now: dt.datetime) -> TicketMessage | None:
    """Answer a ticket without a person where nothing speaks against it; None where something does. Not inside a transaction."""
    try:
        message = _promise(answer, now)
    except TicketConflict:
        return None
    if message is None:
        return None
    ticket = Ticket.objects.select_related("customer").get(pk=answer.ticket_id)
    with translation.override(ticket.interface_language):
        footer = _("Ask for a person: %(link)s") % {"link": make_person_link(ticket)}
        subject = _("Your question to %(shop)s [#%(number)s]") % {"shop": settings.SHOP_NAME, "number": ticket.pk}
    hand_over(ticket, message, footer=footer, subject=subject)
    if message.send_status != SendStatus.SENT:
        hand_to_person(ticket.pk, NOT_SENT, now=now)
    log.info("answered_by_itself", ticket=ticket.pk, status=message.send_status)
    return message


def settle_stranded(*, now: dt.datetime) -> int:
    """Messages whose worker died between promise and hand-over: they may have been sent, and a person has to look."""
    stranded = TicketMessage.objects.filter(
        direction=Direction.OUT, send_status=SendStatus.SENDING, written_at__lt=now - STRANDED_AFTER
    )
    settled = 0
    for message in stranded.order_by("pk")[:100]:
        told = gettext_noop("The program stopped while it was being sent: it may have been sent.")
        with transaction.atomic():
            is_ours = TicketMessage.objects.filter(pk=message.pk, send_status=SendStatus.SENDING).update(
                send_status=SendStatus.UNKNOWN, send_response=told[:300]
            )
            if is_ours:
                hand_to_person(message.ticket_id, NOT_SENT, now=now)
        settled += is_ours
    return settled


def make_person_link(ticket: Ticket) -> str:
    """The address where a customer asks for a person; signed, and good for this conversation alone."""
    return f"{settings.SITE_URL}{reverse('support:person', args=[signing.dumps(ticket.pk, salt=SALT)])}"


def read_person_token(token: str) -> Ticket | None:
    """The conversation of a link; None for one that is not ours or whose conversation is gone."""
    try:
        key = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return Ticket.objects.select_related("customer").filter(pk=key).first()


@transaction.atomic
def ask_for_person(ticket: Ticket, *, never_again: bool, now: dt.datetime) -> None:
    """The customer wants a person, and no automatic answer ever again where they say so. Asked twice it is the same."""
    if AutomaticAnswer.objects.filter(ticket=ticket, person_wanted_at=None).update(person_wanted_at=now):
        hand_to_person(ticket.pk, PERSON_WANTED, now=now)
    if never_again and ticket.customer is not None:
        want_people_only(ticket.customer, wanted=True, user=None, now=now)


@transaction.atomic
def _promise(answer: Answer, now: dt.datetime) -> TicketMessage | None:
    """All that was looked at is looked at again under the locks; the mark, the message and the audit stand or fall together."""
    with connection.cursor() as cursor:  # one at a time, so that the rates are kept
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('support_automatic_answers'))")
    ticket = Ticket.objects.select_for_update(of=("self",)).select_related("customer").get(pk=answer.ticket_id)
    category = AutomaticCategory.objects.select_for_update().filter(topic=ticket.topic, is_on=True).first()
    answer = Answer.objects.select_for_update().get(pk=answer.pk)
    if AutomaticAnswer.objects.filter(ticket=ticket).exists():
        return None
    if category is None or find_obstacle(ticket, answer, category, now=now):
        return None
    notice = category.notice_zh if ticket.language == "zh" else category.notice_en
    text = f"{answer.text.strip()}\n\n{notice.strip()}"
    message = promise_answer(None, ticket, text, seen=answer.message_id, now=now, said=answer.text)
    is_sampled = is_drawn(ticket.pk, category.sample_share)
    AutomaticAnswer.objects.create(
        ticket=ticket, answer=answer, message=message, topic=ticket.topic, sent_at=now, is_sampled=is_sampled
    )
    record_audit(AuditAction.AUTOMATIC_SENT, actor=None, about=("ticket", ticket.pk), topic=ticket.topic)
    return message
