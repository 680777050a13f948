"""Articles and their passages, as retrieval sees them: no database, whether they come from the shop's base or from a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .words import is_chinese

_HEADING: Final = re.compile(r"^##\s+(?!#)(.+?)\s*#*\s*$")
_NUMBER: Final = re.compile(
    r"^(?:article|art\.|faq|no\.|nr\.|文章|第)?\s*#?\(?([A-Za-z]{0,4}-?\d+(?:\.\d+)*)\)?\s*[.:)、．：条章篇–—-]*\s*",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(r"(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bca\.)\s+(?=[^\sa-z])|(?<=[。！？；])\s*")
_MARKS: Final = re.compile(r"^\s*(?:[-*+>]|\d+[.)]|#{3,6})\s+|\*\*|__|`")
LONGEST_FILE_BYTES: Final = 20_000_000


@dataclass(frozen=True)
class Passage:
    """One sentence of an article, and where it stands in it."""

    article: str
    position: int
    text: str
    is_chinese: bool


@dataclass(frozen=True)
class SourceArticle:
    """An article as it is searched. `key` is its number (as written) or its id; `version` 0 where a file has none."""

    key: str
    title: str
    passages: tuple[Passage, ...]
    version: int = 0


def make_article(key: str, title: str, texts: Iterable[str], *, version: int = 0) -> SourceArticle:
    """An article of its texts (one per language, or one that has both), cut into sentences."""
    sentences = [sentence for text in texts for sentence in split_sentences(text)]
    passages = tuple(
        Passage(key, position, sentence, is_chinese(sentence)) for position, sentence in enumerate(sentences)
    )
    return SourceArticle(key, title, passages, version)


def read_articles(text: str) -> list[SourceArticle]:
    """The articles of a Markdown text: each second-level heading with its number begins one.

    A heading without a number counts by its place. What stands before the first heading is no article. Raises
    ValueError where there is no article or two have one number.
    """
    found: list[tuple[str, str, list[str]]] = []
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            number = _NUMBER.match(heading[1])
            key = number[1] if number else str(len(found) + 1)
            found.append((key, heading[1][number.end() :].strip() if number else heading[1], []))
        elif found:
            found[-1][2].append(line)
    if not found:
        raise ValueError("there is no second-level heading (## 1. Title)")
    if len({key for key, _title, _lines in found}) < len(found):
        raise ValueError("two articles have the same number")
    return [make_article(key, title, _join_paragraphs(lines)) for key, title, lines in found]


def split_sentences(text: str) -> list[str]:
    """The sentences of a paragraph, without marks of Markdown."""
    plain = " ".join(_MARKS.sub("", line).strip() for line in text.splitlines())
    return [sentence.strip() for sentence in _SENTENCE.split(plain) if sentence and sentence.strip()]


def _join_paragraphs(lines: Sequence[str]) -> list[str]:
    """Lines that belong together as one text; an empty line, a list item or a heading begins another."""
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if not line.strip() or re.match(r"\s*(?:[-*+|]|\d+[.)]|#{3,6})\s", line):
            paragraphs.append([])
        if line.strip():
            paragraphs[-1].append(line)
    return ["\n".join(paragraph) for paragraph in paragraphs if paragraph]
