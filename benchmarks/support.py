"""Support, measured: answers on the golden set, the validating step against an inventor, triage on data from outside.

The sets of triage are not part of the project: they are looked for in REKINDLE_DATA (default: shared/data beside the checkout),
and where they are missing their figures are null and it says so.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bitext import Split, measure_ours, measure_wishes
from support.answers.answering import answer_question
from support.answers.ranking import Base
from support.answers.validation import check_answer
from support.triage.classifier import TextClassifier, is_held_back
from support.triage.escalating import find_listed_reason, find_reason_to_escalate
from tests.support.golden_set import (
    FRESH_QUESTIONS,
    GOLDEN_QUESTIONS,
    OTHER_SHOPS,
    PEOPLE_ONLY,
    load_base,
    load_questions,
)
from tests.support.inventor import invent

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("REKINDLE_DATA", ROOT.parent / "shared" / "data"))
#: Two texts of one intent whose pieces are more alike than this are one template.
ALIKE = 0.6
EVERYDAY_TEXTS = {
    "en": ("bitext_8k/bitext_customer_service_8k.parquet", "utterance"),
    "zh": ("zh_shopping_reviews/online_shopping_10_cats.parquet", "review"),
}
#: Times that the inventor writes a draft for each question.
QUICK_DRAFTS, FULL_DRAFTS = 1, 20
#: How many everyday texts of each language are asked whether they are for people only.
EVERYDAY, EVERYDAY_QUICK = 4_000, 400


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench support", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one invented draft a question instead of twenty")
    parser.add_argument("--seed", type=int, default=20261123)
    options = parser.parse_args()
    base, size = load_base(), len(load_questions())
    figures: dict[str, Any] = {"seed": options.seed, "size": size}
    figures |= measure_answers(base, GOLDEN_QUESTIONS)
    for name, path in FRESH_QUESTIONS.items():
        figures |= {f"{key}_{name}": value for key, value in measure_answers(base, path).items()}
    for name, (articles, questions) in OTHER_SHOPS.items():
        asked = measure_answers(load_base(articles), questions)
        figures |= {f"{key}_{name}": value for key, value in asked.items()}
    figures |= measure_people_only()
    figures |= measure_everyday(options.seed, EVERYDAY_QUICK if options.quick else EVERYDAY)
    figures |= measure_validation(base, options.seed, times=QUICK_DRAFTS if options.quick else FULL_DRAFTS)
    figures |= measure_chinese(options.seed)
    split = hold_back_templates(options.seed)
    figures |= measure_intents(split, options.seed) | measure_ours(split, options.seed) | measure_wishes()
    for name, value in figures.items():
        print(f"  {name:<28} {value}")
    print(json.dumps(figures))


def measure_answers(base: Base, path: Path) -> dict[str, Any]:
    """Right source in the first three, refusals, and how many of the answerable are answered."""
    questions = load_questions(path)
    answered = {question.id: answer_question(question.text, base) for question in questions}
    known = [question for question in questions if question.expect]
    unknown = [question for question in questions if not question.expect]
    in_three = [bool({*question.expect} & {*answered[question.id].articles[:3]}) for question in known]
    return {
        "source_in_top3": _share(in_three),
        "refused_unanswerable": _share([bool(answered[question.id].refused) for question in unknown]),
        "answered_answerable": _share([not answered[question.id].refused for question in known]),
    }


def measure_people_only() -> dict[str, Any]:
    """Of held-back wordings: found by the list, and by list and classifier; of the harmless ones, taken by mistake."""
    told = [json.loads(line) for line in PEOPLE_ONLY.read_text(encoding="utf-8").splitlines()]
    figures: dict[str, Any] = {}
    for language in ("en", "zh"):
        meant = [one for one in told if one["lang"] == language and one["reason"]]
        harmless = [one["text"] for one in told if one["lang"] == language and not one["reason"]]
        found = [find_reason_to_escalate(one["text"]) for one in meant]
        figures |= {
            f"people_only_listed_{language}": _share([bool(find_listed_reason(one["text"])) for one in meant]),
            f"people_only_found_{language}": _share([bool(reason) for reason in found]),
            f"people_only_named_{language}": _share(
                [reason == one["reason"] for reason, one in zip(found, meant, strict=True)]
            ),
            f"people_only_false_{language}": _share([bool(find_reason_to_escalate(text)) for text in harmless]),
        }
    return figures


def measure_everyday(seed: int, most: int) -> dict[str, Any]:
    """Of requests and reviews from outside: how many are held back as for people only, by the list, and by either."""
    figures: dict[str, Any] = {}
    for language, (name, column) in EVERYDAY_TEXTS.items():
        found = _read(name, (column, "label" if language == "zh" else "intent"))
        texts = found[0] if found else []
        drawn = np.random.default_rng(seed).permutation(len(texts))[:most]
        held = [find_reason_to_escalate(texts[at]) for at in drawn]
        listed = [bool(find_listed_reason(texts[at])) for at in drawn]
        figures[f"everyday_held_{language}"] = _share([bool(reason) for reason in held]) if held else None
        figures[f"everyday_listed_{language}"] = _share(listed) if held else None
    return figures


def measure_validation(base: Base, seed: int, *, times: int) -> dict[str, Any]:
    """A model double that mixes invented sentences among those of the base: how many get past unmarked."""
    invented = unmarked = true = marked = 0
    drafts = [draft for number in range(times) for draft in invent(base, load_questions(), seed=seed + number)]
    for draft in drafts:
        for sentence in check_answer(draft.text, draft.passages):
            if sentence.text in draft.invented:
                invented += 1
                unmarked += sentence.is_supported
            else:
                true += 1
                marked += not sentence.is_supported
    return {
        "unsupported_unmarked": unmarked,
        "invented_sentences": invented,
        "true_sentences_marked": round(marked / true, 4),
    }


def measure_chinese(seed: int) -> dict[str, Any]:
    """Complaint or not; copies of a review stand on one side only."""
    nothing = {"zh_complaint_accuracy": None, "zh_complaint_auc": None}
    split = hold_back_reviews()
    if split is None:
        return nothing
    from sklearn.metrics import roc_auc_score

    train, test = split
    classifier = TextClassifier("zh", random_state=seed % 1000).fit([t for t, _label in train], [y for _t, y in train])
    shares = classifier.predict_proba([text for text, _label in test])[:, classifier.classes_.index("yes")]
    truth = np.array([label == "yes" for _text, label in test])
    return {
        "zh_complaint_accuracy": round(float(((shares >= 0.5) == truth).mean()), 4),
        "zh_complaint_auc": round(float(roc_auc_score(truth, shares)), 4),
        "zh_texts": len(train) + len(test),
    }


def hold_back_reviews() -> Split | None:
    """Reviews with "yes" for a complaint: those to learn from, and those to measure by; None where there are none."""
    found = _read("zh_shopping_reviews/online_shopping_10_cats.parquet", ("review", "label"))
    if found is None:
        return None
    rows = [(text, "no" if label == "1" else "yes") for text, label in zip(*found, strict=True)]
    return [row for row in rows if not is_held_back(row[0])], [row for row in rows if is_held_back(row[0])]


def measure_intents(split: Split | None, seed: int) -> dict[str, Any]:
    """27 intents of template-made requests; whole templates are held back, not single texts."""
    if split is None:
        return {"intent_accuracy": None}
    train, test = split
    classifier = TextClassifier("en", random_state=seed % 1000).fit(
        [text for text, _intent in train], [intent for _text, intent in train]
    )
    shares = classifier.predict_proba([text for text, _intent in test])
    said = [classifier.classes_[int(at)] for at in shares.argmax(axis=1)]
    return {
        "intent_accuracy": _share([a == intent for a, (_text, intent) in zip(said, test, strict=True)]),
        "intent_test_texts": len(test),
        "intent_texts": len(train) + len(test),
    }


def hold_back_templates(seed: int) -> Split | None:
    """Requests with their intent: those to learn from, and those whose template is held back; None where there are none."""
    found = _read("bitext_8k/bitext_customer_service_8k.parquet", ("utterance", "intent"))
    if found is None:
        return None
    texts, intents = found
    groups = group_templates(texts, intents)
    random = np.random.default_rng(seed)
    largest = _largest_groups(groups, intents)
    held = {group for group in sorted(set(groups)) if random.random() < 0.2 and group not in largest}
    print(f"  {len(set(groups))} templates of {len(texts)} requests")
    rows = list(zip(texts, intents, strict=True))
    train = [row for row, group in zip(rows, groups, strict=True) if group not in held]
    return train, [row for row, group in zip(rows, groups, strict=True) if group in held]


def group_templates(texts: Sequence[str], intents: Sequence[str]) -> list[int]:
    """A number for each text, the same for texts of one intent that are alike over any chain of likenesses."""
    from scipy.sparse.csgraph import connected_components
    from sklearn.feature_extraction.text import TfidfVectorizer

    numbers = np.zeros(len(texts), dtype=int)
    following = 0
    for intent in sorted(set(intents)):
        rows = [at for at, name in enumerate(intents) if name == intent]
        matrix = TfidfVectorizer(analyzer="word", ngram_range=(1, 2)).fit_transform([_plain(texts[at]) for at in rows])
        alike = (matrix @ matrix.T) >= ALIKE
        count, labels = connected_components(alike, directed=False)
        numbers[rows] = labels + following
        following += count
    return [int(number) for number in numbers]


def _largest_groups(groups: Sequence[int], intents: Sequence[str]) -> set[int]:
    """The largest template of each intent: always learned from, or an intent would be asked for that was never shown."""
    sizes: dict[str, Counter[int]] = {}
    for group, intent in zip(groups, intents, strict=True):
        sizes.setdefault(intent, Counter())[group] += 1
    return {counts.most_common(1)[0][0] for counts in sizes.values()}


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text.lower()))


def _read(name: str, columns: tuple[str, str]) -> tuple[list[str], list[str]] | None:
    import polars as pl

    path = DATA / name
    if not path.exists():
        print(f"  {name} is not there (REKINDLE_DATA): its figures are left out")
        return None
    frame = pl.read_parquet(path)
    if "added_by_uploader" in frame.columns:
        frame = frame.filter(~pl.col("added_by_uploader"))
    frame = frame.select(columns).drop_nulls().unique(columns[0], maintain_order=True)
    return frame[columns[0]].to_list(), [str(label) for label in frame[columns[1]].to_list()]


def _share(hits: Sequence[bool]) -> float:
    return round(float(np.mean(hits)), 4)


if __name__ == "__main__":
    main()
