"""A file of orders goes in whole, or not at all, and once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from customers.ingest.column_guess import guess_columns
from customers.ingest.files import import_orders_file
from customers.ingest.schema import FileProblem
from customers.models import ConsentRecord, Customer, ImportRejection, ImportRun, Order, OrderLine, Product

from .conftest import COLUMNS, GOOD, NOW, ImportRows, MakeFile, choose, find_shared_data

pytestmark = pytest.mark.django_db


def test_lines_become_customers_products_orders(import_rows: ImportRows) -> None:
    report = import_rows(
        GOOD,
        "536365,71053,WHITE LANTERN,2,2010-12-01 08:26:00,3.39,17850,United Kingdom",
        "C536379,85123A,WHITE HOLDER,-1,2011-07-01 09:41:00,2.55,17850,United Kingdom",
        "536400,22139,,4,2011-01-01 10:00:00,0.00,12583,France",
    )
    assert (report.lines_read, report.orders, report.customers, report.created) == (4, 3, 2, 4)
    assert report.left_out == {}
    order = Order.objects.get(external_id="536365")
    assert (order.total, order.currency, order.is_return) == (Decimal("22.08"), "GBP", False)
    assert order.ordered_at == dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
    assert list(order.lines.order_by("position").values_list("position", "product__sku")) == [
        (1, "85123A"),
        (2, "71053"),
    ]
    back = Order.objects.get(external_id="C536379")
    assert (back.total, back.is_return) == (Decimal("-2.55"), True)
    assert back.ordered_at == dt.datetime(2011, 7, 1, 8, 41, tzinfo=dt.UTC), "summer time in London"
    french = Customer.objects.get(external_id="12583")
    assert (french.country, french.time_zone, french.language, french.email) == ("France", "Europe/Paris", "en", "")
    assert Product.objects.get(sku="22139").price is None
    assert Product.objects.get(sku="85123A").price == Decimal("2.55")


def test_the_second_run_changes_nothing(import_rows: ImportRows) -> None:
    rows = [GOOD, GOOD.replace("17850", ""), GOOD.replace("85123A", "71053")]
    first = import_rows(*rows)
    stamps = (
        list(Customer.objects.values_list("updated_at")),
        list(Product.objects.values_list("updated_at", "version")),
    )
    second = import_rows(*rows)
    assert (second.created, second.updated, second.unchanged) == (0, 0, first.created)
    assert all((counts.created, counts.updated) == (0, 0) for counts in second.tables.values())
    assert stamps == (
        list(Customer.objects.values_list("updated_at")),
        list(Product.objects.values_list("updated_at", "version")),
    )
    assert ImportRun.objects.count() == 1
    assert ImportRejection.objects.count() == 1


def test_a_changed_file_updates_and_removes_lines(import_rows: ImportRows) -> None:
    import_rows(GOOD, GOOD.replace("85123A", "71053"), GOOD.replace("85123A", "22139"))
    report = import_rows(GOOD, GOOD.replace("85123A", "71053").replace("2.55", "2.75"))
    assert (report.created, report.updated, report.unchanged, report.lines_removed) == (0, 1, 1, 1)
    assert Order.objects.get().total == Decimal("31.80")
    assert OrderLine.objects.count() == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (GOOD.replace("17850", ""), "missing_customer"),
        (GOOD.replace("17850", " NaN "), "missing_customer"),
        (GOOD.replace("2010-12-01 08:26:00", "yesterday"), "bad_date"),
        (GOOD.replace("2010-12-01 08:26:00", ""), "bad_date"),
        (GOOD.replace("2010-12-01", "2011-02-29"), "bad_date"),
        (GOOD.replace("2010", "1066"), "date_too_old"),
        (GOOD.replace("2010", "2031"), "date_in_future"),
        (GOOD.replace(",6,", ",six,"), "bad_quantity"),
        (GOOD.replace(",6,", ",1.5,"), "bad_quantity"),
        (GOOD.replace(",6,", ",0,"), "bad_quantity"),
        (GOOD.replace(",6,", ",99999999999999999999,"), "bad_quantity"),
        (GOOD.replace("2.55", ""), "bad_price"),
        (GOOD.replace("2.55", "1,23.5").replace("1,23.5", '"1,23.5"'), "bad_price"),
        (GOOD.replace("2.55", "9" * 30), "bad_price"),
        (GOOD.replace("2.55", "-2.55"), "negative_price"),
        (GOOD.replace("17850", "1" * 121), "too_long"),
        (GOOD.replace("85123A", "8" * 81), "too_long"),
        (GOOD.replace("WHITE", "WH\0TE"), "bad_character"),
        (GOOD + ",more,columns", "broken_line"),
        ("536365,85123A", "broken_line"),
    ],
)
def test_what_cannot_be_imported_is_left_out_with_its_reason(import_rows: ImportRows, row: str, reason: str) -> None:
    report = import_rows("1,A100,X,1,2010-12-01,1,9,", row, "2,A100,X,1,2010-12-02,1,9,")
    assert report.left_out == {reason: 1}
    assert report.lines_read == 3 == report.created + 1
    rejection = ImportRejection.objects.get()
    assert (rejection.line_number, rejection.reason) == (3, reason)
    assert rejection.content


def test_doubles_other_customers_and_currencies_of_an_order(import_rows: ImportRows) -> None:
    header = ",".join([*COLUMNS.values(), "Cur"])
    report = import_rows(
        f"{GOOD},EUR",
        f"{GOOD},EUR",
        f"{GOOD.replace('17850', '2')},EUR",
        f"{GOOD},USD",
        f"{GOOD.replace('536365', '7')},XXX",
        f"{GOOD.replace('536365', '8')},",
        header=header,
        columns={**COLUMNS, "currency": "Cur"},
    )
    assert report.left_out == {"bad_currency": 2, "duplicate_line": 1, "other_customer": 1}
    assert dict(Order.objects.values_list("external_id", "currency")) == {"536365": "EUR", "8": "GBP"}


def test_an_order_says_its_currency_on_one_line_and_its_customers_are_known_by_address(import_rows: ImportRows) -> None:
    """As Shopify writes its file of orders."""
    Customer.objects.create(source="shop", external_id="Kept@Shop.test", email="another@shop.test")
    header = "Name,Email,Currency,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku"
    report = import_rows(
        "#1001,Ana@Shop.TEST,USD,2025-01-05 10:00:00 +0200,1,Tent,189.00,T-1",
        "#1001,Ana@Shop.TEST,,2025-01-05 10:00:00 +0200,2,Rope,12.00,R-1",
        "#1002,Kept@Shop.test,,2025-01-06 10:00:00 +0200,1,Rope,12.00,R-1",
        "#1002,Kept@Shop.test,EUR,2025-01-06 10:00:00 +0200,1,Stove,30.00,S-1",
        "#1003,a b@x,,2025-01-07 10:00:00 +0200,1,Rope,12.00,R-1",
        header=header,
        columns=guess_columns(header.split(",")),
    )
    assert (report.created, report.left_out) == (5, {})
    assert dict(Order.objects.values_list("external_id", "currency")) == {
        "#1001": "USD",
        "#1002": "EUR",
        "#1003": "GBP",
    }
    assert dict(Customer.objects.values_list("external_id", "email")) == {
        "Ana@Shop.TEST": "Ana@shop.test", "Kept@Shop.test": "another@shop.test", "a b@x": "",
    }  # fmt: skip
    assert not ConsentRecord.objects.exists(), "an address is no consent"


def test_line_numbers_count_the_header_and_rows_with_line_breaks(import_rows: ImportRows) -> None:
    import_rows(GOOD.replace("WHITE HOLDER", '"WHITE\nHOLDER"'), "", GOOD.replace("17850", ""))
    assert ImportRejection.objects.get().line_number == 4


def test_charges_are_told_from_wares(import_rows: ImportRows) -> None:
    rows = [GOOD.replace("85123A", str(code)) for code in range(20000, 20060)]
    rows += [GOOD.replace("85123A", code) for code in ("POST", "D", "C2", "BANK CHARGES")]
    rows += [GOOD.replace("85123A", "30001").replace("WHITE HOLDER", "Next Day Carriage")]
    import_rows(*rows)
    charges = set(Product.objects.filter(is_charge=True).values_list("sku", flat=True))
    assert charges == {"POST", "D", "C2", "BANK CHARGES", "30001"}


def test_codes_of_letters_are_wares_where_the_shop_uses_them(import_rows: ImportRows) -> None:
    import_rows(*[GOOD.replace("85123A", code) for code in ("TENT-RED", "MUG", "shipping")])
    assert list(Product.objects.filter(is_charge=True).values_list("sku", flat=True)) == ["shipping"]


def test_only_customer_time_and_amount_are_needed(import_rows: ImportRows) -> None:
    columns = {"customer": "who", "at": "when", "amount": "sum"}
    header = "who,when,sum,note"
    rows = ["a,19970101,29.33,", "a,19970101,10.00,b", "b,19970102,-5,", "c,19970103,0,"]
    report = import_rows(*rows, header=header, columns=columns)
    assert (report.orders, report.customers, report.created) == (3, 3, 4)
    a, b, c = Order.objects.order_by("customer__external_id")
    assert (a.external_id, a.total) == ("a@1997-01-01T00:00:00Z", Decimal("39.33"))
    assert (b.total, b.is_return, c.total, c.is_return) == (Decimal("-5.00"), True, Decimal("0.00"), False)
    assert not Product.objects.exists()
    assert import_rows(*rows, header=header, columns=columns).unchanged == 4


def test_an_amount_is_shared_among_the_pieces(import_rows: ImportRows) -> None:
    columns = {"customer": "who", "at": "when", "amount": "sum", "quantity": "n"}
    import_rows("a,2020-01-01,10.00,3", "b,2020-01-01,10.00,-3", header="who,when,sum,n", columns=columns)
    lines = OrderLine.objects.order_by("order__customer__external_id").values_list(
        "quantity", "unit_price", "order__total"
    )
    assert list(lines) == [
        (3, Decimal("3.3333"), Decimal("10.00")),
        (-3, Decimal("3.3333"), Decimal("-10.00")),
    ]


def test_test_contacts_are_marked_and_never_raised_again(import_rows: ImportRows) -> None:
    Customer.objects.create(external_id="2", email="real@shop.example")
    rows = [
        GOOD,
        GOOD.replace("536365,", "9,").replace("17850", "2"),
        GOOD.replace("536365,", "8,").replace("17850", "ö / "),
    ]
    import_rows(*rows, test_contacts=True)
    assert Customer.objects.get(external_id="17850").email == "customer-17850@shop.test"
    assert Customer.objects.get(external_id="2").email == "real@shop.example"
    assert Customer.objects.get(external_id="ö /").email.startswith("customer-no-")
    consents = ConsentRecord.objects.all()
    assert {(c.status, c.legal_basis, c.is_test) for c in consents} == {("given", "test", True)}
    assert consents.count() == 2
    import_rows(*rows, test_contacts=True)
    assert ConsentRecord.objects.count() == 2


def test_a_file_never_raises_a_withdrawn_consent(import_rows: ImportRows) -> None:
    from customers.ingest.consent import withdraw_consent

    import_rows(GOOD, test_contacts=True)
    withdraw_consent(Customer.objects.get(), source="page", now=NOW)
    import_rows(GOOD, test_contacts=True)
    assert ConsentRecord.objects.order_by("-id")[0].status == "withdrawn"


def test_what_is_known_of_customers_and_products_is_kept(import_rows: ImportRows) -> None:
    Customer.objects.create(
        external_id="17850", language="zh", time_zone="Asia/Shanghai", country="China", joined_at=NOW
    )
    Product.objects.create(sku="85123A", name="Holder", price=Decimal("9.99"), currency="EUR")
    import_rows(GOOD.replace("United Kingdom", ""))
    customer = Customer.objects.get()
    assert (customer.language, customer.time_zone, customer.country) == ("zh", "Asia/Shanghai", "China")
    assert customer.joined_at is not None
    assert customer.joined_at.year == 2010
    product = Product.objects.get()
    assert (product.name, product.price, product.version) == ("Holder", Decimal("9.99"), 1)


def test_sources_do_not_mix(import_rows: ImportRows) -> None:
    import_rows(GOOD)
    assert import_rows(GOOD, source="other").created == 1
    assert Customer.objects.count() == Order.objects.count() == 2


def test_when_all_lines_are_left_out_the_run_fails_and_says_why(import_rows: ImportRows) -> None:
    with pytest.raises(FileProblem, match=r"None of the 2 lines .* no customer \(2\)"):
        import_rows(GOOD.replace("17850", ""), GOOD.replace("17850", "null"))
    run = ImportRun.objects.get()
    assert (run.status, run.rejections.count(), run.report["left_out"]) == ("failed", 2, {"missing_customer": 2})
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"columns": {**COLUMNS, "price": "Preis"}}, "no column “Preis”. Its columns are: InvoiceNo, StockCode"),
        ({"columns": {"customer": "CustomerID", "at": "InvoiceDate"}}, "price"),
        ({"columns": {"price": "UnitPrice", "at": "InvoiceDate"}}, "customer"),
        ({"columns": {**COLUMNS, "colour": "Country"}}, "colour"),
        ({"currency": "GBX"}, "GBX"),
        ({"time_zone": "UTC+8"}, "Europe/London"),
        ({"source": "My shop"}, "source"),
        ({"encoding": "rot13"}, "rot13"),
    ],
)
def test_wrong_options_are_said_in_words(import_rows: ImportRows, options: dict[str, object], words: str) -> None:
    with pytest.raises(FileProblem) as problem:
        import_rows(GOOD, **options)
    assert words in str(problem.value)
    assert not ImportRun.objects.exists()


def test_a_total_too_large_for_the_tables_is_a_file_problem(import_rows: ImportRows) -> None:
    rows = [GOOD.replace("2.55", "1600000000.00").replace("85123A", f"A{n}00") for n in range(200)]
    with pytest.raises(FileProblem, match="database cannot keep"):
        import_rows(*rows)


def test_parquet_keeps_its_types(tmp_path: Path, db: None) -> None:
    frame = pl.DataFrame(
        {
            "CustomerID": [17850.0, None, 2.0],
            "InvoiceDate": [dt.datetime(2011, 7, 1, 9), None, dt.datetime(2011, 7, 1, 9)],  # noqa: DTZ001
            "UnitPrice": [2.55, 1.0, float("nan")],
            "Tags": [["a"], [], ["b"]],
        },
    )
    path = tmp_path / "orders.parquet"
    frame.write_parquet(path)
    columns = {key: COLUMNS[key] for key in ("customer", "at", "price")}
    report = import_orders_file(path, choose(columns=columns), now=NOW)
    assert (report.created, report.left_out) == (1, {"bad_price": 1, "missing_customer": 1})
    assert Customer.objects.get().external_id == "17850"
    assert list(ImportRejection.objects.order_by("line_number").values_list("line_number", flat=True)) == [2, 3]


def test_orders_may_be_spread_over_batches(make_file: MakeFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.ingest.reading.BLOCK_BYTES", 200)
    rows = [GOOD.replace("85123A", f"A{n:03}") for n in range(40)] + [GOOD.replace("85123A", "A000"), "broken", ""]
    rows += [GOOD.replace("17850", "").replace("85123A", f"B{n:03}") for n in range(3)]
    report = import_orders_file(make_file(*rows), choose(), now=NOW)
    assert (report.orders, report.created) == (1, 40)
    assert report.left_out == {"missing_customer": 3, "broken_line": 1, "duplicate_line": 1}
    numbers = ImportRejection.objects.order_by("line_number").values_list("line_number", "reason")
    assert list(numbers) == [
        (42, "duplicate_line"),
        (43, "broken_line"),
        (45, "missing_customer"),
        (46, "missing_customer"),
        (47, "missing_customer"),
    ]


@pytest.mark.slow
def test_the_whole_uci_file_goes_in_and_a_second_run_changes_nothing(django_db_setup: None) -> None:
    path = find_shared_data() / "online_retail_uci" / "online_retail.parquet"
    if not path.exists():
        pytest.skip(f"the UCI file is not at {path}")
    options = choose(test_contacts=True)
    report = import_orders_file(path, options, now=NOW)
    assert (report.lines_read, report.customers, report.orders, report.created) == (541_909, 4_372, 22_190, 401_604)
    assert report.left_out == {"missing_customer": 135_080, "duplicate_line": 5_225}
    assert ImportRejection.objects.count() == 140_305
    assert Order.objects.filter(is_return=True).count() == 3_654
    assert set(Product.objects.filter(is_charge=True).values_list("sku", flat=True)) >= {
        "POST",
        "D",
        "M",
        "C2",
        "DOT",
        "CRUK",
    }
    assert ConsentRecord.objects.filter(is_test=True).count() == 4_372
    again = import_orders_file(path, options, now=NOW)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 401_604)
    assert all((counts.created, counts.updated) == (0, 0) for counts in again.tables.values())
