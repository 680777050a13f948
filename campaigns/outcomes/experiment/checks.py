"""Whether a table can be an experiment at all: sample ratio and balance of what was known before. No Django here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from campaigns.outcomes.correction import RATIO_ALARM

Array = npt.NDArray[np.float64]

#: A standardised difference above it is worth a look (Austin, Statistics in Medicine 28, 2009).
LARGE_DIFFERENCE = 0.1
#: A spread within the arms of less than this part of the gap between them is none: the covariate says the arm itself.
_SAME = 1e-9
#: How far from equal, as a share of all, arms may be to be taken for equal ones when nobody says what was meant.
_NEARLY_EQUAL = 0.02


@dataclass(frozen=True)
class SampleRatio:
    """Whether the arms are as large as they were meant to be: Pearson's chi-square. `expected` are shares (0 to 1) of all;
    `is_assumed` where nobody said what was meant."""

    counts: tuple[int, ...]
    expected: tuple[float, ...]
    p_value: float
    is_assumed: bool

    @property
    def is_alarming(self) -> bool:
        return self.p_value < RATIO_ALARM


@dataclass(frozen=True)
class Balance:
    """One arm against control before the treatment. `differences` are in standard deviations, by covariate; `p_value` is of
    all of them at once (Hotelling), small where the draw was not random."""

    arm: str
    differences: dict[str, float]
    p_value: float

    @property
    def largest(self) -> tuple[str, float]:
        return max(self.differences.items(), key=lambda item: abs(item[1]), default=("", 0.0))

    @property
    def is_alarming(self) -> bool:
        return self.p_value < RATIO_ALARM


def check_sample_ratio(counts: Sequence[int], shares: Sequence[float] | None = None) -> SampleRatio:
    """`shares` are what was meant, in any unit. Without them: equal arms where they are nearly equal, else the nearest whole
    per cent, since people mean such numbers. Raises ValueError for shares that are none."""
    whole = sum(counts)
    if shares is None:
        found = [count / whole for count in counts]
        is_equal = all(abs(share - 1 / len(counts)) <= _NEARLY_EQUAL for share in found)
        meant = [1.0] * len(counts) if is_equal else [max(round(share, 2), 0.005) for share in found]
    else:
        meant = list(shares)
    if len(meant) != len(counts) or min(meant) <= 0:
        raise ValueError("one share above 0 for each arm")
    expected = tuple(share / sum(meant) for share in meant)
    distance = sum((n - whole * share) ** 2 / (whole * share) for n, share in zip(counts, expected, strict=True))
    return SampleRatio(tuple(counts), expected, _chi_square_tail(distance, len(counts) - 1), shares is None)


def check_balance(arms: Sequence[str], arm: npt.NDArray[np.int64], x: Array, names: Sequence[str]) -> list[Balance]:
    """Every arm against the first; [] without covariates, or with an arm of fewer than two people."""
    if not x.shape[1] or np.bincount(arm, minlength=len(arms)).min() < 2:
        return []
    control = x[arm == 0]
    return [_compare(name, x[arm == place], control, names) for place, name in enumerate(arms) if place]


def _compare(name: str, treated: Array, control: Array, names: Sequence[str]) -> Balance:
    gap = treated.mean(axis=0) - control.mean(axis=0)
    spread = np.sqrt((treated.var(axis=0, ddof=1) + control.var(axis=0, ddof=1)) / 2)
    is_parted = spread <= _SAME * np.abs(gap)
    is_parted &= gap != 0
    spread = np.where(is_parted, np.vstack([treated, control]).std(axis=0, ddof=1), spread)
    standard = np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0)
    differences = dict(zip(names, standard.tolist(), strict=True))
    return Balance(name, differences, 0.0 if is_parted.any() else _hotelling_p_value(treated, control, gap))


def _hotelling_p_value(treated: Array, control: Array, gap: Array) -> float:
    """By Hotelling's T² for arms whose covariances may differ, with the degrees of freedom of Nel and van der Merwe
    (Communications in Statistics 15, 1986): with one covariate it is Welch's comparison of means. 1 where there are too few
    people for so many covariates."""
    n, m = len(treated), len(control)
    parts = [np.atleast_2d(np.cov(arm, rowvar=False)) / len(arm) for arm in (treated, control)]
    scale = np.sqrt(np.diag(parts[0] + parts[1]))
    used = scale > 0
    if not used.any():
        return 1.0
    parts = [part[np.ix_(used, used)] / np.outer(scale[used], scale[used]) for part in parts]
    whole, standard = parts[0] + parts[1], gap[used] / scale[used]
    distance = float(standard @ np.linalg.pinv(whole, rcond=1e-9, hermitian=True) @ standard)
    size = int(np.linalg.matrix_rank(whole, tol=1e-9, hermitian=True))
    degrees = _add_traces(whole) / sum(_add_traces(p) / (k - 1) for p, k in zip(parts, (n, m), strict=True))
    left = degrees - size + 1
    return _f_tail(distance * left / (degrees * size), size, left) if left > 0 else 1.0


def _add_traces(matrix: Array) -> float:
    return float(np.sum(matrix * matrix.T) + np.trace(matrix) ** 2)


def _f_tail(value: float, above: float, below: float) -> float:
    from scipy.stats import f

    return float(f.sf(value, above, below))


def _chi_square_tail(value: float, degrees: int) -> float:
    from scipy.stats import chi2

    return float(chi2.sf(value, degrees))
