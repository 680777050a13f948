"""Reads a large shop once and hands it out in parts, each with all that is known of its own customers.

To ask the database for one part after the other would scan every table once for each. So every table is read once, in
batches; the rows of each batch go to files, one for each part, in a temporary folder; and a part is what its files hold.
Memory is bounded by a batch and a part, whatever the size of the shop. The folder takes about 0.8 GB for a million
customers with 7 million orders, holds ids, times and amounts, can be read by this user alone and is gone afterwards.
"""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from .builder import ShopData
from .reader import (
    EVENT_KIND,
    Partition,
    join_products,
    name_kinds,
    number_categories,
    query_bare_lines,
    query_events,
    query_orders,
    read_batches,
    read_customer_ids,
    read_products,
)


@dataclass(frozen=True)
class ShopPart:
    """Some of the customers (customer_id, whether they ordered or not) with the rows of `read_shop` about them."""

    customers: pl.DataFrame
    shop: ShopData


@dataclass(frozen=True)
class _Spill:
    """Frames in files by name and part. Parts of customers are ranges of their ids, of which `first_ids` are the first:
    neighbours in a part are neighbours in the tables, so that a writer of scores dirties each page once."""

    folder: Path
    first_ids: pl.Series

    def write(self, name: str, batches: Iterable[pl.DataFrame]) -> None:
        """Put the rows of each batch into the parts of their customers."""
        for number, batch in enumerate(batches):
            self.put(name, number, batch, self.find_parts(batch["customer_id"]))

    def write_by_order(self, name: str, batches: Iterable[pl.DataFrame], *, start: int = 0) -> None:
        """The same by order, for what does not know its customer yet. `start` is the number of the first batch."""
        for number, batch in enumerate(batches, start=start):
            self.put(name, number, batch, batch["order_id"] % len(self.first_ids))

    def find_parts(self, customer_ids: pl.Series) -> pl.Series:
        found = self.first_ids.search_sorted(customer_ids, side="right").cast(pl.Int64) - 1
        return found.clip(lower_bound=0)

    def put(self, name: str, number: int, batch: pl.DataFrame, parts: pl.Series) -> None:
        numbered = batch.with_columns(parts.alias("part"))
        for (part,), rows in numbered.partition_by("part", as_dict=True, include_key=False).items():
            rows.write_ipc(self.folder / f"{name}-{part}-{number}.arrow", compression="uncompressed")

    def take(self, name: str, part: int, *, like: pl.DataFrame) -> pl.DataFrame:
        """All rows of a part; an empty frame with the columns of `like` where there is none. The files go."""
        files = sorted(self.folder.glob(f"{name}-{part}-*.arrow"))
        frames = [pl.read_ipc(file) for file in files]
        for file in files:
            file.unlink()
        return pl.concat(frames) if frames else like.clear()


def read_parts(
    *,
    before: dt.datetime,
    events_since: dt.datetime,
    parts: int,
    currency: str = "",
    partition: Partition | None = None,
) -> Iterator[ShopPart]:
    """Everybody, or the customers of `partition`, in about `parts` parts of equal size; each customer is in exactly one.

    `currency` is that of the model, as in `read_shop`; empty, money counts in whatever currency. Reads on connections of
    its own, two tables at a time: what this transaction wrote is not seen.
    """
    customers, products = read_customer_ids(partition).sort("customer_id"), number_categories(read_products())
    size = max(1, math.ceil(customers.height / parts))
    with tempfile.TemporaryDirectory(prefix="rekindle-parts-") as folder, ThreadPoolExecutor(1) as beside:
        spill = _Spill(Path(folder), customers["customer_id"].gather_every(size))
        lines = beside.submit(spill.write_by_order, "bare", read_batches(query_bare_lines()))
        events = read_batches(query_events(before, events_since, partition))
        spill.write("events", (name_kinds(batch) for batch in events))
        spill.write("orders", _keep_owners(spill, read_batches(query_orders(before, partition, currency))))
        lines.result()
        spill.write("lines", _find_owners(spill))
        for number, part in enumerate(customers.iter_slices(size)):
            shop = ShopData(
                orders=spill.take("orders", number, like=_NO_ORDERS),
                lines=join_products(spill.take("lines", number, like=_NO_LINES), products),
                events=spill.take("events", number, like=_NO_EVENTS),
                currency=currency,
            )
            yield ShopPart(part, shop)


def _keep_owners(spill: _Spill, orders: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The orders as they come, whose customers are kept by order on the way."""
    for number, batch in enumerate(orders):
        spill.write_by_order("owners", [batch.select("order_id", "customer_id", "ordered_at")], start=number)
        yield batch


def _find_owners(spill: _Spill) -> Iterator[pl.DataFrame]:
    """The lines with the customer and the moment of their order; lines of other orders fall away."""
    columns = ["customer_id", "ordered_at", "product_id", "quantity"]
    for part in range(len(spill.first_ids)):
        owners = spill.take("owners", part, like=_NO_ORDERS.select("order_id", "customer_id", "ordered_at"))
        lines = spill.take("bare", part, like=_NO_BARE_LINES)
        yield lines.join(owners, on="order_id").select(columns)


_TIME = pl.Datetime("us", "UTC")
_NO_ORDERS = pl.DataFrame(
    schema={
        "customer_id": pl.Int64,
        "order_id": pl.Int64,
        "ordered_at": _TIME,
        "total": pl.Float64,
        "discount": pl.Float64,
        "is_return": pl.Boolean,
    }
)
_NO_BARE_LINES = pl.DataFrame(schema={"order_id": pl.Int64, "product_id": pl.Int64, "quantity": pl.Float64})
_NO_LINES = pl.DataFrame(
    schema={"customer_id": pl.Int64, "ordered_at": _TIME, "product_id": pl.Int64, "quantity": pl.Float64}
)
_NO_EVENTS = pl.DataFrame(schema={"customer_id": pl.Int64, "kind": EVENT_KIND, "occurred_at": _TIME})
