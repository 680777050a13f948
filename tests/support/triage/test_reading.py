"""A language model's opinion on a ticket: fixed words, a passage that stands in the text, and the check beside it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.models import Customer, Order
from llm.models import LlmCall
from support.models import Ticket, TriageReading
from support.triage.joining import join_opinions
from support.triage.reading import check_verdicts, read_pending, read_ticket
from support.triage.rules import Verdict
from tests.flows.canaries import Haystack
from tests.model_server import ModelServer, Step, answer, fault_429, fault_500
from tests.support.conftest import Ask

database = pytest.mark.django_db(transaction=True)
CALM = {"topic": "other", "intent": "other", "complaint": "no", "sentiment": "neutral", "urgency": "usual"}


def say(quote: str = "", sure: str = "high", **values: str) -> Step:
    told = CALM | values
    return answer({field: {"quote": quote, "value": value, "sure": sure} for field, value in told.items()})


def reload(ticket: Ticket) -> Ticket:
    ticket.refresh_from_db()
    return ticket


@database
def test_it_agrees_and_nobody_has_to_look(ask: Ask, model_server: ModelServer, now: dt.datetime) -> None:
    model_server.always(say("Where is my parcel", topic="delivery"))
    ticket = ask("Where is my parcel? The tracking shows nothing.")
    assert (read_pending(now=now), read_pending(now=now), model_server.count) == (1, 0, 1)
    told = reload(ticket).triage["topic"]
    assert (ticket.topic, ticket.needs_look) == ("delivery", False)
    assert [one["by"] for one in told["opinions"]] == ["rules", "model"]
    assert told["opinions"][1]["quote"] == "Where is my parcel"
    (sent,) = model_server.chats
    assert sent.json["temperature"] == 0


@database
def test_where_they_differ_a_person_has_to_look_and_sees_why(
    ask: Ask, model_server: ModelServer, support_agent: User, client: Client, now: dt.datetime
) -> None:
    model_server.always(say("The tracking shows nothing", topic="order"))
    ticket = ask("Where is my parcel? The tracking shows nothing.")
    read_pending(now=now)
    assert reload(ticket).needs_look and ticket.topic == "order"
    client.force_login(support_agent)
    assert f"/tickets/{ticket.pk}/" in client.get("/support/?show=look").content.decode()
    page = client.get(f"/support/tickets/{ticket.pk}/").content.decode()
    assert "“The tracking shows nothing”" in page and "the rules: delivery" in page
    client.post(f"/support/tickets/{ticket.pk}/corrections/", {})
    assert not reload(ticket).needs_look
    words = dict(ticket.corrections.values_list("field", "becomes"))
    assert words["topic"] == "order" and set(words) == {"topic", "intent", "complaint", "sentiment", "urgency"}
    assert ticket.corrections.get(field="topic").was == "order"


@database
def test_it_never_takes_a_complaint_back_and_may_see_one(ask: Ask, model_server: ModelServer, now: dt.datetime) -> None:
    model_server.always(say())
    first = ask("This is unacceptable, the zip broke and nobody answers, I want my money back")
    assert first.is_complaint
    read_pending(now=now)
    assert reload(first).is_complaint and first.needs_look
    model_server.always(say("thrilled to walk in wet socks", complaint="yes", sentiment="negative"))
    second = ask("I am thrilled to walk in wet socks.", thread="t2")
    assert not second.is_complaint
    read_pending(now=now)
    assert reload(second).is_complaint and second.needs_look


@database
def test_a_passage_that_is_not_there_counts_for_nothing(ask: Ask, model_server: ModelServer, now: dt.datetime) -> None:
    model_server.always(say("I will sue you", topic="refund", complaint="yes", urgency="at_once"))
    ticket = ask("Where is my parcel?")
    assert read_ticket(ticket, now=now)
    assert (reload(ticket).topic, ticket.is_complaint, ticket.urgency) == ("delivery", False, 2)
    assert set(TriageReading.objects.get().verdicts) == {"sentiment", "intent"}, "what needs no words"


@database
@pytest.mark.parametrize("text", ["I will take you to court.", "My card number is 4111 1111 1111 1111"])
def test_what_is_for_people_only_never_reaches_it(
    ask: Ask, model_server: ModelServer, now: dt.datetime, text: str
) -> None:
    ask(text)
    assert (read_pending(now=now), model_server.count) == (0, 0)
    assert TriageReading.objects.get().status == "kept_back"


@database
def test_a_server_that_fails_is_asked_again_later_and_then_given_up(
    ask: Ask, model_server: ModelServer, now: dt.datetime, support_agent: User, client: Client
) -> None:
    model_server.always(fault_500())
    ticket = ask("Where is my parcel?")
    for number in range(8):
        read_pending(now=now + dt.timedelta(hours=number))
    row = TriageReading.objects.get()
    assert (row.status, row.attempts) == ("failed", 3)
    assert reload(ticket).topic == "delivery", "the rules stand"
    client.force_login(support_agent)
    assert row.error in client.get(f"/support/tickets/{ticket.pk}/").content.decode()


@database
def test_waiting_is_kept_to(ask: Ask, model_server: ModelServer, now: dt.datetime) -> None:
    model_server.always(fault_429(retry_after_s=30))
    ask("Where is my parcel?")
    read_pending(now=now)
    asked = model_server.count
    read_pending(now=now + dt.timedelta(seconds=5))
    assert model_server.count == asked


@database
def test_a_new_message_is_read_anew(ask: Ask, model_server: ModelServer, now: dt.datetime) -> None:
    model_server.always(say("Where is my parcel", topic="delivery"))
    ticket = ask("Where is my parcel?")
    read_pending(now=now)
    ask("And send me the invoice.", at=now + dt.timedelta(hours=1))
    assert len(reload(ticket).triage["topic"]["opinions"]) == 1, (
        "what was read of the former message is not of this one"
    )
    assert read_pending(now=now + dt.timedelta(hours=1)) == 1


@database
def test_no_word_of_the_person_reaches_it(ask: Ask, kim: Customer, model_server: ModelServer, now: dt.datetime) -> None:
    model_server.always(say())
    Customer.objects.filter(pk=kim.pk).update(phone="+442071838750", attributes={"city": "Auchtermuchty"})
    Order.objects.create(external_id="TO-104277", customer=kim, ordered_at=now, currency="EUR", total=1, source="shop")
    ask(
        "Where is TO-104277? I am Kim Lee, kim@shopper.test, +44 20 7183 8750, from Auchtermuchty, or zqx@elsewhere.example",
        name="Kimberley Leemore",
    )
    assert read_pending(now=now) == 1
    told = "\n".join(json.dumps(call.masked_request, ensure_ascii=False) for call in LlmCall.objects.all())
    haystack = Haystack(b"\n".join(one.raw for one in model_server.requests) + told.encode())
    words = ("kim@shopper.test", "7183 8750", "TO-104277", "Auchtermuchty", "zqx@elsewhere", "Kim Lee", "Kimberley")
    assert [word for word in words if haystack.find(word)] == []


def verdict(value: str, sureness: float = 0.8) -> Verdict:
    return Verdict(value, sureness)


def read(value: str, sureness: float = 0.9) -> dict[str, Any]:
    return {"value": value, "sureness": sureness, "quote": "x"}


@pytest.mark.parametrize(
    ("field", "rules", "learned", "model", "value", "doubt"),
    [
        ("topic", verdict("delivery"), None, None, "delivery", False),
        ("topic", verdict("other", 0.3), None, None, "other", True),
        ("topic", verdict("other", 0.3), None, read("refund"), "refund", False),
        ("topic", verdict("delivery"), None, read("refund"), "refund", True),
        ("topic", verdict("delivery"), verdict("order"), read("order"), "order", True),
        ("topic", verdict("delivery"), None, read("refund", 0.3), "delivery", False),
        ("complaint", verdict("yes"), None, read("no"), "yes", True),
        ("complaint", verdict("no"), None, read("yes"), "yes", True),
        ("complaint", verdict("no"), verdict("yes"), read("no"), "yes", True),
        ("urgency", verdict("2"), None, read("4"), "4", True),
        ("urgency", verdict("4"), None, read("1"), "4", True),
        ("urgency", verdict("2"), None, read("1"), "2", False),
        ("sentiment", verdict("neutral"), None, read("negative"), "negative", False),
    ],
)
def test_what_comes_of_the_opinions(
    field: str, rules: Verdict, learned: Verdict | None, model: dict[str, Any] | None, value: str, doubt: bool
) -> None:
    joined = join_opinions(field, rules, learned, model)
    assert (joined.verdict.value, joined.is_in_doubt) == (value, doubt)
    assert len(joined.opinions) == 1 + bool(learned) + bool(model)


def test_a_passage_is_found_in_other_widths_and_lines() -> None:
    data = {
        field: {"quote": "MY ｐａｒｃｅｌ is late", "value": value, "sure": "high"} for field, value in CALM.items()
    }
    assert check_verdicts(data, "Hello,\nmy parcel\n is late!")["topic"]["quote"] == "MY ｐａｒｃｅｌ is late"
