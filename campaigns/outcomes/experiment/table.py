"""An experiment out of a file: who was in which arm, what came of it, and what was known before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from django.utils.translation import gettext as _

from customers.ingest.reading import open_table, read_batches
from customers.ingest.schema import FileProblem

from .curves import is_yes_or_no
from .encoding import Array, Encoder, find_numbers, find_unread, learn_encoder

#: Of one file: an arm column with more values than this is most likely the wrong column.
MOST_ARMS = 20


@dataclass(frozen=True)
class Experiment:
    """n people: `arm` is their place in `arms` (0 is control), `y` the outcome, `x` (n, p) what was known before.

    `left_out` counts rows without an arm, without an outcome that is a (finite) number, or broken in the file.
    """

    arms: tuple[str, ...]
    arm: npt.NDArray[np.int64]
    y: Array
    x: Array
    encoder: Encoder
    rows_read: int
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(self.y)

    @cached_property
    def is_binary(self) -> bool:
        """Whether the outcome is yes or no."""
        return is_yes_or_no(self.y)

    @property
    def counts(self) -> list[int]:
        return [int(count) for count in np.bincount(self.arm, minlength=len(self.arms))]


def read_experiment(
    path: Path,
    *,
    arm: str,
    control: str,
    outcome: str,
    covariates: Sequence[str] = (),
    customer: str = "",
    like: Experiment | None = None,
    encoding: str = "",
) -> Experiment:
    """Read a CSV or Parquet file. `like` is the experiment whose arms and reading of columns are to be used again; `customer` the
    column that says whose a row is, to refuse files in which somebody has several.

    Raises FileProblem in words: a column that is not there, no such control, one arm alone, an outcome that is no number.
    """
    whose = [customer] if customer else []
    frame, rows_read, left_out = _read_columns(path, [arm, outcome, *whose, *covariates], encoding)
    if customer:
        _refuse_repeated(frame[customer], customer)
    names = frame[arm].cast(pl.String).str.strip_chars()
    values = _read_outcome(frame[outcome], outcome)
    is_there = {"no_arm": names.is_null() | (names == ""), "no_outcome": values.is_null() | ~values.is_finite()}
    for reason, absent in is_there.items():
        if count := int(absent.fill_null(True).sum()):
            left_out[reason] = count
    kept = ~(is_there["no_arm"].fill_null(True) | is_there["no_outcome"].fill_null(True))
    frame, names, values = frame.filter(kept), names.filter(kept), values.filter(kept)
    arms = like.arms if like else _find_arms(names, arm, control, left_out)
    places = names.replace_strict({name: place for place, name in enumerate(arms)}, default=-1, return_dtype=pl.Int64)
    if int((places < 0).sum()):
        raise FileProblem(_("The file has arms that the first one does not have: %(arms)s.") % {
            "arms": ", ".join(sorted(set(names.filter(places < 0).to_list())))
        })  # fmt: skip
    for place, name in enumerate(arms):
        if (people := int((places == place).sum())) < 2:
            told = _(
                "The arm “%(arm)s” has too few people (%(people)d): a difference needs at least two people in each."
            )
            raise FileProblem(told % {"arm": name, "people": people})
    encoder = like.encoder if like else learn_encoder(frame.select(covariates))
    return Experiment(arms, places.to_numpy(), values.to_numpy(), encoder.encode(frame), encoder, rows_read, left_out)


def _read_columns(path: Path, wanted: Sequence[str], encoding: str) -> tuple[pl.DataFrame, int, dict[str, int]]:
    table = open_table(path, encoding=encoding)
    absent = [name for name in wanted if name not in table.header]
    if absent:
        raise FileProblem(
            _("The file has no column %(absent)s. It has: %(header)s.")
            % {"absent": ", ".join(absent), "header": ", ".join(table.header)}
        )
    if twice := [name for name in wanted if table.header.count(name) > 1]:
        raise FileProblem(
            _("The file has %(count)d columns “%(name)s”; rename one.")
            % {"count": table.header.count(twice[0]), "name": twice[0]}
        )
    if len(set(wanted)) < len(wanted):
        raise FileProblem(_("One column is named twice: arm, outcome and covariates have to be different columns."))
    places = {name: table.header.index(name) for name in wanted}
    frames, broken = [], 0
    for batch in read_batches(table, only=sorted(places.values())):
        frames.append(batch.frame.select(pl.col(f"c{place}").alias(name) for name, place in places.items()))
        broken += len(batch.broken)
    if not frames or not sum(frame.height for frame in frames):
        raise FileProblem(_("The file has no rows."))
    frame = pl.concat(frames, how="vertical_relaxed")
    return frame, frame.height + broken, {"broken_line": broken} if broken else {}


def _read_outcome(series: pl.Series, name: str) -> pl.Series:
    """Raises FileProblem for amounts that are written so that they cannot be read, be they ever so few: most often they are the
    large ones (1,234.50), without which every figure would be too small."""
    numbers, unread = find_numbers(series), pl.Series([], dtype=pl.String)
    if numbers is None or numbers.is_null().any():
        unread = find_unread(series)
    if numbers is None:
        told = _("The outcome “%(name)s” is no number: %(value)s.")
        raise FileProblem(told % {"name": name, "value": _first(unread)})
    if (amounts := unread.filter(unread.str.contains(r"\d"))).len():
        told = _("Some amounts of the outcome “%(name)s” cannot be read, such as “%(value)s”. Write them as 1234.50.")
        raise FileProblem(told % {"name": name, "value": _first(amounts)})
    return numbers


def _first(series: pl.Series) -> str:
    return str(series[0])[:80] if series.len() else _("there is none")


def _refuse_repeated(whose: pl.Series, column: str) -> None:
    """Somebody who counts twice makes every interval too narrow, and may be in two arms."""
    counts = whose.drop_nulls().alias("who").value_counts().filter(pl.col("count") > 1)
    if counts.height:
        raise FileProblem(
            _("%(count)d customers have several rows, among them %(some)s: every person needs one row, in one arm.")
            % {"count": counts.height, "some": ", ".join(counts["who"].cast(pl.String).sort().head(3).to_list())}
        )


def _find_arms(names: pl.Series, column: str, control: str, left_out: dict[str, int]) -> tuple[str, ...]:
    """Control first, then the others in their order."""
    found = sorted(names.unique().to_list())
    if control not in found:
        raise FileProblem(
            _("No row has “%(control)s” in the column “%(column)s”. It has: %(found)s.")
            % {"control": control, "column": column, "found": ", ".join(found[:MOST_ARMS])}
        )
    if len(found) < 2:
        told = _("All rows are in one arm, “%(arm)s”: there is nothing to compare it with.") % {"arm": control}
        if left_out:
            told += " " + _("%(count)d rows were left out.") % {"count": sum(left_out.values())}
        raise FileProblem(told)
    if len(found) > MOST_ARMS:
        raise FileProblem(
            _("The column “%(column)s” has %(count)d different values; an experiment has at most %(most)d arms.")
            % {"column": column, "count": len(found), "most": MOST_ARMS}
        )
    return (control, *(name for name in found if name != control))
