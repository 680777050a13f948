"""Training anew: only where people have said enough, and in use only what stands the test against what was used before."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User

from customers.models import Customer, Order
from support.models import Direction, Ticket, TicketMessage, TriageCorrection, TriageModel
from support.triage import training
from support.triage.classifier import is_held_back
from support.triage.training import Example, count_new_words, gather_examples, retrain_due, train_classifier
from tests.support.conftest import Ask

pytestmark = pytest.mark.django_db
KINDS = {"order": "the jacket is lovely number", "delivery": "the kettle hums at night number"}


def letters(number: int) -> str:
    return chr(97 + number % 26) + chr(97 + number // 26)


def make_words(user: User, now: dt.datetime, count: int = 60, *, kinds: dict[str, str] = KINDS) -> None:
    """Tickets that people have corrected: the rules know nothing of jackets and kettles."""
    for number in range(count):
        label = list(kinds)[number % 2]
        ticket = Ticket.objects.create(
            channel="api", external_id=f"{label}{number}{now.isoformat()}", language="en", opened_at=now, last_message_at=now,
            first_answer_at=now, triaged_at=now,
        )  # fmt: skip
        text = f"{kinds[label]} {letters(number)}"
        TicketMessage.objects.create(ticket=ticket, direction=Direction.IN, text=text, written_at=now)
        TriageCorrection.objects.create(
            ticket=ticket, field="topic", was="other", becomes=label, corrected_by=user, corrected_at=now
        )


def test_it_waits_until_people_have_said_enough(support_agent: User, now: dt.datetime) -> None:
    make_words(support_agent, now, training.LEAST_NEW - 2)
    assert retrain_due(now=now) == []
    make_words(support_agent, now + dt.timedelta(hours=1), 60)
    (made,) = retrain_due(now=now + dt.timedelta(hours=2))
    assert (made.field, made.language, made.version, made.is_used) == ("topic", "en", 1, True)
    assert made.metrics["accuracy"] > made.metrics["rules"]
    assert (count_new_words("topic", "en"), retrain_due(now=now + dt.timedelta(hours=3))) == (0, [])


def test_one_that_is_no_better_than_the_one_in_use_is_kept_and_not_used(support_agent: User, now: dt.datetime) -> None:
    make_words(support_agent, now)
    assert [one.is_used for one in retrain_due(now=now)] == [True]
    make_words(support_agent, now + dt.timedelta(days=1))
    (second,) = retrain_due(now=now + dt.timedelta(days=2))
    assert (second.version, second.is_used) == (2, False)
    assert second.metrics["before"] == second.metrics["accuracy"] == 1.0
    assert TriageModel.objects.filter(is_used=True).get().version == 1


def test_one_that_is_better_takes_over(support_agent: User, now: dt.datetime) -> None:
    make_words(support_agent, now)
    retrain_due(now=now)
    other = {"order": "the kettle hums at night number", "delivery": "the jacket is lovely number"}
    make_words(support_agent, now + dt.timedelta(days=1), 400, kinds=other)
    (second,) = retrain_due(now=now + dt.timedelta(days=2))
    assert second.metrics["before"] < second.metrics["accuracy"] and second.is_used


def test_the_test_is_made_on_words_of_people_where_there_are_enough(now: dt.datetime) -> None:
    texts = [f"{words} {letters(n)}" for n in range(200) for words in KINDS.values()]
    labels = [label for _n in range(200) for label in KINDS]
    examples = [
        Example(text, label, is_word=n % 2 == 0) for n, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    made = train_classifier("topic", "en", examples, now=now)
    words = sum(one.is_word for one in examples if is_held_back(one.text))
    assert made.metrics["texts"] == made.metrics["words"] == words > training.LEAST_WORDS


def test_what_is_in_doubt_is_learned_from_only_once_a_person_has_looked(
    ask: Ask, support_agent: User, now: dt.datetime
) -> None:
    ticket = ask("Hm.")
    Ticket.objects.filter(pk=ticket.pk).update(first_answer_at=now, needs_look=True)
    assert gather_examples("topic", "en") == []
    TriageCorrection.objects.create(ticket=ticket, field="topic", was="other", becomes="other", corrected_at=now)
    assert gather_examples("topic", "en") == [Example("Hm.", "other", is_word=True)]


@pytest.mark.parametrize(
    "text",
    ["订单TO-1042在哪里？", "order to-1042, please", "#TO-1042", "First TO-9, then (TO-1042)!", "订单号：TO-1042。"],
)
def test_the_order_at_hand_is_found_however_it_is_written(ask: Ask, kim: Customer, now: dt.datetime, text: str) -> None:
    Order.objects.create(external_id="TO-1042", customer=kim, ordered_at=now, currency="EUR", total=1, source="shop")
    found = ask(text).order
    assert found is not None and found.external_id == "TO-1042"
