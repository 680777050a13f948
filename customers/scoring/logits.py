"""Probabilities, log-odds and matrices: what all estimators count with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from .process_columns import TOLD_AS

Array = npt.NDArray[np.float64]

MAX_PROBABILITY = 0.999
_MOST_LOGIT = float(np.log(MAX_PROBABILITY / (1 - MAX_PROBABILITY)))


def to_logit(probability: Array) -> Array:
    """Log-odds of probabilities, kept finite."""
    p = np.clip(probability, 1 - MAX_PROBABILITY, MAX_PROBABILITY)
    return np.asarray(np.log(p / (1 - p)), dtype=np.float64)


def to_probability(logit: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))), dtype=np.float64)


def pair_columns(probability: Array) -> Array:
    """scikit-learn's two columns, P(stays) and P(leaves)."""
    p = np.clip(probability, 1 - MAX_PROBABILITY, MAX_PROBABILITY)
    return np.column_stack([1 - p, p])


def take_matrix(X: pl.DataFrame, columns: list[str]) -> Array:
    """The columns as floats, NaN where a value is null."""
    return np.asarray(X.select(pl.col(columns).cast(pl.Float64)).to_numpy(), dtype=np.float64)


def bound_parts(parts: dict[str, Array], base: float) -> dict[str, Array]:
    """Contributions that add up, with `base`, to the log-odds which are shown.

    Probabilities are kept from 0 and 1 (`pair_columns`); of somebody beyond those ends every part is drawn in alike.
    """
    whole = np.sum(list(parts.values()), axis=0)
    beyond = np.flatnonzero(np.abs(base + whole) > _MOST_LOGIT)
    if len(beyond):
        shown = np.clip(base + whole[beyond], -_MOST_LOGIT, _MOST_LOGIT) - base
        drawn_in = np.ones(len(whole))
        drawn_in[beyond] = shown / whole[beyond]
        return {name: part * drawn_in for name, part in parts.items()}
    return parts


def gather_parts(parts: Mapping[str, Array]) -> dict[str, Array]:
    """Contributions by feature of the catalogue: what a buy-till-you-die model says counts to what it is told as."""
    gathered: dict[str, Array] = {}
    for name, part in parts.items():
        told = TOLD_AS.get(name, name)
        gathered[told] = gathered[told] + part if told in gathered else part
    return gathered
