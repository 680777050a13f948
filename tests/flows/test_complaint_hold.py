"""An open complaint stops promotions: from the second in which it is opened, until some time after it was closed."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from pytest_django import Settings

from campaigns.delivery import outbox
from campaigns.delivery.copies import make_copy, prepare_batch
from campaigns.delivery.marking import Bid
from campaigns.models import Campaign, Message
from customers.ingest.recorder import NewEvent, record_events
from customers.merging.merge import merge_customers
from customers.models import Customer, EventKind
from customers.privacy.erasure import erase_customer
from customers.segments.preview import matches
from customers.segments.rules import parse_rule
from customers.views.hold import find_hold
from support.inbox.opening import Incoming
from support.inbox.working import close_ticket, reopen_ticket
from support.models import Ticket, TicketChannel
from support.triage.correcting import correct_triage
from support.triage.deciding import receive
from tests.campaigns import arrange
from tests.campaigns.delivery.conftest import states, write

pytestmark = pytest.mark.django_db
COMPLAINT = "This is unacceptable. The tent arrived broken and nobody answers. I am very disappointed."


@pytest.fixture
def now() -> dt.datetime:
    """The mark before a send asks the database's clock, so this lives in the present."""
    return timezone.now()


@pytest.fixture
def running(now: dt.datetime) -> Campaign:
    cast = arrange.make_cast()
    return arrange.start(arrange.make_campaign(cast.marketer, send_at=now, now=now), cast, now=now)


def complain(customer: Customer, *, at: dt.datetime, text: str = COMPLAINT) -> Ticket:
    incoming = Incoming(TicketChannel.WEB, f"t{customer.pk}", f"m{at.isoformat()}", text, at, customer=customer)
    return receive(incoming, now=at).ticket


def is_held(customer: Customer, *, at: dt.datetime) -> bool:
    return matches(parse_rule({"field": "has_open_complaint", "op": "is", "value": True}), customer, as_of=at)


@pytest.mark.django_db(transaction=True)
def test_a_complaint_one_second_before_the_send_means_no_message(running: Campaign, now: dt.datetime) -> None:
    claimed = outbox.claim_batch("w", campaign_id=running.pk, size=9)
    person = Customer.objects.get(pk=claimed[0].customer_id)
    complain(person, at=timezone.now() - dt.timedelta(seconds=1))
    batch = prepare_batch(running, claimed, now=timezone.now())
    written = write([], [Bid("w", make_copy(batch, message).intent, batch.checks) for message in claimed])

    mark = written.marks[Message.objects.get(campaign=running, customer=person).pk]
    assert (mark.status, mark.skip_reason) == ("skipped", "open_complaint")
    assert states(running) == {"sending": len(claimed) - 1, "skipped": 1}


@pytest.mark.django_db(transaction=True)
def test_a_question_holds_nothing(running: Campaign, now: dt.datetime) -> None:
    claimed = outbox.claim_batch("w", campaign_id=running.pk, size=9)
    complain(Customer.objects.get(pk=claimed[0].customer_id), at=now, text="How long does delivery take?")
    batch = prepare_batch(running, claimed, now=timezone.now())
    write([], [Bid("w", make_copy(batch, message).intent, batch.checks) for message in claimed])
    assert states(running) == {"sending": len(claimed)}


def test_the_hold_ends_some_time_after_the_closing(support_agent: User, settings: Settings, now: dt.datetime) -> None:
    settings.COMPLAINT_COOLING_DAYS = 14
    (kim,) = arrange.make_customers(1)
    ticket = complain(kim, at=now)
    close_ticket(support_agent, ticket, now=now + dt.timedelta(hours=5))
    assert is_held(kim, at=now) and is_held(kim, at=now + dt.timedelta(days=14))
    assert not is_held(kim, at=now + dt.timedelta(days=14, hours=6))


def test_a_complaint_that_is_opened_again_holds_again(
    support_agent: User, settings: Settings, now: dt.datetime
) -> None:
    """The closing of the first round, which is still to come, must not end the second."""
    settings.COMPLAINT_COOLING_DAYS = 1
    (kim,) = arrange.make_customers(1)
    ticket = complain(kim, at=now)
    close_ticket(support_agent, ticket, now=now)
    reopen_ticket(support_agent, ticket, now=now + dt.timedelta(hours=1))
    assert is_held(kim, at=now + dt.timedelta(days=30))
    close_ticket(support_agent, ticket, now=now + dt.timedelta(days=2))
    assert not is_held(kim, at=now + dt.timedelta(days=4))


def test_the_customers_own_words_open_it_again(support_agent: User, now: dt.datetime) -> None:
    (kim,) = arrange.make_customers(1)
    close_ticket(support_agent, complain(kim, at=now), now=now)
    complain(kim, at=now + dt.timedelta(hours=2), text="And the new one?")
    assert is_held(kim, at=now + dt.timedelta(days=60))


def test_what_a_person_says_counts_at_once(support_agent: User, now: dt.datetime) -> None:
    (kim,) = arrange.make_customers(1)
    ticket = complain(kim, at=now)
    correct_triage(support_agent, ticket, "complaint", "no", now=now + dt.timedelta(minutes=1))
    assert not is_held(kim, at=now + dt.timedelta(minutes=2))
    correct_triage(support_agent, ticket, "complaint", "yes", now=now + dt.timedelta(minutes=3))
    assert is_held(kim, at=now + dt.timedelta(minutes=4))


