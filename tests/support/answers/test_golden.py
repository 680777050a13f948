"""What the golden set says of the answers: right sources, refusals, and no sentence that nothing carries."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from support.answers import answering
from support.answers.answering import LEAST_SURE, answer_question, is_answer, rate_sureness
from support.answers.articles import Passage, read_articles
from support.answers.evidence import Evidence
from support.answers.ranking import Base
from support.answers.spelling import correct_spelling
from support.answers.validation import check_sentence
from support.answers.words import find_ideas, find_keys
from support.triage.escalating import find_reason_to_escalate
from tests.support.golden_set import (
    ESCALATIONS,
    FRESH_QUESTIONS,
    GOLDEN_ARTICLES,
    GOLDEN_QUESTIONS,
    OTHER_SHOPS,
    load_base,
    load_questions,
)


@pytest.fixture(scope="module")
def base() -> Base:
    return load_base()


def test_the_right_article_is_among_the_first_three(base: Base) -> None:
    questions = [question for question in load_questions() if question.expect]
    found = [bool({*question.expect} & {*answer_question(question.text, base).articles[:3]}) for question in questions]
    assert len(questions) == 64
    assert sum(found) >= 0.95 * len(questions)


def test_what_the_base_does_not_answer_is_refused(base: Base) -> None:
    questions = [question for question in load_questions() if not question.expect]
    refused = [bool(answer_question(question.text, base).refused) for question in questions]
    assert len(questions) == 36
    assert sum(refused) >= 0.95 * len(questions)


def test_most_of_what_the_base_answers_is_answered(base: Base) -> None:
    questions = [question for question in load_questions() if question.expect]
    assert sum(not answer_question(question.text, base).refused for question in questions) >= 0.8 * len(questions)


def test_answers_are_the_words_of_the_articles(base: Base) -> None:
    told = {passage.text for article in base.articles for passage in article.passages}
    for question in load_questions():
        answered = answer_question(question.text, base)
        assert {sentence.text for sentence in answered.sentences} <= told
        assert answered.unsupported == []
        assert bool(answered.answer) != bool(answered.refused)


@pytest.mark.parametrize("name", FRESH_QUESTIONS)
def test_questions_that_were_written_later_find_their_article_too(name: str, base: Base) -> None:
    questions = load_questions(FRESH_QUESTIONS[name])
    known, unknown = [one for one in questions if one.expect], [one for one in questions if not one.expect]
    answered = {one.id: answer_question(one.text, base) for one in questions}
    assert sum(bool({*one.expect} & {*answered[one.id].articles[:3]}) for one in known) >= 0.95 * len(known)
    assert sum(not answered[one.id].refused for one in known) >= 0.65 * len(known)
    assert sum(not answered[one.id].refused for one in unknown) <= 1


def test_other_shops_are_answered_from_their_own_articles() -> None:
    """All of them together; but for camping and lamps they were looked at after they were asked, and docs/support.md has what was
    found the first time."""
    found: list[bool] = []
    answered: list[bool] = []
    refused: list[bool] = []
    for articles, path in OTHER_SHOPS.values():
        other = load_base(articles)
        for one in load_questions(path):
            said = answer_question(one.text, other)
            assert not said.unsupported, one.text
            if one.expect:
                found.append(bool({*one.expect} & {*said.articles[:3]}))
                answered.append(not said.refused)
            else:
                refused.append(bool(said.refused))
    assert sum(found) >= 0.94 * len(found)
    assert sum(refused) >= 0.97 * len(refused)
    assert sum(answered) >= 0.69 * len(answered)


def test_a_sentence_that_has_every_word_and_is_about_something_else_answers_nothing() -> None:
    shop = load_base(OTHER_SHOPS["shoes"][0])  # "hand the parcel in at any DHL shop", in Germany
    assert answer_question("Do you have a shop in Berlin?", shop).refused == "unanswered"
    shop = Base(read_articles("## 1. Our shop in Berlin\nYou find our shop in Berlin near the station.\n"))
    assert not answer_question("Do you have a shop in Berlin?", shop).refused


def test_a_word_that_no_other_article_has_answers_beside_the_point_of_the_title() -> None:
    shop = load_base(OTHER_SHOPS["tea"][0])  # American Express stands in a list of seven, under "Payment methods"
    assert not answer_question("do u take amex", shop).refused
    assert answer_question("do u take wechat pay", shop).refused == "unanswered"


def test_a_long_question_may_have_words_beside_the_point_where_two_are_rare() -> None:
    long = Evidence(missing=0.3, worst=0.7, missing_close=0.3, wrong_kind=0.0, own=1.3, telling=4)
    assert rate_sureness(long) < LEAST_SURE and is_answer(long)
    assert not is_answer(replace(long, telling=3)) and not is_answer(replace(long, own=1.0))
    assert not is_answer(replace(long, wrong_kind=1.0)) and not is_answer(replace(long, missing=0.8))


def test_an_english_compound_is_held_in_part_by_its_head(shop: Base) -> None:
    base = Base(read_articles("## 1. Cloths\nWash the cloth at 40 degrees.\n\n## 2. Payment\nPay by card.\n"))
    whole, part = (answer_question(f"Can I wash my {word} at 40 degrees?", base) for word in ("cloth", "saddlecloth"))
    other = answer_question("Can I wash my saddlebow at 40 degrees?", base)
    assert whole.sureness >= part.sureness >= other.sureness


def test_a_question_is_weighed_once(monkeypatch: pytest.MonkeyPatch, base: Base) -> None:
    weighed: list[str] = []
    real = answering.weigh_question
    monkeypatch.setattr(
        answering, "weigh_question", lambda question, base: weighed.append(question) or real(question, base)
    )
    answer_question("How long may I return tea?", base)
    assert len(weighed) == 1


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("缝纫机能寄吗？", "Sewing machines are sent by courier."),
        ("灯罩怎么洗？", "Lampshades are wiped with a dry cloth."),
        ("Is it rusty?", "If a spot of rust appears, dry it."),
        ("how wide is it", "Widths run from 110 to 140 cm."),
    ],
)
def test_goods_and_what_befalls_them_are_one_in_both_languages(question: str, text: str) -> None:
    held = find_keys(text)
    assert any(held & {*idea.answered_by} for idea in find_ideas(question) if not idea.is_usual)


def test_who_asks_where_a_thing_is_printed_is_not_answered_by_what_it_is() -> None:
    shop = load_base(OTHER_SHOPS["fabrics"][0])  # "two thirds of our cottons are certified", and nothing of where
    assert answer_question("Where are your cottons printed?", shop).refused == "unanswered"


def test_what_is_said_of_one_sort_alone_on_other_days_says_nothing_of_sundays() -> None:
    shop = load_base(OTHER_SHOPS["pets"][0])  # frozen meat is sent on Tuesdays and Wednesdays
    assert answer_question("周日可以送货吗？", shop).refused == "unanswered"


def test_who_asks_for_a_number_is_not_answered_by_none() -> None:
    shop = Base(
        read_articles("## 1. Pieces of puzzles\nThe puzzle has pieces, and the maker has none of them by phone.\n")
    )
    assert answer_question("How many pieces does the puzzle have?", shop).refused == "unanswered"


@pytest.mark.parametrize(
    ("question", "text", "key"),
    [
        ("What about an aluminium pan?", "Aluminum pans come in two sizes.", "=material"),
        ("Will you send the blue kettle back?", "A return takes a week.", "=return"),
        ("What is the pickup time?", "You can pick up your order at any time.", "=pickup"),
        ("要考驾照吗？", "无需驾照。", "=licence"),
        ("空瓶子收吗？", "寄回十个空瓶子可获赠一支润唇膏。", "=empty"),
    ],
)
def test_one_thing_said_in_two_ways_is_one(question: str, text: str, key: str) -> None:
    assert key in {one for idea in find_ideas(question) for one in idea.answered_by} & find_keys(text)


def test_a_claim_is_carried_by_more_than_what_answers_a_question() -> None:
    told = Passage("1", 0, "Delivery costs 4.90 euros.", is_chinese=False)
    assert not check_sentence("Delivery is free of charge.", [told]).is_supported
    assert not check_sentence("Our service brings the machine.", [told]).is_supported


def test_who_asks_for_postage_is_not_answered_by_delivery_alone() -> None:
    (postage,) = (idea for idea in find_ideas("What is the postage?"))
    assert not {*postage.answered_by} & find_keys("We deliver on Mondays.")
    assert {*postage.answered_by} & find_keys("We deliver for 4.90 euros.")


@pytest.mark.parametrize(("word", "is_apart"), [("对付", False), ("卡里", True), ("支付宝", False)])
def test_a_chinese_word_is_taken_apart_only_where_its_parts_make_it(word: str, is_apart: bool) -> None:
    keys = {idea.key for idea in find_ideas(f"怎么{word}")}
    assert bool(keys & {"=pay", "=card"}) == is_apart


def test_a_country_is_not_answered_by_its_neighbours(base: Base) -> None:
    assert not answer_question("Do you ship to Austria?", base).refused
    assert answer_question("Do you ship to Poland?", base).refused == "unanswered"
    assert answer_question("能寄到波兰吗？", base).refused == "unanswered"


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("I'll see you in court over this parcel", "legal"),
        ("再不退款我就去法院起诉", "legal"),
        ("The battery exploded and I have burns on my hands", "safety"),
        ("水壶漏电，我被烫伤了", "safety"),
        ("Please charge 5500 0000 0000 0004 instead", "payment_data"),
        ("I write for a newspaper and need a statement", "press"),
        ("我是电视台的，想做个采访", "press"),
        ("There is no reason to live any more", "self_harm"),
    ],
)
def test_some_things_are_for_people_only(question: str, reason: str, base: Base) -> None:
    answered = answer_question(question, base)
    assert answered.refused == reason
    assert answered.answer == ""


_TOLD = [json.loads(line) for line in ESCALATIONS.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("told", _TOLD, ids=lambda told: told["text"][:40])
def test_what_is_for_people_only_and_what_only_sounds_like_it(told: dict[str, str]) -> None:
    assert find_reason_to_escalate(told["text"]) == told["reason"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("My law\u200byer will write to you", "legal"),
        ("I want to \u202ekill\u202c my\u00adself", "self_harm"),
        ("卡号：４１１１ １１１１ １１１１ １１１１", "payment_data"),
        ("I can’t breathe since I drank it", "safety"),
        ("I think I will kill\nmyself", "self_harm"),  # as a mail program wraps it
        ("We are going to take legal  action", "legal"),
        ("expires" + " " * 15_000 + "soon", ""),
    ],
)
def test_characters_that_nobody_sees_hide_nothing(text: str, reason: str) -> None:
    assert find_reason_to_escalate(text) == reason


def test_an_order_number_is_no_card_number(base: Base) -> None:
    assert answer_question("Order 5500000000000005: when will I be refunded?", base).refused != "payment_data"


def test_the_command_reads_files_and_prints_a_line_for_each(tmp_path: Path) -> None:
    lines = GOLDEN_QUESTIONS.read_text(encoding="utf-8").splitlines()
    questions = tmp_path / "questions.jsonl"
    questions.write_text("\n".join([lines[0], "", "{broken", '{"id": 7}', lines[-1]]), encoding="utf-8")
    out = StringIO()
    call_command("answer_questions", str(questions), "--articles", str(GOLDEN_ARTICLES), stdout=out)
    first, broken, empty, last = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["id"], first["articles"][0], first["refused"], first["unsupported"]) == ("g1", 1, False, [])
    assert "4.90" in first["answer"]
    assert "error" in broken and "error" in empty and empty["id"] == 7
    assert (last["refused"], last["reason"], last["answer"]) == (True, "self_harm", "")


def test_the_command_says_what_is_wrong_with_the_articles(tmp_path: Path) -> None:
    (tmp_path / "empty.md").write_text("# No articles\n", encoding="utf-8")
    with pytest.raises(CommandError, match="second-level heading"):
        call_command("answer_questions", str(GOLDEN_QUESTIONS), "--articles", str(tmp_path / "empty.md"))


SHOP = """## 1. Returns
You can send things back within 30 days. Print the label from your account.

