"""A conversation: what was said, the suggested answer with its sources, and everything that a person may do with it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from customers.models import Customer
from customers.views.access import current_user
from support.answers.asking import ask_rating
from support.answers.automatic import find_obstacle
from support.answers.rating import may_ask
from support.answers.sending import discard_suggestion
from support.answers.slots import fill_slots, fill_texts
from support.answers.suggesting import find_open_message, suggest_answer
from support.inbox import working
from support.inbox.tying import list_candidates, tie_by_hand
from support.models import (
    Answer,
    AnswerStatus,
    Article,
    AutomaticAnswer,
    AutomaticCategory,
    CannedAnswer,
    Direction,
    PeopleOnly,
    Rating,
    Ticket,
    TicketStatus,
    TriageReading,
)
from support.triage.correcting import confirm_triage, correct_triage
from support.triage.deciding import list_orders

from .access import carry_out, get_ticket_for, read_number
from .presence import note_presence
from .wording import describe_triage, name_escalation, name_obstacle, name_refusal, name_why


@require_safe
def show_ticket(request: HttpRequest, pk: int) -> HttpResponse:
    """One conversation."""
    return render_ticket(request, get_ticket_for(request.user, pk))


def render_ticket(request: HttpRequest, ticket: Ticket, *, typed: str = "", status: int = 200) -> HttpResponse:
    """The page of a conversation; `typed` is an answer that was not sent, and stays in its box."""
    messages = list(ticket.messages.select_related("author", "mail").prefetch_related("attachments"))
    answer = _find_suggestion(ticket)
    user = current_user(request)
    context: dict[str, Any] = {
        "ticket": ticket,
        "messages_shown": messages,
        "seen": max((message.pk for message in messages if message.direction != Direction.NOTE), default=0),
        "answer": answer,
        "sentences": _describe_sentences(answer),
        "refusal": name_refusal(answer.refusal) if answer else "",
        "draft": typed or _find_draft(request, ticket, answer),
        "is_typed": bool(typed),
        "triage": describe_triage(ticket),
        "reading_trouble": _find_reading_trouble(ticket),
        "orders": list_orders(ticket) if request.user.has_perm("customers.view_order") else [],
        "canned": _list_canned(ticket),
        "colleagues": _list_colleagues(),
        "next_ticket": Ticket.objects.filter(Q(assignee=None) | Q(assignee=user)).find_next(ticket),
        "others": note_presence(ticket.pk, user.pk, user.get_full_name() or user.get_username()),
        "automatic": AutomaticAnswer.objects.filter(ticket=ticket).select_related("checked_by").first(),
        "not_by_itself": _say_why_not_by_itself(ticket, answer),
        "wants_people": bool(ticket.customer_id) and PeopleOnly.objects.filter(customer=ticket.customer_id).exists(),
        "escalation": name_escalation(ticket.escalation),
        "rating": Rating.objects.filter(ticket=ticket).first(),
        "may_ask_rating": ticket.first_answer_at is not None and may_ask(ticket),
        "is_late": ticket.is_late(timezone.now()),
        "may_answer": request.user.has_perm(working.RIGHT),
        "is_closed": ticket.status == TicketStatus.CLOSED,
        "address": ticket.answer_address,
        "candidates": list_candidates(ticket) if request.user.has_perm("customers.view_customer") else [],
    }
    return render(request, "support/ticket.html", context, status=status)


@require_safe
def show_presence(request: HttpRequest, pk: int) -> HttpResponse:
    """Who else has it open; asked every few seconds."""
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    others = note_presence(ticket.pk, user.pk, user.get_full_name() or user.get_username())
    newest = ticket.messages.newest_spoken().values_list("pk", flat=True).first()
    is_new = bool(newest) and newest != read_number(request.GET.get("seen", ""))
    return render(
        request, "support/_presence.html", {"ticket": ticket, "others": others, "is_new": is_new, "seen": newest}
    )


@require_POST
def make_suggestion(request: HttpRequest, pk: int) -> HttpResponse:
    """Have an answer suggested now, or anew."""
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    working.require_right(user)
    return carry_out(
        request, ticket, lambda: suggest_answer(ticket, now=timezone.now(), may_ask=False), _("Looked up anew.")
    )


@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw the suggestion away."""
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    answer = _find_suggestion(ticket)
    return carry_out(
        request,
        ticket,
        lambda: discard_suggestion(user, answer, now=timezone.now()) if answer else None,
        _("The suggestion is thrown away."),
    )


@require_POST
def add_note(request: HttpRequest, pk: int) -> HttpResponse:
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    text = request.POST.get("text", "")
    return carry_out(request, ticket, lambda: working.add_note(user, ticket, text, now=timezone.now()), _("Noted."))


