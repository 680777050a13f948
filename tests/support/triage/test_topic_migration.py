"""Tickets of before: what was called intent is the topic, with everything that was kept of it, there and back again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from support.models import (
    AutomaticAnswer,
    AutomaticCategory,
    Ticket,
    TicketMessage,
    TriageCorrection,
    TriageModel,
    TriageReading,
)
from support.triage.correcting import correct_triage
from support.triage.deciding import complete_triage
from tests.support.conftest import Ask

BEFORE, AFTER = "0010_answers_to_look_up_again", "0011_topic_and_intent"
READ: dict[str, Any] = {"value": "delivery", "sureness": 0.9, "quote": "parcel"}


def migrate(name: str) -> None:
    """In the transaction of the test, which takes all of it back."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    MigrationExecutor(connection).migrate([("support", name)])


def read(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


@pytest.mark.django_db
def test_kept_words_follow_the_name_there_and_back(ask: Ask, support_agent: User, now: dt.datetime) -> None:
    ticket = ask("Where is my parcel? The tracking shows nothing.", thread="a")
    done = ask("Please cancel my order 12.", thread="b")
    correct_triage(support_agent, ticket, "topic", "order", now=now)
    correct_triage(support_agent, ticket, "intent", "change", now=now)
    Ticket.objects.filter(pk=done.pk).update(status="closed", closed_at=now)
    called = ask("The heater smoked.", thread="c")
    Ticket.objects.filter(pk=called.pk).update(status="escalated")
    answered = ask("When do you open?", thread="d")
    TicketMessage.objects.create(ticket=answered, direction="out", text="At nine.", written_at=now)
    TriageReading.objects.create(
        ticket=ticket,
        message=TicketMessage.objects.get(ticket=ticket),
        status="read",
        verdicts={"topic": READ, "intent": READ | {"value": "track"}, "complaint": READ | {"value": "no"}},
    )
    for field in ("topic", "intent"):
        TriageModel.objects.create(
            field=field, language="en", version=1, artifact=field.encode(), trained_on=9, trained_at=now
        )
    AutomaticCategory.objects.create(topic="delivery", is_on=True, notice_en="x", notice_zh="x", switched_at=now)

    migrate(BEFORE)
    assert read("SELECT intent, triage->'intent'->>'value', triage ? 'topic' FROM support_ticket ORDER BY id") == [
        ("order", "order", False),
        ("order", "order", False),
        (called.topic, called.topic, False),
        (answered.topic, answered.topic, False),
    ]
    assert read("SELECT field, was, becomes FROM support_triagecorrection") == [("intent", "delivery", "order")]
    assert read("SELECT verdicts->'intent'->>'value', verdicts ? 'topic' FROM support_triagereading") == [
        ("delivery", False)
    ]
    assert [(field, bytes(made)) for field, made in read("SELECT field, artifact FROM support_triagemodel")] == [
        ("intent", b"topic")
    ]
    assert read("SELECT intent, is_on FROM support_automaticcategory") == [("delivery", True)]

    migrate(AFTER)
    ticket.refresh_from_db()
    done.refresh_from_db()
    assert (ticket.topic, ticket.intent, ticket.triaged_at) == ("order", "", None)
    assert (done.topic, done.intent) == ("order", "") and done.triaged_at is not None
    assert ticket.triage["topic"]["by"] == "person" and "intent" not in ticket.triage
    assert TriageReading.objects.get().verdicts == {"topic": READ, "complaint": READ | {"value": "no"}}
    assert TriageCorrection.objects.values_list("field", "was", "becomes").get() == ("topic", "delivery", "order")
    assert TriageModel.objects.values_list("field", flat=True).get() == "topic"
    assert AutomaticCategory.objects.get().topic == "delivery" and not AutomaticAnswer.objects.exists()

    for kept in (called, answered):
        kept.refresh_from_db()
        assert kept.triaged_at is not None, "what does not wait keeps its triage, its urgency and its hour"

    assert complete_triage(now=now) == 1
    ticket.refresh_from_db()
    assert (ticket.topic, ticket.intent) == ("order", "track"), "what people said stays, the rest is sorted anew"
