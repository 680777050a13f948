"""The sets of questions: one to develop with, one to be judged by, which share no article; later ones to the golden articles;
and other shops with questions of their own.

Of the later ones the first two were asked once and then looked at to mend what they found; the third was asked once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from support.answers.articles import read_articles
from support.answers.ranking import Base

ROOT = Path(__file__).resolve().parents[2]
GOLDEN_ARTICLES = ROOT / "tests/support/golden/articles.md"
GOLDEN_QUESTIONS = ROOT / "tests/support/golden/questions.jsonl"
#: Forty each, written after the code and before anybody saw what it says to them; docs/support.md has what came of it.
FRESH_QUESTIONS = {name: ROOT / f"tests/support/fresh/{name}.jsonl" for name in ("first", "second", "third")}
#: Other shops, with their questions: written before anything was asked of them. docs/support.md says which were looked at since;
#: the last four are by another hand, and camping and lamps were asked once and not looked at.
OTHER_SHOPS = {
    name: (ROOT / f"tests/support/fresh/{name}/articles.md", ROOT / f"tests/support/fresh/{name}/questions.jsonl")
    for name in (
        "bicycles",
        "cosmetics",
        "garden",
        "appliances",
        "shoes",
        "electronics",
        "music",
        "homeware",
        "delicatessen",
        "toys",
        "pets",
        "tea",
        "fabrics",
        "camping",
        "lamps",
    )
}
#: What is for people only, and what only sounds like it (reason ""): three sets, each tried once before it was mended for.
ESCALATIONS = ROOT / "tests/support/fresh/escalations.jsonl"
#: The same kind, written down before the sentences that the classifier learns from (support/triage/examples_*.txt).
PEOPLE_ONLY = ROOT / "tests/support/fresh/people_only.jsonl"
#: Everyday sentences that only sound like it: two sets, each tried once before it was mended for.
HARMLESS = ROOT / "tests/support/fresh/harmless.jsonl"
#: Messages with their topic and intent, written down before the words of intents (support/triage/words.txt) were.
WISHES = ROOT / "tests/support/fresh/wishes.jsonl"
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
