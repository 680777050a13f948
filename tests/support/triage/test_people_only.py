"""What is for people only, in wordings that the list does not foresee: found by a classifier that stands beside it."""

from __future__ import annotations

import json

import pytest

from support.triage.escalating import find_listed_reason, find_reason_to_escalate
from support.triage.people_only import (
    HARMLESS,
    LANGUAGES,
    Example,
    load_recogniser,
    read_examples,
    recognise_reason,
    split_text,
    train_recogniser,
)
from tests.support.golden_set import HARMLESS as EVERYDAY
from tests.support.golden_set import OTHER_SHOPS, PEOPLE_ONLY, load_questions

HELD_BACK = [json.loads(line) for line in PEOPLE_ONLY.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_back_wordings_are_found_and_harmless_ones_left_alone(language: str) -> None:
    told = [one for one in HELD_BACK if one["lang"] == language]
    meant = [one["text"] for one in told if one["reason"]]
    harmless = [one["text"] for one in told if not one["reason"]]
    listed = sum(bool(find_listed_reason(text)) for text in meant)
    found = sum(bool(find_reason_to_escalate(text)) for text in meant)
    assert found >= LEAST_FOUND[language] * len(meant) and found > listed
    assert sum(bool(find_reason_to_escalate(text)) for text in harmless) <= MOST_FALSE[language] * len(harmless)


@pytest.mark.parametrize("language", LANGUAGES)
def test_everyday_sentences_are_seldom_taken_for_what_only_people_may_answer(language: str) -> None:
    told = [json.loads(line) for line in EVERYDAY.read_text(encoding="utf-8").splitlines()]
    texts = [one["text"] for one in told if one["lang"] == language]
    assert sum(bool(find_reason_to_escalate(text)) for text in texts) <= 0.08 * len(texts)
    assert not find_reason_to_escalate("We would bring our own paddles.")


def test_what_customers_tell_around_a_question_is_seldom_for_people_only() -> None:
    asked = [one for _articles, path in OTHER_SHOPS.values() for one in load_questions(path)]
    held = [one.text for one in asked if find_reason_to_escalate(one.text)]
    assert len(asked) > 800 and len(held) <= 0.01 * len(asked)
    assert not find_reason_to_escalate("My daughter lives in Boston now and misses a proper cuppa.")
    assert not find_reason_to_escalate("铁壶可以直接放在煤气灶上烧水吗")


#: What was found when they were first asked, less one or two; docs/support.md has the figures.
LEAST_FOUND = {"en": 0.8, "zh": 0.9}
MOST_FALSE = {"en": 0.1, "zh": 0.05}


@pytest.mark.parametrize("language", LANGUAGES)
def test_examples_are_many_and_none_stands_twice(language: str) -> None:
    examples = read_examples(language)
    texts = [one.text for one in examples]
    assert sum(one.label != HARMLESS for one in examples) >= 400 and len(set(texts)) == len(texts)
    assert {one["text"] for one in HELD_BACK}.isdisjoint(texts), "what is measured by was not learned from"


def test_the_same_sentences_give_the_same_weights() -> None:
    examples = read_examples("zh")[::3]
    first, again = (train_recogniser("zh", examples).predict_proba([one.text for one in examples[:20]]) for _ in "12")
    assert (first == again).all()


def test_one_sentence_of_a_long_letter_is_enough() -> None:
    letter = " ".join(["The parcel came on Monday and the colour is lovely."] * 200)
    hidden = f"{letter} I have lost the will to live. {letter}"
    assert (recognise_reason(letter), recognise_reason(hidden)) == ("", "self_harm")


def test_a_sentence_in_the_other_language_is_read_too() -> None:
    assert recognise_reason("Hello, where is my parcel?\n\n我已经写好起诉状了，等着上法庭吧") == "legal"


@pytest.mark.parametrize(
    "text", ["", "  \n ", "…", "12345", "ok", "Wo ist meine zweite Bestellung?", "Où est mon colis ?"]
)
def test_what_says_nothing_to_it_is_left_alone(text: str) -> None:
    assert recognise_reason(text) == ""


def test_figures_are_not_looked_at() -> None:
    assert split_text("Card 4111!\n\nIs it 20 cm?") == ["Card 0000!", "Is it 00 cm?"]


def test_what_the_list_names_stays_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.triage.escalating.recognise_reason", lambda text: "press")
    assert find_reason_to_escalate("I will call my lawyer") == "legal"
    assert find_reason_to_escalate("Where is it?") == "press", "either of the two suffices"


def test_it_is_learned_once() -> None:
    assert load_recogniser("en") is load_recogniser("en")
    assert isinstance(read_examples("en")[0], Example)
