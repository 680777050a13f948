"""A penalised regression on covariates and the products of each two of them. No Django here.

Where little is known of each person and the outcome is rare, a tree spends its few leaves on chance; a regression whose
slopes are all held towards nought (ridge: Hoerl and Kennard, Technometrics 12, 1970) shares what there is among the products.
Numbers of few different values are taken as kinds, one column for each value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: A column with no more different values is one of kinds.
MOST_KINDS = 8
#: With more columns than this the products are left out: their number grows with the square.
MOST_COLUMNS = 150
#: A column that is other than 0 for fewer people says nothing that holds.
_LEAST_PEOPLE = 20
#: Numbers are cut so many standard deviations from their mean: one large customer must not decide a slope.
_FAR = 3.0
PENALTIES = (30.0, 100.0, 300.0, 1000.0)
_STEPS = 30
#: The curvature is worked out anew after so many steps; between them the last one does.
_CURVATURE_EVERY = 3


@dataclass(frozen=True)
class Basis:
    """How covariates (n, p) become columns: for each covariate its kinds, or centre and spread of a number; `kept` says which
    of all columns vary enough, `middle` and `width` make those standard."""

    kinds: tuple[tuple[float, ...], ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    has_pairs: bool
    kept: npt.NDArray[np.int64]
    middle: Array
    width: Array

    def expand(self, x: Array) -> Array:
        """(n, columns), each with mean 0 and standard deviation 1 on the people that it was learned from."""
        raw = _expand(x, self.kinds, self.centre, self.spread, has_pairs=self.has_pairs)
        return (raw[:, self.kept] - self.middle) / self.width

    def to_dict(self) -> dict[str, Any]:
        return {
            "kinds": [list(values) for values in self.kinds],
            "centre": list(self.centre),
            "spread": list(self.spread),
            "has_pairs": self.has_pairs,
            "kept": self.kept.tolist(),
            "middle": self.middle.tolist(),
            "width": self.width.tolist(),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Basis:
        kinds = tuple(tuple(float(value) for value in values) for values in stored["kinds"])
        kept = np.array(stored["kept"], dtype=np.int64)
        middle, width = (np.array(stored[name], dtype=np.float64) for name in ("middle", "width"))
        return cls(kinds, tuple(stored["centre"]), tuple(stored["spread"]), stored["has_pairs"], kept, middle, width)


def learn_basis(x: Array) -> Basis:
    """From these people; what is not a number counts as the mean."""
    kinds, centre, spread = [], [], []
    for column in x.T:
        known = column[np.isfinite(column)]
        values = np.unique(known[:50_000])
        is_kinds = 2 <= len(values) <= MOST_KINDS and bool(np.isin(known, values).all())
        # Of two kinds one column says it all.
        kinds.append(tuple(values[1:] if len(values) == 2 else values) if is_kinds else ())
        centre.append(float(known.mean()) if len(known) else 0.0)
        spread.append(float(known.std()) or 1.0 if len(known) else 1.0)
    singles = sum(len(each) or 1 for each in kinds)
    has_pairs = singles * (singles + 1) // 2 <= MOST_COLUMNS
    raw = _expand(x, tuple(kinds), tuple(centre), tuple(spread), has_pairs=has_pairs)
    width = raw.std(axis=0)
    kept = np.flatnonzero((width > 1e-9) & ((raw != 0).sum(axis=0) >= min(_LEAST_PEOPLE, len(x) // 2)))
    middle = raw.mean(axis=0)
    return Basis(tuple(kinds), tuple(centre), tuple(spread), has_pairs, kept, middle[kept], width[kept])


def fit_slopes(
    z: Array, y: Array, weight: Array, *, penalty: float, is_logistic: bool, start: Array | None = None
) -> Array:
    """Intercept and slopes on standard columns z (n, c); the intercept is not held. `y` of a sum has variance 1.

    Newton's steps with half a step where one leads uphill, so that it ends at the one minimum there is.
    """
    n, c = z.shape
    held = np.full(c + 1, penalty)
    held[0] = 0.0
    whole = np.column_stack([np.ones(n), z])
    if not is_logistic:
        gram = (whole * weight[:, None]).T @ whole + np.diag(held)
        return np.linalg.solve(gram, whole.T @ (weight * y))
    mean = float(np.average(y, weights=weight))
    slopes = np.r_[np.log(mean / (1 - mean)), np.zeros(c)] if start is None else start.copy()
    curvature: Array | None = None
    loss = _find_loss(whole @ slopes, y, weight, slopes, held)
    for step in range(_STEPS):
        said = 1 / (1 + np.exp(-(whole @ slopes)))
        slope = whole.T @ (weight * (said - y)) + held * slopes
        if curvature is None or step % _CURVATURE_EVERY == 0:
            curvature = (whole * (weight * said * (1 - said))[:, None]).T @ whole + np.diag(held + 1e-9)
        move = np.linalg.solve(curvature, slope)
        for _halving in range(8):
            tried = slopes - move
            found = _find_loss(whole @ tried, y, weight, tried, held)
            if found <= loss:
                break
            move /= 2
        gained, slopes, loss = loss - found, tried, min(found, loss)
        if gained < 1e-7 * max(abs(loss), 1.0):
            break
    return slopes


def find_penalty(x: Array, y: Array, weight: Array, *, is_logistic: bool, folds: int, seed: int) -> tuple[float, float]:
    """The penalty with the least cross-validated loss, and that loss: of a logarithm, or the root of the mean square."""
    place = np.random.default_rng(seed).permutation(len(y)) % folds
    losses = np.zeros((folds, len(PENALTIES)))
    for fold in range(folds):
        out = place == fold
        basis = learn_basis(x[~out])
        inner, outer = basis.expand(x[~out]), basis.expand(x[out])
        start: Array | None = None
        for at, penalty in reversed(list(enumerate(PENALTIES))):
            start = fit_slopes(inner, y[~out], weight[~out], penalty=penalty, is_logistic=is_logistic, start=start)
            said = start[0] + outer @ start[1:]
            lost = np.logaddexp(0, said) - y[out] * said if is_logistic else (y[out] - said) ** 2
            losses[fold, at] = np.average(lost, weights=weight[out])
    means = losses.mean(axis=0) if is_logistic else np.sqrt(losses).mean(axis=0)
    best = int(np.argmin(means))
    return PENALTIES[best], float(means[best])


def _find_loss(said: Array, y: Array, weight: Array, slopes: Array, held: Array) -> float:
    return float(weight @ (np.logaddexp(0, said) - y * said) + 0.5 * (held @ slopes**2))


def _expand(
    x: Array,
    kinds: tuple[tuple[float, ...], ...],
    centre: tuple[float, ...],
    spread: tuple[float, ...],
    *,
    has_pairs: bool,
) -> Array:
    columns: list[Array] = []
    owners: list[int] = []
    squares: list[Array] = []
    for place, values in enumerate(kinds):
        column = x[:, place]
        if values:
            columns += [(column == value).astype(np.float64) for value in values]
        else:
            standard = np.clip(np.nan_to_num((column - centre[place]) / spread[place]), -_FAR, _FAR)
            columns.append(standard)
            squares.append(standard**2)
        owners += [place] * (len(values) or 1)
    products = [
        columns[one] * columns[other]
        for one in range(len(columns))
        for other in range(one + 1, len(columns))
        if has_pairs and owners[one] != owners[other]
    ]
    return np.column_stack([*columns, *squares, *products]) if columns else np.zeros((len(x), 0))
