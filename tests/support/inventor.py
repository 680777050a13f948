"""A model double that invents: true sentences of the articles, some in other words, with invented ones among them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from support.answers.articles import Passage
from support.answers.ranking import Base
from support.answers.words import is_chinese
from tests.support.golden_set import Question

#: What models add of their own accord, and what no article of the golden shop says.
ADDED_ENGLISH = (
    "We also offer a discount of 15% for students.", "You will receive a gift with your next order.",
    "Our team is available around the clock.", "The parcel is insured up to 500 euros.",
    "We guarantee delivery before Christmas.", "You can call us at any time on 0800 123456.",
    "All our packaging is recyclable.", "You can also pay in three instalments.",
    "Please write to refunds@kettle-fern.example for a faster answer.", "Deliveries in the evening are possible on request.",
    "Members of our club always get priority.", "The coffee comes from Ethiopia.",
)  # fmt: skip
ADDED_CHINESE = (
    "学生还可享受 15% 的折扣。", "下次订单我们会赠送礼物。", "我们的客服全天在线。", "包裹保价 500 欧元。",
    "我们保证在圣诞节前送达。", "您可以随时拨打 0800 123456。", "所有包装都可以回收。", "您也可以分三期付款。",
    "会员永远优先处理。", "咖啡产自埃塞俄比亚。", "可以预约晚上送货。",
)  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """What the double wrote, from which passages, and which sentences of it are invented."""

    text: str
    passages: tuple[Passage, ...]
    invented: frozenset[str]


def invent(base: Base, questions: Sequence[Question], *, seed: int) -> Iterator[Draft]:
    """A draft for each question that the base answers: two true sentences, and three or four invented ones."""
    chance = random.Random(seed)
    articles = {article.key: article for article in base.articles}
    for question in questions:
        if not question.expect:
            continue
        passages = articles[question.expect[0]].passages
        chinese = is_chinese(question.text)
        own = [passage.text for passage in passages if passage.is_chinese == chinese]
        true = chance.sample(own, min(2, len(own)))
        wrong = {chance.choice(ADDED_CHINESE if chinese else ADDED_ENGLISH)}
        wrong |= {changed for text in chance.sample(own, min(3, len(own))) if (changed := _distort(text, chance))}
        sentences = [*true, *sorted(wrong - set(own))]
        chance.shuffle(sentences)
        yield Draft("\n".join(sentences), passages, frozenset(wrong - set(own)))


def _distort(text: str, chance: random.Random) -> str:
    """A true sentence made false: another number, the opposite, or more than it says. "" where nothing of it can be."""
    ways = [way for way in (_change_number(text, chance), _turn_round(text), _widen(text)) if way and way != text]
    return chance.choice(ways) if ways else ""


def _change_number(text: str, chance: random.Random) -> str:
    numbers = list(re.finditer(r"\d+", text))
    if not numbers:
        return ""
    found = chance.choice(numbers)
    return f"{text[: found.start()]}{int(found[0]) + chance.choice((1, 3, 10))}{text[found.end() :]}"


def _turn_round(text: str) -> str:
    for true, false in (
        (" can ", " cannot "), (" cannot ", " can "), (" is ", " is not "), (" are ", " are not "), ("不能", "可以"),
        ("可以", "不能"), ("不含", "含"), ("不要", "要"), ("必须", "不必"),
    ):  # fmt: skip
        if true in text:
            return text.replace(true, false, 1)
    return ""


def _widen(text: str) -> str:
    if is_chinese(text):
        return f"所有{text}" if "所有" not in text else ""
    return f"All of this holds everywhere: {text[0].lower()}{text[1:]}"
