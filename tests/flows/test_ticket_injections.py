"""Tickets as the way in: a model that obeys strangers sorts and answers them, and nothing follows but words of the vocabulary."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.contrib.auth.models import User
from django.core import mail, serializers
from django.test import Client
from pytest_django import Settings

from customers.models import Customer
from llm.models import LlmServerHealth
from support.answers import switching
from support.answers.articles import read_articles
from support.answers.by_itself import answer_pending
from support.answers.knowledge import load_base, save_article
from support.answers.pending import suggest_pending
from support.inbox.opening import Incoming
from support.models import (
    Answer,
    AutomaticAnswer,
    Ticket,
    TicketChannel,
    TicketMessage,
    TicketStatus,
    Topic,
    TriageReading,
)
from support.triage.deciding import VALUES, receive
from support.triage.reading import read_ticket
from tests.flows.injections import EVIL, Attack, Field, Obedient, make_attacks
from tests.flows.unsafe import find_demands_outside_text, find_foreign_addresses
from tests.model_server import ModelServer
from tests.support.golden_set import DEVELOPMENT_ARTICLES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ATTACKS = [attack for attack in make_attacks() if attack.field in (Field.TICKET, Field.REVIEW)][::3]
NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
QUESTION = {"en": "Can I return underwear?", "zh": "内衣可以退货吗？"}


@pytest.fixture(autouse=True)
def articles(db: None) -> None:
    for number, article in enumerate(read_articles(DEVELOPMENT_ARTICLES.read_text(encoding="utf-8"))):
        said = {
            f"text_{language}": " ".join(one.text for one in article.passages if one.is_chinese == (language == "zh"))
            for language in ("en", "zh")
        }
        save_article(None, {"title_en": article.title, "title_zh": f"文章 {number}"} | said, now=NOW)


@pytest.fixture(autouse=True)
def generous(settings: Settings) -> None:
    settings.LLM_DAILY_TOKEN_CAP = settings.LLM_CALL_TOKEN_CAP = 100_000_000
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def write(number: int, attack: Attack) -> Ticket:
    kim = Customer.objects.create(external_id=f"W{number}", email=f"w{number}@shopper.test", first_name="Kim")
    text = f"{QUESTION[attack.language]} {attack.text}"
    incoming = Incoming(TicketChannel.API, f"t{number}", f"m{number}", text, NOW, customer=kim, email=kim.email)
    return receive(incoming, now=NOW).ticket


def _switch_everything_on(admin: User) -> None:
    told = {
        "least_sureness": 0.5, "sample_share": 1.0, "most_per_hour": 500, "most_per_day": 500,
        "notice_en": switching.NOTICES["en"], "notice_zh": switching.NOTICES["zh"],
    }  # fmt: skip
    for topic in Topic.values:
        switching.switch_on(admin, topic, told, is_confirmed=True, now=NOW - dt.timedelta(hours=1))


def take_state() -> str:
    rows = [*User.objects.order_by("pk"), *Customer.objects.order_by("pk"), *TicketMessage.objects.order_by("pk")]
    return serializers.serialize("json", rows)


@pytest.mark.parametrize("is_sly", [False, True], ids=["raw", "sly"])
def test_orders_in_tickets_move_nothing(
    model_server: ModelServer, is_sly: bool, site_admin: User, client: Client
) -> None:
    server = Obedient(ATTACKS, is_sly=is_sly)
    model_server.answer_with(server)
    tickets = [write(number, attack) for number, attack in enumerate(ATTACKS)]
    complaints = set(Ticket.objects.filter(is_complaint=True).values_list("pk", flat=True))
    before = take_state()

    for ticket in tickets:
        LlmServerHealth.objects.all().delete()  # a server that only fails is left alone for a while
        read_ticket(ticket, now=NOW)
    for _round in range(2):
        LlmServerHealth.objects.all().delete()
        suggest_pending(now=NOW, most=20)

    shown = [attack for attack, ticket in zip(ATTACKS, tickets, strict=True) if not ticket.triage["escalation"]]
    assert {attack.mark for attack in shown} <= server.obeyed and len(shown) > 15
    assert take_state() == before and mail.outbox == []
    assert set(Ticket.objects.values_list("status", flat=True)) == {TicketStatus.OPEN}
    assert complaints <= set(Ticket.objects.filter(is_complaint=True).values_list("pk", flat=True))
    for ticket in Ticket.objects.all():
        assert all(ticket.triage[field]["value"] in values for field, values in VALUES.items())
    for reading in TriageReading.objects.select_related("message"):
        words = " ".join(reading.message.text.casefold().split())
        assert all(one["quote"].casefold() in words for one in reading.verdicts.values())
        assert EVIL not in reading.error
    for answer in Answer.objects.all():
        assert not find_foreign_addresses(answer.text, ["trail.example"]) and not re.search(r"FREE|[<{]", answer.text)
    _switch_everything_on(site_admin)
    answer_pending(now=NOW, most=100)
    ours = " ".join(" ".join(one.text for one in article.passages) for article in load_base().articles)
    for sent in mail.outbox:
        said = sent.body.partition("\n\nThis answer was written")[0].partition("\n\n本回复由")[0]
        assert all(part.strip() in ours for part in re.split(r"(?<=[.!?])\s|(?<=[。！？])", said)), said
        assert not find_foreign_addresses(sent.subject + said, ["trail.example"])
    assert not AutomaticAnswer.objects.filter(ticket__in=complaints).exists()
    client.force_login(site_admin)
    for ticket in tickets[::3]:
        page = client.get(f"/support/tickets/{ticket.pk}/").content.decode()
        assert not find_demands_outside_text(page, (EVIL, "alert(1)"))
