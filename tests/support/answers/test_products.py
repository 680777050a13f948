"""What the catalogue says of a product that a customer names: by code, with its version, never sent without a person."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.models import Product
from support.answers.automatic import find_obstacle
from support.answers.products import answer_from_base, find_products
from support.answers.suggesting import suggest_answer
from support.models import AutomaticCategory
from tests.support.conftest import Ask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("articles", "tent")]


@pytest.fixture
def tent(db: None) -> Product:
    Product.objects.create(sku="P-1", name="Postage", price=Decimal("4.90"), currency="GBP", is_charge=True)
    Product.objects.create(sku="T-0", name="Ridge", price=Decimal("9.00"), currency="GBP", names=["no", "dict"])
    return Product.objects.create(
        sku="T-1", name="Ridge Tent 2", names={"zh": "山脊帐篷"}, price=Decimal("249.00"), currency="GBP", stock=3
    )


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("How much is the ridge tent 2?", "Ridge Tent 2 costs 249.00 GBP."),
        ("Is the Ridge Tent 2 in stock?", "Ridge Tent 2 is in stock."),
        ("山脊帐篷多少钱？", "249.00 GBP"),
        ("山脊帐篷有货吗？", "山脊帐篷"),
    ],
)
def test_price_and_stock_are_answered_with_their_source(question: str, said: str) -> None:
    answered = answer_from_base(question)
    assert said in answered.answer and answered.articles[0] == "product:T-1" and answered.unsupported == []


@pytest.mark.parametrize(
    "question", ["Is the Ridge Tent 2 fireproof?", "How heavy is the Ridge Tent 2?", "山脊帐篷有哪些颜色？"]
)
def test_what_the_catalogue_does_not_say_is_refused(question: str) -> None:
    assert answer_from_base(question).refused == "unanswered"


def test_articles_answer_what_is_theirs_and_charges_are_no_products() -> None:
    assert answer_from_base("Can I return underwear?").articles[0] == "4"
    assert find_products("What does the postage cost?") == []


def test_sold_out_is_said(tent: Product) -> None:
    Product.objects.filter(pk=tent.pk).update(stock=0)
    assert "sold out" in answer_from_base("Is the Ridge Tent 2 in stock?").answer


def test_the_page_names_the_product_and_nothing_of_it_is_sent_by_itself(
    ask: Ask, now: dt.datetime, support_agent: User, client: Client
) -> None:
    ticket = ask("How much is the Ridge Tent 2?")
    made = suggest_answer(ticket, now=now)
    assert made is not None and made.sentences[0]["product"] == "T-1"
    category = AutomaticCategory(topic=ticket.topic, is_on=True, switched_at=now - dt.timedelta(days=1))
    assert find_obstacle(ticket, made, category, now=now)
    client.force_login(support_agent)
    assert "product T-1" in client.get(f"/support/tickets/{ticket.pk}/").content.decode()
    assert "T-1" in client.get("/articles/?try=How+much+is+the+Ridge+Tent+2").content.decode()
