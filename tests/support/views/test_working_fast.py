"""For a colleague with many tickets: the next one, several at once, a search that finds the customer, texts that stand ready."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.models import Customer, Order
from support.inbox.working import assign_ticket
from support.models import CannedAnswer, Ticket
from tests.conftest import MakeUser
from tests.support.conftest import Ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam(client: Client, support_agent: User) -> Client:
    client.force_login(support_agent)
    return client


def reload(ticket: Ticket) -> Ticket:
    ticket.refresh_from_db()
    return ticket


def test_the_next_ticket_is_the_one_below_in_the_queue(ask: Ask, now: dt.datetime) -> None:
    ask("Where is my parcel?", thread="a", at=now)
    ask("How long does it take?", thread="b", at=now)
    ask("The stove exploded and burned my hand", thread="c", at=now)
    ask("And the other parcel?", thread="d", at=now - dt.timedelta(hours=1))
    in_order = list(Ticket.objects.to_answer().by_urgency())
    assert [one.external_id for one in in_order] == ["c", "d", "a", "b"]
    following = [Ticket.objects.find_next(one) for one in in_order]
    assert following == [*in_order[1:], in_order[0]], "after the last comes the first"


def test_after_a_ticket_that_is_answered_comes_the_first_and_after_the_only_one_none(ask: Ask) -> None:
    only = ask("Where is my parcel?", thread="a")
    assert Ticket.objects.find_next(only) is None
    only.move("closed", due_at=None)
    other = ask("Where is my parcel?", thread="b")
    assert Ticket.objects.find_next(only) == other


def test_what_a_colleague_has_taken_is_not_offered_as_the_next(sam: Client, ask: Ask, make_user: MakeUser) -> None:
    here, theirs, free = (ask("Where is my parcel?", thread=name) for name in "abc")
    sue = make_user("sue", "support")
    assign_ticket(sue, theirs, sue)
    assert sam.get(f"/support/tickets/{here.pk}/").context["next_ticket"] == free


def test_one_click_takes_it(sam: Client, ask: Ask, support_agent: User) -> None:
    ticket = ask("Where is it?")
    assert "Take it" in sam.get(f"/support/tickets/{ticket.pk}/").content.decode()
    sam.post(f"/support/tickets/{ticket.pk}/assignment/", {"assignee": support_agent.pk})
    assert reload(ticket).assignee == support_agent
    assert "Take it" not in sam.get(f"/support/tickets/{ticket.pk}/").content.decode()


@pytest.mark.parametrize("words", ["kim lee", "Kim", "kim@shopper", "K1", "S-77", "#S-77", "Bo Writer"])
def test_a_search_finds_it_by_customer_order_and_writer(
    sam: Client, ask: Ask, kim: Customer, now: dt.datetime, words: str
) -> None:
    order = Order.objects.create(customer=kim, external_id="S-77", ordered_at=now, total=Decimal(9), currency="GBP")
    ticket = ask("Where is it?", thread="a", subject="Noise", name="Bo Writer")
    Ticket.objects.filter(pk=ticket.pk).update(order=order)
    ask("Where is it?", thread="b", subject="Quiet", customer=None, email="bo@shopper.test")
    found = sam.get("/support/", {"q": words}).content.decode()
    assert "Noise" in found and "Quiet" not in found


def test_several_are_taken_tagged_and_closed_at_once(sam: Client, ask: Ask, support_agent: User) -> None:
    tickets = [ask("My parcel never came, this is unacceptable", thread=name) for name in "abc"]
    chosen = [str(one.pk) for one in tickets[:2]]
    assert sam.post("/support/selection/", {"do": "take", "chosen": chosen}).status_code == 302
    sam.post("/support/selection/", {"do": "tag", "tag": "late, DHL", "chosen": chosen})
    sam.post("/support/selection/", {"do": "tag", "tag": "late", "chosen": chosen})
    back = sam.post("/support/selection/", {"do": "close", "chosen": chosen, "back": "/support/?show=mine"})
    assert back["Location"] == "/support/?show=mine"
    for one in map(reload, tickets[:2]):
        assert (one.assignee, one.tags, one.status) == (support_agent, ["late", "DHL"], "closed")
        assert one.held_until is not None, "its hold cools down as when it is closed on its own page"
    assert (reload(tickets[2]).assignee, tickets[2].tags, tickets[2].status) == (None, [], "open")
    again = sam.post("/support/selection/", {"do": "close", "chosen": [*chosen, str(tickets[2].pk)]}, follow=True)
    page = again.content.decode()
    assert "1 ticket changed." in page and "2 tickets had changed in the meantime and were left alone." in page


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"do": "close"},
        {"do": "burn", "chosen": "1"},
        {"do": "tag", "tag": " ", "chosen": "1"},
        {"do": "take", "chosen": "x"},
    ],
)
def test_several_of_none_or_nothing_to_do_changes_nothing(sam: Client, ask: Ask, told: dict[str, str]) -> None:
    ticket = ask("Where is it?")
    told = {**told, "chosen": str(ticket.pk)} if told.get("chosen") == "1" else told
    page = sam.post("/support/selection/", told, follow=True).content.decode()
    assert "Tick some tickets first" in page
    assert (reload(ticket).status, ticket.tags, ticket.assignee) == ("open", [], None)


def test_nobody_is_led_away_from_the_shop(sam: Client, ask: Ask) -> None:
    told = {"do": "take", "chosen": str(ask("Where is it?").pk), "back": "https://evil.example/"}
    assert sam.post("/support/selection/", told)["Location"] == "/support/"


def test_who_may_only_look_changes_no_several(client: Client, ask: Ask, analyst: User) -> None:
    client.force_login(analyst)
    ticket = ask("Where is it?")
    assert client.post("/support/selection/", {"do": "close", "chosen": str(ticket.pk)}).status_code == 403
    assert reload(ticket).status == "open"


def test_texts_that_stand_ready_are_filled_for_this_customer(sam: Client, ask: Ask) -> None:
    CannedAnswer.objects.create(name="Hello", language="en", text="Dear {first_name}, we look into it.")
    page = sam.get(f"/support/tickets/{ask('Where is it?').pk}/").content.decode()
    assert 'data-text="Dear Kim, we look into it."' in page
