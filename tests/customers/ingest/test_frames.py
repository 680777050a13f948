"""Frames in: customers, products, orders and consents, written once however often they are given."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from django.db import connection

from campaigns.models import CountryRule
from customers.ingest.consent import (
    hash_address,
    may_contact_sql,
    record_consent,
    record_consents,
    suppress_address,
    withdraw_consent,
)
from customers.ingest.copying import UpsertCounts
from customers.ingest.customers import upsert_customers
from customers.ingest.orders import UnknownReference, upsert_orders
from customers.ingest.products import upsert_products
from customers.models import ConsentRecord, Customer, Order, OrderLine, Product, Suppression

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def people(*ids: str, **columns: list[object]) -> pl.DataFrame:
    return pl.DataFrame({"external_id": list(ids), **columns})


def one_order(total: str = "5.00", **columns: object) -> pl.DataFrame:
    row = {"external_id": "o1", "customer": "a", "ordered_at": NOON, "currency": "GBP", "total": Decimal(total)}
    return pl.DataFrame([{**row, **columns}])


def lines(*prices: str) -> pl.DataFrame:
    rows = [
        {"order": "o1", "position": n, "sku": "T1", "quantity": 1, "unit_price": Decimal(price)}
        for n, price in enumerate(prices, 1)
    ]
    return pl.DataFrame(rows)


def test_customers_are_created_then_unchanged_then_updated(settings) -> None:
    settings.SHOP_TIME_ZONE = "Europe/Berlin"
    frame = people("a", "b", email=["a@x.test", None], joined_at=[NOON, None], attributes=['{"vip": true}', None])
    assert upsert_customers(frame) == UpsertCounts(2, 0, 0)
    before = Customer.objects.get(external_id="a").updated_at
    assert upsert_customers(frame) == UpsertCounts(0, 0, 2)
    a = Customer.objects.get(external_id="a")
    assert (a.updated_at, a.joined_at, a.attributes, a.time_zone) == (before, NOON, {"vip": True}, "Europe/Berlin")
    assert upsert_customers(people("a", "c", country=["DE", "FR"])) == UpsertCounts(1, 1, 0)
    a.refresh_from_db()
    assert (a.country, a.email) == ("DE", "a@x.test")


def test_the_last_row_of_a_key_counts_and_sources_are_apart() -> None:
    assert upsert_customers(people("a", "a", country=["DE", "FR"])).created == 1
    assert upsert_customers(people("a", country=["IT"]), source="other").created == 1
    assert list(Customer.objects.order_by("source").values_list("country", flat=True)) == ["IT", "FR"]


def test_unknown_column_is_refused() -> None:
    with pytest.raises(ValueError, match="shoe_size"):
        upsert_customers(people("a", shoe_size=[44]))


def test_quotes_newlines_and_backslashes_survive() -> None:
    odd = 'a "b"\n\\.\n,\t\\N é 张'
    upsert_customers(people("a", "b", first_name=[odd, ""]))
    assert Customer.objects.get(external_id="a").first_name == odd


def test_a_changed_product_gets_a_new_version() -> None:
    frame = pl.DataFrame({"sku": ["T1"], "name": ["Tent"], "price": [Decimal("9.50")], "currency": ["EUR"]})
    assert upsert_products(frame).created == 1
    assert upsert_products(frame).unchanged == 1
    assert upsert_products(frame.with_columns(price=Decimal("8.50"))).updated == 1
    assert Product.objects.get().version == 2


def test_orders_are_given_whole_and_twice_changes_nothing() -> None:
    upsert_customers(people("a"))
    upsert_products(pl.DataFrame({"sku": ["T1"]}))
    counts = upsert_orders(one_order(), lines("2.00", "3.00"))
    assert (counts.orders, counts.lines, counts.lines_removed) == (UpsertCounts(1), UpsertCounts(2), 0)
    counts = upsert_orders(one_order(), lines("2.00", "3.00"))
    assert (counts.orders, counts.lines) == (UpsertCounts(0, 0, 1), UpsertCounts(0, 0, 2))
    counts = upsert_orders(one_order("4.00"), lines("4.00"))
    assert (counts.orders.updated, counts.lines.updated, counts.lines_removed) == (1, 1, 1)
    assert OrderLine.objects.get().unit_price == Decimal("4.00")


def test_tables_whose_rows_were_all_taken_back_are_not_taken_for_empty_for_good() -> None:
    """Where they are, sixty thousand lines that stand already took minutes: each was joined to each."""
    upsert_customers(people("a"))
    upsert_products(pl.DataFrame({"sku": ["T1"]}))
    upsert_orders(one_order(), lines("2.00", "3.00"))
    OrderLine.objects.all().delete()
    Order.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_order, customers_orderline")
    assert count_as_planned() == {"customers_order": 0, "customers_orderline": 0}
    for _time in range(2):
        upsert_orders(one_order(), lines("2.00", "3.00"))
    assert count_as_planned() == {"customers_order": 1, "customers_orderline": 2}


def count_as_planned() -> dict[str, float]:
    """How many rows the planner believes in, by table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples FROM pg_class WHERE relname IN ('customers_order', 'customers_orderline')"
        )
        return dict(cursor.fetchall())


