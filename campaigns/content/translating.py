"""Takes a text apart for translation and puts the answer together: code keeps the form, the model has words alone. Pure.

Each line of each part goes by itself. Bullets and numbers of lists stay here; merge tags, amounts, codes and dates become
marks like ⟦a⟧, which have to come back, each exactly once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Final

_LIST_MARK: Final = re.compile(r"^(\s*(?:[-*+]|\d+[.)])\s+)")
_KEPT: Final = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|[A-Za-z$€£¥₹]*\d(?:[\dA-Za-z]|[.,:/\-](?=[\dA-Za-z]))*[%％]?", re.DOTALL
)
_MARK: Final = re.compile("⟦([a-z]+)⟧")


class Untranslatable(ValueError):
    """The answer does not fit the text; its sentence is fit to be shown to the model."""


@dataclass(frozen=True)
class Line:
    """One line of a part: what stands before it, its words with marks, and what the marks stand for."""

    part: str
    prefix: str
    words: str
    kept: tuple[str, ...]


def take_apart(parts: Mapping[str, str]) -> list[Line]:
    """All lines of all parts in order; empty ones have no words and are not sent."""
    return [_take_line(part, line) for part, text in parts.items() for line in text.splitlines()]


def words_of(lines: Sequence[Line]) -> list[str]:
    """What is to be translated."""
    return [line.words for line in lines if line.words]


def put_together(lines: Sequence[Line], translated: Sequence[str]) -> dict[str, str]:
    """The parts in the other language. Raises Untranslatable where a line or a mark is missing."""
    wanted = words_of(lines)
    if len(translated) != len(wanted):
        raise Untranslatable(f"{len(wanted)} lines are needed, {len(translated)} came.")
    answers = iter(translated)
    parts: dict[str, list[str]] = {}
    for line in lines:
        words = _put_back(line, next(answers)) if line.words else ""
        parts.setdefault(line.part, []).append(line.prefix + words)
    return {part: "\n".join(texts).strip() for part, texts in parts.items()}


def _take_line(part: str, line: str) -> Line:
    mark = _LIST_MARK.match(line)
    prefix = mark.group(1) if mark else ""
    kept: list[str] = []

    def hide(match: re.Match[str]) -> str:
        kept.append(match.group())
        return f"⟦{_name(len(kept) - 1)}⟧"

    return Line(part, prefix, _KEPT.sub(hide, line[len(prefix) :].strip()), tuple(kept))


def _put_back(line: Line, answer: str) -> str:
    names = [_name(number) for number in range(len(line.kept))]
    if sorted(_MARK.findall(answer)) != sorted(names):
        wanted = " ".join(f"⟦{name}⟧" for name in names) or "no mark"
        raise Untranslatable(f"In “{line.words[:80]}”: keep {wanted}, each once.")
    values = dict(zip(names, line.kept, strict=True))
    return _MARK.sub(lambda match: values[match.group(1)], answer.strip())


def _name(number: int) -> str:
    letters = ascii_lowercase
    return letters[number] if number < 26 else letters[number // 26 - 1] + letters[number % 26]
