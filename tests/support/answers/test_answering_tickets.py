"""From a question to what is sent: suggested from the articles, edited by a person, sent once through one door."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from pytest_django import Settings

from customers.models import Customer, Order
from support.answers.knowledge import load_base, publish_article, save_article
from support.answers.pending import suggest_pending
from support.answers.sending import discard_suggestion, send_answer
from support.answers.suggesting import suggest_answer
from support.models import Answer, Article, Ticket, TicketConflict
from tests.support.conftest import Ask

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept_mail(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def newest(ticket: Ticket) -> int:
    found = ticket.messages.exclude(direction="note").order_by("-pk").first()
    assert found is not None
    return found.pk


def test_a_question_gets_a_suggestion_with_its_sources(ask: Ask, articles: None, now: dt.datetime) -> None:
    ticket = ask("How many days do I have to send something back?")
    assert (suggest_pending(now=now), suggest_pending(now=now)) == (1, 0)
    answer = Answer.objects.get(ticket=ticket)
    assert "30 days" in answer.text
    (sentence,) = answer.sentences
    assert (sentence["supported"], sentence["article"], sentence["version"]) == (True, 4, 1)
    assert mail.outbox == [], "nothing is ever sent by itself"


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("Do you deliver on Saturdays?", "unanswered"),
        ("I will take you to court.", "legal"),
        ("My card number is 4111 1111 1111 1111", "payment_data"),
    ],
)
def test_what_must_not_be_drafted_is_not(ask: Ask, articles: None, now: dt.datetime, text: str, refusal: str) -> None:
    answer = suggest_answer(ask(text), now=now)
    assert answer is not None
    assert (answer.status, answer.refusal, answer.text) == ("refused", refusal, "")


def test_a_person_sends_it_once(ask: Ask, articles: None, support_agent: User, now: dt.datetime) -> None:
    ticket = ask("Can I return underwear?")
    answer = suggest_answer(ticket, now=now)
    assert answer is not None
    seen = newest(ticket)
    message = send_answer(support_agent, ticket, answer.text, seen=seen, now=now)
    assert message.send_status == "sent"
    assert [one.to for one in mail.outbox] == [["kim@shopper.test"]]
    with pytest.raises(TicketConflict):
        send_answer(support_agent, ticket, answer.text, seen=seen, now=now)
    assert len(mail.outbox) == 1
    answer.refresh_from_db()
    ticket.refresh_from_db()
    assert (answer.status, answer.share_changed, ticket.status) == ("sent", 0.0, "waiting")
    assert ticket.first_answer_at == now


def test_who_answers_too_late_sees_it_first(ask: Ask, support_agent: User, now: dt.datetime) -> None:
    ticket = ask("Can I return underwear?")
    seen = newest(ticket)
    ask("Never mind, I keep it.", at=now + dt.timedelta(minutes=1))
    with pytest.raises(TicketConflict, match="meantime"):
        send_answer(support_agent, ticket, "No.", seen=seen, now=now)
    assert mail.outbox == []


def test_a_message_that_comes_late_waits_though_it_is_dated_before_our_answer(
    ask: Ask, articles: None, support_agent: User, now: dt.datetime
) -> None:
    ticket = ask("Thank you.")
    send_answer(support_agent, ticket, "You are welcome.", seen=newest(ticket), now=now)
    ask("Can I return underwear?", at=now - dt.timedelta(minutes=1))
    assert suggest_pending(now=now) == 1
    answer = Answer.objects.get(ticket=ticket)
    assert (answer.message_id, answer.status) == (newest(ticket), "suggested")
    assert "Underwear" in answer.text


def test_facts_of_an_order_are_filled_by_code(ask: Ask, kim: Customer, support_agent: User, now: dt.datetime) -> None:
    Order.objects.create(
        external_id="TO-1042", customer=kim, ordered_at=now, currency="EUR", total=Decimal("84.5"), source="shop"
    )
    ticket = ask("Where is order TO-1042?")
    text = "Dear {first_name}, order {order_number} of {order_total} is on its way."
    message = send_answer(support_agent, ticket, text, seen=newest(ticket), now=now)
    assert message.text == "Dear Kim, order TO-1042 of 84.50 EUR is on its way."


def test_a_slot_without_a_value_is_not_sent(ask: Ask, support_agent: User, now: dt.datetime) -> None:
    ticket = ask("Where is it?")
    with pytest.raises(ValidationError, match="order_number"):
        send_answer(support_agent, ticket, "Order {order_number}", seen=newest(ticket), now=now)


def test_an_order_of_somebody_else_is_not_told_of(ask: Ask, now: dt.datetime) -> None:
    other = Customer.objects.create(external_id="O")
    Order.objects.create(external_id="TO-7", customer=other, ordered_at=now, currency="EUR", total=1, source="shop")
    assert ask("What about order TO-7?").order is None


def test_who_may_not_answer_sends_nothing(ask: Ask, marketer: User, now: dt.datetime) -> None:
    ticket = ask("Can I return underwear?")
    with pytest.raises(PermissionDenied):
        send_answer(marketer, ticket, "No.", seen=newest(ticket), now=now)
    assert mail.outbox == []


def test_a_suggestion_that_was_decided_on_stays(
    ask: Ask, articles: None, support_agent: User, now: dt.datetime
) -> None:
    ticket = ask("Can I return underwear?")
    answer = suggest_answer(ticket, now=now)
    assert answer is not None
    discard_suggestion(support_agent, answer, now=now)
    again = suggest_answer(ticket, now=now)
    assert again is not None and (again.pk, again.status) == (answer.pk, "discarded")


def test_articles_keep_every_version(support_agent: User, articles: None, now: dt.datetime) -> None:
    article = Article.objects.get(number=9)
    texts = {"title_en": "Gift cards", "text_en": "Gift cards are valid for 36 months."}
    save_article(support_agent, texts, now=now, article=article, base=1)
    with pytest.raises(TicketConflict):
        save_article(support_agent, texts | {"text_en": "Other"}, now=now, article=article, base=1)
    article.refresh_from_db()
    assert list(article.versions.values_list("number", flat=True)) == [2, 1]
    found = load_base().rank("How long is a gift card valid?")[0].article
    assert (found.version, found.passages[0].text) == (2, "Gift cards are valid for 36 months.")
    publish_article(support_agent, article, is_published=False, now=now)
    assert "9" not in {one.key for one in load_base().articles}


def test_an_article_that_takes_the_place_of_another_is_noticed(support_agent: User, now: dt.datetime) -> None:
    first, second, _third = (
        save_article(support_agent, {"title_en": name, "text_en": f"{name} is free."}, now=now).article
        for name in ("Parking", "Water", "Entry")
    )
    publish_article(support_agent, first, is_published=False, now=now)
    assert [one.title for one in load_base().articles] == ["Water", "Entry"]
    publish_article(support_agent, first, is_published=True, now=now)
    publish_article(support_agent, second, is_published=False, now=now)
    assert [one.title for one in load_base().articles] == ["Parking", "Entry"]


@pytest.mark.parametrize("question", ["How long is a gift card valid?", "礼品卡有效期多久？"])
def test_full_text_chooses_where_there_are_many(articles: None, monkeypatch: pytest.MonkeyPatch, question: str) -> None:
    monkeypatch.setattr("support.answers.knowledge.MOST_COMPARED", 5)
    base = load_base(question)
    assert len(base.articles) <= 5 and "9" in {one.key for one in base.articles}


def test_articles_whose_ideas_were_forgotten_are_found_again(articles: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.answers.knowledge.MOST_COMPARED", 5)
    Article.objects.update(search=None)
    assert "9" in {one.key for one in load_base("How long is a gift card valid?").articles}
    assert not Article.objects.filter(search=None).exists()
