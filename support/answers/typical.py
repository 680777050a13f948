"""The question that speaks for many: the one that has most in common with the others, without what stands around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .articles import split_sentences
from .words import find_ideas, is_chinese

#: So many questions are compared, each with all others.
MOST_COMPARED: Final = 40
LONGEST_QUESTION: Final = 140
_ASKING: Final = ("?", "？")


def find_typical(texts: Sequence[str], word: str = "") -> str:
    """The sentence, of the messages in `texts`, that asks what most of them ask. `word` is what they have in common.

    Of those that are as typical the shortest, then the first. "" without a text.
    """
    questions = [question for text in texts[:MOST_COMPARED] if (question := find_question(text, word))]
    ideas = [{idea.key for idea in find_ideas(question)} for question in questions]
    likeness = [sum(_compare(one, other) for other in ideas) for one in ideas]
    order = sorted(range(len(questions)), key=lambda n: (-round(likeness[n], 6), len(questions[n]), n))
    return questions[order[0]] if order else ""


def find_question(text: str, word: str = "") -> str:
    """The sentence of a message that asks, about `word` where one does; the first that says anything where none asks.

    One that says nothing by itself ("How many days do I have?") comes with what was told before it.
    """
    sentences = [sentence for sentence in split_sentences(text) if find_ideas(sentence)]
    asking = [sentence for sentence in sentences if sentence.endswith(_ASKING)]
    about = [sentence for sentence in asking or sentences if word.casefold() in sentence.casefold()]
    chosen = next(iter(about or asking or sentences), "")
    if chosen in asking and all(idea.is_usual for idea in find_ideas(chosen)):
        before = sentences[: sentences.index(chosen)][-1:]
        chosen = ("" if is_chinese(chosen) else " ").join([*before, chosen])
    return shorten(chosen)


def shorten(sentence: str) -> str:
    """At most `LONGEST_QUESTION` characters, cut between words."""
    if len(sentence) <= LONGEST_QUESTION:
        return sentence
    cut = sentence[:LONGEST_QUESTION]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[60:] else cut}…"


def _compare(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one or other else 0.0
