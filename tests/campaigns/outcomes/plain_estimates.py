"""What a campaign did, once more: from rows of people, by textbook formulas and regressions, with NumPy alone.

Nothing of `campaigns.outcomes` is used here. Where the product adds up moments this fits a regression to the rows; where it
sorts in SQL this sorts a list.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Interval = tuple[float, float, float]

Z = 1.959963984540054


def wilson(happened: float, n: int) -> tuple[float, float]:
    """The shares p whose score test does not refuse what was seen: the roots of (share - p)² n = z² p (1 - p)."""
    share = happened / n
    roots = np.roots([1 + Z**2 / n, -(2 * share + Z**2 / n), share**2])
    return float(roots.min()), float(roots.max())


def difference_of_shares(y1: Array, y0: Array) -> Interval:
    """Newcombe's tenth method."""
    p1, p0 = float(y1.mean()), float(y0.mean())
    (low1, high1), (low0, high0) = wilson(y1.sum(), len(y1)), wilson(y0.sum(), len(y0))
    gap = p1 - p0
    return gap, gap - math.hypot(p1 - low1, high0 - p0), gap + math.hypot(high1 - p1, p0 - low0)


def difference_of_means(y1: Array, y0: Array) -> Interval:
    """Welch's interval."""
    parts = (y1.var(ddof=1) / len(y1), y0.var(ddof=1) / len(y0))
    half = student(_welch(parts, (len(y1), len(y0)))) * math.sqrt(sum(parts))
    gap = float(y1.mean() - y0.mean())
    return gap, gap - half, gap + half


def regress(y1: Array, x1: Array, y0: Array, x0: Array) -> tuple[float, float, float]:
    """The difference with covariates taken out by a regression in each arm, its error, and its degrees of freedom.

    One regression for each arm on covariates centred at the mean of both: the intercepts are the means that the arms would have
    with the same people. Their errors come from (X'X)⁻¹; that the centre itself is of these people adds the spread of
    what the two regressions say differently of them.
    """
    centre = np.vstack([x1, x0]).mean(axis=0)
    fits = [_fit(y, x - centre) for y, x in ((y1, x1), (y0, x0))]
    n, p = len(y1) + len(y0), x1.shape[1]
    turned = fits[0][2] - fits[1][2]
    within = sum((len(x) / n) * np.cov(x, rowvar=False).reshape(p, p) for x in (x1, x0))
    error = math.sqrt(fits[0][1] + fits[1][1] + float(turned @ within @ turned) / n)
    degrees = _welch((fits[0][1], fits[1][1]), (len(y1), len(y0))) - p
    return fits[0][0] - fits[1][0], error, degrees


def cut_large(amounts: Array, share: float = 0.99, least: int = 200) -> tuple[Array, float | None]:
    """Amounts cut at a quantile of those that are not nought, between the two neighbours in the sorted list."""
    paid = sorted(abs(float(amount)) for amount in amounts if amount)
    if len(paid) < least:
        return amounts, None
    place = share * (len(paid) - 1)
    below = math.floor(place)
    above = min(below + 1, len(paid) - 1)
    cap = paid[below] + (place - below) * (paid[above] - paid[below])
    return np.array([math.copysign(min(abs(amount), cap), amount) for amount in amounts]), cap


def sequence_half(error: float, people: int, share: float, planned_error: float, planned_share: float) -> float:
    """Half the width, as Robbins' boundary of a sum: sqrt((V + h) log((V + h) / (h alpha²)))."""
    alpha = 0.05
    scale = people / (1 - share)
    variance, at_end = (error * scale) ** 2, (people * planned_error / (1 - planned_share)) ** 2
    aim = -2 * math.log(alpha)
    h = at_end / (aim + math.log(aim) + 1)
    return math.sqrt((variance + h) * math.log((variance + h) / (h * alpha**2))) / scale


def cost_per_kept(costs: Array, fixed: float, kept: Array, limits: Interval) -> Interval:
    """Of the treated: what each cost, what all cost besides, whether each ordered, and the number kept with its limits.

    The limits of the ratio are where a line through nought touches the ellipse of doubt of (kept, cost): found here by search
    along the ellipse, not by the formula of its tangents.
    """
    n = len(costs)
    total = float(costs.sum()) + fixed
    error = math.sqrt(n * costs.var(ddof=1))
    kept_error = (limits[2] - limits[1]) / (2 * Z)
    rho = n * float(np.cov(costs, kept)[0, 1]) / (error * kept_error)
    found = []
    for reach in (limits[2] - limits[0], limits[0] - limits[1]):
        angle = np.linspace(0, 2 * np.pi, 400_001)
        across = limits[0] + reach * np.cos(angle)
        up = total + Z * error * (rho * np.cos(angle) + math.sqrt(1 - rho**2) * np.sin(angle))
        found.append(up / across)
    return total / limits[0], float(found[0].min()), float(found[1].max())


def student(degrees: float) -> float:
    """The 97.5 % point of Student's t: where the area under its density, added up in small steps, is that much."""
    steps = np.linspace(0, 12, 120_001)
    log_constant = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - 0.5 * math.log(degrees * math.pi)
    density = np.exp(log_constant - (degrees + 1) / 2 * np.log1p(steps**2 / degrees))
    area = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(steps))])
    return float(np.interp(0.475, area, steps))


def _fit(y: Array, x: Array) -> tuple[float, float, Array]:
    """Intercept, its squared error, slopes."""
    design = np.column_stack([np.ones(len(y)), x])
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    residual = y - design @ solution
    variance = float(residual @ residual) / (len(y) - design.shape[1])
    return float(solution[0]), variance * float(np.linalg.inv(design.T @ design)[0, 0]), solution[1:]


def _welch(parts: tuple[float, float], sizes: tuple[int, int]) -> float:
    return sum(parts) ** 2 / sum(part**2 / (n - 1) for part, n in zip(parts, sizes, strict=True))
