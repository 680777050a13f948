"""A simulated shop: the same for the same seed, well formed, and sensible to look at."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from retention_site.demo.simulator import LEAN, Shop, ShopSimulator, iter_shop, simulate_shop
from retention_site.demo.simulator.events import KINDS

TODAY = datetime(2026, 11, 23, 18, 16, 5, tzinfo=UTC)
START = TODAY - timedelta(days=730)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate_shop(seed=7, customers=3000, today=TODAY)


def make_simulator(customers: int = 400, seed: int = 3) -> ShopSimulator:
    return ShopSimulator(seed=seed, start=START, joining_until=TODAY, customers=customers)


def assert_same_shop(one: Shop, other: Shop) -> None:
    for field in fields(Shop):
        assert_frame_equal(getattr(one, field.name), getattr(other, field.name))


def test_same_seed_gives_the_same_shop_and_another_seed_another() -> None:
    one = simulate_shop(seed=11, customers=300, today=TODAY, years=1)
    assert_same_shop(one, simulate_shop(seed=11, customers=300, today=TODAY, years=1))
    assert not one.orders.equals(simulate_shop(seed=12, customers=300, today=TODAY, years=1).orders)


def test_stretches_cut_on_whole_weeks_add_up_to_the_same_shop() -> None:
    whole = make_simulator().advance(TODAY)
    resumed = make_simulator()
    first = resumed.advance(START + timedelta(weeks=60))
    second = resumed.advance(TODAY)
    for name, key in (("orders", "external_id"), ("events", "external_id"), ("order_lines", "order_external_id")):
        joined = pl.concat([getattr(first, name), getattr(second, name)])
        assert_frame_equal(joined.sort(joined.columns), getattr(whole, name).sort(joined.columns))
        assert joined[key].null_count() == 0
    assert first.customers.height + second.customers.height == whole.customers.height


def test_stretches_cut_anywhere_agree_in_distribution() -> None:
    whole = make_simulator(customers=4000).advance(START + timedelta(days=400))
    resumed = make_simulator(customers=4000)
    cuts = [START + timedelta(days=days) for days in (33.3, 101.7, 180.2, 299.9, 400)]
    parts = [resumed.advance(cut) for cut in cuts]
    orders = sum(part.orders.filter(~pl.col("is_return")).height for part in parts)
    expected = whole.orders.filter(~pl.col("is_return")).height
    assert orders == pytest.approx(expected, rel=0.05)
    opens = sum(part.events.filter(pl.col("kind") == "email_opened").height for part in parts)
    assert opens == pytest.approx(whole.events.filter(pl.col("kind") == "email_opened").height, rel=0.08)


def test_nothing_lies_outside_its_stretch() -> None:
    simulator = make_simulator(customers=800)
    middle = START + timedelta(days=365.4)
    first, second = simulator.advance(middle), simulator.advance(TODAY)
    for part, begin, end in ((first, START, middle), (second, middle, TODAY)):
        assert part.orders.filter((pl.col("ordered_at") < begin) | (pl.col("ordered_at") >= end)).is_empty()
        assert part.events.filter((pl.col("occurred_at") < begin) | (pl.col("occurred_at") >= end)).is_empty()
        assert part.customers.filter(pl.col("joined_at") >= end).is_empty()
    assert second.customers.filter(pl.col("joined_at") < middle).is_empty()


def test_nobody_does_anything_before_joining(shop: Shop) -> None:
    joined = shop.customers.select("external_id", "joined_at")
    for table, moment in ((shop.orders, "ordered_at"), (shop.events, "occurred_at")):
        told = table.join(joined, left_on="customer_external_id", right_on="external_id")
        assert told.height == table.height
        assert told.filter(pl.col(moment) < pl.col("joined_at")).is_empty()


def test_keys_are_unique(shop: Shop) -> None:
    assert shop.customers["external_id"].is_unique().all()
    assert shop.customers["email"].is_unique().all()
    assert shop.products["sku"].is_unique().all()
    assert shop.orders["external_id"].is_unique().all()
    assert shop.order_lines.select("order_external_id", "position").is_unique().all()
    assert shop.events["external_id"].is_unique().all()


def test_keys_stay_unique_over_chunks_and_stretches() -> None:
    simulator = ShopSimulator(seed=1, start=START, joining_until=TODAY, customers=20_300, settings=LEAN)
    parts = [simulator.advance(START + timedelta(days=days)) for days in (20.5, 41)]
    for name in ("orders", "events"):
        assert pl.concat([getattr(part, name) for part in parts])["external_id"].is_unique().all()


def test_totals_are_the_lines_less_the_discount(shop: Shop) -> None:
    sums = shop.order_lines.group_by("order_external_id").agg(
        lines=(pl.col("unit_price") * pl.col("quantity")).sum(), least=pl.col("quantity").min()
    )
    told = shop.orders.join(sums, left_on="external_id", right_on="order_external_id")
    assert told.height == shop.orders.height == sums.height
    assert told.filter(pl.col("lines") - pl.col("discount") != pl.col("total")).is_empty()
    assert told.filter((pl.col("discount") != 0) != (pl.col("discount_code") != "")).is_empty()
    assert shop.orders.schema["total"].is_decimal()


def test_returns_are_negative_lines_of_an_earlier_order(shop: Shop) -> None:
    returns = shop.orders.filter("is_return")
    lines = shop.order_lines.join(returns, left_on="order_external_id", right_on="external_id")
    assert returns.height > 100
    assert (lines["quantity"] < 0).all()
    assert (returns["total"] < 0).all()
    bought = shop.orders.filter(~pl.col("is_return"))
    told = returns.join(bought, left_on="return_of", right_on="external_id", suffix="_bought")
    assert told.height == returns.height
    assert (told["ordered_at"] > told["ordered_at_bought"]).all()
    assert (told["customer_external_id"] == told["customer_external_id_bought"]).all()
    assert told.filter(-pl.col("total") > pl.col("total_bought") + 1).is_empty()


def test_addresses_and_links_cannot_leave_the_machine(shop: Shop) -> None:
    assert shop.customers["email"].str.contains(r"^[a-z0-9.]+@[a-z]+\.test$").all()
    assert shop.products["url"].str.contains(r"^https://[a-z]+\.test/").all()


def test_people_have_names_in_their_script_and_real_time_zones(shop: Shop) -> None:
    chinese = shop.customers.filter(pl.col("language") == "zh-hans")
    assert 0.2 < chinese.height / shop.customers.height < 0.4
    assert chinese["last_name"].str.contains("^[\u4e00-\u9fff]+$").all()
    assert set(shop.customers["language"]) == {"en", "zh-hans"}
    zones = set(shop.customers["time_zone"])
    assert {"Europe/London", "America/New_York", "Asia/Shanghai", "Asia/Taipei"} <= zones
    assert all(ZoneInfo(zone) for zone in zones)


def test_catalogue_speaks_both_languages(shop: Shop) -> None:
    assert shop.products.height == 120
    assert shop.products["category"].n_unique() == 10
    assert shop.products["name"].is_unique().all()
    assert shop.products["name_zh"].str.contains("[\u4e00-\u9fff]").all()
    assert (shop.products["price"] > 0).all()


def test_consent_is_given_by_most_and_withdrawn_by_some(shop: Shop) -> None:
    customers = shop.customers
    assert 0.65 < customers["marketing_consent"].mean() < 0.9
    assert 0.02 < customers["withdrawn_at"].is_not_null().mean() < 0.15
    newest = shop.consents.sort("recorded_at").group_by("customer_external_id").agg(pl.col("status").last())
    told = customers.join(newest, left_on="external_id", right_on="customer_external_id", how="left")
    assert told.filter(pl.col("marketing_consent") != (pl.col("status") == "given").fill_null(False)).is_empty()


def test_newsletters_go_only_to_those_who_consent(shop: Shop) -> None:
    sent = shop.events.filter(pl.col("kind") == "email_sent").join(
        shop.customers, left_on="customer_external_id", right_on="external_id"
    )
    assert sent["consent_at"].null_count() == 0
    # An unsubscription takes effect within the hour in which the newsletter goes out.
    late = pl.col("occurred_at") > pl.col("withdrawn_at") + pl.duration(hours=1)
    assert sent.filter(late).is_empty()


def test_events_have_known_kinds_and_valid_properties(shop: Shop) -> None:
    assert set(shop.events["kind"]) == set(KINDS)
    for text in shop.events.group_by("kind").agg(pl.col("properties").head(50))["properties"].explode():
        assert isinstance(json.loads(text), dict)
        assert "#" not in text
    assert set(
        shop.events.filter(pl.col("kind") == "product_viewed")["properties"].str.json_path_match("$.sku")
    ) <= set(shop.products["sku"])


def test_cases_close_after_they_opened_and_some_stay_open(shop: Shop) -> None:
    cases = shop.events.filter(pl.col("kind").str.contains("ticket|complaint")).with_columns(
        number=pl.col("properties").str.json_path_match("$.ticket"), what=pl.col("kind").str.extract("_(.*)$")
    )
    opened, closed = cases.filter(pl.col("what") == "opened"), cases.filter(pl.col("what") == "closed")
    assert opened["number"].is_unique().all()
    told = opened.join(closed, on="number", how="left", suffix="_closed")
    assert (told["occurred_at_closed"] > told["occurred_at"]).drop_nulls().all()
    assert 0 < told["occurred_at_closed"].null_count() < 0.3 * told.height


def test_shop_looks_like_a_shop(shop: Shop) -> None:
    bought = shop.orders.filter(~pl.col("is_return"))
    each = bought.group_by("customer_external_id").len()["len"]
    assert 4 < each.mean() < 10
    assert each.quantile(0.9) > 2.5 * each.median()
    assert 0.05 < shop.orders["is_return"].mean() < 0.25
    assert 0.1 < (bought["discount_code"] != "").mean() < 0.5
    assert 60 < shop.events.height / shop.customers.height < 140
    by_month = bought.group_by(pl.col("ordered_at").dt.strftime("%Y-%m").alias("month")).len()
    counts = dict(by_month.iter_rows())
    assert counts["2025-12"] > 1.3 * counts["2026-01"]
    assert counts["2025-12"] > 1.2 * counts["2025-10"]


def test_ninety_day_retention_is_that_of_a_real_shop(shop: Shop) -> None:
    bought = shop.orders.filter(~pl.col("is_return"))
    cut = TODAY - timedelta(days=90)
    before = set(bought.filter(pl.col("ordered_at") < cut)["customer_external_id"])
    after = set(bought.filter(pl.col("ordered_at") >= cut)["customer_external_id"])
    assert 0.35 < len(before & after) / len(before) < 0.6


def test_silence_foretells_leaving_and_visits_foretell_staying(shop: Shop) -> None:
    cut = TODAY - timedelta(days=90)
    bought = shop.orders.filter(~pl.col("is_return"))
    known = bought.filter(pl.col("ordered_at") < cut).group_by("customer_external_id").agg(pl.col("ordered_at").max())
    stays = bought.filter(pl.col("ordered_at") >= cut)["customer_external_id"].unique().implode()
    month = pl.col("occurred_at").is_between(cut - timedelta(days=30), cut)
    seen = shop.events.filter(month & (pl.col("kind") == "product_viewed"))["customer_external_id"].unique().implode()
    told = known.with_columns(
        stays=pl.col("customer_external_id").is_in(stays),
        seen=pl.col("customer_external_id").is_in(seen),
        silent=pl.col("ordered_at") < cut - timedelta(days=120),
    )
    shares = told.group_by("silent", "seen").agg(pl.col("stays").mean())
    share = {(silent, seen): stays for silent, seen, stays in shares.iter_rows()}
    assert share[(False, True)] > share[(True, True)] > share[(True, False)]
    assert share[(False, True)] > share[(False, False)] > share[(True, False)]
    assert share[(True, False)] > 0.02
    assert share[(False, True)] < 0.95


def test_slices_hold_the_same_rows_as_the_whole() -> None:
    whole = simulate_shop(seed=2, customers=20_200, today=TODAY, years=0.15, settings=LEAN)
    slices = list(iter_shop(seed=2, customers=20_200, today=TODAY, years=0.15, settings=LEAN))
    assert len(slices) == 2
    assert_frame_equal(pl.concat([part.orders for part in slices]), whole.orders)
    assert_frame_equal(pl.concat([part.events for part in slices]), whole.events)


def test_time_does_not_run_backwards() -> None:
    simulator = make_simulator(customers=10)
    simulator.advance(START + timedelta(days=10))
    with pytest.raises(ValueError, match="already"):
        simulator.advance(START + timedelta(days=10))
    with pytest.raises(ValueError, match="time zone"):
        simulator.advance(datetime(2026, 1, 1))  # noqa: DTZ001