## 2. Repairs
We resole shoes in two weeks. The workshop mends zips of boots.

## 3. Opening hours
We are open from Monday to Saturday, 10 am to 7 pm.
"""


@pytest.fixture(scope="module")
def shop() -> Base:
    return Base(read_articles(SHOP))


@pytest.mark.parametrize(
    ("question", "is_answered"),
    [
        ("Can I return a kettle?", True),  # a rule holds for what it does not name
        ("Can you mend my kettle?", False),  # who mends shoes need not mend kettles
        ("How long does a kettle last?", False),  # nobody does anything with it
        ("My aunt gave me this gadget for my birthday. Can I send it back?", True),
        ("Do you mend gadgets?", False),
        ("Can I send the gadget back?", True),  # what the customer has in hand
        ("What is the gadget?", False),
        ("Are you open in the evening?", True),  # the hours say so
        ("Where is the leather from?", False),
    ],
)
def test_what_a_question_names_beside_what_it_asks_counts_little(question: str, is_answered: bool, shop: Base) -> None:
    assert (not answer_question(question, shop).refused) is is_answered


def test_after_two_hours_tells_of_no_opening_hours() -> None:
    assert "=open_hours" not in find_keys("Your order is ready after two hours.")
    assert "=open_hours" in find_keys("Our hours are on the door.")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("lost the lable", "lost the label"),
        ("how do I retrun it", "how do I return it"),
        ("is there a warrranty", "is there a warranty"),
        ("a shirt for him", "a shirt for him"),  # another letter makes another word: short
        ("mail to lable@shop.example", "mail to lable@shop.example"),
    ],
)
def test_slips_of_the_finger_are_put_right_towards_known_words(written: str, read: str) -> None:
    known = frozenset(["label", "return", "short"])
    assert correct_spelling(written, known) == read
    assert correct_spelling(read, known) == read


def test_a_chinese_compound_is_held_in_part_by_its_greater_part() -> None:
    base = Base(read_articles("## 1. 洗涤\n羊毛可手洗，或用 30 度羊毛程序机洗。\n\n## 2. 付款\n可以用银行卡支付。\n"))
    assert answer_question("羊毛帽能机洗吗？", base).sureness > answer_question("帆布帽能机洗吗？", base).sureness
