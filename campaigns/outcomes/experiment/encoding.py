"""Columns of any kind as numbers that a model can learn from; what was learned of one file is applied to the next. No Django.

Numbers stay; a missing one becomes the median with a mark beside it. Yes and no become 1 and 0, days the days since 1970.
Text becomes one column per value (one-hot) for the commonest values, the others together being none of them. A column
that says one thing alone is left out, and so is a text that hardly two people share, such as a name or a number of a form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Array = npt.NDArray[np.float64]

#: One-hot columns of one text column, the commonest values first, each with so many people at least.
MOST_VALUES = 20
LEAST_PEOPLE = 20
#: Shares: from so many different texts on it is a name; text of which so much reads as a number is one.
_NAME_SHARE = 0.5
_NUMBER_SHARE = 0.98
#: Texts that a file keeps as numbers of a dictionary.
_CODED = (pl.Categorical, pl.Enum)
#: A larger number is a slip of whoever wrote it, and past what trees can hold and squares can be added up of: it is no number.
_MOST = 1e30
#: How programs write that there is no number.
_ABSENT = ("", "na", "n/a", "#n/a", "null", "nan")
_TRUE, _FALSE = ("true", "yes", "y", "t"), ("false", "no", "n", "f")


@dataclass(frozen=True)
class Column:
    """How one column is turned into numbers: `values` of a text, or the median of a number; `is_marked` with a column
    for what is missing."""

    name: str
    values: tuple[str, ...] = ()
    median: float = 0.0
    is_marked: bool = False
    is_text: bool = False

    @property
    def names(self) -> list[str]:
        if self.is_text:
            return [f"{self.name}={value}" for value in self.values]
        return [self.name, f"{self.name} missing"] if self.is_marked else [self.name]

    def encode(self, series: pl.Series) -> Array:
        """(n, columns)."""
        if self.is_text:
            text = series.cast(pl.String)
            return np.column_stack([(text == value).fill_null(False).to_numpy() for value in self.values]).astype(float)
        values = to_numbers(series).to_numpy().astype(np.float64)
        if np.isnan(values).all() and (unread := find_unread(series)).len():
            raise ValueError(f"“{self.name}” is a number in the first file, and “{unread[0]}” in this one.")
        absent = ~np.isfinite(values)
        known = np.where(absent, self.median, values)
        return np.column_stack([known, absent]) if self.is_marked else known[:, None]


@dataclass(frozen=True)
class Encoder:
    """`left_out` says of each column that is not used why: constant, name, rare (no value of it is common enough)."""

    columns: tuple[Column, ...]
    left_out: dict[str, str]

    @property
    def names(self) -> list[str]:
        return [name for column in self.columns for name in column.names]

    def encode(self, frame: pl.DataFrame) -> Array:
        """The frame as (n, len(names)) numbers without gaps."""
        parts = [column.encode(frame[column.name]) for column in self.columns]
        return np.hstack(parts) if parts else np.zeros((frame.height, 0))


def learn_encoder(frame: pl.DataFrame) -> Encoder:
    """How the columns of this frame are to be read."""
    columns, left_out = [], {}
    for name in frame.columns:
        found = _learn_column(frame[name])
        if isinstance(found, Column):
            columns.append(found)
        else:
            left_out[name] = found
    return Encoder(tuple(columns), left_out)


def to_numbers(series: pl.Series) -> pl.Series:
    """As 64-bit floats, null or NaN where it is none: truth values, days and moments, numbers and texts of numbers."""
    numbers = _to_floats(series)
    return numbers.set(numbers.abs() > _MOST, math.nan)


def find_numbers(series: pl.Series) -> pl.Series | None:
    """The column as `to_numbers` reads it; None for texts of which not nearly all that are there read as numbers."""
    numbers = to_numbers(series)
    if series.dtype != pl.String and not isinstance(series.dtype, _CODED):
        return numbers
    read = series.len() - numbers.null_count()
    there = read if read == series.len() else read + find_unread(series).len()
    return numbers if read > 0 and read >= _NUMBER_SHARE * there else None


def find_unread(series: pl.Series) -> pl.Series:
    """The texts of a column that are there and read as no number."""
    return series.filter(to_numbers(series).is_null() & _take_text(series).is_not_null())


def _to_floats(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, _CODED):
        series = series.cast(pl.String)
    if series.dtype == pl.Boolean:
        return series.cast(pl.Float64)
    if series.dtype.is_temporal():
        if series.dtype in (pl.Duration, pl.Time):
            return series.cast(pl.Int64).cast(pl.Float64)
        return series.cast(pl.Datetime("us")).dt.epoch("s").cast(pl.Float64) / 86_400
    if series.dtype != pl.String:
        return series.cast(pl.Float64, strict=False)
    text = _take_text(series)
    truth = pl.Series(np.where(text.is_in(_TRUE), 1.0, np.where(text.is_in(_FALSE), 0.0, np.nan))).fill_nan(None)
    if truth.null_count() == text.null_count():
        return truth.alias(series.name)
    return text.cast(pl.Float64, strict=False)


def _take_text(series: pl.Series) -> pl.Series:
    """In small letters, null where it says that there is nothing."""
    text = series.cast(pl.String).str.strip_chars().str.to_lowercase()
    return text.set(text.is_in(_ABSENT), None)


def _learn_column(series: pl.Series) -> Column | str:
    if (numbers := find_numbers(series)) is not None:
        values = numbers.to_numpy().astype(np.float64)
        known = values[np.isfinite(values)]
        if not len(known):
            return "constant"
        is_marked = len(known) < len(values)
        if known.min() == known.max() and not is_marked:
            return "constant"
        return Column(series.name, median=float(np.median(known)), is_marked=is_marked)
    counts = series.cast(pl.String).drop_nulls().alias("text").value_counts(sort=True)
    if counts.height > _NAME_SHARE * series.len():
        return "name"
    if counts.height < 2 and not series.null_count():
        return "constant"
    common = counts.filter(pl.col("count") >= LEAST_PEOPLE)
    texts = tuple(sorted(common["text"].head(MOST_VALUES).to_list()))
    if not texts:
        return "rare"
    return Column(series.name, values=texts, is_text=True)
