"""Two people who answer the same ticket, each in a browser of their own."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django import Settings

from customers.models import Customer
from support.inbox.opening import Incoming
from support.models import CannedAnswer, Ticket, TicketChannel, TicketMessage
from support.triage.deciding import receive

from .conftest import LogIn, NewPage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ticket(settings: Settings, tmp_path: Path) -> Ticket:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    kim = Customer.objects.create(external_id="K1", email="kim@shopper.test", first_name="Kim", last_name="Lee")
    at = timezone.now() - dt.timedelta(minutes=5)
    return receive(Incoming(TicketChannel.WEB, "t1", "m1", "Where is my parcel?", at, customer=kim), now=at).ticket


def test_each_sees_the_other_and_the_second_answer_is_not_sent(
    new_page: NewPage, log_in: LogIn, support_agent: User, ticket: Ticket
) -> None:
    sue = User.objects.create_user("sue", first_name="Sue", last_name="Doe")
    sue.groups.add(Group.objects.get(name="support"))
    first, second = new_page(), new_page(width=360)
    log_in(first, support_agent)
    log_in(second, sue)
    first.goto(f"/support/tickets/{ticket.pk}/")
    second.goto(f"/support/tickets/{ticket.pk}/")
    expect(second.locator("main")).to_contain_text(support_agent.get_full_name() or support_agent.username)
    expect(first.locator("main")).to_contain_text("Sue Doe", timeout=60_000)  # it looks every few seconds
    for page, words in ((first, "It is on its way."), (second, "It is lost, I fear.")):
        page.locator("#answer-text").fill(words)
    first.get_by_role("button", name="Send").click()
    expect(first.locator("main")).to_contain_text("It is on its way.", timeout=60_000)
    second.get_by_role("button", name="Send").click()
    expect(second.locator("body")).to_contain_text("Something was written in the meantime", timeout=60_000)
    sent = TicketMessage.objects.filter(ticket=ticket, direction="out").values_list("text", flat=True)
    assert list(sent) == ["It is on its way."]


def test_a_ticket_is_found_and_answered_with_the_keyboard(
    new_page: NewPage, log_in: LogIn, support_agent: User, ticket: Ticket
) -> None:
    CannedAnswer.objects.create(name="We look", language="en", text="We look into it, {first_name}.")
    page = new_page()
    log_in(page, support_agent)
    page.goto("/support/")
    page.get_by_label("Find a ticket").press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/tickets/{ticket.pk}/$"), timeout=60_000)
    page.wait_for_load_state()  # the keys work once the scripts are there
    box = page.locator("#answer-text")
    page.keyboard.press("Alt+r")
    expect(box).to_be_focused()
    page.keyboard.type("Hello. ")
    page.get_by_text("Canned answers").click()
    page.get_by_role("link", name="We look").click()
    expect(box).to_have_value("Hello. We look into it, Kim.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".talk")).to_contain_text("Hello. We look into it, Kim.", timeout=60_000)
    assert TicketMessage.objects.filter(ticket=ticket, direction="out").count() == 1


def test_what_was_typed_stays_while_other_things_are_done(
    new_page: NewPage, log_in: LogIn, support_agent: User, ticket: Ticket
) -> None:
    page = new_page()
    log_in(page, support_agent)
    page.goto(f"/support/tickets/{ticket.pk}/")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    box, note = page.locator("#answer-text"), page.locator("#note-text")
    page.wait_for_load_state()
    box.fill("Half an answer, and")
    note.fill("Called the carrier.")
    page.get_by_role("button", name="Take it").click()
    expect(page.locator("main")).to_contain_text("Assigned.", timeout=60_000)
    expect(box).to_have_value("Half an answer, and")
    expect(note).to_have_value("Called the carrier.")
    page.get_by_role("button", name="Note it").click()
    expect(page.locator(".talk")).to_contain_text("Called the carrier.", timeout=60_000)
    expect(note).to_have_value("")
    expect(box).to_have_value("Half an answer, and")
    assert asked == [], "nothing is lost, so nobody is asked whether to leave"
    box.fill("It comes on Monday.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".talk")).to_contain_text("It comes on Monday.", timeout=60_000)
    expect(box).to_have_value("")
