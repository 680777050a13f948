"""Reads money and counts as shops write them, as exact decimals and never as floats."""

from __future__ import annotations

import polars as pl

NUMBER = pl.Decimal(38, 4)
SIGNS = r"[\s\x{A0}\x{202F}'’£$€¥₹]|^[A-Z]{3}|[A-Z]{3}$"
POINT = r"^-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?$"
COMMA = r"^-?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?$"


def to_decimal(values: pl.Series, *, decimal_mark: str = ".") -> pl.Series:
    """`values` as decimals with four places; null where they are no numbers.

    Currency signs and separators of thousands are passed over; a comma that can be neither a decimal mark nor a
    separator makes the value unreadable, rather than a hundred times too large.
    """
    if values.dtype == pl.String:
        return _read_texts(values, decimal_mark)
    if values.dtype.is_numeric():
        return values.cast(NUMBER, strict=False)
    return pl.Series(values.name, [None] * len(values), dtype=NUMBER)


def find_decimal_mark(values: pl.Series) -> str:
    """The comma where any of the texts can only be read so (“2,5”, “1.234,50”), else the point."""
    if values.dtype != pl.String:
        return "."
    return "," if values.str.contains(r"\d,\d{1,2}\D*$").any() else "."


def _read_texts(texts: pl.Series, decimal_mark: str) -> pl.Series:
    plain = texts.str.strip_chars()
    if decimal_mark == ".":
        found = plain.cast(NUMBER, strict=False)
        if found.null_count() == texts.null_count():
            return found
    bare = plain.str.replace_all(SIGNS, "")
    pattern, separator = (COMMA, ".") if decimal_mark == "," else (POINT, ",")
    bare = bare.set(~bare.str.contains(pattern), None).str.replace_all(separator, "", literal=True)
    if decimal_mark == ",":
        bare = bare.str.replace(",", ".", literal=True)
    return bare.cast(NUMBER, strict=False)
