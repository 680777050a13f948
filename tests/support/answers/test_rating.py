"""How it was: asked once, answered once, by a signed link; and the figures that are made of it."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from customers.ingest.consent import suppress_address
from customers.models import Customer, CustomerEvent
from support.answers.asking import ask_rating
from support.answers.figures import (
    count_suggestions,
    judge_triage,
    list_changes,
    measure_first_answers,
    measure_ratings,
    share,
)
from support.answers.rating import make_rating_link
from support.answers.sending import discard_suggestion, send_answer
from support.answers.suggesting import suggest_answer
from support.inbox.working import close_ticket
from support.models import Rating, Ticket
from support.triage.correcting import confirm_triage, correct_triage
from tests.support.conftest import Ask

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept_mail(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def answered(ask: Ask, support_agent: User, now: dt.datetime) -> Ticket:
    return answer(ask("Where is my parcel?"), support_agent, now, ends=True)


def answer(ticket: Ticket, user: User, now: dt.datetime, text: str = "It comes.", *, ends: bool = False) -> Ticket:
    seen = ticket.messages.newest_spoken()[0].pk
    send_answer(user, ticket, text, seen=seen, now=now, ends=ends)
    ticket.refresh_from_db()
    return ticket


def find_path(body: str) -> str:
    found = re.search(r"/rating/\S+/", body)
    assert found is not None
    return found[0]


def test_the_answer_that_ends_it_asks_once(answered: Ticket, support_agent: User, now: dt.datetime) -> None:
    path = find_path(mail.outbox[0].body)
    assert path not in answered.messages.get(direction="out").text, "staff do not rate themselves"
    close_ticket(support_agent, answered, now=now)
    assert ask_rating(support_agent, answered, now=now) is None
    assert len(mail.outbox) == 1


def test_fetching_changes_nothing_and_one_rating_stands(
    answered: Ticket, kim: Customer, client: Client, support_agent: User
) -> None:
    path = find_path(mail.outbox[0].body)
    for _time in range(20):
        assert client.get(path).status_code == 200
    assert client.post(path, {"comment": "Hm"}).status_code == 422
    assert client.post(path, {"score": "9"}).status_code == 422
    assert not Rating.objects.exists()
    client.post(path, {"score": "2", "comment": "Slow <b>"})
    client.post(path, {"score": "5", "comment": "No, good"})
    assert list(Rating.objects.values_list("score", "comment")) == [(2, "Slow <b>")]
    event = CustomerEvent.objects.get(customer=kim, kind="custom")
    assert (event.properties["name"], event.properties["score"]) == ("support_rated", 2)
    assert client.get(path[:-4] + "abc/").status_code == 404
    client.force_login(support_agent)
    page = client.get(f"/customers/{kim.pk}/?show=behaviour").content.decode()
    assert "Rated how support helped: 2 of 5" in page


def test_an_old_link_does_not_work(answered: Ticket, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path = find_path(make_rating_link(answered))
    assert client.get(path).status_code == 200
    monkeypatch.setattr("support.answers.rating.LINK_DAYS", -1)
    assert client.get(path).status_code == 404


def test_it_speaks_the_customers_language(ask: Ask, client: Client) -> None:
    path = find_path(make_rating_link(ask("请问多少天内可以退货？")))
    assert "非常满意" in client.get(path).content.decode()


def test_closing_asks_where_no_answer_did(ask: Ask, support_agent: User, client: Client, now: dt.datetime) -> None:
    ticket = answer(ask("Where is my parcel?"), support_agent, now)
    client.force_login(support_agent)
    page = f"/support/tickets/{ticket.pk}/"
    assert "Ask by mail how it was" in client.get(page).content.decode()
    client.post(f"{page}closing/", {"ask": "1"})
    assert len(mail.outbox) == 2 and find_path(mail.outbox[1].body)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.rating_asked_at is not None) == ("closed", True)


@pytest.mark.parametrize("why", ["off", "suppressed", "unanswered"])
def test_who_is_not_asked(ask: Ask, support_agent: User, settings: Settings, now: dt.datetime, why: str) -> None:
    ticket = ask("Where is my parcel?")
    if why != "unanswered":
        answer(ticket, support_agent, now)
    if why == "suppressed":
        suppress_address("kim@shopper.test", reason="complained")
    settings.SUPPORT_ASK_RATING = why != "off"
    close_ticket(support_agent, ticket, now=now)
    assert ask_rating(support_agent, ticket, now=now) is None


def test_it_is_erased_with_its_customer(answered: Ticket, kim: Customer, now: dt.datetime) -> None:
    Rating.objects.create(ticket=answered, score=4, rated_at=now)
    kim.delete()
    assert not Rating.objects.exists()


def test_shares_carry_their_doubt() -> None:
    told = share(8, 10)
    assert (
        told["share"] == 0.8
        and told["low"] == pytest.approx(0.490, abs=0.001)
        and told["high"] == pytest.approx(0.943, abs=0.001)
    )
    assert share(0, 0) == {"hits": 0, "n": 0, "share": None, "low": None, "high": None}


def test_hours_to_the_first_answer_are_medians(ask: Ask, support_agent: User, now: dt.datetime) -> None:
    for number, hours in enumerate((1, 2, 3, 4, 40)):
        answer(ask("Where is it?", thread=f"t{number}"), support_agent, now + dt.timedelta(hours=hours))
    told = measure_first_answers(now - dt.timedelta(days=1))["people"]
    assert (told["n"], told["median"]) == (5, 3.0) and told["p90"] == pytest.approx(25.6)
    assert measure_first_answers(now + dt.timedelta(hours=1))["people"]["n"] == 0


def test_what_became_of_suggestions_and_who_changed_what(
    ask: Ask, articles: None, support_agent: User, now: dt.datetime, client: Client
) -> None:
    at = timezone.now()
    tickets = [ask("Can I return underwear?", thread=f"t{number}", at=at) for number in range(3)]
    made = [suggest_answer(ticket, now=at) for ticket in tickets]
    first = made[0]
    assert first is not None and made[2] is not None
    answer(tickets[0], support_agent, at, first.text)
    answer(tickets[1], support_agent, at, "Something else altogether, written by hand.")
    discard_suggestion(support_agent, made[2], now=at)
    (row,) = count_suggestions(at - dt.timedelta(hours=1))
    assert (row["unchanged"], row["edited"], row["discarded"], row["decided"]) == (1, 1, 1, 3)
    assert (row["bare"]["hits"], row["bare"]["n"]) == (0, 3)
    correct_triage(support_agent, tickets[0], "topic", "order", now=at)
    confirm_triage(support_agent, tickets[1], now=at)
    judged = {(one["field"], one["by"]): (one["hits"], one["n"]) for one in judge_triage(at - dt.timedelta(hours=1))}
    assert judged["topic", "rules"] == (1, 2) and judged["complaint", "rules"] == (1, 1)
    changes = list_changes(at - dt.timedelta(hours=1))
    assert (len(changes["answers"]), [one.becomes for one in changes["corrections"]]) == (2, ["order"])
    Rating.objects.create(ticket=tickets[0], score=5, comment="Kind and quick", rated_at=at)
    Rating.objects.create(ticket=tickets[1], score=1, rated_at=at)
    told = measure_ratings(at - dt.timedelta(hours=1))
    assert (told["good"]["share"], told["mean"]) == (0.5, 3.0)
    client.force_login(support_agent)
    page = client.get("/answer-quality/?days=30").content.decode()
    assert "Kind and quick" in page and "The last 30 days." in page


def test_an_analyst_sees_figures_and_no_words_of_customers(answered: Ticket, analyst: User, client: Client) -> None:
    Rating.objects.create(ticket=answered, score=5, comment="Kind and quick", rated_at=timezone.now())
    client.force_login(analyst)
    assert "Kind and quick" not in client.get("/answer-quality/").content.decode()
