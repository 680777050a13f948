"""An answer that a language model words from the passages that were found, through the one door, masked.

What it writes is checked like anybody's: by the rules of `validation`, then by a second look of the model, which can only
add marks. Sentences without a source are shown and marked, and are left out of the text that a person starts from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from llm.client import complete
from llm.errors import ModelError
from llm.masking import PersonalValue
from support.models import Ticket
from support.triage.personal import find_personal_values

from .articles import Passage
from .prompts import ANSWER, CHECK, MOST_PASSAGES
from .ranking import Found
from .validation import CheckedSentence, check_answer

LONGEST_QUESTION = 3_000


@dataclass(frozen=True)
class Drafted:
    """The sentences as they were checked, and the text of those that hold."""

    sentences: tuple[CheckedSentence, ...]
    prompt_version: str

    @property
    def text(self) -> str:
        return " ".join(one.text for one in self.sentences if one.is_supported)

    @property
    def says_something(self) -> bool:
        return any(one.source is not None for one in self.sentences)


def draft_answer(ticket: Ticket, question: str, found: Sequence[Found], *, now: dt.datetime) -> Drafted:
    """Have the model word an answer from the best articles. Not inside a transaction. Raises ModelError."""
    passages = choose_passages(found, in_chinese=ticket.language == "zh")
    told = [{"number": number, "text": passage.text} for number, passage in enumerate(passages, start=1)]
    values = find_personal_values(ticket)
    completion = complete(
        ANSWER,
        {
            "language": "Simplified Chinese" if ticket.language == "zh" else "English",
            "voice": describe_voice("zh" if ticket.language == "zh" else "en"),
            "question": question[:LONGEST_QUESTION],
            "passages": told,
        },
        purpose="support.answer",
        now=now,
        known_personal_values=values,
    )
    text = "\n".join(" ".join(str(one["text"]).split()) for one in completion.data["sentences"])
    checked = check_answer(text, passages)
    return Drafted(_look_again(checked, passages, values, now), f"{ANSWER.name} {ANSWER.version}")


def describe_voice(language: str) -> dict[str, Any]:
    """How the shop speaks in "en" or "zh", asked of the app that keeps it, which this one does not know: the settings name
    the function."""
    describe: Callable[[str], dict[str, Any]] = import_string(settings.SUPPORT_VOICE)
    return describe(language)


def choose_passages(found: Sequence[Found], *, in_chinese: bool) -> list[Passage]:
    """The passages of the three best articles, in the customer's language where an article has it."""
    chosen: list[Passage] = []
    for one in found[:3]:
        own = [passage for passage in one.article.passages if passage.is_chinese == in_chinese]
        chosen += own or list(one.article.passages)
    return chosen[:MOST_PASSAGES]


def _look_again(
    checked: Sequence[CheckedSentence], passages: Sequence[Passage], values: list[PersonalValue], now: dt.datetime
) -> tuple[CheckedSentence, ...]:
    """Ask whether each sentence that the rules let through is stated. Where that fails the rules' word stands."""
    asked = [(number, one) for number, one in enumerate(checked, start=1) if one.source is not None]
    if not asked:
        return tuple(checked)
    try:
        completion = complete(
            CHECK,
            {
                "sentences": [{"number": number, "text": one.text} for number, one in asked],
                "passages": [passage.text for passage in passages],
            },
            purpose="support.check",
            now=now,
            known_personal_values=values,
        )
    except ModelError:
        return tuple(checked)
    refused = {one["number"] for one in completion.data["verdicts"] if one["stated"] == "no"}
    return tuple(
        replace(one, source=None, why=(*one.why, "model")) if number in refused else one
        for number, one in enumerate(checked, start=1)
    )
