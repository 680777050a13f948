"""What customers searched for and looked at, and did not buy."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from .words import split_words, translate_words

SEARCH_WINDOW_DAYS: Final = 90
VIEW_WINDOW_DAYS: Final = 60
#: A search means a category when more than half of what its words stand for in the catalogue lies there.
CLEAR_SHARE: Final = 0.5
#: A word in a category's own name counts as much as in so many names of its products.
LABEL_COUNTS_AS: Final = 3

_NAME_WORDS: Final = pl.Schema({"product_id": pl.Int64, "category": pl.String, "name": pl.String})


def match_queries(queries: pl.Series, products: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """What each distinct query means in the catalogue: query, category ("" where none is clear), products.

    `products` in the result counts the wares whose name holds all words of the query that the catalogue knows. Names in
    every language count (products: product_id, name, names as a list of texts), and a short list of common words is
    known in English and Chinese. Nothing but the catalogue and the query itself is read.
    """
    asked = pl.DataFrame({"query": queries.drop_nulls().unique()}, schema={"query": pl.String})
    asked = asked.filter(pl.col("query") != "").sort("query")
    names = _list_names(products, labels)
    index = _index_words(names)
    tokens = translate_words(split_words(asked.with_columns(text="query"), "text"))
    known = tokens.join(index.select("token", "tier").unique(), on=["token", "tier"], how="semi")
    best = known.filter(pl.col("tier") == pl.col("tier").min().over("query"))
    categories = _choose_categories(best.join(index, on=["token", "tier"]))
    found = _count_products(best, names)
    return (
        asked.join(categories, on="query", how="left")
        .join(found, on="query", how="left")
        .with_columns(pl.col("category").fill_null(""), pl.col("products").fill_null(0).cast(pl.Int64))
        .sort("query")
    )


def find_unanswered_searches(
    events: pl.DataFrame, lines: pl.DataFrame, labels: pl.DataFrame, matches: pl.DataFrame, *, as_of: dt.datetime
) -> pl.DataFrame:
    """Recent searches after which nothing of the kind was bought: customer_id, query, category, times, last_at.

    A search is answered by a purchase in its category at or after the last time it was made and before `as_of`; one
    that means no category in particular by any purchase. The newest come first.
    """
    at = pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    searches = (
        _recent(events, "search_performed", at, SEARCH_WINDOW_DAYS)
        .filter(pl.col("query") != "")
        .group_by("customer_id", "query")
        .agg(times=pl.len().cast(pl.Int64), last_at=pl.col("occurred_at").max())
        .join(matches.select("query", "category"), on="query", how="left")
        .with_columns(pl.col("category").fill_null(""))
    )
    bought = _purchases(lines, at).join(labels, on="product_id", how="left")
    anything = bought.with_columns(category=pl.lit(""))
    last = (
        pl.concat([bought.drop_nulls("interest").with_columns(category="interest"), anything])
        .group_by("customer_id", "category")
        .agg(bought_at=pl.col("ordered_at").max())
    )
    return (
        searches.join(last, on=["customer_id", "category"], how="left")
        .filter(pl.col("bought_at").is_null() | (pl.col("bought_at") < pl.col("last_at")))
        .select("customer_id", "query", "category", "times", "last_at")
        .sort(["customer_id", "last_at", "query"], descending=[False, True, False])
    )


def find_unbought_views(events: pl.DataFrame, lines: pl.DataFrame, *, as_of: dt.datetime) -> pl.DataFrame:
    """Wares looked at lately and not bought since the first look: customer_id, product_id, times, last_at.

    Those looked at most often come first.
    """
    at = pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    views = (
        _recent(events, "product_viewed", at, VIEW_WINDOW_DAYS)
        .drop_nulls("product_id")
        .group_by("customer_id", "product_id")
        .agg(times=pl.len().cast(pl.Int64), first_at=pl.col("occurred_at").min(), last_at=pl.col("occurred_at").max())
    )
    last = _purchases(lines, at).group_by("customer_id", "product_id").agg(bought_at=pl.col("ordered_at").max())
    return (
        views.join(last, on=["customer_id", "product_id"], how="left")
        .filter(pl.col("bought_at").is_null() | (pl.col("bought_at") < pl.col("first_at")))
        .select("customer_id", "product_id", "times", "last_at")
        .sort(["customer_id", "times", "last_at", "product_id"], descending=[False, True, True, False])
    )


def _recent(events: pl.DataFrame, kind: str, at: pl.Expr, days: int) -> pl.DataFrame:
    happened = pl.col("occurred_at")
    return events.filter(
        (pl.col("kind").cast(pl.String) == kind) & (happened < at) & (happened >= at - pl.duration(days=days))
    )


def _purchases(lines: pl.DataFrame, at: pl.Expr) -> pl.DataFrame:
    return lines.filter((pl.col("ordered_at") < at) & (pl.col("quantity") > 0) & ~pl.col("is_charge")).select(
        "customer_id", "product_id", "ordered_at"
    )


def _list_names(products: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """product_id, category, name: one row per name of a labelled product, in whichever language."""
    every = pl.concat_list(pl.col("name").fill_null(""), pl.col("names").fill_null([]))
    return (
        products.join(labels.select("product_id", label="interest"), on="product_id")
        .select("product_id", category="label", name=every)
        .explode("name", empty_as_null=True)
        .filter(pl.col("name") != "")
        .cast(_NAME_WORDS)
    )


def _index_words(names: pl.DataFrame) -> pl.DataFrame:
    """token, tier, category, share: how much of what the word stands for in the catalogue lies in the category."""
    of_products = (
        split_words(names, "name").group_by("token", "tier", "category").agg(count=pl.col("product_id").n_unique())
    )
    labels = names.select("category").unique()
    of_labels = split_words(labels.with_columns(text="category"), "text").with_columns(
        count=pl.lit(LABEL_COUNTS_AS).cast(pl.UInt32)
    )
    columns = ["token", "tier", "category", "count"]
    counted = pl.concat([of_products.select(columns).cast({"count": pl.UInt32}), of_labels.select(columns)])
    counted = counted.group_by("token", "tier", "category").agg(pl.col("count").sum())
    return counted.with_columns(share=pl.col("count") / pl.col("count").sum().over("token", "tier")).drop("count")


def _choose_categories(known: pl.DataFrame) -> pl.DataFrame:
    """query, category of the queries that mean one. A word that points to many categories counts for less.

    known: query, source (the word as it was typed), token (it, or its translation), category, share.
    """
    of_token = known.with_columns(tokens=pl.col("token").n_unique().over("query", "source"))
    of_word = of_token.group_by("query", "source", "category").agg(
        share=pl.col("share").sum() / pl.col("tokens").first()
    )
    weighed = of_word.with_columns(clarity=pl.col("share").max().over("query", "source"))
    clarity = weighed.unique(["query", "source"]).group_by("query").agg(whole=pl.col("clarity").sum())
    return (
        weighed.group_by("query", "category")
        .agg(points=(pl.col("clarity") * pl.col("share")).sum())
        .join(clarity, on="query")
        .with_columns(share=(pl.col("points") / pl.col("whole")).round(9))
        .filter(pl.col("share") > CLEAR_SHARE)
        .sort(["query", "share", "category"], descending=[False, True, False])
        .unique("query", keep="first", maintain_order=True)
        .select("query", "category")
    )


def _count_products(best: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """query, products: wares of which one name holds all of the query's known words."""
    words = best.select("query", "token", "tier", "source").with_columns(
        wanted=pl.col("source").n_unique().over("query")
    )
    in_names = split_words(names.with_row_index("place"), "name")
    return (
        words.join(in_names, on=["token", "tier"])
        .group_by("query", "place", "product_id")
        .agg(held=pl.col("source").n_unique(), wanted=pl.col("wanted").first())
        .filter(pl.col("held") == pl.col("wanted"))
        .group_by("query")
        .agg(products=pl.col("product_id").n_unique())
    )
