"""Whom to treat with what, and what that would have brought: chosen and valued on different people. No Django here.

The value of a rule is estimated off-line and doubly robust (Dudík, Langford and Li, ICML 2011; Athey and Wager, Econometrica
89, 2021): what the models say of the arm that the rule gives, mended by what happened to those who were in that arm. It is
right where the arms were drawn at random, however bad the models are. The rule is chosen anew for each fifth of the people,
by its value among the other four; the mean over the fifths is what choosing in this way is worth, without the optimism
of whoever picks the best of many on the people they judge it by.

People are ranked in one way: by the mean of two estimates of what an arm does to them. The difference of two models (T-learner)
is free to say anything, and noisy; the same share of P(outcome | arm) for everybody is steady, and coarse. Which of several
rankings is best is not asked of the data: the answer is mostly noise, and choosing by it costs more than it finds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from campaigns.outcomes.lift import CONFIDENCE
from customers.scoring.evaluation import Estimate

from .checks import check_sample_ratio
from .crossfit import CrossFit
from .learners import UpliftModels

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

#: Shares of the people that a ranking may pick.
SHARES = tuple(step / 20 for step in range(1, 20))
#: How many shares on either side a share is judged together with.
BESIDE = 2


@dataclass(frozen=True)
class Prices:
    """What one unit of the outcome is worth, and what treating one person costs, in the same money."""

    value: float = 1.0
    cost: float = 0.0


@dataclass(frozen=True)
class Rule:
    """`kind`: nobody, everybody (gets `arm`), top_share (the `share` with the largest effect of `arm` gets it) or best_arm (with
    several treated arms: each the one whose effect, less its cost, is largest, if above 0)."""

    kind: str
    arm: int = 0
    share: float = 0.0

    def decide(self, effects: Array, prices: Prices, *, cut: float | None = None) -> Places:
        """The arm for each person, by their effects (n, k - 1); `cut` is the effect from which on people are picked, else that of
        the share."""
        if self.kind in {"nobody", "everybody"}:
            return np.full(len(effects), self.arm, dtype=np.int64)
        if self.kind == "best_arm":
            net = prices.value * effects - prices.cost
            return np.where(net.max(axis=1) > 0, net.argmax(axis=1) + 1, 0)
        return np.where(effects[:, self.arm - 1] >= (self.find_cut(effects) if cut is None else cut), self.arm, 0)

    def find_cut(self, effects: Array) -> float:
        """The effect that this share of these people reach."""
        return float(np.quantile(effects[:, self.arm - 1], 1 - self.share))


@dataclass(frozen=True)
class Policy:
    """The rule that is best on all people, and what choosing so is worth per person in money, against treating nobody.

    `everybody` is the value of giving each arm to all. `picked` is the share of people whom the rule treats. `relative` is what
    `blend_effects` needs for people of another file.
    """

    rule: Rule
    value: Estimate
    everybody: list[Estimate]
    picked: float
    against_everybody: Estimate
    relative: Array
    chosen_by_fold: list[Rule] = field(default_factory=list)


def choose_policy(fit: CrossFit, y: Array, arm: Places, prices: Prices) -> Policy:
    """Choose among all rules and value the choice. `fit` comes from `cross_fit` on the same people (n)."""
    arms = fit.outcomes.shape[1]
    net = estimate_net(fit.outcomes, y, arm, prices)
    relative = measure_relative(y, arm, arms)
    effects = blend_effects(fit.outcomes, relative)
    rules = list_rules(arms)
    gains = np.column_stack([_take(net, rule.decide(effects, prices)) for rule in rules])
    sums = np.stack([gains[fit.fold == place].sum(axis=0) for place in range(int(fit.fold.max()) + 1)])
    best = [int(np.argmax(_steady(sums.sum(axis=0) - own, rules))) for own in sums]
    honest = gains[np.arange(len(y)), np.asarray(best)[fit.fold]]
    chosen = rules[int(np.argmax(_steady(sums.sum(axis=0), rules)))]
    everybody = [net[:, place] for place in range(1, arms)]
    dearest = max(everybody, key=lambda values: float(values.mean()))
    return Policy(
        chosen,
        bound_mean(honest),
        [bound_mean(values) for values in everybody],
        float((chosen.decide(effects, prices) > 0).mean()),
        bound_mean(honest - dearest),
        relative,
        [rules[place] for place in best],
    )


def list_rules(arms: int) -> list[Rule]:
    """Nobody first: of equals the first is taken, so that without gain nobody is disturbed."""
    rules = [Rule("nobody"), *(Rule("everybody", place) for place in range(1, arms))]
    rules += [Rule("top_share", place, share) for place in range(1, arms) for share in SHARES]
    # Of one arm this is a share of the people as well, but one that is not held against others.
    return rules if arms == 2 else [*rules, Rule("best_arm")]


def measure_relative(y: Array, arm: Places, arms: int) -> Array:
    """(k - 1): which share of what each treated arm brought is its doing; 0 where it brought nothing, or less."""
    means = np.asarray([y[arm == place].mean() for place in range(arms)])
    return np.asarray(np.where(means[1:] > 0, 1 - means[0] / np.where(means[1:] > 0, means[1:], 1.0), 0.0))


def blend_effects(outcomes: Array, relative: Array) -> Array:
    """(n, k - 1): the effect of each treated arm on each person, the mean of outcomes[:, a] - outcomes[:, 0] and of
    relative[a] * outcomes[:, a]. `outcomes` (n, k) as in `CrossFit`."""
    return np.asarray(((1 + relative) * outcomes[:, 1:] - outcomes[:, :1]) / 2)


def estimate_net(outcomes: Array, y: Array, arm: Places, prices: Prices) -> Array:
    """(n, k): the doubly robust gain in money of giving this person that arm instead of none; column 0 is 0.

    `outcomes` has to come from models that did not see these people.
    """
    n, arms = outcomes.shape
    share = np.bincount(arm, minlength=arms) / n
    mended = outcomes + (arm[:, None] == np.arange(arms)) / share * (y[:, None] - outcomes)
    net = prices.value * (mended - mended[:, :1]) - prices.cost
    net[:, 0] = 0.0
    return np.asarray(net, dtype=np.float64)


@dataclass(frozen=True)
class Trial:
    """A rule on people of another file. `net` is the sum over the people it picks of what those who were treated brought, less
    their cost, less what those who were not brought, blown up to as many (the net incremental revenue); `per_person` is
    the doubly robust value of the rule. `picked` are people, by arm of the rule."""

    net: Estimate
    per_person: Estimate
    picked: list[int]


def try_rule(decided: Places, y: Array, arm: Places, outcomes: Array, prices: Prices) -> Trial:
    """Judge decided arms (n) on an experiment that had no part in choosing them."""
    arms = outcomes.shape[1]
    was_treated = (arm == decided) & (decided > 0)
    was_control = (arm == 0) & (decided > 0)
    each = (
        was_treated * (prices.value * y - prices.cost)
        - was_control * prices.value * y * weigh_control(arm, arms)[decided]
    )
    net, error = float(each.sum()), float(each.std(ddof=1) * math.sqrt(len(each)))
    values = _take(estimate_net(outcomes, y, arm, prices), decided)
    return Trial(
        _bound(net, error),
        bound_mean(values),
        np.bincount(decided, minlength=arms).tolist(),
    )


def weigh_control(arm: Places, arms: int) -> Array:
    """(k): for how many people one of control stands beside each arm. 1 where the two are as large as an even draw makes them,
    else by their sizes: of a tenth held out, nine tenths less one tenth would be a gain that nobody made."""
    counts = np.bincount(arm, minlength=arms)
    is_even = [check_sample_ratio([int(counts[0]), int(count)], [1, 1]).p_value >= 1 - CONFIDENCE for count in counts]
    return np.where(is_even, 1.0, counts / max(counts[0], 1))


def apply_policy(policy: Policy, models: UpliftModels, learned_on: Array, outcomes: Array, prices: Prices) -> Places:
    """The arm for people of another file, of whom the models say `outcomes` (n, k). The cut comes from the people that the models
    learned from: whom the rule picks must not depend on who else is asked about."""
    cut = None
    if policy.rule.kind == "top_share":
        cut = policy.rule.find_cut(blend_effects(models.predict_outcomes(learned_on), policy.relative))
    return policy.rule.decide(blend_effects(outcomes, policy.relative), prices, cut=cut)


def bound_mean(values: Array) -> Estimate:
    """A mean with its interval by the normal approximation."""
    return _bound(float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))))


def _bound(value: float, error: float) -> Estimate:
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    return Estimate(value, value - z * error, value + z * error)


def _take(net: Array, decided: Places) -> Array:
    return net[np.arange(len(net)), decided]


def _steady(values: Array, rules: Sequence[Rule]) -> Array:
    """The value of a share as the mean of it and those beside it: the best of twenty noisy points is most often a peak of
    the noise, and a share that is good has good ones beside it. Shares at the ends have fewer beside them."""
    steady = values.copy()
    runs: dict[int, list[int]] = {}
    for place, rule in enumerate(rules):
        if rule.kind == "top_share":
            runs.setdefault(rule.arm, []).append(place)
    for places in runs.values():
        for at, place in enumerate(places):
            reach = min(BESIDE, at, len(places) - 1 - at)
            steady[place] = values[places[at - reach : at + reach + 1]].mean()
    return steady
