from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from benchmarks import scoring
from benchmarks._score_worker import tell_growth
from benchmarks._shop import pick_columns
from benchmarks.frame import Arguments


def test_growth_compares_the_peaks_of_both_halves() -> None:
    assert tell_growth([100, 300, 200, 150]) == pytest.approx(200 / 300)
    assert tell_growth([100, 200, 300, 400, 500]) == pytest.approx(500 / 200)
    assert tell_growth([100, 900]) == 1.0


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


def test_a_disk_that_is_too_small_is_said_before_the_shop_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REKINDLE_VAR", str(tmp_path))
    scoring.check_room(10)

    with pytest.raises(SystemExit, match="are needed"):
        scoring.check_room(10**12)


def test_a_busy_machine_gets_one_round_where_it_is_to_be_quick() -> None:
    quick, full = Arguments(quick=True, seed=1), Arguments(quick=False, seed=1)

    assert scoring.has_time_for_more(0, quick, 300.0)
    assert scoring.has_time_for_more(1, quick, 20.0)
    assert not scoring.has_time_for_more(1, quick, 40.0)
    assert not scoring.has_time_for_more(2, quick, 20.0)
    assert scoring.has_time_for_more(2, full, 3_000.0)
    assert not scoring.has_time_for_more(3, full, 3_000.0)
