"""A text is judged anew exactly when its words or its facts are others."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from campaigns.content import judged
from campaigns.content.guardrails import find_last_day, review_draft

FACTS: dict[str, Any] = {
    "shop": "Fernweh", "offer": "10% off", "percent": "10", "code": "BACK10", "send_date": "2026-11-23",
    "valid_from": "2026-11-23", "valid_until": "2026-11-24", "language": "en",
}  # fmt: skip
WORDS = {"subject": "For you", "opening": "Take 20% off. The offer ends tomorrow."}


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was really looked at since the test began."""
    judged._review.cache_clear()
    judged._find_last_day.cache_clear()
    seen: list[str] = []
    for look in (review_draft, find_last_day):
        monkeypatch.setattr(judged, look.__name__, lambda *given, look=look: seen.append(look.__name__) or look(*given))
    return seen


def test_the_same_words_and_facts_are_looked_at_once(looked_at: list[str]) -> None:
    for _time in range(3):
        assert judged.judge_draft(dict(FACTS), dict(WORDS)) == review_draft(FACTS, WORDS)
        assert judged.judge_last_day(dict(FACTS), dict(WORDS)) == find_last_day(FACTS, WORDS)
    assert looked_at == ["review_draft", "find_last_day"]
    assert {finding.code for finding in judged.judge_draft(FACTS, WORDS).findings if finding.verdict == "block"}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (FACTS, WORDS | {"opening": "Take 10% off. The offer ends tomorrow."}),
        (FACTS | {"send_date": "2026-11-24"}, WORDS),
        (FACTS | {"percent": "20", "offer": "20% off"}, WORDS),
    ],
    ids=["words", "day", "offer"],
)
def test_other_words_or_facts_are_looked_at_anew(
    facts: dict[str, Any], words: dict[str, str], looked_at: list[str]
) -> None:
    first = judged.judge_draft(FACTS, WORDS)

    found = judged.judge_draft(facts, words)

    assert found == review_draft(facts, words) != first
    assert looked_at == ["review_draft", "review_draft"]


def test_facts_that_were_changed_in_place_are_other_facts(looked_at: list[str]) -> None:
    facts = dict(FACTS)
    first = judged.judge_draft(facts, WORDS)
    facts |= {"percent": "20", "offer": "20% off"}

    assert judged.judge_draft(facts, WORDS) == review_draft(facts, WORDS) != first
    assert judged.judge_draft(FACTS, WORDS) == first


def test_it_is_kept_in_english_whoever_looks_first(looked_at: list[str]) -> None:
    with override("zh-hans"):
        found = judged.judge_draft(FACTS, WORDS)

    assert all(finding.message.isascii() or "“" in finding.message for finding in found.findings)
    assert found == review_draft(FACTS, WORDS)
