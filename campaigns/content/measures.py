"""How good the drafts of a prompt are, in figures that need no reader. No Django here.

None of them says that a text is moving. They say whether an answer came in the form that was asked for, whether what it
claims is true, how much the texts differ, how long they are and what they cost; a person reads the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median
from typing import Any, Final

GRAM: Final = 3


@dataclass(frozen=True)
class Trial:
    """What became of one brief: the words (None where no usable answer came, with the reason), verdicts, and the price.

    `claims` and `unsupported` count the claims of the text and those among them that no fact bears out.
    `tokens`, `cost` and `latency_ms` are sums over all tries; `cost` is None without prices.
    """

    brief: str
    language: str
    words: Mapping[str, str] | None
    fault: str = ""
    blocked: int = 0
    warned: int = 0
    claims: int = 0
    unsupported: int = 0
    tries: int = 1
    tokens: int = 0
    cost: float | None = None
    latency_ms: int = 0

    @property
    def is_usable(self) -> bool:
        """A text came, and nothing in it blocks."""
        return self.words is not None and not self.blocked


def summarise(trials: Sequence[Trial]) -> dict[str, Any]:
    """The figures of one prompt and model over its briefs; {} of none.

    `schema`, `usable` and `clean` are shares of all briefs, 0 to 1: an answer in the right form; one that nothing blocks;
    one without any finding. `faithful` is the share of the texts without an unsupported claim. `diversity` is 1 minus the mean
    similarity of two texts of the same language (Jaccard, over sequences of three characters), None below two texts.
    `characters` is the median length of a text, `tokens` and `latency_ms` medians per brief, `cost` a sum.
    """
    if not trials:
        return {}
    texts = [trial for trial in trials if trial.words is not None]
    costs = [trial.cost for trial in trials if trial.cost is not None]
    return {
        "briefs": len(trials),
        "schema": len(texts) / len(trials),
        "usable": sum(trial.is_usable for trial in trials) / len(trials),
        "clean": sum(trial.is_usable and not trial.warned for trial in trials) / len(trials),
        "faithful": sum(not trial.unsupported for trial in texts) / len(texts) if texts else None,
        "claims": sum(trial.claims for trial in texts),
        "diversity": measure_diversity([(trial.language, join_words(trial.words or {})) for trial in texts]),
        "characters": median(len(join_words(trial.words or {})) for trial in texts) if texts else 0,
        "tries": fmean(trial.tries for trial in trials),
        "tokens": median(trial.tokens for trial in trials),
        "cost": sum(costs) if costs else None,
        "latency_ms": median(trial.latency_ms for trial in trials),
    }


def measure_diversity(texts: Sequence[tuple[str, str]]) -> float | None:
    """1 minus the mean similarity of all pairs of (language, text) in one language: 0 all the same, 1 nothing in common."""
    pairs = [(a, b) for (first, a), (second, b) in combinations(texts, 2) if first == second]
    if not pairs:
        return None
    return 1 - fmean(_similarity(a, b) for a, b in pairs)


def join_words(words: Mapping[str, str]) -> str:
    """The slots one after the other, as a reader meets them."""
    return "\n".join(value for value in words.values() if value)


def _similarity(one: str, other: str) -> float:
    grams, others = _grams(one), _grams(other)
    return len(grams & others) / len(grams | others) if grams | others else 1.0


def _grams(text: str) -> set[str]:
    folded = "".join(text.casefold().split())
    return {folded[i : i + GRAM] for i in range(len(folded) - GRAM + 1)}
