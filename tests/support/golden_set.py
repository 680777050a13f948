"""The two sets of questions: one to develop with, one to be judged by. They share no article."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from support.answers.articles import read_articles
from support.answers.ranking import Base

ROOT = Path(__file__).resolve().parents[2]
GOLDEN_ARTICLES = ROOT / "tests/support/golden/articles.md"
GOLDEN_QUESTIONS = ROOT / "tests/support/golden/questions.jsonl"
DEVELOPMENT_ARTICLES = ROOT / "retention_site/demo/seeding/articles.md"
DEVELOPMENT_QUESTIONS = ROOT / "tests/support/development/questions.jsonl"


@dataclass(frozen=True)
class Question:
    """`expect`: the numbers of the articles that answer it; none where the base does not."""

    id: str
    lang: str
    text: str
    expect: tuple[str, ...]


def load_base(path: Path = GOLDEN_ARTICLES) -> Base:
    return Base(read_articles(path.read_text(encoding="utf-8")))


def load_questions(path: Path = GOLDEN_QUESTIONS) -> list[Question]:
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Question(entry["id"], entry["lang"], entry["question"], tuple(map(str, entry["expect"]))) for entry in entries
    ]
