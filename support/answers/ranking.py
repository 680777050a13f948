"""Finds the articles that fit a question: BM25 over ideas (Robertson and Zaragoza 2009), with vectors where there are any.

A question is matched against sentences as well as against whole articles, because the answer is a sentence.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .articles import Passage, SourceArticle
from .ideas import Idea
from .spelling import list_words
from .words import find_ideas, find_keys, hold_keys, is_chinese

K1, B = 1.2, 0.5
#: What a word of the title counts, and one that every question has.
TITLE_WEIGHT, USUAL_WEIGHT = 3, 0.25
#: What a word of the title counts for a sentence that does not have it: "it fits" stands under "Which frame size fits".
TITLE_SHARE: Final = 0.8
#: What a wider idea counts beside the idea itself: "Monday to Friday" where Sundays are asked about.
WIDER_SHARE: Final = 0.6
#: A cosine of this model says little below about .8; what lies above it is worth this many points of BM25 a hundredth.
VECTOR_WEIGHT: Final = 0.6

Vectors = NDArray[np.float32]
#: Texts to unit vectors, one a row; the flag says that they are questions.
Embed = Callable[[Sequence[str], bool], Vectors]


@dataclass(frozen=True)
class Found:
    """An article with its score, and its sentences with theirs, best first."""

    article: SourceArticle
    score: float
    passages: tuple[tuple[Passage, float], ...] = ()


@dataclass
class Base:
    """Articles made ready for questions. Build once, ask often; it does not change."""

    articles: Sequence[SourceArticle]
    embed: Embed | None = None
    #: The English words of all articles as they are written.
    words: frozenset[str] = field(init=False)
    _titles: list[list[Idea]] = field(init=False)
    _ideas: list[list[list[Idea]]] = field(init=False)
    #: Every key of an article, and of each of its passages.
    _keys: list[set[str]] = field(init=False)
    _passage_keys: list[list[set[str]]] = field(init=False)
    _frequency: Counter[str] = field(init=False)
    #: How many keys an article has, and one.
    _mean: float = field(init=False)
    _vectors: list[Vectors] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.words = list_words(
            text for article in self.articles for text in (article.title, *(one.text for one in article.passages))
        )
        self._titles = [find_ideas(article.title) for article in self.articles]
        self._ideas = [[find_ideas(passage.text) for passage in article.passages] for article in self.articles]
        self._passage_keys = [[find_keys(passage.text) for passage in article.passages] for article in self.articles]
        spoken = [
            hold_keys([idea for ideas in passages for idea in ideas] + title)
            for passages, title in zip(self._ideas, self._titles, strict=True)
        ]
        self._keys = [
            keys.union(find_keys(article.title), *passages)
            for keys, article, passages in zip(spoken, self.articles, self._passage_keys, strict=True)
        ]
        self._frequency = Counter(key for keys in self._keys for key in keys)
        self._mean = sum(map(len, spoken)) / max(len(self.articles), 1) + 1
        if self.embed is not None:
            for article in self.articles:
                texts = [f"{article.title}: {passage.text}" for passage in article.passages] or [article.title]
                self._vectors.append(self.embed(texts, False))

    def keys_of(self, number: int) -> set[str]:
        """Every idea that an article speaks of, its title included."""
        return self._keys[number]

    def speaks_of(self, idea: Idea) -> bool:
        """Whether any article has the idea, or a wider one."""
        return any(self._frequency.get(key) for key in idea.answered_by)

    def weigh(self, idea: Idea) -> float:
        """How much an idea tells: rare ones much, those that every question has little."""
        held = max(self._frequency.get(key, 0) for key in idea.answered_by)
        rarity = math.log(1 + (len(self.articles) - held + 0.5) / (held + 0.5))
        return max(rarity, 0.1) * (USUAL_WEIGHT if idea.is_usual else 1.0)

    def rank(self, question: str, *, most: int = 5) -> list[Found]:
        """The articles that fit best, at most `most`; none where nothing fits at all. Ties go to the earlier article."""
        ideas = self._fall_back(unique_ideas(find_ideas(question)))
        vector = self.embed([question], True)[0] if self.embed is not None else None
        in_chinese = is_chinese(question)
        found = [self._score(number, ideas, vector, in_chinese) for number in range(len(self.articles))]
        ordered = sorted((one for one in found if one.score > 0), key=lambda one: -one.score)
        return ordered[:most]

    def _fall_back(self, ideas: Sequence[Idea]) -> list[Idea]:
        """A Chinese word that no article has counts, a little, by its characters: 修车 finds 维修 and 自行车."""
        found: list[Idea] = []
        for idea in ideas:
            if self.speaks_of(idea) or len(idea.text) < 2 or not is_chinese(idea.text):
                found.append(idea)
            else:
                found += [Idea(sign, sign, is_usual=True) for sign in idea.text]
        return unique_ideas(found)

    def _score(self, number: int, ideas: Sequence[Idea], vector: Any, in_chinese: bool) -> Found:
        article = self.articles[number]
        passages = [idea for sentence in self._ideas[number] for idea in sentence]
        length = len(passages) + 1
        counts = Counter(key for idea in passages for key in {*idea.spoken})
        for idea in self._titles[number]:
            for key in {*idea.spoken}:
                counts[key] += TITLE_WEIGHT
        whole = 0.0
        for idea in ideas:
            times = max(counts.get(key, 0) for key in idea.answered_by)
            whole += self.weigh(idea) * times * (K1 + 1) / (times + K1 * (1 - B + B * length / self._mean))
        near = self._vectors[number] @ vector if vector is not None else np.zeros(max(len(article.passages), 1))
        titled = {key for idea in self._titles[number] for key in idea.spoken}
        scored = []
        for place, passage in enumerate(article.passages):
            held = self._passage_keys[number][place]
            words = sum(self.weigh(idea) * _rate_held(idea, held, titled) for idea in ideas)
            own_language = 0.05 * (passage.is_chinese == in_chinese)
            scored.append((passage, words + own_language + VECTOR_WEIGHT * 100 * max(0.0, float(near[place]) - 0.8)))
        scored.sort(key=lambda pair: -pair[1])
        best = scored[0][1] if scored else 0.0
        return Found(article, 0.5 * whole + best if whole or vector is not None else 0.0, tuple(scored))


def _rate_held(idea: Idea, held: set[str], titled: set[str]) -> float:
    """How far a sentence speaks of an idea: it, or only what is wider; or but the title of its article does."""
    for keys, share in ((held, 1.0), (titled, TITLE_SHARE)):
        if keys & {idea.key, *idea.same}:
            return share
        if keys & {*idea.wider}:
            return share * WIDER_SHARE
    return 0.0


def unique_ideas(ideas: Sequence[Idea]) -> list[Idea]:
    """Each idea once, in order."""
    return list({idea.key: idea for idea in ideas}.values())