@pytest.mark.parametrize(
    ("order", "line", "named"),
    [
        (one_order(customer="nobody"), lines("1.00"), "nobody"),
        (one_order(), lines("1.00").with_columns(order=pl.lit("o9")), "o9"),
        (one_order(), lines("1.00").with_columns(sku=pl.lit("X9")), "X9"),
    ],
)
def test_a_reference_to_nothing_writes_nothing(order: pl.DataFrame, line: pl.DataFrame, named: str) -> None:
    upsert_customers(people("a"))
    upsert_products(pl.DataFrame({"sku": ["T1"]}))
    with pytest.raises(UnknownReference, match=named):
        upsert_orders(order, line)
    assert not Order.objects.exists()


def may_contact(customer: Customer) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {may_contact_sql('c')} FROM customers_customer c WHERE id = %s", [customer.pk])
        return bool(cursor.fetchone()[0])


def test_contact_needs_address_consent_and_no_suppression() -> None:
    upsert_customers(people("a", "b", email=["Ana@Shop.test", ""]))
    a, b = Customer.objects.order_by("external_id")
    assert not may_contact(a)
    record_consent(a, source="form", now=NOON)
    record_consent(b, source="form", now=NOON)
    assert may_contact(a)
    assert not may_contact(b)
    assert suppress_address(" ana@shop.TEST", reason=Suppression.Reason.BOUNCED)
    assert not suppress_address("ANA@shop.test", reason=Suppression.Reason.STAFF)
    assert Suppression.objects.get().reason == "bounced"
    assert not may_contact(a)


def test_withdrawing_twice_writes_one_record() -> None:
    upsert_customers(people("a", email=["a@x.test"]))
    a = Customer.objects.get()
    record_consent(a, source="form", now=NOON)
    assert withdraw_consent(a, source="page", now=NOON) is not None
    assert withdraw_consent(a, source="page", now=NOON) is None
    assert not may_contact(a)
    assert a.consents.count() == 2


def test_test_consent_counts_only_for_the_mail_catcher(settings) -> None:
    upsert_customers(people("a", email=["a@x.test"]))
    a = Customer.objects.get()
    record_consent(a, source="import", now=NOON, is_test=True, legal_basis=ConsentRecord.LegalBasis.TEST)
    settings.USES_MAIL_CATCHER = True
    assert may_contact(a)
    settings.USES_MAIL_CATCHER = False
    assert not may_contact(a)


@pytest.mark.parametrize("address", ["A@B.test", " ÄÖ@x.test ", "İ@x.test", "ß'\"\\@x.test", "张@x.test"])
def test_python_and_sql_hash_an_address_alike(address: str) -> None:
    from customers.ingest.consent import address_hash_sql

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {address_hash_sql('a')} FROM (SELECT %s::text AS a) t", [address])
        assert cursor.fetchone()[0] == hash_address(address)


def test_consents_of_a_frame_are_appended_once() -> None:
    upsert_customers(people("a", "b"))
    frame = pl.DataFrame(
        {"customer": ["a", "b"], "status": ["given"] * 2, "legal_basis": ["consent"] * 2, "recorded_at": [NOON] * 2}
    )
    assert record_consents(frame) == UpsertCounts(2)
    assert record_consents(frame) == UpsertCounts(0, 0, 2)


