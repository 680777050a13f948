"""How much of a customer's attention each brand has: the weights of `affinity`, over the brands that the shop names.

A search counts towards a brand only where it names it: "tents" means no brand, however many tents one of them makes.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from .affinity import build_affinities


def build_brand_affinities(
    lines: pl.DataFrame, events: pl.DataFrame, catalogue: pl.DataFrame, *, as_of: dt.datetime
) -> pl.DataFrame:
    """One row per customer and brand with a sign of interest before `as_of`, the strongest first.

    Frames as in `affinity`; catalogue: product_id, brand ("" where none). Columns: customer_id, brand, share (0 to 1, adds
    up to 1 within a customer, over what has a brand), weight, ordered, carts, searched, viewed.
    """
    labels = catalogue.filter(pl.col("brand") != "").select("product_id", interest="brand")
    unnamed = events.with_columns(category=pl.lit(""))  # what the shop calls a category is no brand
    matches = match_brands(events["query"], labels["interest"])
    return build_affinities(lines, unnamed, labels, matches, as_of=as_of).rename({"category": "brand"})


def match_brands(queries: pl.Series, brands: pl.Series) -> pl.DataFrame:
    """The brand that each distinct query names: query, category (the brand; "" where none is named).

    Whole words, whatever their case; of several the longest, then the first in the alphabet. Brands in a script without
    spaces are found anywhere in the query.
    """
    known = (
        pl.DataFrame({"category": brands.unique().drop_nulls()})
        .with_columns(words=pl.col("category").str.to_lowercase().str.replace_all(r"[\s\pP]+", " ").str.strip_chars())
        .filter(pl.col("words") != "")
        .with_columns(pattern=_pad("words"))
        .sort("category")
        .unique("pattern", keep="first", maintain_order=True)
    )
    distinct = pl.DataFrame({"query": queries.unique().drop_nulls()}, schema={"query": pl.String})
    if known.is_empty():
        return distinct.with_columns(category=pl.lit(""))
    text = pl.format(" {} ", pl.col("query").str.to_lowercase().str.replace_all(r"[\s\pP]+", " "))
    named = (
        distinct.with_columns(pattern=text.str.extract_many(known["pattern"].implode(), overlapping=True))
        .explode("pattern", empty_as_null=True)
        .join(known, on="pattern", how="left")
        .sort(pl.col("words").str.len_chars(), pl.col("category"), descending=[True, False], nulls_last=True)
        .unique("query", keep="first", maintain_order=True)
    )
    return named.select("query", pl.col("category").fill_null("")).sort("query")


def _pad(column: str) -> pl.Expr:
    """Between spaces, so that only whole words are found; as it is where words are written without any."""
    return (
        pl.when(pl.col(column).str.contains(r"[\p{Han}\p{Hiragana}\p{Katakana}]"))
        .then(pl.col(column))
        .otherwise(pl.format(" {} ", pl.col(column)))
    )
