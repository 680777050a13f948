"""Triage by a small open model on this machine, beside the rules and the classifier, on the same texts.

The model is that of `./rekindle run --local-ai=small` and is asked as the worker asks it: the prompt `support.triage`
through the door, masked, with its answer checked against the text. The texts are a seeded sample of those that the
classifier has not learned from: requests in English whose template is held back, for topic and intent, and Chinese reviews, for
complaint or not. Where the data (REKINDLE_DATA) or the model cannot be had the figures are null and it says so.

    ./rekindle bench triage_model [--texts 60] [--minutes 15] [--model small]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.bitext import FIELDS, call_ours
from benchmarks.frame import Arguments, parse_arguments, print_result, print_table, set_up_django

QUICK_TEXTS = 2
RESAMPLES = 2_000


@dataclass
class Asked:
    """One text, what is right, and what each of the three says: (value, how sure); None where nothing of the model's holds.

    `unchecked` is what the model said, whether it quoted the text for it or not; "" where it failed.
    """

    truth: str
    rules: tuple[str, float]
    classifier: tuple[str, float]
    joined: str
    to_look_at: bool
    model: tuple[str, float] | None
    unchecked: str


@dataclass
class Part:
    """A field of triage, the label of each text, the classifier that has not seen them, and what was said."""

    field: str
    labels: Sequence[str]
    classifier: Any
    asked: list[Asked] = field(default_factory=list)


@dataclass
class Sample:
    """Texts of one language that are asked about once each, and the fields that are judged of what was said."""

    language: str
    texts: Sequence[str]
    parts: list[Part] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many of the texts were asked about."""
        return len(self.parts[0].asked)


def main() -> None:
    arguments = parse_arguments(__doc__ or "", _add_options)
    figures: dict[str, Any] = {"accuracy": None}
    if samples := draw_samples(arguments):
        figures = serve_and_measure(samples, arguments) or figures
    print_table("Triage by a local model", {name: _show(value) for name, value in figures.items()})
    print_result(arguments, size=sum(sample.count for sample in samples), **figures)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--texts", type=int, default=60, help="of each language")
    parser.add_argument("--minutes", type=float, default=15.0, help="stop asking after so long")
    parser.add_argument("--model", choices=["small", "standard"], default="small")


def draw_samples(arguments: Arguments) -> list[Sample]:
    """The texts of both languages in a seeded order, and the classifiers that were trained on all others."""
    from benchmarks.support import hold_back_reviews, hold_back_templates
    from support.triage.classifier import TextClassifier

    count = QUICK_TEXTS if arguments.quick else arguments.more.texts
    random, samples = np.random.default_rng(arguments.seed), []
    for language, fields, split in (
        ("en", FIELDS, hold_back_templates(arguments.seed)),
        ("zh", ("complaint",), hold_back_reviews()),
    ):
        if split is None:
            continue
        train, test = split
        rows = [test[int(at)] for at in random.permutation(len(test))[:count]]
        sample = Sample(language, [text for text, _label in rows])
        for name in fields:
            learned = TextClassifier(language, random_state=arguments.seed % 1000)
            learned.fit([text for text, _label in train], [_call(name, *row) for row in train])
            sample.parts.append(Part(name, [_call(name, *row) for row in rows], learned))
        samples.append(sample)
    return samples


def _call(field: str, text: str, label: str) -> str:
    """The label of a text in the words of triage: bitext's names have one for each of two fields."""
    return call_ours(text, label)[FIELDS.index(field)] if field in FIELDS else label


def serve_and_measure(samples: Sequence[Sample], arguments: Arguments) -> dict[str, Any] | None:
    """Ask the model about every text, turn by turn in both languages, until the time is up."""
    from retention_site.embedded.local_model import SIZES, ensure_model, serve_model
    from retention_site.embedded.process import EngineError

    name = SIZES[arguments.more.model]
    path = ensure_model(name)
    if path is None:
        return None
    try:
        with serve_model(path) as url:
            os.environ |= {"LLM_BASE_URL": url, "LLM_MODEL": name, "LLM_API_KEY": "none", "LLM_TIMEOUT_S": "180"}
            os.environ |= {"LLM_DAILY_TOKEN_CAP": "100000000"}
            set_up_django()
            seconds = ask_all(samples, until=time.monotonic() + 60 * arguments.more.minutes)
    except EngineError as error:
        print(f"  the model cannot be served: {error}")
        return None
    return {"model": name, "calls": count_calls()} | describe(samples, seconds, arguments.seed)


def ask_all(samples: Sequence[Sample], *, until: float) -> list[float]:
    """Seconds that each question took, those that came to nothing included."""
    seconds = []
    for at in range(max(len(sample.texts) for sample in samples)):
        for sample in samples:
            if at < len(sample.texts) and time.monotonic() < until:
                started = time.monotonic()
                said, told = ask_model(sample.texts[at])
                seconds.append(time.monotonic() - started)
                for part in sample.parts:
                    part.asked.append(ask_the_others(part, at, sample.texts[at], said, told))
    return seconds


