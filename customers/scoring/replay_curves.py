"""The curves of a replayed day and the slider along them: leavers caught, stayers bothered, money, each with its doubt.

Arithmetic only. Intervals are 95 % and answer: what would as many other customers like these have shown? They do not tell
how wrong the assumed costs may be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from .evaluation import draw_resamples
from .logits import Array
from .proportion import wilson_interval

THRESHOLDS = 100
GAIN_STEPS = 20
_Z = 1.959964


@dataclass(frozen=True)
class Costs:
    """What the marketer assumes: money per message, money off per order that uses the offer, share of leavers kept."""

    message: Decimal = Decimal("0.05")
    discount: Decimal = Decimal("5.00")
    success: float = 0.1


@dataclass(frozen=True)
class Weighed:
    """What a threshold would have done, counted in people and in money. `rule_caught` is for as many people chosen by
    the plain rule, the quietest first; `net_reach` is how far the net figure may lie to either side, `lead_reach` the same
    of the leavers caught beyond the rule's. None on curves of an older release."""

    threshold: float
    flagged: int
    caught: int
    bothered: int
    missed: int
    rule_caught: int
    value_at_stake: Decimal
    kept: float
    won: Decimal
    spent: Decimal
    net_reach: Decimal | None = None
    lead_reach: float | None = None

    @property
    def net(self) -> Decimal:
        return self.won - self.spent

    @property
    def net_interval(self) -> tuple[Decimal, Decimal] | None:
        return None if self.net_reach is None else (self.net - self.net_reach, self.net + self.net_reach)


def trace_gain(
    left: Array, p: Array, quietness: Array, *, seed: int = 0, replicates: int = 200
) -> list[dict[str, float]]:
    """Of all leavers the share among the first 0, 5, ... 100 % of customers, by score and by how long they were quiet, with
    bootstrap intervals over customers; both are seen on the same resamples."""
    shares = np.arange(GAIN_STEPS + 1) / GAIN_STEPS
    by_model, by_rule = _trace_capture(left, p, shares), _trace_capture(left, quietness, shares)
    bounds = _bound_captures(left, (p, quietness), shares, seed=seed, replicates=replicates)
    return [
        {
            "share": round(float(shares[i]), 4),
            "caught": round(float(by_model[i]), 4),
            "caught_low": round(float(bounds[0][0][i]), 4),
            "caught_high": round(float(bounds[0][1][i]), 4),
            "rule": round(float(by_rule[i]), 4),
            "rule_low": round(float(bounds[1][0][i]), 4),
            "rule_high": round(float(bounds[1][1][i]), 4),
        }
        for i in range(GAIN_STEPS + 1)
    ]


def trace_thresholds(left: Array, p: Array, quietness: Array, value: Array) -> dict[str, list[float]]:
    """For thresholds 0, 0.01, ... 1: customers flagged, leavers among them, their value at stake and its squares summed,
    the leavers among as many customers that were quiet the longest, and those whom both would have flagged."""
    order = np.argsort(-p, kind="stable")
    caught, worth, squares = (np.append(0.0, np.cumsum(x[order])) for x in (left, left * value, left * value**2))
    by_rule = _count_caught(left, quietness)
    in_both = np.sort(np.maximum(_rank(p), _rank(quietness))[left > 0.5])
    thresholds = np.arange(THRESHOLDS + 1) / THRESHOLDS
    flagged = len(p) - np.searchsorted(np.sort(p), thresholds, side="left")
    return {
        "flagged": [int(n) for n in flagged],
        "caught": [int(caught[n]) for n in flagged],
        "value": [round(float(worth[n]), 2) for n in flagged],
        "squares": [round(float(squares[n]), 2) for n in flagged],
        "rule_caught": [round(float(by_rule[n]), 1) for n in flagged],
        "both_caught": [int(np.searchsorted(in_both, n, side="left")) for n in flagged],
    }


def weigh_threshold(curve: Mapping[str, list[float]], threshold: float, costs: Costs) -> Weighed:
    """Leavers caught against stayers bothered, and the money in it, at a threshold of whole hundredths.

    Won: the value at stake of the leavers caught, times the share that the message keeps. Spent: every message, and the
    discount for all who then order: the leavers kept, and the stayers, who would have ordered without it.
    """
    place = min(max(round(threshold * THRESHOLDS), 0), THRESHOLDS)
    flagged, caught = int(curve["flagged"][place]), int(curve["caught"][place])
    bothered, success = flagged - caught, Decimal(str(costs.success))
    value = Decimal(str(curve["value"][place]))
    spent = flagged * costs.message + (bothered + caught * success) * costs.discount
    return Weighed(
        threshold=place / THRESHOLDS,
        flagged=flagged,
        caught=caught,
        bothered=bothered,
        missed=int(curve["caught"][0]) - caught,
        rule_caught=round(curve["rule_caught"][place]),
        value_at_stake=value.quantize(Decimal("0.01")),
        kept=caught * costs.success,
        won=(value * success).quantize(Decimal("0.01")),
        spent=spent.quantize(Decimal("0.01")),
        net_reach=_reach_of_net(curve, place, costs),
        lead_reach=_reach_of_lead(curve, place),
    )


