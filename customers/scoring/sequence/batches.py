"""Tokens as padded arrays: what the encoder sees, and in which portions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from .tokens import NUMBERS, TOKENS

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]

_ROWS_SORTED_TOGETHER = 16


@dataclass(frozen=True)
class Sequences:
    """The tokens of all rows one after the other; row i has those from starts[i] to starts[i + 1].

    `kinds` has shape (tokens,), `numbers` (tokens, 5): the columns of NUMBERS, NaN for a gap that is not known.
    """

    kinds: Whole
    numbers: Floats
    starts: Whole

    @property
    def lengths(self) -> Whole:
        return np.diff(self.starts)

    @property
    def row_of_token(self) -> Whole:
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def pad(self, rows: Whole) -> tuple[Whole, Floats, npt.NDArray[np.bool_]]:
        """Kinds (rows, longest), numbers (rows, longest, 5) and where a token is; one place at least."""
        lengths = self.lengths[rows]
        places = np.arange(max(1, int(lengths.max(initial=0))))
        present = places[None, :] < lengths[:, None]
        source = np.where(present, self.starts[rows][:, None] + places[None, :], 0)
        if not len(self.kinds):
            return np.zeros(source.shape, np.int64), np.zeros((*source.shape, len(NUMBERS)), np.float32), present
        return np.where(present, self.kinds[source], 0), self.numbers[source] * present[:, :, None], present


@dataclass(frozen=True)
class Scale:
    """Mean and spread of the numbers in training; what is not known lies at the mean."""

    mean: Floats
    spread: Floats

    @classmethod
    def measure(cls, sequences: Sequences) -> Scale:
        numbers = sequences.numbers.astype(np.float64)
        known = np.isfinite(numbers)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, numbers, 0.0).sum(axis=0) / count
        spread = np.sqrt(np.where(known, (numbers - mean) ** 2, 0.0).sum(axis=0) / count)
        return cls(mean.astype(np.float32), np.where(spread > 1e-6, spread, 1.0).astype(np.float32))

    def apply(self, sequences: Sequences) -> Sequences:
        numbers = np.clip((sequences.numbers - self.mean) / self.spread, -5, 5)
        return Sequences(sequences.kinds, np.nan_to_num(numbers).astype(np.float32), sequences.starts)


def read_sequences(X: pl.DataFrame) -> Sequences:
    """The tokens of a frame's rows, in their order; a row without any has an empty sequence. Each number is its
    logarithm, with its sign."""
    lengths = X[TOKENS].list.len().fill_null(0).to_numpy().astype(np.int64)
    told = list_tokens(X)
    values = told.select(pl.col(NUMBERS)).to_numpy().astype(np.float64)
    numbers = np.sign(values) * np.log1p(np.abs(values))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return Sequences(told["kind"].to_numpy().astype(np.int64), numbers.astype(np.float32), starts)


def list_tokens(X: pl.DataFrame) -> pl.DataFrame:
    """The tokens of all rows one after the other, as columns."""
    return X.select(pl.col(TOKENS).filter(pl.col(TOKENS).list.len() > 0).explode()).unnest(TOKENS)


def split_batches(lengths: Whole, rows: Whole, *, size: int) -> list[Whole]:
    """`rows` by length, in batches of `size`: the least padding."""
    order = rows[np.argsort(lengths[rows], kind="stable")]
    return [order[i : i + size] for i in range(0, len(order), size)]


def draw_batches(sequences: Sequences, rows: Whole, *, size: int, rng: np.random.Generator) -> Iterator[Whole]:
    """`rows` once each, in batches of `size` at random, but of similar length: padding costs as much as tokens."""
    shuffled, lengths = rng.permutation(rows), sequences.lengths
    together = size * _ROWS_SORTED_TOGETHER
    batches = [
        batch
        for i in range(0, len(shuffled), together)
        for batch in split_batches(lengths, shuffled[i : i + together], size=size)
    ]
    for place in rng.permutation(len(batches)):
        yield batches[place]
