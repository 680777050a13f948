"""Means and covariances of some columns over people: how SQL counts them in one pass, and how parts add up. No Django here.

Of each pair of columns that is wanted SQL keeps one state, which has the means and squares of both columns too (`regr_avgx`,
`regr_sxx` and their like share it), so that no column is gone through by itself. PostgreSQL adds them up by Youngs and Cramer's
formulas (Technometrics 13, 1971), which lose no digits where a mean is large beside what varies around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
#: Two different columns, by their places, the smaller first.
Pair = tuple[int, int]


@dataclass(frozen=True)
class Spread:
    """Of n people: the mean of each of k columns, and their covariances (k, k; n - 1), 0 for pairs that nobody wanted."""

    n: int
    means: Array
    covariance: Array


def list_pairs(*groups: Sequence[int]) -> list[Pair]:
    """Every two columns of the same group, once; every column has to be in one of them."""
    return sorted({(min(one, two), max(one, two)) for group in groups for one in group for two in group if one != two})


def spread_sql(columns: Sequence[str], pairs: Sequence[Pair]) -> str:
    """Expressions to select, in the order in which `read_spread` takes them. Columns are float8 and never null."""
    sides = [_find_side(place, pairs) for place in range(len(columns))]
    means = [_call(f"avg{side}", columns, pair) for side, pair in sides]
    squares = [_call(f"s{side}{side}", columns, pair) for side, pair in sides]
    return ", ".join([*means, *squares, *(_call("sxy", columns, pair) for pair in pairs)])


def read_spread(n: int, numbers: Sequence[float], width: int, pairs: Sequence[Pair]) -> Spread:
    """What the expressions of `spread_sql` gave for `width` columns of n people, at least one."""
    known = np.array(numbers, dtype=np.float64)
    products = np.diag(known[width : 2 * width])
    for (one, two), product in zip(pairs, known[2 * width :], strict=True):
        products[one, two] = products[two, one] = product
    return Spread(n, known[:width], products / max(n - 1, 1))


def merge_spreads(parts: Sequence[Spread]) -> Spread:
    """Of parts that share nobody, at least one: what varies within them and between their means. Pairs that nobody wanted have
    what varies between the means alone."""
    n = sum(part.n for part in parts)
    means = np.array([part.means for part in parts])
    weights = np.array([part.n for part in parts], dtype=np.float64)
    mean = weights @ means / n
    products = (weights[:, None] * (means - mean)).T @ (means - mean)
    for part in parts:
        products += (part.n - 1) * part.covariance
    return Spread(n, mean, products / max(n - 1, 1))


def _find_side(place: int, pairs: Sequence[Pair]) -> tuple[str, Pair]:
    """A pair that a column is in, and on which side: the first of a pair is y to PostgreSQL, the second x."""
    pair = next(pair for pair in pairs if place in pair)
    return ("y" if pair[0] == place else "x"), pair


def _call(name: str, columns: Sequence[str], pair: Pair) -> str:
    return f"regr_{name}({columns[pair[0]]}, {columns[pair[1]]})"
