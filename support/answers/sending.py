"""The one door through which an answer leaves: once, in the customer's own channel.

A person sends it; `by_itself` goes through it too, with what it has to prove before. The row stands as `sending` before
the network is touched; a server that does not answer leaves it `unknown`, and nothing is sent again by itself.
"""

from __future__ import annotations

import datetime as dt
import difflib
import smtplib

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.models import AuditAction, record_audit
from support.inbox.opening import clean_text
from support.inbox.working import require_right
from support.mail.outgoing import make_sender, make_thread_headers
from support.models import Answer, AnswerStatus, Direction, Ticket, TicketConflict, TicketMessage, TicketStatus
from support.models.message import SendStatus

from .rating import claim_asking
from .slots import fill_slots, find_misspelt_slots, find_open_slots


def send_answer(
    user: User, ticket: Ticket, text: str, *, seen: int, now: dt.datetime, ends: bool = False
) -> TicketMessage:
    """Answer the customer. `seen` is the newest message that the person had before them; with `ends` it asks how it was, once.

    Raises ValidationError where there is nothing to send, nobody to send it to, or a slot without a value or misspelt;
    TicketConflict where something was written meanwhile: then the person looks first. Not inside a transaction.
    """
    require_right(user)
    text = fill_slots(clean_text(text), ticket)
    if not text:
        raise ValidationError(_("Write the answer first."))
    if not ticket.answer_address:
        raise ValidationError(_("There is no address to answer to."))
    if missing := find_open_slots(text):
        raise ValidationError(_("Fill in or remove: %(slots)s") % {"slots": ", ".join(missing)})
    for written, meant in find_misspelt_slots(text):
        raise ValidationError(
            _("There is no slot {%(written)s}. Is {%(meant)s} meant?") % {"written": written, "meant": meant}
        )
    message = promise_answer(user, ticket, text, seen=seen, now=now)
    hand_over(ticket, message, footer=claim_asking(ticket, now=now) if ends else "")
    return message


@transaction.atomic
def discard_suggestion(user: User, answer: Answer, *, now: dt.datetime) -> None:
    """Throw a suggestion away."""
    require_right(user)
    Answer.objects.filter(pk=answer.pk, decided_at=None).update(
        status=AnswerStatus.DISCARDED, share_changed=1.0, decided_by=user, decided_at=now
    )


@transaction.atomic
def promise_answer(
    author: User | None, ticket: Ticket, text: str, *, seen: int, now: dt.datetime, said: str = ""
) -> TicketMessage:
    """The mark before the network is touched: the message as `sending`, the ticket as answered. Handed over once committed.

    `author` None is the machine; `said` is the text without what code put around it. Raises TicketConflict where `seen`
    is no longer the newest message, or the ticket is closed.
    """
    locked = Ticket.objects.select_for_update().get(pk=ticket.pk)
    newest = locked.messages.newest_spoken().values_list("pk", flat=True).first()
    if newest != seen:
        raise TicketConflict(_("Something was written in the meantime. Read it before you answer."))
    if locked.status == TicketStatus.CLOSED:
        raise TicketConflict(_("The ticket is closed. Open it again to answer."))
    message = TicketMessage.objects.create(
        ticket=locked, direction=Direction.OUT, text=text, author=author, written_at=now, send_status=SendStatus.SENDING
    )
    _settle_suggestion(author, locked, seen, said or text, now)
    fields: dict[str, object] = {"last_message_at": now, "due_at": None}
    if locked.first_answer_at is None:
        fields["first_answer_at"] = now
    if locked.status == TicketStatus.WAITING:
        Ticket.objects.filter(pk=locked.pk).update(**fields)
    else:
        locked.move(TicketStatus.WAITING, **fields)
    record_audit(AuditAction.TICKET_ANSWERED, actor=author, about=("ticket", locked.pk), message=message.pk)
    return message


def _settle_suggestion(user: User | None, ticket: Ticket, seen: int, text: str, now: dt.datetime) -> None:
    answer = Answer.objects.filter(message=seen, decided_at=None, status=AnswerStatus.SUGGESTED).first()
    if answer is None:
        return
    share = share_changed(fill_slots(answer.text, ticket), text)
    Answer.objects.filter(pk=answer.pk).update(
        status=AnswerStatus.SENT, sent_text=text, share_changed=round(share, 3), decided_by=user, decided_at=now
    )


def share_changed(suggested: str, sent: str) -> float:
    """0 where the suggestion was sent as it was, 1 where nothing of it was left."""
    if suggested.strip() == sent.strip():
        return 0.0
    return 1 - difflib.SequenceMatcher(None, suggested, sent, autojunk=False).ratio()


def hand_over(ticket: Ticket, message: TicketMessage, *, footer: str = "", subject: str = "") -> None:
    """Give a promised message to the mail server and keep how that went. `footer` is not kept: it has links that act."""
    headers = make_thread_headers(ticket, message)
    if message.author_id is None:  # RFC 3834: so that no machine answers it
        headers["Auto-Submitted"] = "auto-replied"
    mail = EmailMessage(
        subject=subject or _make_subject(ticket),
        body=f"{message.text}\n\n{footer}" if footer else message.text,
        from_email=make_sender(),
        to=[ticket.answer_address],
        headers=headers,
    )
    status, response = SendStatus.SENT, ""
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused:
        status, response = SendStatus.FAILED, gettext_noop("The address was refused.")
    except (ValueError, AttributeError):  # an address that mail let in and the header's grammar does not
        status, response = SendStatus.FAILED, gettext_noop("The address was refused.")
    except smtplib.SMTPServerDisconnected:
        status, response = SendStatus.UNKNOWN, gettext_noop("The mail server broke off: it may have been sent.")
    except (TimeoutError, OSError) as error:
        is_certain = isinstance(error, ConnectionRefusedError | smtplib.SMTPResponseException)
        status = SendStatus.FAILED if is_certain else SendStatus.UNKNOWN
        response = gettext_noop("The mail server did not take it: %(why)s") % {"why": type(error).__name__}
    TicketMessage.objects.filter(pk=message.pk).update(send_status=status, send_response=response[:300])
    message.refresh_from_db()


def _make_subject(ticket: Ticket) -> str:
    subject = " ".join(ticket.subject.split()) or _("Your question")
    return f"Re: {subject} [#{ticket.pk}]"
