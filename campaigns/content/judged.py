"""What was judged once of the same words and the same facts is not judged again.

A text is looked at when it is written, and all texts of a campaign when it is submitted, approved and scheduled; nearly always
nothing changed in between. Whether it did is told by the words and the facts themselves, so that nothing has to be forgotten.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from django.utils.translation import override

from .findings import Review
from .guardrails import find_last_day, review_draft

#: Some kilobytes each, in every process.
MOST_KEPT: Final = 256


@dataclass(frozen=True)
class _Case:
    """Equal where facts and words are, in the same order."""

    told: bytes
    facts: Mapping[str, Any] = field(compare=False)
    words: Mapping[str, Any] = field(compare=False)


def judge_draft(facts: Mapping[str, Any], words: Mapping[str, str]) -> Review:
    """`guardrails.review_draft`, in English."""
    return _review(_make_case(facts, words))


def judge_last_day(facts: Mapping[str, Any], words: Mapping[str, str]) -> dt.date | None:
    """`guardrails.find_last_day`."""
    return _find_last_day(_make_case(facts, words))


def _make_case(facts: Mapping[str, Any], words: Mapping[str, str]) -> _Case:
    return _Case(sha256(json.dumps([facts, words], default=repr).encode()).digest(), facts, words)


@lru_cache(maxsize=MOST_KEPT)
def _review(case: _Case) -> Review:
    with override("en"):
        return review_draft(case.facts, case.words)


@lru_cache(maxsize=MOST_KEPT)
def _find_last_day(case: _Case) -> dt.date | None:
    return find_last_day(case.facts, case.words)
