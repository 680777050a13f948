"""A sentence that no passage carries is marked, whatever else of it is true."""

from __future__ import annotations

import pytest

from support.answers.articles import Passage, make_article
from support.answers.numbers import find_numbers
from support.answers.stems import stem
from support.answers.validation import check_answer, check_sentence
from support.answers.words import find_ideas, is_chinese

PASSAGES = make_article(
    "1",
    "Delivery",
    [
        "Standard delivery takes 2 to 3 working days and costs £3.95. Orders over £60 are delivered free of charge."
        " Gift cards cannot be exchanged for cash. We deliver to Germany and France.",
        "标准配送需 2 至 3 个工作日，费用为 3.95 英镑。礼品卡不能兑换现金。订单满 60 英镑免运费。",
    ],
).passages


@pytest.mark.parametrize(
    "sentence",
    [
        "Standard delivery costs £3.95 and takes 2 to 3 working days.",
        "Gift cards cannot be exchanged for cash.",
        "Orders over £60 are shipped free of charge.",
        "We ship to Germany.",
        "标准配送费用为 3.95 英镑。",
        "礼品卡不能换成现金。",
        "Thank you for your message.",
        "感谢您的来信。",
    ],
)
def test_what_the_base_says_in_other_words_is_carried(sentence: str) -> None:
    assert check_sentence(sentence, PASSAGES).is_supported


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("Standard delivery takes 4 to 5 working days and costs £3.95.", "number"),
        ("Standard delivery costs €3.95.", "number"),
        ("Gift cards can be exchanged for cash.", "negation"),
        ("Orders are delivered free of charge.", "condition"),
        ("All orders over £60 are always delivered free of charge.", "widened"),
        ("We deliver to Germany and Norway.", "name"),
        ("Standard delivery takes 2 to 3 working days, see https://evil.example/x.", "address"),
        ("We give students a discount.", "no_source"),
        ("标准配送需 5 个工作日。", "number"),
        ("礼品卡可以兑换现金。", "negation"),
        ("所有订单满 60 英镑都免运费。", "widened"),
        ("我们提供学生优惠。", "no_source"),
    ],
)
def test_what_the_base_does_not_say_is_marked(sentence: str, why: str) -> None:
    checked = check_sentence(sentence, PASSAGES)
    assert not checked.is_supported
    assert why in checked.why


def test_each_sentence_is_judged_by_itself() -> None:
    answer = "Standard delivery costs £3.95.\nWe also give a discount of 20%. 礼品卡不能兑换现金。"
    assert [one.is_supported for one in check_answer(answer, PASSAGES)] == [True, False, True]


def test_a_fact_that_code_filled_in_carries_its_sentence() -> None:
    fact = "Your order 1042 was placed on 3 May."
    assert not check_answer(fact, PASSAGES)[0].is_supported
    assert check_answer(fact, PASSAGES, facts=[fact])[0].is_supported


def test_numbers_carry_their_units() -> None:
    assert find_numbers("30 days") == find_numbers("thirty days") == {("30", "day"): 1}
    assert find_numbers("2 to 3 working days") == {("2", "day"): 1, ("3", "day"): 1}
    assert find_numbers("£1,000.50 or 4,90 €") == {("1000.5", "pound"): 1, ("4.9", "euro"): 1}
    assert find_numbers("两周") == {("2", "week"): 1}
    assert find_numbers("7 to 7 days") - find_numbers("4 to 7 days")


def test_words_of_both_languages_are_one_idea() -> None:
    keys = {idea.key for idea in find_ideas("Can I send it back?")}
    assert keys & {idea.key for idea in find_ideas("可以退货吗？")}
    assert [stem(word) for word in ("returns", "returned", "returning", "batteries")] == [
        "return",
        "return",
        "return",
        "batteri",
    ]
    assert is_chinese("我们接受 Visa、PayPal 和 Apple Pay。") and not is_chinese("We accept 支付宝 and Visa.")


def test_free_of_is_a_negation_in_whichever_language_the_passage_is() -> None:
    told = Passage("1", 0, "我们的茶不含麸质、坚果和牛奶。", is_chinese=True)
    assert check_sentence("Our teas are free of gluten, nuts and milk.", [told]).is_supported
    assert not check_sentence("Our teas are not free of gluten, nuts and milk.", [told]).is_supported