def find_best_threshold(curve: Mapping[str, list[float]], costs: Costs) -> Weighed:
    """The threshold with the largest net figure; of several, the one that bothers the fewest."""
    weighed = [weigh_threshold(curve, place / THRESHOLDS, costs) for place in range(THRESHOLDS + 1)]
    return max(weighed, key=lambda each: (each.net, -each.flagged))


def bound_share(count: float, of: int) -> tuple[float, float] | None:
    """Wilson's interval of a share; None of nobody."""
    return wilson_interval(count, of) if of else None


def _rank(scores: Array) -> Array:
    """Each customer's place from the highest score down, 0 first."""
    place = np.empty(len(scores))
    place[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    return place


def _count_caught(left: Array, scores: Array) -> Array:
    """Expected leavers among the n customers with the highest scores, for n = 0 to all; ties are split evenly."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(0, np.flatnonzero(np.append(np.diff(scores[order]) != 0, True)) + 1)
    caught = np.append(0.0, np.cumsum(left[order]))
    return np.asarray(np.interp(np.arange(len(left) + 1), ends, caught[ends]), dtype=np.float64)


def _trace_capture(left: Array, scores: Array, shares: Array) -> Array:
    counts = np.round(len(left) * shares).astype(int)
    return np.asarray(_count_caught(left, scores)[counts] / max(float(left.sum()), 1.0), dtype=np.float64)


def _bound_captures(
    left: Array, scores: tuple[Array, ...], shares: Array, *, seed: int, replicates: int
) -> list[tuple[Array, Array]]:
    """For each of `scores` the 2.5 % and the 97.5 % point of the capture at `shares` over resampled customers."""
    if not 0 < left.sum() < len(left):
        flat = [_trace_capture(left, each, shares) for each in scores]
        return [(each, each) for each in flat]
    orders = [np.argsort(-each, kind="stable") for each in scores]
    ends = [np.flatnonzero(np.append(np.diff(s[o]) != 0, True)) for s, o in zip(scores, orders, strict=True)]
    drawn: list[list[Array]] = [[] for _ in scores]
    for weights in draw_resamples(left, seed=seed, replicates=replicates):
        for row in weights:
            for found, order, end in zip(drawn, orders, ends, strict=True):
                w = row[order]
                everyone, leavers = np.cumsum(w)[end], np.cumsum(w * left[order])[end]
                xs, ys = np.append(0.0, everyone / everyone[-1]), np.append(0.0, leavers / leavers[-1])
                found.append(np.interp(shares, xs, ys))
    return [
        (np.quantile(np.stack(found), 0.025, axis=0), np.quantile(np.stack(found), 0.975, axis=0)) for found in drawn
    ]


def _reach_of_net(curve: Mapping[str, list[float]], place: int, costs: Costs) -> Decimal | None:
    """Half of the 95 % interval of the net figure. It is a sum over customers of what each brings, which depends on them by
    being flagged, by having left and by the value at stake; so the sums of the curve and of the squares are enough."""
    if "squares" not in curve:
        return None
    flagged, caught, value, squares = (float(curve[key][place]) for key in ("flagged", "caught", "value", "squares"))
    message, discount, success = float(costs.message), float(costs.discount), costs.success
    each, leaver = -(message + discount), discount * (1 - success)
    total = each * flagged + leaver * caught + success * value
    of_squares = (
        each**2 * flagged + leaver**2 * caught + success**2 * squares
        + 2 * each * leaver * caught + 2 * (each + leaver) * success * value
    )  # fmt: skip
    spread = max(of_squares - total**2 / max(float(curve["flagged"][0]), 1.0), 0.0)
    return Decimal(str(round(_Z * math.sqrt(spread), 2)))


def _reach_of_lead(curve: Mapping[str, list[float]], place: int) -> float | None:
    """The same of the leavers caught beyond the rule's: a difference of pairs, as in McNemar's test (1947)."""
    if "both_caught" not in curve:
        return None
    both, everyone = float(curve["both_caught"][place]), max(float(curve["flagged"][0]), 1.0)
    ours, rules = (max(float(curve[key][place]) - both, 0.0) for key in ("caught", "rule_caught"))
    return _Z * math.sqrt(max(ours + rules - (ours - rules) ** 2 / everyone, 0.0))
