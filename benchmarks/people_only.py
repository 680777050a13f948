"""What is for people only: how much is recognised at which threshold, over lines of the examples that were not learned from.

Whole lines are held back in turn (five folds, seeded), so that no wording of a thing is on both sides. The threshold in
`support.triage.people_only` comes from this table; what nobody looked at while it was chosen is in `./rekindle bench support`.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from support.triage.escalating import find_listed_reason
from support.triage.people_only import HARMLESS, LANGUAGES, Example, rate_sentences, read_examples, train_recogniser

FOLDS = 5
THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85)


def main() -> None:
    parser = argparse.ArgumentParser(prog="./rekindle bench people_only", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="accepted for likeness: it takes seconds in any case")
    parser.add_argument("--seed", type=int, default=20261129)
    parser.add_argument("--tell", type=float, default=0.0, help="print what is wrong at this threshold")
    options = parser.parse_args()
    figures: dict[str, Any] = {"seed": options.seed}
    for language in LANGUAGES:
        examples = read_examples(language)
        started = time.perf_counter()
        sureness = rate_held_back(language, examples, options.seed)
        print(f"  {language}: {len(examples)} sentences, {FOLDS} trainings in {time.perf_counter() - started:.1f} s")
        for least in THRESHOLDS:
            told = measure(examples, sureness, least)
            print(f"    from {least:.2f} on: " + ", ".join(f"{name} {value:.3f}" for name, value in told.items()))
            figures |= {f"{name}_{language}_{least}": value for name, value in told.items()}
        if options.tell:
            tell_wrong(examples, sureness, options.tell)
    figures["size"] = sum(len(read_examples(language)) for language in LANGUAGES)
    print(json.dumps(figures))


def rate_held_back(language: str, examples: list[Example], seed: int) -> list[float]:
    """For each example how surely it is for people, by a recogniser that has not seen its line."""
    groups = sorted({one.group for one in examples})
    fold_of = dict(zip(groups, np.random.default_rng(seed).permutation(len(groups)) % FOLDS, strict=True))
    sureness = [0.0] * len(examples)
    for fold in range(FOLDS):
        held = [at for at, one in enumerate(examples) if fold_of[one.group] == fold]
        recogniser = train_recogniser(language, [one for one in examples if fold_of[one.group] != fold])
        shares = recogniser.predict_proba([examples[at].text for at in held])
        for at, sure in zip(held, rate_sentences(recogniser, shares)[0], strict=True):
            sureness[at] = sure
    return sureness


def measure(examples: list[Example], sureness: list[float], least: float) -> dict[str, float]:
    """Shares: of what is for people, recognised by the classifier alone and beside the list; of the harmless, by mistake."""
    rows = [
        (one.label != HARMLESS, sure >= least, bool(find_listed_reason(one.text)))
        for one, sure in zip(examples, sureness, strict=True)
    ]
    meant, harmless = [row for row in rows if row[0]], [row for row in rows if not row[0]]
    return {
        "list": _share([listed for _meant, _seen, listed in meant]),
        "recall": _share([seen for _meant, seen, _listed in meant]),
        "together": _share([seen or listed for _meant, seen, listed in meant]),
        "list_false": _share([listed for _meant, _seen, listed in harmless]),
        "false": _share([seen for _meant, seen, _listed in harmless]),
        "together_false": _share([seen or listed for _meant, seen, listed in harmless]),
    }


def tell_wrong(examples: list[Example], sureness: list[float], least: float) -> None:
    """What is missed and what is taken by mistake, for whoever writes more examples."""
    for one, sure in zip(examples, sureness, strict=True):
        if (one.label != HARMLESS) != (sure >= least):
            print(f"      {sure:.2f} {one.label:<12} {one.text}")


def _share(hits: list[bool]) -> float:
    return round(float(np.mean(hits)), 4)


if __name__ == "__main__":
    main()
