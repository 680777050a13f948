"""Affinity, price level, searches and views: the same by a second implementation, and deaf to the future."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from customers.features.interests.affinity import build_affinities
from customers.features.interests.brands import build_brand_affinities, match_brands
from customers.features.interests.favourite import label_products
from customers.features.interests.prices import build_price_levels, rank_products
from customers.features.interests.profiles import build_profiles
from customers.features.interests.searches import find_unanswered_searches, find_unbought_views, match_queries

from .plain_interests import plain_affinities, plain_levels, plain_prices, plain_unanswered, plain_unbought
from .shelves import AS_OF, EVENTS, LINES, QUERIES, draw_history, make_catalogue

SEEDS = range(12)
CATALOGUE = make_catalogue()
LABELS = label_products(CATALOGUE)
SHELF = dict(LABELS.iter_rows())
MATCHES = match_queries(pl.Series(QUERIES), CATALOGUE, LABELS)
MEANS = dict(MATCHES.select("query", "category").iter_rows())
DAY = dt.timedelta(days=1)


def price_frame(lines: pl.DataFrame) -> pl.DataFrame:
    rows = [(product, currency, price) for (product, currency), price in plain_prices(lines, AS_OF).items()]
    schema = {"product_id": pl.Int64, "currency": pl.String, "price": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def line(customer: int, product: int, days_ago: float, **changes: object) -> dict[str, object]:
    return {"customer_id": customer, "ordered_at": AS_OF - days_ago * DAY, "product_id": product, "quantity": 1.0,
            "is_charge": False, "unit_price": 5.0, "currency": "EUR"} | changes  # fmt: skip


def event(customer: int, kind: str, days_ago: float, **changes: object) -> dict[str, object]:
    return {"customer_id": customer, "kind": kind, "occurred_at": AS_OF - days_ago * DAY, "product_id": None,
            "category": "", "query": ""} | changes  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_affinities_are_those_of_plain_python(seed: int) -> None:
    lines, events = draw_history(seed)
    built = build_affinities(lines, events, LABELS, MATCHES, as_of=AS_OF)
    plain = plain_affinities(lines, events, SHELF, MEANS, AS_OF)

    seen = {(row["customer_id"], row["category"]): row for row in built.to_dicts()}
    assert seen.keys() == plain.keys()
    for key, row in plain.items():
        assert {name: seen[key][name] for name in row} == pytest.approx(row, abs=2e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_brand_affinities_are_those_of_plain_python(seed: int) -> None:
    lines, events = draw_history(seed)
    built = build_brand_affinities(lines, events, CATALOGUE, as_of=AS_OF)
    brands = dict(CATALOGUE.select("product_id", "brand").iter_rows())
    unnamed = events.with_columns(category=pl.lit(""))
    plain = plain_affinities(lines, unnamed, brands, {"Fellwork tent": "Fellwork", "天野": "天野"}, AS_OF)

    seen = {(row["customer_id"], row["brand"]): row for row in built.to_dicts()}
    assert seen.keys() == plain.keys()
    for key, row in plain.items():
        assert {name: seen[key][name] for name in row} == pytest.approx(row, abs=2e-6)


@pytest.mark.parametrize(
    ("query", "brand"),
    [
        ("tents", ""),  # a category is no brand
        ("hoar", "Hoar"),
        ("HOAR & CO jacket", "Hoar & Co"),  # the longest
        ("hoarfrost", ""),  # whole words
        ("fellwork, hoar", "Fellwork"),
        ("天野帐篷", "天野"),  # no spaces to stand between
        ("", ""),
    ],
)
def test_a_search_counts_for_a_brand_only_where_it_names_it(query: str, brand: str) -> None:
    brands = pl.Series(["Hoar", "Hoar & Co", "Fellwork", "天野", ""])

    assert match_brands(pl.Series([query]), brands).rows() == [(query, brand)]


def test_a_shop_without_brands_has_no_affinity_to_any() -> None:
    lines, events = draw_history(1)
    nameless = CATALOGUE.with_columns(brand=pl.lit(""))

    assert build_brand_affinities(lines, events, nameless, as_of=AS_OF).is_empty()


@pytest.mark.parametrize("seed", SEEDS)
def test_price_levels_are_those_of_plain_python(seed: int) -> None:
    lines, _events = draw_history(seed)
    overall, _by_category = build_price_levels(lines, rank_products(price_frame(lines), LABELS), LABELS, as_of=AS_OF)
    plain = plain_levels(lines, plain_prices(lines, AS_OF), SHELF, AS_OF)

    seen = {row.pop("customer_id"): row for row in overall.to_dicts()}
    assert seen.keys() == plain.keys()
    for customer, row in plain.items():
        assert seen[customer]["price_level"] == pytest.approx(row["price_level"], abs=2e-6)
        assert (seen[customer]["price_lines"], seen[customer]["price_band"]) == (row["price_lines"], row["price_band"])


@pytest.mark.parametrize("seed", SEEDS)
def test_searches_and_views_without_a_purchase_are_those_of_plain_python(seed: int) -> None:
    lines, events = draw_history(seed)
    searches = find_unanswered_searches(events, lines, LABELS, MATCHES, as_of=AS_OF).to_dicts()
    views = find_unbought_views(events, lines, as_of=AS_OF).to_dicts()

    seen = {(row["customer_id"], row["query"]): (row["times"], row["last_at"]) for row in searches}
    plain = plain_unanswered(events, lines, SHELF, MEANS, AS_OF)
    assert seen == {key: (row["times"], row["last_at"]) for key, row in plain.items()}
    looked = {(row["customer_id"], row["product_id"]): (row["times"], row["last_at"]) for row in views}
    again = plain_unbought(events, lines, AS_OF)
    assert looked == {key: (row["times"], row["last_at"]) for key, row in again.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_changing_the_future_moves_nobodys_profile(seed: int) -> None:
    lines, events = draw_history(seed)
    more_lines, more_events = draw_history(seed + 1000, first=AS_OF, last=AS_OF + 90 * DAY)
    changed_lines, changed_events = pl.concat([lines, more_lines]), pl.concat([events, more_events])

    before = build_profiles(CATALOGUE, price_frame(lines), lines, events, as_of=AS_OF)
    after = build_profiles(CATALOGUE, price_frame(changed_lines), changed_lines, changed_events, as_of=AS_OF)

    assert_frame_equal(after, before)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_customer_is_the_same_alone_and_in_any_order_of_rows(seed: int) -> None:
    lines, events = draw_history(seed)
    prices = price_frame(lines)
    everyone = build_profiles(CATALOGUE, prices, lines, events, as_of=AS_OF)
    mine = pl.col("customer_id") == 1
    alone = build_profiles(CATALOGUE, prices, lines.filter(mine), events.filter(mine), as_of=AS_OF)
    shuffled = build_profiles(
        CATALOGUE.reverse(), prices.reverse(), lines.sample(fraction=1, shuffle=True, seed=seed), events.reverse(),
        as_of=AS_OF,
    )  # fmt: skip

    assert_frame_equal(alone, everyone.filter(mine))
    assert_frame_equal(shuffled, everyone)


def test_what_was_paid_for_says_more_than_what_was_looked_at() -> None:
    lines = pl.DataFrame([line(1, 1, 10)], schema=LINES)
    events = pl.DataFrame([event(1, "product_viewed", 10, product_id=6) for _ in range(3)], schema=EVENTS)

    first = build_affinities(lines, events, LABELS, MATCHES, as_of=AS_OF).row(0, named=True)

    assert (first["category"], first["ordered"]) == ("Tents", 1)


def test_a_search_counts_towards_the_category_that_its_words_mean_in_either_language() -> None:
    events = pl.DataFrame(
        [event(1, "search_performed", 1, query="帐篷"), event(1, "search_performed", 2, query="tents"),
         event(1, "search_performed", 2, query="unicorn")], schema=EVENTS,
    )  # fmt: skip

    (row,) = build_affinities(pl.DataFrame(schema=LINES), events, LABELS, MATCHES, as_of=AS_OF).to_dicts()

    assert (row["category"], row["searched"], row["share"]) == ("Tents", 2, 1.0)


@pytest.mark.parametrize(
    ("query", "category", "products"),
    [
        ("tents", "Tents", 3),
        ("Tents for the family", "Tents", 1),
        ("帐篷", "Tents", 3),
        ("鞋", "Boots and shoes", 3),
        ("炊具", "Kitchen", 0),  # no product is called so; the word list knows that it means kitchen things
        ("kids", "", 2),  # shoes and mugs: no category in particular
        ("kids boots", "Boots and shoes", 0),
        ("unicorn", "", 0),
    ],
)
def test_searches_find_their_category(query: str, category: str, products: int) -> None:
    (row,) = match_queries(pl.Series([query]), CATALOGUE, LABELS).to_dicts()

    assert (row["category"], row["products"]) == (category, products)


def test_a_search_is_answered_by_a_later_purchase_of_the_kind() -> None:
    events = pl.DataFrame([event(c, "search_performed", 5, query="tents") for c in (1, 2, 3)], schema=EVENTS)
    lines = pl.DataFrame([line(1, 2, 4), line(2, 6, 4), line(3, 2, 6)], schema=LINES)

    left = find_unanswered_searches(events, lines, LABELS, MATCHES, as_of=AS_OF)

    assert left["customer_id"].to_list() == [2, 3]  # 2 bought boots, 3 bought the tent before


def test_cheap_tents_are_not_cheap_things() -> None:
    """Price levels are within a category: the dearest boots beat the cheapest tent, though they cost less."""
    prices = pl.DataFrame(
        [(n, "EUR", 100.0 + n) for n in range(1, 6)] + [(n, "EUR", float(n)) for n in range(6, 11)],
        schema={"product_id": pl.Int64, "currency": pl.String, "price": pl.Float64}, orient="row",
    )  # fmt: skip
    lines = pl.DataFrame([line(1, 1, 5)] * 3 + [line(2, 10, 5)] * 3 + [line(3, 10, 5)] * 2, schema=LINES)

    overall, by_category = build_price_levels(lines, rank_products(prices, LABELS), LABELS, as_of=AS_OF)

    assert overall["price_band"].to_list() == ["low", "high", ""]
    assert overall["price_level"].to_list() == [0.1, 0.9, None]
    assert by_category["category"].to_list() == ["Tents", "Boots and shoes", "Boots and shoes"]


def test_a_small_shelf_has_no_cheap_and_no_dear_end() -> None:
    prices = pl.DataFrame({"product_id": [11, 12], "currency": ["EUR", "EUR"], "price": [1.0, 9.0]})

    assert rank_products(prices, LABELS).is_empty()


def test_a_shop_without_anything_gives_no_rows() -> None:
    nothing = CATALOGUE.clear()
    profiles = build_profiles(
        nothing, price_frame(pl.DataFrame(schema=LINES)), pl.DataFrame(schema=LINES), pl.DataFrame(schema=EVENTS),
        as_of=AS_OF,
    )  # fmt: skip

    assert profiles.is_empty()
