"""What people asked that no article answers, by the words that the articles lack."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from support.models import Answer, AnswerStatus

MOST_ASKED: Final = 200
#: Only the words that weigh most say what a question was about.
WORDS_EACH: Final = 4


@dataclass(frozen=True)
class Gap:
    """Questions that lack the same word, the newest first; "" for those that share none."""

    word: str
    asked: tuple[Answer, ...]


def find_gaps() -> list[Gap]:
    """The gaps among the newest MOST_ASKED unanswered questions, the largest first; each question in one of them."""
    left = list(
        Answer.objects.filter(status=AnswerStatus.REFUSED, refusal="unanswered", ticket__is_complaint=False)
        .select_related("ticket__customer", "message")
        .order_by("-made_at")[:MOST_ASKED]
    )
    words = Counter(word for answer in left for word in set(answer.lacking[:WORDS_EACH]))
    gaps: list[Gap] = []
    for word, _times in words.most_common():
        if asked := tuple(answer for answer in left if word in answer.lacking[:WORDS_EACH]):
            gaps.append(Gap(word, asked))
            left = [answer for answer in left if answer not in asked]
    if left:
        gaps.append(Gap("", tuple(left)))
    return sorted(gaps, key=lambda gap: -len(gap.asked))