def ask_model(text: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What the model said, and what of it holds, by field; nothing where it failed."""
    from django.utils import timezone

    from llm.client import complete
    from llm.errors import ModelError
    from support.triage.prompt import TRIAGE
    from support.triage.reading import PURPOSE, check_verdicts

    with suppress(ModelError):
        said = complete(TRIAGE, {"text": text}, purpose=PURPOSE, now=timezone.now()).data
        return said, check_verdicts(said, text)
    return {}, {}


def count_calls() -> dict[str, int]:
    """How the requests ended, by the ledger: a text may cost three."""
    from django.db.models import Count

    from llm.models import LlmCall

    return dict(LlmCall.objects.values_list("outcome").annotate(n=Count("pk")).order_by("outcome"))


def ask_the_others(part: Part, at: int, text: str, said: Mapping[str, Any], told: Mapping[str, Any]) -> Asked:
    """The rules, the classifier, and what would stand in the queue with the model's word beside theirs."""
    from support.triage.joining import join_opinions
    from support.triage.rules import Verdict, read_message

    rules = read_message(text).verdicts[part.field]
    shares = part.classifier.predict_proba([text])[0]
    best = int(shares.argmax())
    learned = Verdict(part.classifier.classes_[best], float(shares[best]))
    read = told.get(part.field)
    joined = join_opinions(part.field, rules, learned, read)
    return Asked(
        truth=part.labels[at],
        rules=(rules.value, rules.sureness),
        classifier=(learned.value, learned.sureness),
        joined=joined.verdict.value,
        to_look_at=joined.is_in_doubt,
        model=(str(read["value"]), float(read["sureness"])) if read else None,
        unchecked=str(said[part.field]["value"]) if said else "",
    )


def describe(samples: Sequence[Sample], seconds: Sequence[float], seed: int) -> dict[str, Any]:
    """Shares with their 95 % intervals; a text of which the model said nothing that holds counts as wrong."""
    figures: dict[str, Any] = {
        "seconds_a_ticket": statistics.median(seconds),
        "seconds_p90": float(np.quantile(seconds, 0.9)),
    }
    for sample in samples:
        figures[f"{sample.language}_texts"] = sample.count
        for part in sample.parts:
            figures |= {f"{sample.language}_{part.field}_{name}": value for name, value in _judge(part, seed).items()}
    return figures


def _judge(part: Part, seed: int) -> dict[str, Any]:
    rows = part.asked
    said = [row.model[0] if row.model else None for row in rows]
    figures: dict[str, Any] = {
        "model_said_something": _share([one is not None for one in said]),
        "model_unchecked": _share([row.unchecked == row.truth for row in rows]),
        "model": _share([one == row.truth for one, row in zip(said, rows, strict=True)]),
        "classifier": _share([row.classifier[0] == row.truth for row in rows]),
        "rules": _share([row.rules[0] == row.truth for row in rows]),
        "agree": _share([one == row.classifier[0] for one, row in zip(said, rows, strict=True)]),
        "joined": _share([row.joined == row.truth for row in rows]),
        "to_look_at": _share([row.to_look_at for row in rows]),
    }
    if part.field == "complaint":
        truth = [row.truth == "yes" for row in rows]
        found = [one == "yes" for one, is_one in zip(said, truth, strict=True) if is_one]
        figures |= {
            "model_auc": _auc(truth, [_rate(row.model) for row in rows], seed),
            "classifier_auc": _auc(truth, [_rate(row.classifier) for row in rows], seed),
            "found": _share(found),
        }
    return figures


def _rate(opinion: tuple[str, float] | None) -> float:
    """How sure somebody is that it is a complaint, 0 to 1; who says nothing does not know."""
    if opinion is None:
        return 0.5
    return opinion[1] if opinion[0] == "yes" else 1 - opinion[1]


def _share(hits: Sequence[bool]) -> list[float] | None:
    """The share with its interval (Wilson); None of nothing."""
    from customers.scoring.proportion import wilson_interval

    if not hits:
        return None
    return [round(sum(hits) / len(hits), 4), *(round(end, 4) for end in wilson_interval(sum(hits), len(hits)))]


def _auc(truth: Sequence[bool], scores: Sequence[float], seed: int) -> list[float] | None:
    """With the interval of a bootstrap over texts; None where all texts are of one kind."""
    from sklearn.metrics import roc_auc_score

    if len(set(truth)) < 2:
        return None
    random, right, given = np.random.default_rng(seed), np.array(truth), np.array(scores)
    drawn = []
    for _round in range(RESAMPLES):
        rows = random.integers(0, len(right), len(right))
        if 0 < right[rows].sum() < len(rows):
            drawn.append(float(roc_auc_score(right[rows], given[rows])))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return [round(float(roc_auc_score(right, given)), 4), round(float(low), 4), round(float(high), 4)]


def _show(value: Any) -> Any:
    return f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})" if isinstance(value, list) else value


if __name__ == "__main__":
    main()
