"""Triage: rules first, a classifier beside them, a person above both."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from support.models import TriageModel
from support.triage.classifier import TextClassifier, is_held_back
from support.triage.correcting import correct_triage
from support.triage.deciding import triage_ticket
from support.triage.rules import read_message
from support.triage.training import Example, train_classifier
from tests.support.conftest import Ask

PLEASED = ["很喜欢，质量不错", "非常满意，值得推荐", "thank you, perfect jacket", "works great, love it"]
ANGRY = [
    "太差了，非常失望，要求退款",
    "收到就是坏的，没人理",
    "this is unacceptable, I want my money back",
    "the zip broke and nobody answers, awful",
]


@pytest.mark.parametrize("text", ANGRY)
def test_rules_see_complaints(text: str) -> None:
    verdict = read_message(text).verdicts["complaint"]
    assert verdict.value == "yes" and verdict.reasons


@pytest.mark.parametrize("text", [*PLEASED, "How long does delivery take?", "怎么退货？"])
def test_rules_leave_questions_and_thanks_alone(text: str) -> None:
    assert read_message(text).verdicts["complaint"].value == "no"


@pytest.mark.parametrize(
    ("text", "topic", "language"),
    [
        ("Where is my parcel? The tracking shows nothing.", "delivery", "en"),
        ("I would like a refund, please", "refund", "en"),
        ("I cannot log in, the password is wrong", "account", "en"),
        ("可以开发票吗？用什么付款？", "payment", "zh"),
        ("快递到哪里了？", "delivery", "zh"),
        ("Hm.", "other", "en"),
    ],
)
def test_rules_say_what_it_is_about(text: str, topic: str, language: str) -> None:
    reading = read_message(text)
    assert (reading.verdicts["topic"].value, reading.language) == (topic, language)


def make_examples(count: int = 80) -> list[Example]:
    kinds = (("the jacket is lovely number", "no"), ("my parcel never came and I am cross number", "yes"))
    return [
        Example(f"{words} {chr(97 + n % 26)}{chr(97 + n // 26)}", label) for n in range(count) for words, label in kinds
    ]


def test_a_classifier_survives_being_kept() -> None:
    examples = make_examples()
    fitted = TextClassifier("en").fit([one.text for one in examples], [one.label for one in examples])
    kept = TextClassifier.from_bytes(fitted.to_bytes())
    texts = ["the jacket is lovely", "my parcel never came", "…"]
    assert kept.classes_ == ["no", "yes"]
    assert abs(kept.predict_proba(texts) - fitted.predict_proba(texts)).max() < 1e-6
    assert "never" in " ".join(kept.explain("my parcel never came", "yes"))


def test_a_file_that_holds_code_is_not_run() -> None:
    import io

    import numpy as np

    raw = io.BytesIO()
    np.savez(raw, head=np.array([object()], dtype=object))
    with pytest.raises(ValueError):
        TextClassifier.from_bytes(raw.getvalue())


def test_copies_never_stand_on_both_sides() -> None:
    assert len({is_held_back(text) for text in ("Where is it?", "where IS it!!", "where is it 12")}) == 1


@pytest.mark.django_db
def test_a_trained_classifier_is_asked_beside_the_rules(ask: Ask, now: dt.datetime) -> None:
    made = train_classifier("complaint", "en", make_examples(), now=now)
    assert made.metrics["accuracy"] > made.metrics["rules"] and made.is_used
    ticket = ask("my parcel never came and I am cross")
    assert ticket.is_complaint
    assert ticket.triage["complaint"]["reasons"]


@pytest.mark.django_db
def test_too_few_texts_train_nothing(now: dt.datetime) -> None:
    with pytest.raises(ValidationError):
        train_classifier("complaint", "en", make_examples(5), now=now)
    assert not TriageModel.objects.exists()


@pytest.mark.django_db
def test_a_persons_word_outlives_the_next_triage(ask: Ask, support_agent: User, now: dt.datetime) -> None:
    ticket = ask("Where is my parcel?")
    correct_triage(support_agent, ticket, "topic", "order", now=now)
    correct_triage(support_agent, ticket, "urgency", "4", now=now)
    triage_ticket(ticket, now=now)
    ticket.refresh_from_db()
    assert (ticket.topic, ticket.urgency, ticket.triage["topic"]["by"]) == ("order", 4, "person")
    with pytest.raises(ValidationError):
        correct_triage(support_agent, ticket, "topic", "nonsense", now=now)


@pytest.mark.django_db
def test_danger_comes_first(ask: Ask) -> None:
    assert ask("The stove exploded and burned my hand").urgency == 4
    assert ask("I will call my lawyer", thread="t2").urgency == 3


def test_characters_that_nobody_sees_hide_no_complaint() -> None:
    plain, hidden = "非常失望，质量太差了，我要投诉", "非常失\u200b望，质量太\u2060差了，我要投\u202e诉"
    assert read_message(hidden).verdicts["complaint"] == read_message(plain).verdicts["complaint"]
    assert read_message("This is terri\u00adble, I am really disap\u200bpointed").verdicts["complaint"].value == "yes"
