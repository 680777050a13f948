"""Small order files, and the ways to import them."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from customers.ingest.files import import_orders_file
from customers.ingest.import_report import ImportReport
from customers.ingest.schema import ImportOptions

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
COLUMNS = {
    "order": "InvoiceNo",
    "product": "StockCode",
    "name": "Description",
    "quantity": "Quantity",
    "at": "InvoiceDate",
    "price": "UnitPrice",
    "customer": "CustomerID",
    "country": "Country",
}
HEADER = ",".join(COLUMNS.values())
GOOD = "536365,85123A,WHITE HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom"

MakeFile = Callable[..., Path]
ImportRows = Callable[..., ImportReport]


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    def make(*rows: str, header: str = HEADER, encoding: str = "utf-8", name: str = "orders.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(("\n".join([header, *rows]) + "\n").encode(encoding))
        return path

    return make


def find_shared_data() -> Path:
    """Where the real data sets lie: REKINDLE_SHARED_DATA, or beside the checkout."""
    beside = Path(__file__).resolve().parents[4] / "shared" / "data"
    return Path(os.environ.get("REKINDLE_SHARED_DATA", beside))


def choose(**options: object) -> ImportOptions:
    given: dict[str, object] = {"columns": COLUMNS, "currency": "GBP", "time_zone": "Europe/London", **options}
    return ImportOptions(**given)  # type: ignore[arg-type]


@pytest.fixture
def import_rows(db: None, make_file: MakeFile) -> ImportRows:
    def run(*rows: str, header: str = HEADER, **options: object) -> ImportReport:
        return import_orders_file(make_file(*rows, header=header), choose(**options), now=NOW)

    return run
