from __future__ import annotations

import datetime as dt
import json
import os
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from django.core.management import CommandError, call_command

from customers.features.builder import ShopData
from customers.ingest.schema import ImportOptions, parse_columns
from customers.scoring.history import read_history

SHARED = Path(os.environ.get("REKINDLE_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
CDNOW = SHARED / "cdnow" / "cdnow_master.parquet"
UCI = SHARED / "online_retail_uci" / "online_retail.parquet"

needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no data sets in {SHARED}: set REKINDLE_SHARED_DATA")


def run(path: Path, columns: str, *options: str) -> dict:  # type: ignore[type-arg]
    told = StringIO()
    call_command("backtest", str(path), "--columns", columns, "--replicates", "50", "--json", *options, stdout=told)
    found: dict = json.loads(told.getvalue())  # type: ignore[type-arg]
    return found


@pytest.fixture
def csv_file(tmp_path: Path, shop: ShopData) -> Path:
    path = tmp_path / "orders.csv"
    shop.orders.select("customer_id", "ordered_at", "total").write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")
    return path


COLUMNS = "customer=customer_id,at=ordered_at,amount=total"


def test_a_csv_file_is_judged_without_any_database(csv_file: Path) -> None:
    """No django_db mark: a query would fail."""
    found = run(csv_file, COLUMNS, "--cutoff", "2024-11-20", "--horizon-days", "60")

    assert found["customers"] > 400
    assert set(found["estimators"]) == {
        "plain_rule", "rfm_logistic", "bg_nbd", "pareto_nbd", "rich_logistic", "boosted_trees", "blend",
    }  # fmt: skip
    for figures in found["estimators"].values():
        for metric in ("auc", "pr_auc", "log_loss", "brier", "ece", "lift10"):
            low, high = figures["intervals"][metric]
            assert low <= high
    assert found["champion"] in found["estimators"]
    assert found == run(csv_file, COLUMNS, "--cutoff", "2024-11-20", "--horizon-days", "60")


def test_people_get_a_table(csv_file: Path) -> None:
    told = StringIO()
    call_command(
        "backtest", str(csv_file), "--columns", COLUMNS, "--cutoff", "2024-11-20", "--horizon-days", "60",
        "--replicates", "20", stdout=told,
    )  # fmt: skip

    assert "boosted_trees" in told.getvalue() and "plain rule" in told.getvalue()


@pytest.mark.parametrize(
    ("columns", "cutoff", "says"),
    [
        ("customer=customer_id,at=nope,amount=total", "2024-11-20", "nope"),
        ("customer=customer_id,at=ordered_at", "2024-11-20", "price"),
        (COLUMNS, "2025-01-20", "Choose an earlier cutoff"),
        (COLUMNS, "2024-03-20", "cover"),
    ],
    ids=["missing column", "no money", "too late", "too early"],
)
def test_what_cannot_be_done_is_said_in_words(csv_file: Path, columns: str, cutoff: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(csv_file, columns, "--cutoff", cutoff, "--horizon-days", "60")


@pytest.mark.parametrize(
    ("options", "says"),
    [(("--seed", "-1"), "seed at least 0"), (("--cutoff", "20.11.2024"), "“20.11.2024” is no day; write it as")],
)
def test_options_that_cannot_be_are_said_in_words(csv_file: Path, options: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(csv_file, COLUMNS, "--cutoff", "2024-11-20", "--horizon-days", "60", *options)


def test_money_of_a_second_currency_is_left_aside(shop: ShopData, tmp_path: Path) -> None:
    """Every fourth order in yen, at 160 to the euro, must not make its customers rich."""
    is_yen = pl.col("order_id") % 4 == 0
    orders = shop.orders.select(
        "customer_id",
        "ordered_at",
        total=pl.when(is_yen).then(pl.col("total") * 160).otherwise("total"),
        currency=pl.when(is_yen).then(pl.lit("JPY")).otherwise(pl.lit("EUR")),
    )
    orders.write_csv(tmp_path / "two.csv", datetime_format="%Y-%m-%d %H:%M:%S")
    options = ImportOptions(parse_columns(f"{COLUMNS},currency=currency"), currency="USD", time_zone="UTC")

    known = read_history(tmp_path / "two.csv", options, now=dt.datetime.now(dt.UTC)).shop

    assert (known.currency, known.orders.height) == ("EUR", shop.orders.height)
    assert known.orders["total"].null_count() == orders.filter(currency="JPY").height
    assert known.orders["total"].sum() == pytest.approx(orders.filter(currency="EUR")["total"].sum())


def test_a_file_of_which_nothing_could_be_read_says_why(csv_file: Path) -> None:
    frame = pl.read_csv(csv_file)
    frame.with_columns(total=pl.lit("much")).write_csv(csv_file)
    with pytest.raises(
        CommandError, match=f"no order yet.* {frame.height} lines, 0 orders; left out: {frame.height} bad_price"
    ):
        run(csv_file, COLUMNS, "--cutoff", "2024-11-20", "--horizon-days", "60")


@pytest.mark.parametrize("options", [("2024-11-20", "100000000"), ("9999-12-31", "60")])
def test_days_past_the_calendar_are_refused(csv_file: Path, options: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="at the most"):
        run(csv_file, COLUMNS, "--cutoff", options[0], "--horizon-days", options[1])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        run(tmp_path / "none.csv", COLUMNS, "--cutoff", "2024-11-20")


@needs_data
def test_the_uci_shop_at_the_issues_cutoff() -> None:
    found = run(
        UCI,
        "order=InvoiceNo,product=StockCode,name=Description,quantity=Quantity,at=InvoiceDate,price=UnitPrice,customer=CustomerID",
        "--cutoff", "2011-09-10", "--horizon-days", "90",
    )  # fmt: skip

    champion = found["estimators"][found["champion"]]
    assert found["customers"] == pytest.approx(3370, abs=10)
    assert 0.74 < champion["auc"] < 0.85  # more would be a leak
    assert champion["auc"] > found["estimators"]["plain_rule"]["auc"] + 0.03
    assert champion["against_rule"]["interval"][0] > 0


@needs_data
def test_cdnow_agrees_with_what_others_reached() -> None:
    found = run(
        CDNOW, "customer=customer_id,at=date,amount=dollar_value", "--cutoff", "1998-04-01", "--horizon-days", "90"
    )

    assert found["customers"] == 23570
    assert found["estimators"]["plain_rule"]["auc"] == pytest.approx(0.828, abs=0.002)
    assert found["estimators"]["rfm_logistic"]["auc"] == pytest.approx(0.836, abs=0.004)
    assert 0.836 < found["estimators"]["blend"]["auc"] < 0.86
