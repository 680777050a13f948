"""Strong negative sentiment holds promotions like a complaint, and is none."""

from __future__ import annotations

import datetime as dt

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from campaigns.approval.make_right import RULE
from customers.models import Customer, CustomerEvent, EventKind
from customers.segments.preview import matches
from customers.segments.rules import parse_rule
from support.inbox.working import close_ticket, reopen_ticket
from support.models import Ticket, TriageField, TriageReading
from support.triage.correcting import confirm_triage, correct_triage
from support.triage.deciding import triage_ticket
from tests.support.conftest import Ask

pytestmark = pytest.mark.django_db
WORDS = "Could you please finally tell me when the parcel comes?"


def read_as(
    ticket: Ticket, sureness: float, *, now: dt.datetime, complaint: str = "no", mood: str = "negative"
) -> Ticket:
    """A model has read it: in that mood, so sure."""
    told = {
        TriageField.SENTIMENT.value: {"value": mood, "sureness": sureness, "quote": "finally"},
        TriageField.COMPLAINT.value: {"value": complaint, "sureness": 0.9, "quote": "finally"},
    }
    message = ticket.messages.newest_spoken().get()
    TriageReading.objects.update_or_create(
        message=message,
        defaults={"ticket": ticket, "status": TriageReading.Status.READ, "verdicts": told, "read_at": now},
    )
    triage_ticket(ticket, now=now)
    ticket.refresh_from_db()
    return ticket


def is_held(customer: Customer, at: dt.datetime) -> bool:
    return matches(parse_rule({"field": "has_open_complaint", "op": "is", "value": True}), customer, as_of=at)


def test_it_holds_until_some_time_after_it_was_closed(
    ask: Ask, kim: Customer, now: dt.datetime, support_agent: User, client: Client
) -> None:
    ticket = read_as(ask(WORDS), 0.9, now=now)
    assert (ticket.is_upset, ticket.is_complaint) == (True, False) and is_held(kim, now)
    client.force_login(support_agent)
    page = client.get(f"/support/tickets/{ticket.pk}/").content.decode()
    assert "No promotions" in page and "very unhappy" in page
    assert "very unhappy" in client.get("/support/").content.decode()
    close_ticket(support_agent, ticket, now=now)
    assert is_held(kim, now + dt.timedelta(hours=1)) and not is_held(kim, now + dt.timedelta(days=90))
    reopen_ticket(support_agent, ticket, now=now + dt.timedelta(days=91))
    assert is_held(kim, now + dt.timedelta(days=92))
    opened = CustomerEvent.objects.filter(kind=EventKind.COMPLAINT_OPENED).order_by("occurred_at").first()
    assert opened is not None and opened.properties["because"] == "sentiment"


def test_a_hold_for_the_mood_that_the_model_alone_sees_is_for_a_person_to_look_at(
    ask: Ask, now: dt.datetime, support_agent: User, client: Client
) -> None:
    ticket = ask(WORDS)
    assert not ticket.needs_look, "nothing holds yet"
    ticket = read_as(ticket, 0.9, now=now)
    assert ticket.is_upset and ticket.needs_look
    client.force_login(support_agent)
    assert f"#{ticket.pk}" in client.get("/support/?show=look").content.decode()
    confirm_triage(support_agent, ticket, now=now)
    triage_ticket(ticket, now=now)
    ticket.refresh_from_db()
    assert not ticket.needs_look, "a person has looked"


@pytest.mark.parametrize("words", ["Faulty buckle, and a strap missing", "请给我退款"])
def test_a_mood_that_rules_and_model_both_see_holds_and_nobody_has_to_look(
    ask: Ask, kim: Customer, now: dt.datetime, words: str
) -> None:
    ticket = ask(words)
    assert (ticket.sentiment, ticket.is_complaint, ticket.holds_promotions) == ("negative", False, False)
    ticket = read_as(ticket, 0.9, now=now)
    told = [(one["by"], one["value"]) for one in ticket.triage["sentiment"]["opinions"]]
    assert told == [("rules", "negative"), ("model", "negative")]
    assert ticket.is_upset and not ticket.is_complaint and is_held(kim, now)
    assert not ticket.needs_look, "two see it"


@pytest.mark.parametrize(("value", "sureness"), [("negative", 0.84), ("negative", 0.3), ("neutral", 0.95)])
def test_a_mood_of_which_neither_is_sure_or_one_sees_none_holds_nothing(
    ask: Ask, kim: Customer, now: dt.datetime, value: str, sureness: float
) -> None:
    ticket = read_as(ask("Faulty buckle, and a strap missing"), sureness, now=now, mood=value)
    assert (ticket.sentiment, ticket.is_upset) == (value, False) and not is_held(kim, now)


def test_a_usual_bad_mood_holds_nothing(ask: Ask, kim: Customer, now: dt.datetime) -> None:
    ticket = read_as(ask(WORDS), 0.65, now=now)
    assert ticket.sentiment == "negative" and not ticket.is_upset and not is_held(kim, now)


@pytest.mark.parametrize(("field", "value"), [("complaint", "no"), ("sentiment", "neutral")])
def test_a_person_takes_it_back_and_triage_does_not_bring_it_again(
    ask: Ask, kim: Customer, now: dt.datetime, support_agent: User, field: str, value: str
) -> None:
    ticket = read_as(ask(WORDS), 0.9, now=now)
    correct_triage(support_agent, ticket, field, value, now=now)
    triage_ticket(ticket, now=now)
    ticket.refresh_from_db()
    assert not ticket.holds_promotions and not is_held(kim, now)


def test_what_becomes_a_complaint_is_one_round(ask: Ask, kim: Customer, now: dt.datetime, support_agent: User) -> None:
    ticket = read_as(ask(WORDS), 0.9, now=now)
    correct_triage(support_agent, ticket, "complaint", "yes", now=now)
    ticket.refresh_from_db()
    assert ticket.is_complaint and ticket.complaint_round == 1
    assert CustomerEvent.objects.filter(kind=EventKind.COMPLAINT_OPENED).count() == 1
    correct_triage(support_agent, ticket, "sentiment", "neutral", now=now)
    assert is_held(kim, now), "the complaint still does"


def test_who_confirmed_that_it_is_no_complaint_is_not_overruled(
    ask: Ask, kim: Customer, now: dt.datetime, support_agent: User
) -> None:
    ticket = ask(WORDS)
    confirm_triage(support_agent, ticket, now=now + dt.timedelta(minutes=1))
    assert not read_as(ticket, 0.9, now=now + dt.timedelta(minutes=2)).holds_promotions


def test_a_complaint_that_is_seen_after_closing_cools_down_and_ends(
    ask: Ask, kim: Customer, now: dt.datetime, support_agent: User
) -> None:
    ticket = ask(WORDS)
    close_ticket(support_agent, ticket, now=now)
    correct_triage(support_agent, ticket, TriageField.COMPLAINT, "yes", now=now)
    assert is_held(kim, now + dt.timedelta(hours=1)) and not is_held(kim, now + dt.timedelta(days=90))


def test_who_was_only_unhappy_had_no_complaint_solved(
    ask: Ask, kim: Customer, now: dt.datetime, support_agent: User
) -> None:
    close_ticket(support_agent, read_as(ask(WORDS), 0.9, now=now), now=now)
    later = now + dt.timedelta(days=settings.COMPLAINT_COOLING_DAYS, minutes=1)
    assert CustomerEvent.objects.filter(kind=EventKind.COMPLAINT_CLOSED, occurred_at__lt=later).exists()
    assert not matches(parse_rule(RULE), kim, as_of=later)
