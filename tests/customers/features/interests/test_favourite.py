from __future__ import annotations

import datetime as dt

import polars as pl

from customers.features.interests import build_interests, choose_families
from tests.customers.features.shop_histories import AS_OF, LINE_SCHEMA, frame

DAY = dt.timedelta(days=1)


def bought(*rows: tuple[int, int, int], quantity: float = 1.0) -> pl.DataFrame:
    """Customer, product, days before AS_OF."""
    return frame(
        [
            {"customer_id": c, "ordered_at": AS_OF - days * DAY, "product_id": p, "category": "", "quantity": quantity,
             "is_charge": False}
            for c, p, days in rows
        ],
        LINE_SCHEMA,
    )  # fmt: skip


def catalogue(**products: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"product_id": range(1, len(products) + 1), "name": list(products), "category": list(products.values())}
    )


CATALOGUE = catalogue(Tote="bags", Boot="shoes", Stamp="")


def interests(lines: pl.DataFrame, products: pl.DataFrame = CATALOGUE) -> dict[int, str]:
    return dict(build_interests(lines, products, as_of=AS_OF).iter_rows())


def test_the_category_bought_most_is_the_interest() -> None:
    assert interests(bought((1, 1, 5), (1, 2, 5), (1, 2, 9))) == {1: "shoes"}


def test_what_was_bought_lately_weighs_more() -> None:
    assert interests(bought((1, 1, 700), (1, 1, 690), (1, 2, 3))) == {1: "shoes"}


def test_returns_and_the_future_do_not_count() -> None:
    assert interests(pl.concat([bought((1, 1, 5)), bought((1, 2, 5), (1, 2, 6), quantity=-1.0)])) == {1: "bags"}
    assert interests(bought((1, 1, 5), (1, 2, -1), (1, 2, -2))) == {1: "bags"}


def test_an_interest_that_is_known_goes_before_one_that_is_not() -> None:
    assert interests(bought((1, 3, 1), (1, 3, 1), (1, 1, 300))) == {1: "bags"}
    assert interests(bought((2, 3, 1))) == {2: ""}


def test_a_tie_goes_to_the_name_that_comes_first() -> None:
    assert interests(bought((1, 2, 5), (1, 1, 5))) == {1: "bags"}


def names(*texts: str) -> pl.DataFrame:
    return pl.DataFrame({"product_id": range(1, len(texts) + 1), "name": texts, "category": [""] * len(texts)})


def test_without_categories_the_words_that_end_names_make_families() -> None:
    products = names(
        "RED RETROSPOT BAG", "JUMBO BAG PINK", "WOODLAND BAG", "LUNCH BAG", "SUKI BAG", "DOTCOM BAGS",
        "GLASS HOLDER", "T-LIGHT HOLDER", "CANDLE HOLDER", "STAR HOLDER", "HEART HOLDER",
        "SOMETHING ELSE",
    )  # fmt: skip

    families = dict(choose_families(products).iter_rows())

    assert families == {**dict.fromkeys(range(1, 7), "bag"), **dict.fromkeys(range(7, 12), "holder")}
    assert interests(bought((1, 1, 3), (2, 9, 3), (3, 12, 3)), products) == {1: "bag", 2: "holder", 3: ""}


def test_a_family_needs_several_products() -> None:
    products = names("RED BAG", "BLUE BAG", "PINK BAG", "LUNCH BAG", "JUTE BAG")

    assert interests(bought((1, 1, 3)), products) == {1: "bag"}
    assert interests(bought((1, 1, 3)), products[:4]) == {1: ""}


def test_the_order_of_rows_plays_no_part() -> None:
    lines = bought(*((c, p, 7 * p + c % 5) for c in range(1, 40) for p in (1, 2, 2, 1)))
    shuffled = lines.sample(fraction=1, shuffle=True, seed=3)

    assert interests(shuffled, CATALOGUE.reverse()) == interests(lines)
