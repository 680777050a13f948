"""What the tests of support share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from customers.models import Customer
from support.answers.articles import read_articles
from support.answers.knowledge import save_article
from support.inbox.opening import Incoming
from support.models import Ticket, TicketChannel
from support.triage.deciding import receive
from tests.support.golden_set import DEVELOPMENT_ARTICLES

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
Ask = Callable[..., Ticket]


@pytest.fixture
def now() -> dt.datetime:
    return NOW


@pytest.fixture
def kim(db: None) -> Customer:
    return Customer.objects.create(external_id="K1", email="kim@shopper.test", first_name="Kim", last_name="Lee")


@pytest.fixture
def ask(kim: Customer, now: dt.datetime) -> Ask:
    """Have Kim write something; further words continue the same conversation where `thread` is the same."""

    def write(text: str, *, thread: str = "t1", at: dt.datetime = now, **fields: Any) -> Ticket:
        known = {"customer": kim, "email": kim.email, "subject": "", "channel": TicketChannel.API} | fields
        name = f"{thread}-{Ticket.objects.count()}-{at.isoformat()}-{len(text)}"
        return receive(Incoming(thread=thread, external_id=name, text=text, written_at=at, **known), now=at).ticket

    return write


@pytest.fixture
def articles(db: None, now: dt.datetime) -> None:
    """The demo shop's articles, in both languages."""
    for article in read_articles(DEVELOPMENT_ARTICLES.read_text(encoding="utf-8")):
        texts = {"title_en": article.title, "title_zh": f"文章 {article.key}"}
        texts["text_en"] = " ".join(passage.text for passage in article.passages if not passage.is_chinese)
        texts["text_zh"] = "".join(passage.text for passage in article.passages if passage.is_chinese)
        save_article(None, texts, now=now)
