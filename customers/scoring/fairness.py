"""What a model does to groups of people: who is selected, who is overlooked, who is told wrong. Arithmetic only.

Rates are the standard ones (Hardt, Price and Srebro 2016; Barocas, Hardt and Narayanan, Fairness and Machine Learning):
the selection rate is the share at or above the threshold, the false negative rate the share of those who left that is
below it, the false positive rate the share of those who stayed that is at or above it. Each group is held against
everybody else. All of these depend on customers only by the counts of (group, left, selected), so a bootstrap over
customers is a multinomial draw of those counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from .evaluation import bin_calibration, roc_auc
from .proportion import wilson_interval

Array = npt.NDArray[np.float64]

#: Groups of fewer customers are not told of, nor rates of fewer: they would be noise, and could point at persons.
FEWEST_IN_GROUP = 30
MOST_BINS = 5
#: The four-fifths rule of thumb for selection, and points of difference for the other rates.
LOWEST_RATIO = 0.8
LARGEST_DIFFERENCE = 0.05
#: A feature whose value alone tells a group from the others at least so well, beyond doubt, is a proxy of it.
PROXY_AUC = 0.65
REPLICATES = 2_000
MEASURES = ("selection", "false_negative", "false_positive", "calibration")


@dataclass(frozen=True)
class Rate:
    """A share of `of` customers with Wilson's 95 % interval; all None where there are fewer than 30."""

    value: float | None
    low: float | None
    high: float | None
    of: int


@dataclass(frozen=True)
class Gap:
    """A group against everybody else, with its 95 % interval. `is_beyond`: past the limit even with an interval made
    wider for the number of groups looked at (Bonferroni)."""

    value: float | None
    low: float | None
    high: float | None
    is_beyond: bool


@dataclass(frozen=True)
class Proxy:
    """A feature that tells the group from the others by itself: AUC (of 0.5 to 1) and the lower end of its interval."""

    feature: str
    auc: float
    low: float


@dataclass(frozen=True)
class Group:
    """One group. `predicted` and `observed` are mean shares of leavers, with Wilson's interval of the latter; gaps by the
    keys of MEASURES: a ratio for selection, differences of shares for the others (calibration: predicted less observed, of
    the group itself). `bins` is its calibration in up to five parts of 30 customers or more."""

    name: str
    customers: int
    selection: Rate
    false_negative: Rate
    false_positive: Rate
    predicted: float
    observed: float
    observed_low: float
    observed_high: float
    gaps: dict[str, Gap]
    bins: list[dict[str, float]] = field(default_factory=list)
    proxies: list[Proxy] = field(default_factory=list)

    @property
    def beyond(self) -> list[str]:
        return [name for name, gap in self.gaps.items() if gap.is_beyond]


@dataclass(frozen=True)
class GroupReport:
    """All groups of one attribute that are large enough, and how many groups and customers were left out."""

    customers: int
    threshold: float
    groups: list[Group]
    left_out_groups: int
    left_out_customers: int

    @property
    def warnings(self) -> int:
        return sum(len(group.beyond) for group in self.groups)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"limits": {"ratio": LOWEST_RATIO, "difference": LARGEST_DIFFERENCE, "proxy": PROXY_AUC}}


def measure_groups(
    names: list[str],
    left: Array,
    p: Array,
    *,
    threshold: float,
    features: Mapping[str, Array] | None = None,
    seed: int = 0,
) -> GroupReport:
    """Rates by group of customers; `names`, `left` (0 or 1) and `p` have one entry per customer.

    `features` (NaN for unknown) are searched for proxies. An empty name means unknown and is a group like any other.
    With a single group there is nothing to compare, and no gap is beyond a limit.
    """
    groups = np.asarray(names, dtype=np.str_)
    selected = p >= threshold
    kept, counts = np.unique(groups, return_counts=True)
    large = [str(name) for name, n in zip(kept, counts, strict=True) if n >= FEWEST_IN_GROUP]
    told = [
        _describe_group(name, groups == name, left, p, selected, looked_at=len(large), seed=seed)
        for name in sorted(large, key=lambda name: -int((groups == name).sum()))
    ]
    if features and len(kept) > 1:
        told = [replace(group, proxies=find_proxies(groups == group.name, features)) for group in told]
    inside = sum(group.customers for group in told)
    return GroupReport(len(p), threshold, told, len(kept) - len(large), len(p) - inside)


def find_proxies(member: npt.NDArray[np.bool_], features: Mapping[str, Array]) -> list[Proxy]:
    """Features which by themselves tell members from others, the strongest first.

    Unknown values count as the smallest. The interval is that of Hanley and McNeil (1982), 95 %, divided among the
    features looked at.
    """
    inside, outside = int(member.sum()), int((~member).sum())
    if min(inside, outside) < FEWEST_IN_GROUP:
        return []
    z = _normal_quantile(1 - 0.05 / 2 / max(len(features), 1))
    found = []
    for name, values in features.items():
        filled = np.where(np.isfinite(values), values, np.nanmin(values, initial=0.0) - 1.0)
        one_way = roc_auc(member.astype(np.float64), filled)
        auc = max(one_way, 1 - one_way)
        low = auc - z * _auc_error(auc, inside, outside)
        if low >= PROXY_AUC:
            found.append(Proxy(name, round(auc, 4), round(low, 4)))
    return sorted(found, key=lambda proxy: -proxy.auc)


