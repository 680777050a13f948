"""Triage by rules: what a message says of itself, with the words that say so. The first word where nothing is trained yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from .folding import fold_text
from .sections import read_sections

#: From here on a message is a complaint, and from here on it is beyond doubt.
COMPLAINT_AT, CERTAIN_AT = 1.5, 3.0
_CJK: Final = re.compile(r"[\u3400-\u9fff]")
_CERTAIN_FLOOR: Final = 0.5
_WISH_FLOOR: Final = 0.4


@dataclass(frozen=True)
class Verdict:
    """A value of one field, how sure (0 to 1), and what it was read from."""

    value: str
    sureness: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What rules read in one message, by field: topic, intent, complaint ("yes", "no"), sentiment, urgency ("1" to "4")."""

    language: str
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)


def read_message(text: str, *, escalation: str = "") -> Reading:
    """The verdicts for a message. `escalation` is the reason for which it must not be drafted for, "" for none."""
    text = fold_text(text)
    complaint, complaint_words = _weigh("complaint", text)
    pleased, pleased_words = _weigh("pleased", text)
    verdicts = {
        "complaint": _judge_complaint(complaint - 0.5 * pleased, complaint_words),
        "sentiment": _judge_sentiment(complaint, pleased, (*complaint_words, *pleased_words)),
        "topic": _judge_topic(text),
    }
    verdicts["intent"] = _judge_intent(text, verdicts["complaint"])
    verdicts["urgency"] = _judge_urgency(text, verdicts["complaint"], complaint, escalation)
    return Reading(find_language(text), verdicts)


def find_language(text: str) -> str:
    """zh or en: the two that answers are written in. A text with neither script counts as English."""
    characters = len(_CJK.findall(text))
    return "zh" if characters and characters >= len(re.findall(r"[A-Za-z]+", text)) else "en"


def _judge_complaint(score: float, words: tuple[str, ...]) -> Verdict:
    if score >= COMPLAINT_AT:
        return Verdict("yes", min(1.0, _CERTAIN_FLOOR + score / (2 * CERTAIN_AT)), words)
    return Verdict("no", min(1.0, 1 - max(score, 0.0) / (2 * COMPLAINT_AT)), words)


def _judge_sentiment(bad: float, good: float, words: tuple[str, ...]) -> Verdict:
    if abs(bad - good) < 1:
        return Verdict("neutral", 0.6, words)
    return Verdict("negative" if bad > good else "positive", min(1.0, 0.5 + abs(bad - good) / 4), words)


def _judge_topic(text: str) -> Verdict:
    best, score, total, words = _find_best("topic ", text)
    return Verdict(best, score / total, words) if score > 0 else Verdict("other", 0.3)


def _judge_intent(text: str, complaint: Verdict) -> Verdict:
    """What is asked for; who asks for nothing and complains wants to complain. A mere question is never quite sure."""
    best, score, total, words = _find_best("intent ", text)
    if score > 0:
        return Verdict(best, score / total * min(1.0, _WISH_FLOOR + score / 2), words)
    return Verdict("complain", 0.5, complaint.reasons) if complaint.value == "yes" else Verdict("other", 0.3)


def _find_best(kind: str, text: str) -> tuple[str, float, float, tuple[str, ...]]:
    """The value whose words weigh most, its weight, that of all values, and its words."""
    scores = {name.removeprefix(kind): _weigh(name, text) for name in _sections() if name.startswith(kind)}
    best, (score, words) = max(scores.items(), key=lambda pair: pair[1][0])
    return best, score, sum(value for value, _words in scores.values()), words


def _judge_urgency(text: str, complaint: Verdict, score: float, escalation: str) -> Verdict:
    presses, words = _weigh("at once", text)
    if escalation in ("self_harm", "safety"):
        return Verdict("4", 1.0, (escalation,))
    if escalation in ("legal", "press", "payment_data") or (complaint.value == "yes" and score >= CERTAIN_AT):
        return Verdict("3", 0.8, (escalation,) if escalation else complaint.reasons)
    if complaint.value == "yes" or presses:
        return Verdict("3" if complaint.value == "yes" and presses else "2", 0.6, words)
    return Verdict("2", 0.6)


def _weigh(section: str, text: str) -> tuple[float, tuple[str, ...]]:
    total, words = 0.0, []
    for pattern, weight in _sections()[section]:
        found = [match.group(0).strip() for match in pattern.finditer(text)]
        if found:
            total += weight * (1 + 0.25 * (len(set(map(str.lower, found))) - 1))
            words += found[:2]
    return total, tuple(dict.fromkeys(word.lower()[:40] for word in words))[:6]


@lru_cache(maxsize=1)
def _sections() -> dict[str, list[tuple[re.Pattern[str], float]]]:
    sections = read_sections(Path(__file__).parent / "words.txt")
    return {name: [_read_weighed(line) for line in lines] for name, lines in sections.items()}


def _read_weighed(line: str) -> tuple[re.Pattern[str], float]:
    pattern, _equals, weight = line.rpartition(" = ")
    return re.compile(pattern, re.IGNORECASE), float(weight)