def test_both_pages_say_so(support_agent: User, client: Client, now: dt.datetime) -> None:
    (kim,) = arrange.make_customers(1)
    ticket = complain(kim, at=now - dt.timedelta(minutes=1))
    client.force_login(support_agent)
    assert "while this complaint is open" in client.get(f"/support/tickets/{ticket.pk}/").content.decode()
    customers = client.get(f"/customers/{kim.pk}/").content.decode()
    assert "none for now" in customers and f'href="/support/tickets/{ticket.pk}/">#{ticket.pk}</a>' in customers


def test_both_pages_say_until_when_after_the_closing(
    support_agent: User, client: Client, settings: Settings, now: dt.datetime
) -> None:
    settings.COMPLAINT_COOLING_DAYS = 14
    (kim,) = arrange.make_customers(1)
    ticket = complain(kim, at=now - dt.timedelta(days=1))
    close_ticket(support_agent, ticket, now=now)
    day = date_format(timezone.localtime(now + dt.timedelta(days=14)), "j M Y")
    client.force_login(support_agent)
    assert f"until {day}, the cooling time" in client.get(f"/support/tickets/{ticket.pk}/").content.decode()
    customers = client.get(f"/customers/{kim.pk}/").content.decode()
    assert f"none until {day}" in customers and "cooling time after a complaint" in customers


def test_of_two_holds_the_customers_page_tells_the_one_that_lasts(support_agent: User, now: dt.datetime) -> None:
    (kim,) = arrange.make_customers(1)
    first = complain(kim, at=now - dt.timedelta(days=2))
    incoming = Incoming(TicketChannel.WEB, "second", "m", COMPLAINT, now - dt.timedelta(days=1), customer=kim)
    second = receive(incoming, now=now - dt.timedelta(days=1)).ticket
    close_ticket(support_agent, second, now=now - dt.timedelta(hours=1))
    hold = find_hold(kim, now=now)
    assert hold is not None and (hold.ticket, hold.until) == (first.pk, None)
    close_ticket(support_agent, first, now=now)
    hold = find_hold(kim, now=now + dt.timedelta(hours=1))
    first.refresh_from_db()
    assert hold is not None and (hold.ticket, hold.until) == (first.pk, first.held_until)
    assert find_hold(kim, now=now + dt.timedelta(days=365)) is None


def test_a_complaint_that_the_shops_own_system_told_of_has_no_ticket(now: dt.datetime) -> None:
    (kim,) = arrange.make_customers(1)
    opened = NewEvent(kim.pk, EventKind.COMPLAINT_OPENED, now - dt.timedelta(days=1), "a", {"ticket": "77"})
    record_events([opened], source="shop")
    hold = find_hold(kim, now=now)
    assert hold is not None and (hold.ticket, hold.until, hold.is_mood) == (0, None, False)


@pytest.mark.django_db(transaction=True)
def test_the_ticket_names_the_campaign_whose_message_it_held(
    running: Campaign, support_agent: User, client: Client, now: dt.datetime
) -> None:
    claimed = outbox.claim_batch("w", campaign_id=running.pk, size=9)
    person = Customer.objects.get(pk=claimed[0].customer_id)
    ticket = complain(person, at=now - dt.timedelta(seconds=1))
    other = complain(Customer.objects.get(pk=claimed[1].customer_id), at=now, text="How long does delivery take?")
    batch = prepare_batch(running, claimed, now=timezone.now())
    write([], [Bid("w", make_copy(batch, message).intent, batch.checks) for message in claimed])
    held = Message.objects.get(campaign=running, customer=person)
    client.force_login(support_agent)
    page = client.get(f"/support/tickets/{ticket.pk}/").content.decode()
    assert f'<a href="/outbox/{held.pk}/">{running.name}</a>' in page
    assert "Not sent because of it" not in client.get(f"/support/tickets/{other.pk}/").content.decode()
    Ticket.objects.filter(pk=ticket.pk).update(held_until=held.settled_at)
    page = client.get(f"/support/tickets/{ticket.pk}/").content.decode()
    assert "Not sent because of it" not in page, "what is held later, by another complaint, is not its doing"


def test_a_merge_takes_the_hold_along(support_agent: User, client: Client, now: dt.datetime) -> None:
    old, kept = arrange.make_customers(2)
    ticket = complain(old, at=now - dt.timedelta(hours=1))
    merge_customers(old.pk, kept.pk, reason="staff", actor=support_agent, now=now)
    hold = find_hold(kept, now=now)
    assert hold is not None and (hold.ticket, hold.until) == (ticket.pk, None)
    client.force_login(support_agent)
    assert f'href="/customers/{kept.pk}/"' in client.get(f"/support/tickets/{ticket.pk}/").content.decode()
    client.post(f"/support/tickets/{ticket.pk}/closing/", {"outcome": "Sent a new one"})
    ticket.refresh_from_db()
    hold = find_hold(kept, now=timezone.now())
    assert hold is not None and hold.until == ticket.held_until


def test_who_answers_somebody_that_was_erased_meanwhile_sends_nothing(
    support_agent: User, client: Client, now: dt.datetime
) -> None:
    (kim,) = arrange.make_customers(1)
    ticket = complain(kim, at=now)
    client.force_login(support_agent)
    seen = client.get(f"/support/tickets/{ticket.pk}/").context["seen"]
    erase_customer(kim, actor=support_agent, reason="asked", now=now)
    answer = client.post(f"/support/tickets/{ticket.pk}/answers/", {"text": "Dear Kim", "seen": seen})
    assert answer.status_code == 404 and mail.outbox == []
