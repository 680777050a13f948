"""Conversations: taken in once, tied to their customer, moved by people who may, each change with its history."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError

from customers.models import AuditEntry, Customer, CustomerAlias, CustomerEvent
from customers.privacy.erasure import erase_customer
from support.inbox.late import link_late_customers
from support.inbox.linking import find_customer
from support.inbox.opening import Incoming
from support.inbox.working import add_note, assign_ticket, close_ticket, escalate_ticket, reopen_ticket, set_tags
from support.models import Ticket, TicketChannel, TicketConflict, TicketMessage
from support.triage.deciding import receive
from tests.support.conftest import Ask

pytestmark = pytest.mark.django_db


def test_the_same_message_twice_is_one(kim: Customer, now: dt.datetime) -> None:
    incoming = Incoming(TicketChannel.API, "t", "m", "How long is delivery?", now, customer=kim)
    assert [receive(incoming, now=now).is_new for _time in range(2)] == [True, False]
    assert (Ticket.objects.count(), TicketMessage.objects.count()) == (1, 1)
    assert CustomerEvent.objects.filter(kind="ticket_opened", customer=kim).count() == 1


def test_a_conversation_finds_its_customer_by_address_whatever_the_case(kim: Customer, now: dt.datetime) -> None:
    incoming = Incoming(TicketChannel.WEB, "t", "m", "Hello", now, email="KIM@Shopper.test")
    assert receive(incoming, now=now).ticket.customer == kim


def test_an_address_of_two_customers_is_for_a_person_to_decide(kim: Customer, now: dt.datetime) -> None:
    Customer.objects.create(external_id="K2", email=kim.email)
    incoming = Incoming(TicketChannel.WEB, "t", "m", "Hello", now, email=kim.email)
    assert receive(incoming, now=now).ticket.customer is None


def test_a_merged_identity_leads_to_the_customer(kim: Customer, now: dt.datetime) -> None:
    CustomerAlias.objects.create(customer=kim, source="shop", external_id="OLD", merged_at=now)
    assert find_customer("shop", "OLD") == kim and find_customer("shop", "nobody") is None


def test_who_becomes_a_customer_later_is_held_as_well(now: dt.datetime) -> None:
    text = "This is unacceptable, I am very disappointed and want my money back"
    receive(Incoming(TicketChannel.WEB, "t", "m", text, now, email="new@shopper.test"), now=now)
    assert not CustomerEvent.objects.exists()
    new = Customer.objects.create(external_id="N", email="new@shopper.test")
    assert (link_late_customers(), link_late_customers()) == (1, 0)
    kinds = set(CustomerEvent.objects.filter(customer=new).values_list("kind", flat=True))
    assert kinds == {"ticket_opened", "complaint_opened"}


def test_states_are_guarded_and_written_down(ask: Ask, support_agent: User, now: dt.datetime) -> None:
    ticket = ask("Where is my parcel?")
    escalate_ticket(support_agent, ticket, "a VIP", now=now)
    assert (ticket.status, ticket.urgency) == ("escalated", 4)
    close_ticket(support_agent, ticket, now=now, outcome="found it")
    with pytest.raises(TicketConflict):
        close_ticket(support_agent, ticket, now=now)
    reopen_ticket(support_agent, ticket, now=now)
    assert ticket.status == "open"
    actions = list(AuditEntry.objects.filter(object_kind="ticket").order_by("pk").values_list("action", flat=True))
    assert actions == ["ticket_escalated", "ticket_closed", "ticket_reopened"]


def test_who_may_not_answer_changes_nothing(ask: Ask, marketer: User, now: dt.datetime) -> None:
    ticket = ask("Where is my parcel?")
    for act in (
        lambda: close_ticket(marketer, ticket, now=now),
        lambda: escalate_ticket(marketer, ticket, "x", now=now),
        lambda: add_note(marketer, ticket, "x", now=now),
        lambda: set_tags(marketer, ticket, ["x"]),
        lambda: assign_ticket(marketer, ticket, marketer),
    ):
        with pytest.raises(PermissionDenied):
            act()
    ticket.refresh_from_db()
    assert (ticket.status, ticket.tags, ticket.assignee) == ("open", [], None)


def test_only_who_may_answer_is_assigned(ask: Ask, support_agent: User, marketer: User) -> None:
    ticket = ask("Where is my parcel?")
    assign_ticket(support_agent, ticket, support_agent)
    with pytest.raises(ValidationError):
        assign_ticket(support_agent, ticket, marketer)
    ticket.refresh_from_db()
    assert ticket.assignee == support_agent


def test_an_answer_of_the_customer_opens_it_again(ask: Ask, support_agent: User, now: dt.datetime) -> None:
    ticket = ask("Where is my parcel?")
    close_ticket(support_agent, ticket, now=now)
    again = ask("It has still not arrived.", at=now + dt.timedelta(hours=1))
    assert (again.pk, again.status, again.closed_at) == (ticket.pk, "open", None)


def test_erasing_a_customer_takes_the_conversations_along(
    ask: Ask, kim: Customer, site_admin: User, now: dt.datetime
) -> None:
    ask("My name is Kim Lee and my parcel is lost")
    erase_customer(kim, actor=site_admin, reason="asked", now=now)
    assert not Ticket.objects.exists() and not TicketMessage.objects.exists()