def group_names(values: pl.Series) -> list[str]:
    """Values of an attribute as names of groups: text as it is, unknown as ""."""
    return [str(value) for value in values.cast(pl.String).fill_null("").str.strip_chars().to_list()]


def _describe_group(
    name: str, member: npt.NDArray[np.bool_], left: Array, p: Array, selected: npt.NDArray[np.bool_], *,
    looked_at: int, seed: int,
) -> Group:  # fmt: skip
    gone = left > 0.5
    observed = _rate(gone[member])
    return Group(
        name=name,
        customers=int(member.sum()),
        selection=_rate(selected[member]),
        false_negative=_rate(~selected[member & gone]),
        false_positive=_rate(selected[member & ~gone]),
        predicted=round(float(p[member].mean()), 4),
        observed=observed.value or 0.0,
        observed_low=observed.low or 0.0,
        observed_high=observed.high or 0.0,
        gaps=_compare(member, gone, selected, looked_at=looked_at, seed=seed)
        | {"calibration": _miscalibration(p[member] - left[member], looked_at)},
        bins=bin_calibration(left[member], p[member], bins=min(MOST_BINS, int(member.sum()) // FEWEST_IN_GROUP)),
    )


def _rate(chosen: npt.NDArray[np.bool_]) -> Rate:
    if len(chosen) < FEWEST_IN_GROUP:
        return Rate(None, None, None, len(chosen))
    low, high = wilson_interval(float(chosen.sum()), len(chosen))
    return Rate(round(float(chosen.mean()), 4), round(low, 4), round(high, 4), len(chosen))


def _compare(
    member: npt.NDArray[np.bool_], gone: npt.NDArray[np.bool_], selected: npt.NDArray[np.bool_], *,
    looked_at: int, seed: int,
) -> dict[str, Gap]:  # fmt: skip
    """The ratio of selection rates and the differences of error rates, members against everybody else. None where a rate on
    either side is of fewer than 30: beside the one, the comparison would tell the other."""
    cells = np.bincount(4 * member + 2 * gone + selected, minlength=8).astype(np.float64)
    if not member.any() or member.all():
        return {name: Gap(None, None, None, False) for name in MEASURES[:3]}
    drawn = np.random.default_rng(seed).multinomial(len(member), cells / cells.sum(), size=REPLICATES)
    point, samples = _gaps_of(cells[None, :]), _gaps_of(drawn.astype(np.float64))
    limit = LARGEST_DIFFERENCE
    gaps = {
        "selection": _judge(point[0], samples[0], looked_at, lower=LOWEST_RATIO, upper=1 / LOWEST_RATIO),
        "false_negative": _judge(point[1], samples[1], looked_at, lower=-limit, upper=limit),
        "false_positive": _judge(point[2], samples[2], looked_at, lower=-limit, upper=limit),
    }
    everybody = np.ones(len(member), dtype=np.bool_)
    for name, whom in (("selection", everybody), ("false_negative", gone), ("false_positive", ~gone)):
        if min((member & whom).sum(), (~member & whom).sum()) < FEWEST_IN_GROUP:
            gaps[name] = Gap(None, None, None, False)
    return gaps


def _gaps_of(cells: Array) -> tuple[Array, Array, Array]:
    """Counts (rows, 8) of member x left x selected to a ratio and two differences, NaN where a rate does not exist."""
    others_stayed, others_left = cells[:, 0:2], cells[:, 2:4]
    stayed, gone = cells[:, 4:6], cells[:, 6:8]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = _share(stayed + gone, 1) / _share(others_stayed + others_left, 1)
        missed = _share(gone, 0) - _share(others_left, 0)
        bothered = _share(stayed, 1) - _share(others_stayed, 1)
    return ratio, missed, bothered


def _share(pair: Array, column: int) -> Array:
    return np.asarray(pair[:, column] / pair.sum(axis=1), dtype=np.float64)


def _judge(point: Array, samples: Array, looked_at: int, *, lower: float, upper: float) -> Gap:
    known = samples[np.isfinite(samples)]
    if not np.isfinite(point[0]) or len(known) < REPLICATES / 2:
        return Gap(None, None, None, False)
    tail = 0.025 / max(looked_at, 1)
    low, high, wide_low, wide_high = np.quantile(known, [0.025, 0.975, tail, 1 - tail])
    is_beyond = bool(wide_high < lower or wide_low > upper)
    return Gap(round(float(point[0]), 4), round(float(low), 4), round(float(high), 4), is_beyond)


def _miscalibration(error: Array, looked_at: int) -> Gap:
    """Mean of predicted less observed, with its normal interval."""
    mean, doubt = float(error.mean()), float(error.std(ddof=1) / np.sqrt(len(error)))
    wide = _normal_quantile(1 - 0.025 / max(looked_at, 1)) * doubt
    is_beyond = mean - wide > LARGEST_DIFFERENCE or mean + wide < -LARGEST_DIFFERENCE
    return Gap(round(mean, 4), round(mean - 1.96 * doubt, 4), round(mean + 1.96 * doubt, 4), is_beyond)


def _auc_error(auc: float, inside: int, outside: int) -> float:
    first, second = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = auc * (1 - auc) + (inside - 1) * (first - auc * auc) + (outside - 1) * (second - auc * auc)
    return float(np.sqrt(max(spread, 0.0) / (inside * outside)))


def _normal_quantile(share: float) -> float:
    return NormalDist().inv_cdf(share)