def test_a_list_never_raises_a_consent_above_a_withdrawal() -> None:
    upsert_customers(people(*"abcdef", email=[f"{name}@x.test" for name in "abcdef"]))
    who = {customer.external_id: customer for customer in Customer.objects.all()}
    for name in "ab":
        record_consent(who[name], source="form", now=NOON)
    withdraw_consent(who["a"], source="page", now=NOON)
    suppress_address("c@x.test", reason=Suppression.Reason.UNSUBSCRIBED)
    suppress_address("d@x.test", reason=Suppression.Reason.BOUNCED)
    later = NOON + dt.timedelta(days=900)
    given = [(name, "given", later) for name in "abcdef"] + [("e", "withdrawn", NOON), ("f", "withdrawn", later)]
    frame = pl.DataFrame(given, schema=["customer", "status", "recorded_at"], orient="row").with_columns(
        legal_basis=pl.lit("consent")
    )
    for _again in range(2):
        record_consents(frame)
        newest = {name: c.consents.order_by("recorded_at", "pk").last() for name, c in who.items()}
        told = {name: record.status if record else "" for name, record in newest.items()}
        assert told == {"a": "withdrawn", "b": "given", "c": "", "d": "given", "e": "withdrawn", "f": "withdrawn"}
    assert not may_contact(who["d"]), "a bounce holds mail back all the same"


def test_a_list_does_not_confirm_what_waits_for_the_persons_own_word() -> None:
    upsert_customers(people("a", "b", email=["a@x.test", "b@x.test"]))
    who = {customer.external_id: customer for customer in Customer.objects.all()}
    asked = {"channel": "email", "legal_basis": "consent", "source": "form", "recorded_at": NOON}
    ConsentRecord.objects.create(customer=who["a"], status="pending", **asked)
    ConsentRecord.objects.create(customer=who["b"], status="pending", **asked)
    record_consent(who["b"], source="form", now=NOON + dt.timedelta(hours=1))  # confirmed
    given = [(name, "given", NOON + dt.timedelta(days=9), channel) for name in "ab" for channel in ("email", "sms")]
    frame = pl.DataFrame(
        given, schema=["customer", "status", "recorded_at", "channel"], orient="row"
    ).with_columns(legal_basis=pl.lit("consent"))  # fmt: skip
    assert record_consents(frame).created == 3, "all but the mail of whoever has not answered"
    assert not may_contact(who["a"]) and may_contact(who["b"])


def test_a_list_does_not_renew_what_has_lapsed() -> None:
    upsert_customers(people("a", "b", email=["a@x.test", "b@x.test"]))
    who = {customer.external_id: customer for customer in Customer.objects.all()}
    record_consent(who["a"], source="form", now=NOON)
    lapsed = {"channel": "email", "legal_basis": "consent", "source": "country rule", "status": "expired"}
    ConsentRecord.objects.create(customer=who["a"], recorded_at=NOON + dt.timedelta(days=30), **lapsed)
    given = [(name, "given", NOON + dt.timedelta(days=60)) for name in "ab"]
    frame = pl.DataFrame(
        given, schema=["customer", "status", "recorded_at"], orient="row"
    ).with_columns(legal_basis=pl.lit("consent"))  # fmt: skip
    assert record_consents(frame) == UpsertCounts(1, 0, 1)
    assert (may_contact(who["a"]), may_contact(who["b"])) == (False, True)
    record_consent(who["a"], source="preferences", now=NOON + dt.timedelta(days=61))
    assert may_contact(who["a"]), "the person's own word counts"


def test_nor_what_has_lapsed_this_moment_and_no_sweep_has_written_yet() -> None:
    """The rule of the country is judged when the list is read."""
    CountryRule.objects.all().delete()
    CountryRule.objects.create(country="DE", consent_months=24)
    CountryRule.objects.create(country="")
    upsert_customers(people("a", "b", "c", email=["a@x.test", "b@x.test", "c@x.test"], country=["DE", "DE", "FR"]))
    now = dt.datetime.now(dt.UTC)
    who = {customer.external_id: customer for customer in Customer.objects.all()}
    for name, months in (("a", 25), ("b", 23), ("c", 25)):
        record_consent(who[name], source="form", now=now - dt.timedelta(days=30.5 * months))
    frame = pl.DataFrame(
        [(name, "given", now) for name in "abc"], schema=["customer", "status", "recorded_at"], orient="row"
    ).with_columns(legal_basis=pl.lit("consent"))  # fmt: skip
    for _again in range(2):
        record_consents(frame)
        newest = {name: customer.consents.latest("recorded_at", "pk") for name, customer in who.items()}
        assert {name: found.status for name, found in newest.items()} == {"a": "expired", "b": "given", "c": "given"}
        assert newest["a"].recorded_at < now and newest["b"].recorded_at == newest["c"].recorded_at == now
    assert ConsentRecord.objects.filter(status="expired").count() == 1
