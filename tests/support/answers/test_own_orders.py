"""The order that a customer names is a source of the answer: named, its facts filled by code, and for a person to send."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from pytest_django import Settings

from customers.models import Customer, Order, OrderLine, Product
from support.answers.automatic import find_obstacle
from support.answers.sending import send_answer
from support.answers.suggesting import find_open_message, suggest_answer
from support.models import AutomaticCategory, Ticket
from tests.support.conftest import Ask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("articles", "orders")]


@pytest.fixture
def orders(kim: Customer, now: dt.datetime) -> list[Order]:
    """Three purchases, the newest numbered 1042, and a return after it."""
    cap = Product.objects.create(sku="C-1", name="Ridge Cap", names={"zh": "山脊帽"}, price=20, currency="EUR")
    postage = Product.objects.create(sku="P-1", name="Postage", is_charge=True)
    made = []
    for number, days, total in (("1040", 40, "12"), ("1041", 20, "30"), ("1042", 5, "44.9"), ("R-9", 1, "-20")):
        order = Order.objects.create(
            external_id=number,
            customer=kim,
            ordered_at=now - dt.timedelta(days=days),
            currency="EUR",
            total=Decimal(total),
            is_return=total.startswith("-"),
        )
        OrderLine.objects.create(order=order, position=1, product=cap, quantity=2, unit_price=20)
        OrderLine.objects.create(order=order, position=2, product=postage, quantity=1, unit_price=Decimal("4.9"))
        made.append(order)
    return made


def suggest(ticket: Ticket, now: dt.datetime) -> tuple[str, list[str], list[str]]:
    """The text with its slots, the sentences as they are shown, and the orders that they rest on."""
    made = suggest_answer(ticket, now=now)
    assert made is not None
    orders = [str(one["order"]) for one in made.sentences if "order" in one]
    return made.text, [one["text"] for one in made.sentences], orders


def test_where_it_is_names_the_order_and_says_how_it_is_followed(ask: Ask, now: dt.datetime) -> None:
    text, shown, orders = suggest(ask("Where is my order 1042? How do I find the tracking number?"), now)
    assert orders == ["1042"] and "{order_number}" in text and "tracking" in text
    assert shown[0] == "This is about your order 1042 of 18 Nov 2026 (2 × Ridge Cap; 44.90 EUR)."


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What did I order in 1042?", "Order 1042 of 18 Nov 2026: 2 × Ridge Cap."),
        ("How much was my order 1042?", "Order 1042 of 18 Nov 2026 came to 44.90 EUR."),
        ("When did I place order 1041?", "You placed order 1041 on 3 Nov 2026."),
        ("我的订单1042一共多少钱？", "44.90 EUR"),
        ("订单1042里我买了什么？", "2 × 山脊帽"),
    ],
)
def test_what_is_asked_of_an_order_is_told_by_code(ask: Ask, now: dt.datetime, question: str, said: str) -> None:
    _text, shown, orders = suggest(ask(question), now)
    assert said in " ".join(shown) and len(orders) >= 1


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("Where is my last order?", "1042"),
        ("Wo ist meine zweite Bestellung?", "1041"),
        ("我的第一个订单在哪里？", "1040"),
        ("Where are my first order and my second order?", None),
        ("Where is my fourth order?", None),
    ],
)
def test_an_order_is_named_by_its_place_too(ask: Ask, question: str, number: str | None) -> None:
    order = ask(question).order
    assert (order.external_id if order else None) == number


@pytest.mark.parametrize("question", ["Do you deliver on Saturdays? My order is 1042.", "Will 1042 be gift-wrapped?"])
def test_what_no_fact_and_no_article_answers_stays_refused(ask: Ask, now: dt.datetime, question: str) -> None:
    made = suggest_answer(ask(question), now=now)
    assert made is not None and (made.refusal, made.text, made.sentences) == ("unanswered", "", [])


def test_what_is_for_people_only_gets_no_facts_either(ask: Ask, now: dt.datetime) -> None:
    made = suggest_answer(ask("How much was my order 1042? My lawyer wants to know."), now=now)
    assert made is not None and (made.refusal, made.text) == ("legal", "")


def test_nobody_elses_order_is_told_of(ask: Ask, now: dt.datetime) -> None:
    other = Customer.objects.create(external_id="O")
    Order.objects.create(external_id="2000", customer=other, ordered_at=now, currency="EUR", total=1)
    _text, shown, orders = suggest(ask("How much was my order 2000?"), now)
    assert orders == [] and "2000" not in " ".join(shown)


def test_a_person_sees_its_source_and_sends_the_facts(
    ask: Ask, now: dt.datetime, support_agent: User, client: Client, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    ticket = ask("How much was my order 1042?")
    made, seen = suggest_answer(ticket, now=now), find_open_message(ticket)
    assert made is not None and seen is not None
    category = AutomaticCategory(topic=ticket.topic, is_on=True, switched_at=now - dt.timedelta(days=1))
    assert find_obstacle(ticket, made, category, now=now) in ("own_order", "unsupported")
    client.force_login(support_agent)
    page = client.get(f"/support/tickets/{ticket.pk}/").content.decode()
    assert "order 1042" in page and "came to 44.90 EUR" in page
    send_answer(support_agent, ticket, made.text, seen=seen.pk, now=now)
    assert "Order 1042 of 18 Nov 2026 came to 44.90 EUR." in mail.outbox[0].body
    made.refresh_from_db()
    assert made.share_changed == 0.0, "sent as it was suggested, though its slots were filled"
