"""Profiles out of the database, and back into it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from customers.features.interests.profiles import are_old, refresh_for_today, refresh_profiles
from customers.features.interests.reading import read_acts, read_catalogue, read_prices
from customers.ingest.clock import choose_as_of
from customers.ingest.preferences import save_preference
from customers.models import Customer, InterestProfile, Product

from .conftest import NOW, Buy, Say

pytestmark = pytest.mark.django_db
Shelves = dict[str, Product]


def test_a_profile_says_what_somebody_likes_pays_and_did_not_find(
    products: Shelves, anna: Customer, bo: Customer, say: Say, buy: Buy
) -> None:
    for number, name in enumerate(["Tarn Tent", "Storm Tent", "Peg Set", "Tarp", "Family Tent"]):
        buy(bo, products[name], days_ago=30, price=100 + 100 * number)
    for days_ago in (20, 40, 60):
        buy(anna, products["Family Tent"], days_ago=days_ago, price=480)
    say(anna, "product_viewed", 3, sku=products["Gas Stove"].sku, category="Kitchen")
    say(anna, "product_viewed", 2, sku=products["Gas Stove"].sku, category="Kitchen")
    say(anna, "search_performed", 2, query="  Hiking   BOOTS ")
    say(anna, "cart_updated", 2, items=[{"sku": products["Gas Stove"].sku}, {"sku": products["Kids Mug"].sku}])

    assert refresh_profiles(as_of=NOW) == 2

    profile = InterestProfile.objects.get(customer=anna)
    strongest = profile.categories[0]
    assert (strongest["category"], strongest["ordered"], strongest["price_band"]) == ("Tents", 3, "high")
    assert sum(row["share"] for row in profile.categories) == pytest.approx(1)
    assert [(row["brand"], row["ordered"]) for row in profile.brands if row["ordered"]] == [
        (products["Family Tent"].brand, 3)
    ]
    assert sum(row["share"] for row in profile.brands) == pytest.approx(1)
    kitchen = next(row for row in profile.categories if row["category"] == "Kitchen")
    assert (kitchen["carts"], kitchen["viewed"]) == (2, 2)
    assert (profile.price_level, profile.price_band, profile.price_lines) == (0.9, "high", 3)
    assert [(row["query"], row["category"]) for row in profile.searches] == [("hiking boots", "Boots and shoes")]
    assert [(row["product_id"], row["times"]) for row in profile.viewed] == [(products["Gas Stove"].pk, 2)]


def test_who_objects_to_profiling_has_no_interests(products: Shelves, anna: Customer, bo: Customer, buy: Buy) -> None:
    for person in (anna, bo):
        buy(person, products["Storm Tent"], days_ago=30)
    refresh_profiles(as_of=NOW)
    save_preference(anna, {"objects_to_profiling_at": NOW}, source="test", now=NOW)
    refresh_profiles(as_of=NOW)
    assert list(InterestProfile.objects.values_list("customer", flat=True)) == [bo.pk]


def test_what_comes_after_the_date_is_not_known(
    products: Shelves, anna: Customer, bo: Customer, say: Say, buy: Buy
) -> None:
    """Neither the customer's own future nor the prices that others pay later."""
    for number, name in enumerate(["Tarn Tent", "Storm Tent", "Peg Set", "Tarp"]):
        buy(bo, products[name], days_ago=30, price=100 + 100 * number)
        buy(anna, products[name], days_ago=29, price=100 + 100 * number)
    refresh_profiles(as_of=NOW)
    before = InterestProfile.objects.values().get(customer=anna)
    buy(bo, products["Tarn Tent"], days_ago=-2, price=9_000)
    buy(anna, products["Kids Mug"], days_ago=0)
    say(anna, "search_performed", -1, query="stove")

    refresh_profiles(as_of=NOW)

    assert InterestProfile.objects.values().get(customer=anna) == before


def test_a_second_run_changes_nothing(products: Shelves, anna: Customer, buy: Buy) -> None:
    buy(anna, products["Tarp"])

    assert refresh_profiles(as_of=NOW) == 1
    assert refresh_profiles(as_of=NOW) == 0


def test_profiles_are_made_again_on_the_next_day(products: Shelves, anna: Customer, buy: Buy) -> None:
    buy(anna, products["Tarp"])

    assert are_old(NOW)
    assert refresh_for_today(NOW) == 1
    assert not are_old(NOW + dt.timedelta(hours=5))
    assert are_old(NOW + dt.timedelta(days=1))


def test_a_shop_whose_data_ended_is_looked_at_as_of_its_end(products: Shelves, anna: Customer, buy: Buy) -> None:
    buy(anna, products["Tarp"], days_ago=300)

    assert choose_as_of(NOW) == NOW - dt.timedelta(days=300) + dt.timedelta(seconds=1)
    assert refresh_for_today(NOW) == 1
    assert not are_old(NOW)


def test_somebody_of_whom_nothing_is_known_has_an_empty_profile(products: Shelves, anna: Customer) -> None:
    refresh_profiles(as_of=NOW)

    profile = InterestProfile.objects.get(customer=anna)
    assert (profile.categories, profile.price_level, profile.searches, profile.topics) == ([], None, [], [])


def test_an_empty_shop_has_no_profiles(db: None) -> None:
    assert refresh_profiles(as_of=NOW) == 0
    assert not are_old(NOW)


def test_prices_are_the_mean_of_what_was_paid_before(products: Shelves, anna: Customer, buy: Buy) -> None:
    buy(anna, products["Tarp"], 3, price=10)
    buy(anna, products["Tarp"], 2, price=20)
    buy(anna, products["Tarp"], 2, price=20, quantity=-1)
    buy(anna, products["Tarp"], -1, price=90)

    assert read_prices(before=NOW).rows() == [(products["Tarp"].pk, "EUR", 15.0)]


def test_events_of_any_shape_are_read(products: Shelves, anna: Customer, say: Say) -> None:
    """Properties are what shops send: lists that are none, numbers for texts, unknown article numbers."""
    for properties in ({}, {"items": "three"}, {"items": [None, 7, {"sku": 5}]}, {"sku": None}, {"sku": "gone"}):
        say(anna, "cart_updated", 1, **properties)
    say(anna, "search_performed", 1, query=17)
    say(anna, "search_performed", 1, query={"nested": "é\n“x”"})
    say(anna, "product_viewed", 1, category="x" * 500, query="not a search")

    acts = read_acts(before=NOW, partition=None)

    assert acts.height == 10
    assert acts["product_id"].null_count() == 10
    assert acts["query"].str.len_chars().max() < 60
    refresh_profiles(as_of=NOW)


def test_the_catalogue_has_its_names_in_every_language(products: Shelves) -> None:
    Product.objects.create(sku="odd", name="Odd", names=["a list"])
    Product.objects.create(sku="post", name="Postage", is_charge=True, price=Decimal(3))

    catalogue = read_catalogue()

    assert dict(catalogue.select("name", "names").iter_rows())["Tarp"] == ["天幕"]
    assert "Postage" not in catalogue["name"].to_list()
