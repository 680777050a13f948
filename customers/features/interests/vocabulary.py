"""The fixed words into which a language model sorts what customers write: the shop's categories, needs, sentiments.

Nothing else is ever stored of a reading, whatever a text or a model says. To add a need: a row in NEEDS, and a new VERSION
(texts are then read again).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django_stubs_ext import StrOrPromise

VERSION: Final = "1"
MOST_CATEGORIES: Final = 40
LONGEST_CATEGORY: Final = 60
MOST_TOPICS: Final = 4

NEEDS: Final[dict[str, StrOrPromise]] = {
    "gift": _("a gift"),
    "baby": _("for a baby"),
    "child": _("for a child"),
    "pet": _("for a pet"),
    "sport": _("sport"),
    "outdoor": _("outdoors"),
    "travel": _("travel"),
    "home": _("for the home"),
    "work": _("for work"),
    "occasion": _("a special occasion"),
    "price": _("the price"),
    "quality": _("quality"),
    "size_fit": _("size and fit"),
    "comfort": _("comfort"),
    "looks": _("colour and looks"),
    "sustainability": _("sustainability"),
    "advice": _("advice on what to choose"),
    "availability": _("availability"),
    "delivery": _("delivery"),
    "damaged": _("damaged or wrong goods"),
    "return": _("returning something"),
    "repair": _("repair and care"),
    "service": _("service"),
    "account": _("order or account"),
}
SENTIMENTS: Final[dict[str, StrOrPromise]] = {
    "positive": _("positive"),
    "neutral": _("neutral"),
    "mixed": _("mixed"),
    "negative": _("negative"),
}
#: What a model says of itself is no probability, so it is words. Topics of low confidence are kept and not counted.
CONFIDENCES: Final = ("low", "medium", "high")
COUNTED: Final = ("medium", "high")

_NEED, _CATEGORY = "need:", "category:"


class OutsideVocabulary(ValueError):
    """An answer holds something that the vocabulary does not."""


@dataclass(frozen=True)
class Reading:
    """What was read in one text. `topics` are pairs of (topic, confidence), each topic once."""

    topics: tuple[tuple[str, str], ...]
    sentiment: str
    confidence: str


def list_topics(categories: Iterable[str]) -> tuple[str, ...]:
    """The topics of a shop: its needs and its categories (the first `MOST_CATEGORIES` by name), in a fixed order."""
    shown = sorted({name.strip() for name in categories if 0 < len(name.strip()) <= LONGEST_CATEGORY})
    return (*(f"{_NEED}{key}" for key in NEEDS), *(f"{_CATEGORY}{name}" for name in shown[:MOST_CATEGORIES]))


def name_topic(topic: str) -> str:
    """A topic in the reader's words; a category as the shop calls it."""
    if topic.startswith(_NEED):
        return str(NEEDS.get(topic.removeprefix(_NEED), topic))
    return topic.removeprefix(_CATEGORY)


def check_reading(answer: Mapping[str, Any], topics: Iterable[str]) -> Reading:
    """One reading out of a model's answer; raises OutsideVocabulary for anything that is not in the vocabulary."""
    allowed = set(topics)
    named: dict[str, str] = {}
    listed = answer.get("topics")
    if not isinstance(listed, list):
        raise OutsideVocabulary("topics is no list")
    for item in listed[:MOST_TOPICS]:
        topic, confidence = (item.get("topic"), item.get("confidence")) if isinstance(item, dict) else (None, None)
        if topic not in allowed or confidence not in CONFIDENCES:
            raise OutsideVocabulary("a topic or its confidence")
        named.setdefault(str(topic), str(confidence))
    sentiment, confidence = answer.get("sentiment"), answer.get("confidence")
    if sentiment not in SENTIMENTS or confidence not in CONFIDENCES:
        raise OutsideVocabulary("the sentiment or its confidence")
    return Reading(tuple(named.items()), str(sentiment), str(confidence))
