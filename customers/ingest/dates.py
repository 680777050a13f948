"""Reads moments as shops write them, and says them in UTC.

A time without a zone is local to the shop. In the hour that a clock skips, the offset before the change counts (02:30
becomes 03:30 summer time); in the hour that comes twice, the first one counts: fold=0 of PEP 495.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

UTC = pl.Datetime("us", "UTC")
LOCAL = pl.Datetime("us")
LOCAL_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
)
#: Day, month and year in any order and with any sign between them, and perhaps a time.
PARTS = (
    r"^(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})"
    r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?[ ]?([AaPp][Mm])?)?$"
)
#: Longer than any gap or fold of a clock so far.
BEYOND_GAP = "3h"


def to_utc(values: pl.Series, *, time_zone: str, date_order: str = "") -> pl.Series:
    """The moments that `values` mean, as UTC with microseconds; null where they cannot be read.

    Texts, dates, times with and without a zone, and seconds or milliseconds since 1970 are understood.
    `date_order` is "day_first" or "month_first" for dates such as 03/04/2011; empty means month first, and day first
    where dots stand between.
    """
    if isinstance(values.dtype, pl.Datetime):
        return values.cast(UTC) if values.dtype.time_zone else _localize(values.cast(LOCAL), time_zone)
    if values.dtype == pl.Date:
        return _localize(values.cast(LOCAL), time_zone)
    if values.dtype.is_float():
        values = values.cast(pl.Int64, strict=False)  # seconds with a fraction: to the second
    if values.dtype.is_integer():
        values = values.cast(pl.String)
    if values.dtype != pl.String:
        return pl.Series(values.name, [None] * len(values), dtype=UTC)
    return _read_texts(values.str.strip_chars(), time_zone, date_order)


def find_date_order(values: pl.Series) -> tuple[str, bool]:
    """What `values` say of the order of day and month ("" for nothing), and whether the question arises at all."""
    if values.dtype != pl.String:
        return "", False
    parts = values.str.strip_chars().str.extract_groups(PARTS).struct.unnest()
    first, second = (parts[name].cast(pl.Int32, strict=False) for name in ("1", "2"))
    open_question = first < 100
    day_first, month_first = (open_question & (first > 12)).sum(), (open_question & (second > 12)).sum()
    if day_first == month_first:
        return "", bool(open_question.any())
    return ("day_first" if day_first > month_first else "month_first"), True


def _localize(values: pl.Series, time_zone: str) -> pl.Series:
    frame = pl.DataFrame({"local": values})

    def placed(moment: pl.Expr) -> pl.Expr:
        zoned = moment.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
        return zoned.dt.convert_time_zone("UTC")

    before_gap = placed(pl.col("local").dt.offset_by(f"-{BEYOND_GAP}")).dt.offset_by(BEYOND_GAP)
    found = frame.select(placed(pl.col("local"))).to_series()
    if found.null_count() > values.null_count():
        found = frame.select(placed(pl.col("local")).fill_null(before_gap)).to_series()
    return found.cast(UTC)


def _read_texts(texts: pl.Series, time_zone: str, date_order: str) -> pl.Series:
    """Try the readers one after the other, each on what the ones before could not read."""

    def reader(pattern: str) -> Callable[[pl.Series], pl.Series]:
        return lambda rest: _localize(rest.str.to_datetime(pattern, strict=False, time_unit="us"), time_zone)

    # No text can be read by two of these; so the one that fits the first row, and mostly all, may try first.
    strict: list[Callable[[pl.Series], pl.Series]] = [*(reader(pattern) for pattern in LOCAL_FORMATS), _read_zoned]
    first = texts.drop_nulls().head(1)
    readers = sorted(strict, key=lambda read: read(first).null_count())
    readers += [lambda rest: _localize(_read_parts(rest, date_order), time_zone)]
    readers += [lambda rest: _read_digits(rest, time_zone)]
    rest = pl.DataFrame({"row": pl.int_range(len(texts), eager=True), "text": texts}).drop_nulls()
    read: list[pl.DataFrame] = []
    for read_some in readers:
        if rest.is_empty():
            break
        tried = rest.with_columns(read_some(rest["text"]).alias("at"))
        read.append(tried.drop_nulls().select("row", "at"))
        rest = tried.filter(pl.col("at").is_null()).drop("at")
    if not read:
        return pl.Series("at", [None] * len(texts), dtype=UTC)
    rows = pl.DataFrame({"row": pl.int_range(len(texts), eager=True)})
    return rows.join(pl.concat(read), on="row", how="left", maintain_order="left")["at"]


def _read_zoned(texts: pl.Series) -> pl.Series:
    texts = texts.str.replace(r" ?(?:UTC|GMT)$", "Z")
    return texts.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC").cast(UTC)


def _read_parts(texts: pl.Series, date_order: str) -> pl.Series:
    groups = texts.str.extract_groups(PARTS).struct.unnest()
    a, b, c = pl.col("1"), pl.col("2"), pl.col("3")
    year_first = a.str.len_bytes() == 4
    has_dots = pl.Series("dots", texts.str.contains(r"^\d+\."))
    day_first = pl.lit(date_order == "day_first") | (pl.lit(date_order == "") & pl.col("dots"))
    century = pl.when(c.cast(pl.Int32, strict=False) < 70).then(pl.lit("20")).otherwise(pl.lit("19"))
    year = pl.when(year_first).then(a).when(c.str.len_bytes() == 2).then(century + c).otherwise(c)
    month = pl.when(year_first | day_first).then(b).otherwise(a)
    day = pl.when(year_first).then(c).when(day_first).then(a).otherwise(b)
    hour = pl.col("4").cast(pl.Int32, strict=False).fill_null(0)
    half = pl.col("7").str.to_lowercase()
    hour = pl.when(half == "pm").then(hour % 12 + 12).when(half == "am").then(hour % 12).otherwise(hour)
    text = pl.format(
        "{}-{}-{} {}:{}:{}", year, month, day, hour, pl.col("5").fill_null("0"), pl.col("6").fill_null("0")
    )
    return (
        groups.with_columns(has_dots)
        .select(text.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us"))
        .to_series()
    )


def _read_digits(texts: pl.Series, time_zone: str) -> pl.Series:
    """20111209, 20111209125000, and seconds (10 digits) or milliseconds (13 digits) since 1970."""
    text = pl.col("text")
    number = text.cast(pl.Int64, strict=False)
    frame = pl.DataFrame({"text": texts.set(~texts.str.contains(r"^\d+$"), None)}).with_columns(
        local=pl.when(text.str.len_bytes() == 8)
        .then(text.str.to_datetime("%Y%m%d", strict=False, time_unit="us"))
        .when(text.str.len_bytes() == 14)
        .then(text.str.to_datetime("%Y%m%d%H%M%S", strict=False, time_unit="us")),
        instant=pl.when(text.str.len_bytes() == 10)
        .then(number * 1_000_000)
        .when(text.str.len_bytes() == 13)
        .then(number * 1_000)
        .cast(UTC),
    )
    return frame.with_columns(_localize(frame["local"], time_zone).alias("at")).select(
        pl.col("at").fill_null(pl.col("instant"))
    )["at"]
