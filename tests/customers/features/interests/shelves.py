"""A small bilingual catalogue, and customers with random histories in it, from a seed."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import polars as pl

UTC = dt.UTC
AS_OF = dt.datetime(2026, 3, 1, tzinfo=UTC)
_TIME = pl.Datetime("us", "UTC")
LINES = pl.Schema(
    {
        "customer_id": pl.Int64, "ordered_at": _TIME, "product_id": pl.Int64, "quantity": pl.Float64,
        "is_charge": pl.Boolean, "unit_price": pl.Float64, "currency": pl.String,
    }
)  # fmt: skip
EVENTS = pl.Schema(
    {
        "customer_id": pl.Int64, "kind": pl.String, "occurred_at": _TIME, "product_id": pl.Int64,
        "category": pl.String, "query": pl.String,
    }
)  # fmt: skip
SHELVES = {
    "Tents": [("Tarn Tent", "山塘帐篷"), ("Storm Tent", "防风帐篷"), ("Peg Set", "地钉套装"), ("Tarp", "天幕"),
              ("Family Tent", "家庭帐篷")],
    "Boots and shoes": [("Hiking Boot", "徒步靴"), ("Trail Shoe", "越野鞋"), ("Hut Slipper", "营地拖鞋"),
                        ("Kids Shoe", "儿童鞋"), ("Boot Wax", "保养蜡")],
    "Kitchen": [("Gas Stove", "气炉"), ("Kids Mug", "儿童杯")],
}  # fmt: skip
QUERIES = ["tents", "帐篷", "boots", "kids", "stove", "unicorn", "", "徒步靴", "Fellwork tent", "天野", "hoarse"]
#: By turns over the catalogue; the last of them is no brand.
BRANDS = ["Fellwork", "Hoar", "天野", "Fellwork", ""]
KINDS = ["product_viewed", "search_performed", "cart_updated", "email_opened"]


def make_catalogue() -> pl.DataFrame:
    """product_id, sku, name, names, category, brand; the last product is on no shelf."""
    rows = [(name, [zh], shelf) for shelf, products in SHELVES.items() for name, zh in products]
    rows.append(("Gift card", ["礼品卡"], ""))
    return pl.DataFrame(
        [
            (number, f"S{number}", name, names, shelf, BRANDS[number % len(BRANDS)])
            for number, (name, names, shelf) in enumerate(rows, 1)
        ],
        schema={"product_id": pl.Int64, "sku": pl.String, "name": pl.String, "names": pl.List(pl.String),
                "category": pl.String, "brand": pl.String},
        orient="row",
    )  # fmt: skip


def draw_history(
    seed: int, *, first: dt.datetime = AS_OF - dt.timedelta(days=250), last: dt.datetime = AS_OF + dt.timedelta(days=60)
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines and events of six customers between two moments, on a grid of hours so that ties and edges happen."""
    draw = random.Random(seed)
    hours = int((last - first) / dt.timedelta(hours=1))

    def moment() -> dt.datetime:
        return first + dt.timedelta(hours=draw.randrange(hours))

    products = make_catalogue().height
    lines: list[dict[str, Any]] = [
        {
            "customer_id": draw.randint(1, 6),
            "ordered_at": moment(),
            "product_id": draw.choice([None, *range(1, products + 1)]),
            "quantity": float(draw.choice([1, 1, 1, 2, -1])),
            "is_charge": draw.random() < 0.1,
            "unit_price": draw.randint(1, 30) / 2,
            "currency": draw.choice(["EUR", "EUR", "EUR", "GBP"]),
        }
        for _ in range(draw.randint(0, 60))
    ]
    events: list[dict[str, Any]] = []
    for _ in range(draw.randint(0, 60)):
        kind = draw.choice(KINDS)
        has_product = kind in ("product_viewed", "cart_updated") and draw.random() < 0.8
        events.append(
            {
                "customer_id": draw.randint(1, 6),
                "kind": kind,
                "occurred_at": moment(),
                "product_id": draw.randint(1, products) if has_product else None,
                "category": draw.choice(["", "Tents", "Nowhere"]) if kind == "product_viewed" else "",
                "query": draw.choice(QUERIES) if kind == "search_performed" else "",
            }
        )
    return pl.DataFrame(lines, schema=LINES), pl.DataFrame(events, schema=EVENTS)
