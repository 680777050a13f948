"""What the demo shop's support did in the weeks before: questions answered and closed, and what customers said of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User

from customers.models import Customer
from support.answers.rating import keep_rating
from support.answers.sending import discard_suggestion, promise_answer
from support.answers.suggesting import suggest_answer
from support.inbox.opening import Incoming
from support.inbox.working import close_ticket
from support.models import Ticket, TicketChannel, TicketMessage
from support.models.message import SendStatus
from support.triage.correcting import confirm_triage, correct_triage
from support.triage.deciding import receive

AGAIN: Final = "\n\nWrite again if anything is still open."
BY_HAND: Final = "I have looked it up for you and written to the warehouse. You hear from me tomorrow."


@dataclass(frozen=True)
class Answered:
    """A question of so many days ago, what was made of its suggestion, the hours that took, and a rating (0: none)."""

    days_ago: float
    language: str
    text: str
    made_of_it: str
    hours: float
    rating: int = 0
    comment: str = ""
    #: (field, value) that a person corrected; ("", "") where they confirmed it; None where they did neither.
    word: tuple[str, str] | None = None


ANSWERED: Final = (
    Answered(41, "en", "How long does standard delivery take?", "unchanged", 3.5, 5),
    Answered(38, "en", "Can I return underwear?", "unchanged", 6.0, 4),
    Answered(35, "zh", "请问多少天内可以退货？", "unchanged", 2.2, 5, "回复很快，谢谢！"),
    Answered(33, "en", "Which cards do you take?", "edited", 9.4),
    Answered(
        30, "en", "My order has not moved for a week, where is it?", "by hand", 21.0, 2, "It took a day to get an answer.",
        ("topic", "delivery"),
    ),
    Answered(27, "en", "How do I wash my waterproof jacket?", "edited", 5.1, 5),
    Answered(24, "en", "How long is a gift card valid?", "unchanged", 1.4, 5, "Quick, and to the point."),
    Answered(21, "zh", "靴子的尺码怎么选？", "unchanged", 4.6, 4),
    Answered(17, "en", "I forgot my password, what can I do?", "unchanged", 0.8, 5, word=("", "")),
    Answered(13, "en", "What does the Tarnside club cost?", "edited", 12.5, word=("topic", "account")),
    Answered(9, "en", "Do you ship to Norway?", "by hand", 30.0, 3, word=("", "")),
    Answered(5, "en", "How many days do I have to send something back?", "unchanged", 2.9, 5),
    Answered(3, "zh", "保修期是多久？", "edited", 3.3),
)  # fmt: skip


def answer_earlier(agent: User, *, now: dt.datetime) -> int:
    """Take the questions in, answer, close and rate them, each at its time. No mail leaves. How many; safe to run again."""
    return sum(_answer(number, one, agent, now) for number, one in enumerate(ANSWERED))


def _answer(number: int, one: Answered, agent: User, now: dt.datetime) -> bool:
    people = Customer.objects.known().filter(language__startswith=one.language, orders__isnull=False).exclude(email="")
    customer = people.distinct().order_by("pk")[number * 5 : number * 5 + 1].first()
    if customer is None:
        return False
    asked_at = now - dt.timedelta(days=one.days_ago)
    name = f"demo-earlier-{number}"
    taken = receive(
        Incoming(TicketChannel.API, name, name, one.text, asked_at, subject="", customer=customer), now=asked_at
    )
    ticket, at = taken.ticket, asked_at + dt.timedelta(hours=one.hours)
    ticket.refresh_from_db()
    if not taken.is_new:
        return False
    _send(ticket, taken.message, one.made_of_it, agent, at)
    if one.word is not None:
        field, value = one.word
        if field:
            correct_triage(agent, ticket, field, value, now=at)
        else:
            confirm_triage(agent, ticket, now=at)
    ticket.refresh_from_db()
    close_ticket(agent, ticket, now=at + dt.timedelta(hours=6))
    Ticket.objects.filter(pk=ticket.pk).update(rating_asked_at=at)
    if one.rating:
        keep_rating(ticket, one.rating, one.comment, now=at + dt.timedelta(days=1))
    return True


def _send(ticket: Ticket, asked: TicketMessage, made_of_it: str, agent: User, at: dt.datetime) -> None:
    """As a person does it, but for the network: these mails left long ago."""
    suggested = suggest_answer(ticket, now=at, may_ask=False)
    text = suggested.text if suggested is not None and suggested.text else BY_HAND
    if made_of_it == "edited":
        text += AGAIN
    elif made_of_it == "by hand":
        text = BY_HAND
        if suggested is not None and suggested.text:
            discard_suggestion(agent, suggested, now=at)
    message = promise_answer(agent, ticket, text, seen=asked.pk, now=at)
    TicketMessage.objects.filter(pk=message.pk).update(send_status=SendStatus.SENT)
