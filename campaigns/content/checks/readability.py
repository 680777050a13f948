"""How hard a text is to read: a published measure for each language, with a warning where it is hard.

English: the grade level of Kincaid, Fishburne, Rogers and Chissom (1975, Research Branch Report 8-75, US Navy):
0.39 words per sentence + 11.8 syllables per word - 15.59, in years of American school. Chinese has no words to count
without a dictionary, so it is measured by the mean number of characters in a clause (Xu, Yao and Chen 2021, Accounting
Research 3, where it stands for the readability of annual reports), and by the share of characters outside the 3,755
frequent ones of GB/T 2312-1980, level 1. The limits are ours: a mail that is read in passing, not a report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import BODY_FIELDS, Draft, Reading
from .sheet import FactSheet
from .text import FILLER, NOT_WORDS

#: Years of school. Newspapers are written for about ten.
GRADE_WARN: Final = 12.0
#: The formula was fitted on passages of some hundred words; below this it measures chance.
FEWEST_WORDS: Final = 40
#: Characters in a clause, from one mark of punctuation to the next.
CLAUSE_WARN: Final = 20.0
FEWEST_HAN: Final = 60
#: The share of characters that are not among the frequent ones.
UNCOMMON_WARN: Final = 0.05


@dataclass(frozen=True)
class EnglishLevel:
    """What the grade is made of."""

    words: int
    sentences: int
    syllables: int

    @property
    def grade(self) -> float:
        """Years of school that a reader needs (Kincaid et al. 1975)."""
        if not self.words or not self.sentences:
            return 0.0
        return 0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59


@dataclass(frozen=True)
class ChineseLevel:
    """`uncommon` are the characters outside GB/T 2312 level 1, in their order, each once."""

    characters: int
    clauses: int
    uncommon_count: int
    uncommon: str

    @property
    def per_clause(self) -> float:
        return self.characters / self.clauses if self.clauses else 0.0

    @property
    def uncommon_share(self) -> float:
        return self.uncommon_count / self.characters if self.characters else 0.0


def check_reading_level(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """The body as a whole: its names are the shop's, and count for nothing."""
    bodies = [reading for reading in draft.readings if reading.passage.field in BODY_FIELDS]
    text = "\n".join(_plain(reading) for reading in bodies)
    field = max(bodies, key=lambda reading: len(reading.passage.raw)).passage.field if bodies else "body"
    english = measure_english(text)
    if english.words >= FEWEST_WORDS and english.grade > GRADE_WARN:
        message = _("This is hard to read: school grade %(grade)d. Use shorter sentences and plainer words.")
        yield Finding("reading-level", "warn", field, message % {"grade": round(english.grade)})
    chinese = measure_chinese(text)
    if chinese.characters < FEWEST_HAN:
        return
    if chinese.per_clause > CLAUSE_WARN:
        message = _("This is hard to read: %(count)d characters in a clause. Cut the sentences.")
        yield Finding("reading-level", "warn", field, message % {"count": round(chinese.per_clause)})
    if chinese.uncommon_share > UNCOMMON_WARN:
        message = _("Many characters of this text are rare. Use plainer words.")
        yield Finding("reading-level", "warn", field, message, " ".join(chinese.uncommon[:20]))


def measure_english(text: str) -> EnglishLevel:
    """Words, sentences and syllables of the Latin words in a text."""
    sentences = [part for part in _SENTENCE.split(text) if _WORD.search(part)]
    words = _WORD.findall(text)
    return EnglishLevel(len(words), len(sentences), sum(count_syllables(word) for word in words))


def measure_chinese(text: str) -> ChineseLevel:
    """Characters, clauses and rare characters of the Han text in a text."""
    clauses = [part for part in _CLAUSE.split(text) if _HAN.search(part)]
    characters = _HAN.findall(text)
    rare = [sign for sign in characters if sign not in frequent_characters()]
    return ChineseLevel(len(characters), len(clauses), len(rare), "".join(dict.fromkeys(rare)))


def count_syllables(word: str) -> int:
    """Groups of vowels, without an e that is not spoken: "smoked" has one, "wanted" two, "table" two."""
    plain = word.lower().replace("'", "")
    groups = len(re.findall(r"[aeiouyà-öø-ÿ]+", plain))
    if re.search(r"[^aeiouylr]es?$|[^aeiouytd]ed$", plain) and not re.search(r"(?:[sxzcg]|sh|ch)es$", plain):
        groups -= 1
    if re.search(r"[aeiouy][lr]es?$", plain):
        groups -= 1
    return max(groups, 1)


@lru_cache(maxsize=1)
def frequent_characters() -> frozenset[str]:
    """The 3,755 frequent characters of GB/T 2312-1980: rows 16 to 55 of the standard, by its codec."""
    rows = (bytes([row + 0xA0, cell + 0xA0]) for row in range(16, 56) for cell in range(1, 95))
    return frozenset("".join(pair.decode("gb2312", errors="ignore") for pair in rows))


def _plain(reading: Reading) -> str:
    return NOT_WORDS.sub(" ", reading.masked).replace(FILLER, "")


_WORD: Final = re.compile(r"[A-Za-zÀ-ÿ]+(?:'[a-z]+)?")
_SENTENCE: Final = re.compile(r"[.!?:;]+(?=\s|$)|[。\n]")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_CLAUSE: Final = re.compile(r"[,.!?:;。\n]")
