"""Events as a shop sends them, for measurements."""

from __future__ import annotations

import numpy as np
import polars as pl

CUSTOMERS = 5_000
START = np.datetime64("2024-01-01T00:00:00", "s")
DAYS = 700
KINDS = ("product_viewed", "search_performed", "cart_updated")


def make_events(rng: np.random.Generator, count: int, tag: str, customers: int) -> pl.DataFrame:
    """Events of two years as they are sent: external_id, customer, kind, occurred_at, properties (JSON text)."""
    seconds = rng.integers(0, DAYS * 86_400, count)
    return pl.DataFrame(
        {
            "external_id": [f"{tag}-{number}" for number in range(count)],
            "customer": [f"c{number}" for number in rng.integers(0, customers, count)],
            "kind": rng.choice(KINDS, count),
            "occurred_at": (START + seconds.astype("timedelta64[s]")).astype("datetime64[us]"),
            "properties": [f'{{"sku": "T{number}"}}' for number in rng.integers(0, 500, count)],
        }
    ).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
