from __future__ import annotations

import polars as pl
import pytest

from benchmarks import scoring
from benchmarks._shop import pick_columns


def test_growth_compares_the_peaks_of_both_halves() -> None:
    assert scoring.tell_growth([100, 300, 200, 150]) == pytest.approx(200 / 300)
    assert scoring.tell_growth([100, 200, 300, 400, 500]) == pytest.approx(500 / 200)
    assert scoring.tell_growth([100, 900]) == 1.0


def test_rates_count_customers_and_for_reasons_those_explained() -> None:
    rates = scoring.tell_rates(1_000, {"read": 2.0, "explain": 0.5, "write": 0.0}, explained=50)

    assert rates == {"read": 500, "explain": 100}


def test_the_rows_of_a_part_get_the_ids_of_the_shop() -> None:
    orders = pl.DataFrame({"external_id": ["o-1", "r-1"], "customer_external_id": ["c-0000004", "c-0000000"]})
    lines = pl.DataFrame({"order_external_id": ["r-1", "o-1", "o-1"], "sku": ["B", "A", "B"]})
    products = pl.DataFrame({"sku": ["A", "B"], "product_id": [70, 71]})

    numbered, owned = pick_columns(orders, lines, products, orders_before=10)

    assert numbered.select("id", "customer_id").rows() == [(11, 5), (12, 1)]
    assert owned.select("order_id", "product_id").rows() == [(12, 71), (11, 70), (11, 71)]
