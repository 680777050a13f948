"""One question, one base: the articles that fit, an answer from their own sentences, or a refusal with its reason.

Whether the base answers a question is a logistic regression over `evidence`; its weights were fitted on the development
set (tests/support/development) and are kept here, so that every refusal can be recomputed by hand. docs/support.md says how.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from support.triage.escalating import find_reason_to_escalate

from .articles import Passage
from .evidence import Evidence, find_lacking, weigh_evidence, weigh_question
from .ranking import Base, Found
from .spelling import correct_spelling
from .validation import CheckedSentence, check_answer
from .words import find_ideas, is_chinese

#: Weights of missing, worst, missing_close, wrong_kind, and the constant. The fourth is no longer of the fit (-0.24): who
#: asks for a number is not answered by a sentence without one. Vectors help to find an article, not to tell
#: whether it answers: what a cosine means differs from base to base.
WEIGHTS: Final = (-3.37, -2.71, -3.66, -4.0)
CONSTANT: Final = 3.93
#: From here on the base is taken to answer the question.
LEAST_SURE: Final = 0.5
#: Who writes at length, with so many telling words, has some beside the point, and seldom two by chance that hardly another
#: article has: there the lower line holds.
AT_LENGTH: Final = 4
OWN_WORDS: Final = 1.25
LEAST_SURE_AT_LENGTH: Final = 0.18
#: From here on the best sentence is about something else, though it has every word: "a shop in Berlin" in "any DHL shop".
#: But not where it has a word of the question that hardly another article has ("do you take amex", in a list of cards).
#: Both chosen over the shops of tests/support/fresh, also where the articles that answer were taken away.
MOST_BESIDE: Final = 0.66
#: Sooner where a word of the question is missing as well.
MOST_BESIDE_AND_MISSING: Final = 0.42
OWN_WORD: Final = 0.65
LONGEST_QUESTION: Final = 4_000
#: A further sentence joins the answer where it fits at least this share as well as the best.
NEXT_SENTENCE: Final = 0.8
MOST_SENTENCES: Final = 2


@dataclass(frozen=True)
class Answered:
    """What came of a question. `refused` is "" or the reason: unanswered, or one of `escalating`.

    `ranked` are articles in order of fit, also where the answer is refused; `lacking` are words that the base does not have.
    """

    ranked: tuple[Found, ...]
    answer: str = ""
    refused: str = ""
    sentences: tuple[CheckedSentence, ...] = ()
    sureness: float = 0.0
    lacking: tuple[str, ...] = ()

    @property
    def articles(self) -> tuple[str, ...]:
        """The keys of the articles, in order of fit."""
        return tuple(found.article.key for found in self.ranked)

    @property
    def unsupported(self) -> list[str]:
        return [sentence.text for sentence in self.sentences if not sentence.is_supported]


def answer_question(question: str, base: Base) -> Answered:
    """Answer from the sentences of the base alone. Never raises for any text; no network, no database."""
    reason = find_reason_to_escalate(question)  # of all that was written
    question = correct_spelling(question[:LONGEST_QUESTION], base.words)
    ranked = tuple(base.rank(question))
    if reason:
        return Answered(ranked, refused=reason)
    weights = weigh_question(question, base)
    weighed = [(found, weigh_evidence(question, weights, found, base)) for found in ranked[:3]]
    if not weighed:
        return Answered((), refused="unanswered", lacking=find_lacking(weights))
    chosen, evidence = max(weighed, key=lambda pair: (is_answer(pair[1]), rate_sureness(pair[1])))
    sureness = rate_sureness(evidence)
    if not is_answer(evidence):
        return Answered(ranked, refused="unanswered", sureness=sureness, lacking=evidence.lacking)
    picked = pick_sentences(question, chosen)
    answer = ("" if picked and picked[0].is_chinese else " ").join(passage.text for passage in picked)
    checked = check_answer(answer, [passage for found in ranked for passage in found.article.passages])
    ordered = (chosen, *(found for found in ranked if found is not chosen))
    return Answered(ordered, answer, "", tuple(checked), sureness, evidence.lacking)


def is_answer(evidence: Evidence) -> bool:
    """Whether an article is taken to answer the question."""
    is_long = evidence.telling >= AT_LENGTH and evidence.own >= OWN_WORDS
    return rate_sureness(evidence) >= (LEAST_SURE_AT_LENGTH if is_long else LEAST_SURE)


def rate_sureness(evidence: Evidence) -> float:
    """The probability that the base answers the question, as fitted on the development set; none where the sentence is
    about something else."""
    most = MOST_BESIDE_AND_MISSING if evidence.missing else MOST_BESIDE
    if evidence.beside >= most and evidence.own < OWN_WORD:
        return 0.0
    figures = (evidence.missing, evidence.worst, evidence.missing_close, evidence.wrong_kind)
    logit = CONSTANT + sum(weight * figure for weight, figure in zip(WEIGHTS, figures, strict=True))
    return 1 / (1 + math.exp(-logit))


def pick_sentences(question: str, found: Found) -> list[Passage]:
    """The sentences that answer, in the order in which they stand in the article and in the question's language if it has it."""
    in_chinese = is_chinese(question)
    own = [pair for pair in found.passages if pair[0].is_chinese == in_chinese] or list(found.passages)
    if not own:
        return []
    (best, score), picked = own[0], [own[0][0]]
    wanted = {idea.key for idea in find_ideas(question)}
    told = {idea.key for idea in find_ideas(best.text)}
    for passage, further in own[1:]:
        adds = wanted & {idea.key for idea in find_ideas(passage.text)} - told
        if (
            len(picked) < MOST_SENTENCES
            and further >= NEXT_SENTENCE * score
            and (adds or abs(passage.position - best.position) == 1)
        ):
            picked.append(passage)
    return sorted(picked, key=lambda passage: passage.position)