@require_POST
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    chosen = User.objects.filter(pk=read_number(request.POST.get("assignee", "")), is_active=True).first()
    return carry_out(request, ticket, lambda: working.assign_ticket(user, ticket, chosen), _("Assigned."))


@require_POST
def set_tags(request: HttpRequest, pk: int) -> HttpResponse:
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    tags = request.POST.get("tags", "").replace("，", ",").split(",")
    return carry_out(request, ticket, lambda: working.set_tags(user, ticket, tags), _("Saved."))


@require_POST
def escalate(request: HttpRequest, pk: int) -> HttpResponse:
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    reason = request.POST.get("reason", "")
    return carry_out(
        request, ticket, lambda: working.escalate_ticket(user, ticket, reason, now=timezone.now()), _("Escalated.")
    )


@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    outcome = request.POST.get("outcome", "")

    def act() -> None:
        now = timezone.now()
        working.close_ticket(user, ticket, now=now, outcome=outcome)
        if request.POST.get("ask"):
            ask_rating(user, ticket, now=now)

    return carry_out(request, ticket, act, _("Closed."))


@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    return carry_out(request, ticket, lambda: working.reopen_ticket(user, ticket, now=timezone.now()), _("Open again."))


@require_POST
def tie(request: HttpRequest, pk: int) -> HttpResponse:
    """A colleague says whose conversation it is."""
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    customer = get_object_or_404(Customer, pk=read_number(request.POST.get("customer", "")))
    return carry_out(
        request, ticket, lambda: tie_by_hand(user, ticket, customer, now=timezone.now()), _("Given to the customer.")
    )


@require_POST
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """A person's word on one field of triage; without a field: it is right as it stands."""
    ticket, user = get_ticket_for(request.user, pk), current_user(request)
    field, value = request.POST.get("field", ""), request.POST.get("value", "")
    if not field:
        return carry_out(request, ticket, lambda: confirm_triage(user, ticket, now=timezone.now()), _("Confirmed."))
    return carry_out(
        request,
        ticket,
        lambda: correct_triage(user, ticket, field, value, now=timezone.now()),
        _("Corrected. The next training learns from it."),
    )


def _find_draft(request: HttpRequest, ticket: Ticket, answer: Answer | None) -> str:
    """What stands in the box to begin with: a canned answer that was chosen, or the suggestion."""
    chosen = CannedAnswer.objects.filter(pk=read_number(request.GET.get("canned", ""))).first()
    if chosen is not None:
        return fill_slots(chosen.text, ticket)
    return fill_slots(answer.text, ticket) if answer and answer.status == AnswerStatus.SUGGESTED else ""


def _find_suggestion(ticket: Ticket) -> Answer | None:
    """The suggestion for what waits; None where nothing does or it was decided on."""
    message = find_open_message(ticket)
    if message is None:
        return None
    return Answer.objects.filter(message=message, decided_at=None).first()


def _describe_sentences(answer: Answer | None) -> list[dict[str, Any]]:
    if answer is None:
        return []
    numbers = {one["article"] for one in answer.sentences if "article" in one}
    titles = {
        article.number: article.title
        for article in Article.objects.filter(number__in=numbers).select_related("current")
    }
    return [
        one
        | {"why_told": [name_why(why) for why in one.get("why", [])], "title": titles.get(one.get("article", 0), "")}
        for one in answer.sentences
    ]


def _say_why_not_by_itself(ticket: Ticket, answer: Answer | None) -> str:
    """Where the category answers by itself and this one waits for a person: the first thing that speaks against it."""
    category = AutomaticCategory.objects.filter(topic=ticket.topic, is_on=True).first()
    if category is None or answer is None:
        return ""
    return name_obstacle(find_obstacle(ticket, answer, category, now=timezone.now()))


def _find_reading_trouble(ticket: Ticket) -> str:
    """Why the language model said nothing of the newest message, where it was asked and did not."""
    newest = ticket.messages.newest_spoken().values("pk")[:1]
    reading = TriageReading.objects.filter(message__in=newest).exclude(error="").first()
    return reading.error if reading is not None else ""


def _list_canned(ticket: Ticket) -> list[tuple[CannedAnswer, str]]:
    """The canned answers of its language, each as it would stand in the box."""
    found = list(CannedAnswer.objects.filter(Q(language=ticket.language) if ticket.language else Q()))
    return list(zip(found, fill_texts([one.text for one in found], ticket), strict=True))


def _list_colleagues() -> list[User]:
    """Who was given the right to answer."""
    return list(User.objects.with_perm(working.RIGHT, include_superusers=False).order_by("username")[:100])
