"""What is said of a prompt's drafts, on drafts whose figures one can count on the fingers."""

from __future__ import annotations

from collections import Counter

import pytest

from campaigns.content.golden import read_golden_briefs
from campaigns.content.measures import Trial, measure_diversity, summarise

GOOD = Trial("a", "en", {"subject": "abcd", "opening": "xyz"}, claims=2, tokens=100, cost=0.5, latency_ms=30)
WARNED = Trial("b", "en", {"subject": "abcd"}, warned=1, tokens=120, cost=0.25, latency_ms=10)
FALSE = Trial("c", "zh", {"subject": "六折"}, blocked=1, claims=1, unsupported=1, tries=3, tokens=300, latency_ms=20)
BROKEN = Trial("d", "zh", None, fault="no JSON", tries=2, tokens=80, latency_ms=40)


def test_shares_are_of_all_briefs_and_faithfulness_of_the_texts() -> None:
    figures = summarise([GOOD, WARNED, FALSE, BROKEN])
    assert (figures["schema"], figures["usable"], figures["clean"]) == (0.75, 0.5, 0.25)
    assert figures["faithful"] == pytest.approx(2 / 3)
    assert (figures["claims"], figures["tries"], figures["tokens"], figures["cost"]) == (3, 1.75, 110, 0.75)
    assert (figures["characters"], figures["latency_ms"]) == (4, 25)


def test_nothing_is_said_of_no_trials_and_no_diversity_of_one_text() -> None:
    assert summarise([]) == {}
    assert summarise([GOOD])["diversity"] is None
    assert summarise([BROKEN])["cost"] is None


def test_equal_texts_have_no_diversity_and_unlike_ones_all_of_it() -> None:
    assert measure_diversity([("en", "the same words"), ("en", "The Same  words")]) == 0
    assert measure_diversity([("en", "abcdef"), ("en", "uvwxyz")]) == 1
    assert measure_diversity([("en", "abcd"), ("en", "bcde")]) == pytest.approx(1 - 1 / 3)
    assert measure_diversity([("en", "abcdef"), ("zh", "abcdef")]) is None


def test_the_golden_set_is_balanced_and_complete() -> None:
    briefs = read_golden_briefs()
    assert Counter(brief.language for brief in briefs) == {"en": 12, "zh": 12}
    assert len({brief.id for brief in briefs}) == 24
    assert all(brief.goal and brief.trap and brief.facts["shop"] for brief in briefs)
    assert all(product["version"] for brief in briefs for product in brief.facts["products"])
