"""What each customer likes: the category, or else the family of products, bought most and lately.

Where a shop has no categories, families come out of the product names themselves: the words that often end a name
("… TRAVEL BAG", "… CANDLE HOLDER") are its heads, and a product belongs to the commonest head in its name. A product
without one belongs to no family; a customer without any has the interest "".
"""

from __future__ import annotations

import datetime as dt

import polars as pl

HALF_LIFE_DAYS = 180
MOST_FAMILIES = 30
FEWEST_PRODUCTS = 5

_HEAD_SHARE = 0.35
# Words that end many names and say nothing of what the thing is.
_SAYS_NOTHING = ["large", "small", "medium", "mini", "design", "assorted", "colour", "color", "pack", "piece", "size"]


def build_interests(lines: pl.DataFrame, products: pl.DataFrame, *, as_of: dt.datetime) -> pl.DataFrame:
    """One row per customer with a line before `as_of`: customer_id, interest ("" where unknown), sorted by customer.

    Lines as in `builder`; products: product_id, name, category. A purchase counts half for every 180 days passed;
    returns and charges count nothing. Ties go to the name that comes first.
    """
    at = pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    bought = lines.filter((pl.col("ordered_at") < at) & (pl.col("quantity") > 0) & ~pl.col("is_charge"))
    age = (at - pl.col("ordered_at")).dt.total_days()
    labels = label_products(products)
    names = labels.select(pl.col("interest").unique().sort()).with_row_index("place")  # numbers group faster than names
    weighted = (
        bought.lazy()
        .join(labels.join(names, on="interest").select("product_id", "place").lazy(), on="product_id", how="left")
        .select("customer_id", "place", weight=0.5 ** (age / HALF_LIFE_DAYS))
        .group_by("customer_id", "place")
        .agg(pl.col("weight").sum().round(9))  # what is a tie must stay one, in whichever order threads add up
        .with_columns(pl.when(pl.col("place").is_not_null()).then("weight").otherwise(-1.0).alias("weight"))
    )
    is_liked_most = pl.col("weight") == pl.col("weight").max()
    return (
        weighted.group_by("customer_id")
        .agg(pl.col("place").filter(is_liked_most).min())
        .join(names.lazy(), on="place", how="left")
        .select("customer_id", pl.col("interest").fill_null(""))
        .sort("customer_id")
        .collect()
    )


def choose_families(products: pl.DataFrame) -> pl.DataFrame:
    """The family of each product by the words of the names: product_id, interest; only products with a family.

    Nothing but the catalogue is read, so that every partition of the customers sees the same families.
    """
    words = _split_names(products)
    heads = (
        words.filter(~pl.col("word").is_in(_SAYS_NOTHING))
        .group_by("word")
        .agg(
            count=pl.col("product_id").n_unique(),
            ends=pl.col("is_last").mean(),
            shown=pl.col("surface").mode().sort().first(),
        )
        .filter((pl.col("count") >= FEWEST_PRODUCTS) & (pl.col("ends") >= _HEAD_SHARE))
        .sort(["count", "word"], descending=[True, False])
        .head(MOST_FAMILIES)
        .with_row_index("rank")
    )
    return (
        words.join(heads.select("word", "shown", "rank"), on="word")
        .sort("product_id", "rank")
        .unique("product_id", keep="first", maintain_order=True)
        .select("product_id", interest="shown")
    )


def label_products(products: pl.DataFrame) -> pl.DataFrame:
    """product_id to interest: the shop's categories where it has them, families of the names where it has none.

    Products without one are left out.
    """
    named = products.filter(pl.col("category") != "").select("product_id", interest="category")
    return choose_families(products) if named.is_empty() else named


def _split_names(products: pl.DataFrame) -> pl.DataFrame:
    """One row per word of a name: product_id, surface (as written), word (without a plural s), is_last."""
    split = products.select(
        "product_id",
        surface=pl.col("name").str.to_lowercase().str.extract_all(r"\p{L}[\p{L}'-]{2,}"),
    ).explode("surface", empty_as_null=True)
    place, length = pl.int_range(pl.len()).over("product_id"), pl.len().over("product_id")
    return (
        split.drop_nulls("surface")
        .with_columns(is_last=place == length - 1)
        .with_columns(word=pl.col("surface").str.replace(r"([^s])s$", "$1"))
    )
