"""Files of customers, products, events and consents: what is good is written, what is not has its reason, and twice is once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from campaigns.models import CountryRule
from customers.ingest.column_guess import guess_columns
from customers.ingest.consent import record_consent, suppress_address, withdraw_consent
from customers.ingest.erased import hash_identity
from customers.ingest.files import import_orders_file
from customers.ingest.import_report import ImportReport
from customers.ingest.resuming import steps
from customers.ingest.resuming.fates import read_fates
from customers.ingest.runs import receive_file, request_import, run_import
from customers.ingest.schema import FileProblem, ImportOptions
from customers.merging.merge import merge_customers
from customers.models import (
    ConsentRecord,
    Customer,
    CustomerEvent,
    CustomerMerge,
    ErasedPerson,
    ImportRejection,
    ImportRun,
    Order,
    Product,
    ProductVersion,
    Suppression,
)

from .conftest import COLUMNS, GOOD, HEADER, NOW

pytestmark = pytest.mark.django_db
Give = Callable[..., ImportReport]


@pytest.fixture
def give(tmp_path: Path) -> Give:
    def run(kind: str, header: str, *rows: str, **options: Any) -> ImportReport:
        path = tmp_path / f"{kind}.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        columns = guess_columns(header.split(","), kind)
        chosen = ImportOptions(columns, currency="GBP", time_zone="Europe/London", kind=kind, **options)
        return import_orders_file(path, chosen, now=NOW)

    return run


def reasons() -> list[tuple[int, str]]:
    return list(ImportRejection.objects.order_by("line_number").values_list("line_number", "reason"))


def test_customers_come_in_normalised_and_the_faulty_with_a_reason(give: Give, settings: Any) -> None:
    header = "customer_id,email,phone,first_name,timezone,country,created_at"
    rows = [
        "a, Ana@SHOP.Example ,07700 900123,Ana,Europe/Paris,United Kingdom,2020-01-02",
        "b,b@bücher.example,+49 30 1234567,Bo,UTC+8,Germany,",
        "c,,,Cy,,中国,",
        ",x@shop.example,,,,,",
        "d,no address,,,,,",
        "e,,12,,,,",
        "f,,,,,,yesterday",
        "a,ana@shop.example,,,,,",
    ]
    report = give("customers", header, *rows)
    assert reasons() == [
        (2, "stands_again"), (5, "missing_customer"), (6, "bad_email"), (7, "bad_phone"), (8, "bad_date"),
    ]  # fmt: skip
    assert (report.created, report.updated, report.unchanged, report.lines_read) == (3, 0, 0, 8)
    assert any("1 time zone is none" in note for note in report.notes)
    b, c = Customer.objects.get(external_id="b"), Customer.objects.get(external_id="c")
    assert (b.email, b.phone, b.time_zone) == ("b@xn--bcher-kva.example", "+49301234567", settings.SHOP_TIME_ZONE)
    assert (c.time_zone, c.language) == ("Asia/Shanghai", "zh")

    again = give("customers", header, "a,,,Anna,,,2019-05-06", "b,,,,,,")
    a = Customer.objects.get(external_id="a")
    assert (a.email, a.first_name, again.updated, again.unchanged) == ("ana@shop.example", "Anna", 1, 1)
    assert not ConsentRecord.objects.exists(), "a file of people is no consent"


def test_products_come_in_with_versions_and_exact_money(give: Give) -> None:
    header = "sku,title,price,inventory,url,vendor"
    report = give(
        "products", header, "T1,Fjell Tent,199.90,7,https://shop.example/t1,Fjell", "T2,Mug,\"1,299.5\",,,", "T3,x,-1,,,",
        "T4,x,one,,,", "T5,x,1,1.5,,", "T6,x,1,,ftp://x,", ",x,1,,,", "T7,x,,3,,",
    )  # fmt: skip
    assert reasons() == [
        (4, "negative_price"),
        (5, "bad_price"),
        (6, "bad_stock"),
        (7, "bad_url"),
        (8, "missing_product"),
    ]
    assert report.created == 3
    tent = Product.objects.get(sku="T1")
    assert (tent.price, tent.currency, tent.stock, tent.version) == (Decimal("199.90"), "GBP", 7, 1)
    assert Product.objects.get(sku="T7").price is None
    give("products", header, "T1,,189.90,7,,", "T2,Mug,1299.5,,,")
    tent.refresh_from_db()
    assert (tent.name, tent.price, tent.version) == ("Fjell Tent", Decimal("189.90"), 2)
    told = list(ProductVersion.objects.filter(product=tent).order_by("number").values_list("number", "price", "name"))
    assert told == [(1, Decimal("199.90"), "Fjell Tent"), (2, Decimal("189.90"), "Fjell Tent")]


def test_events_come_in_once_and_only_of_known_people(give: Give) -> None:
    Customer.objects.create(external_id="a")
    header = "customer_id,event,timestamp,sku,properties"
    rows = [
        'a,Product Viewed,2026-01-02 10:00,T1,"{""list"": ""home""}"',
        "a,search_performed,2026-01-02 10:05,,",
        "a,search_performed,2026-01-02 10:05,,",
        "nobody,search_performed,2026-01-02 10:05,,",
        "a,danced,2026-01-02 10:05,,",
        "a,search_performed,2026-01-02 10:06,,[]",
        "a,search_performed,never,,",
    ]
    assert give("events", header, *rows).created == 2
    assert reasons() == [
        (3, "stands_again"), (5, "unknown_customer"), (6, "bad_kind"), (7, "bad_properties"), (8, "bad_date"),
    ]  # fmt: skip
    event = CustomerEvent.objects.get(kind="product_viewed")
    assert event.properties == {"list": "home", "sku": "T1"}
    assert give("events", header, *rows[:2]).unchanged == 2
    assert CustomerEvent.objects.count() == 2


def test_events_that_were_partly_there_say_which_are_new(give: Give) -> None:
    Customer.objects.create(external_id="a")
    header, row = "customer_id,event,timestamp,event_id", "a,search_performed,2026-0{}-02 10:00,{}"
    give("events", header, row.format(1, "x"), row.format(2, "y"))
    report = give("events", header, row.format(2, "x"), row.format(2, "y"), row.format(1, "x"), row.format(1, "z"))
    run = ImportRun.objects.get(pk=report.run_id)
    assert [outcome for _line, outcome, *_rest in read_fates(run)] == ["created", "unchanged", "unchanged", "created"]
    assert (report.created, report.unchanged, CustomerEvent.objects.count()) == (2, 2, 4)


def test_events_of_a_merged_id_are_the_survivors_and_say_whose_they_came_as(give: Give, marketer: User) -> None:
    a, b = (Customer.objects.create(external_id=name) for name in "ab")
    merge_customers(b.pk, a.pk, reason=CustomerMerge.Reason.STAFF, actor=marketer, now=NOW)
    give("events", "customer_id,event,timestamp", "b,search_performed,2026-01-02", "a,search_performed,2026-01-03")
    told = CustomerEvent.objects.order_by("occurred_at").values_list("customer_id", "came_as")
    assert list(told) == [(a.pk, b.pk), (a.pk, None)]


def test_who_vanishes_while_an_import_is_under_way_is_left_out(give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [Customer.objects.create(external_id=name) for name in "ab"]
    settle = steps.settle_conflicts

    def settle_and_delete(*arguments: Any) -> Any:
        mark = settle(*arguments)
        people[1].delete()
        return mark

    monkeypatch.setattr(steps, "settle_conflicts", settle_and_delete)
    report = give(
        "events", "customer_id,event,timestamp", "a,search_performed,2026-01-02", "b,search_performed,2026-01-02"
    )
    assert (report.created, dict(report.left_out)) == (1, {"unknown_customer": 1})


def test_a_file_of_consents_never_overrules_a_no(give: Give) -> None:
    people = {name: Customer.objects.create(external_id=name, email=f"{name}@x.example") for name in "abcde"}
    record_consent(people["a"], source="form", now=NOW - dt.timedelta(days=9))
    withdraw_consent(people["a"], source="page", now=NOW - dt.timedelta(days=8))
    suppress_address("b@x.example", reason=Suppression.Reason.UNSUBSCRIBED)
    header = "customer_id,status,date,channel,wording"
    rows = [
        "a,yes,2026-02-28,,", "b,subscribed,2026-02-28,email,", "c,TRUE,2026-02-01,,Yes please", "c,no,2026-01-01,sms,",
        "d,no,2026-01-01,,", "d,yes,2026-01-15,,", "e,perhaps,2026-01-01,,", "e,yes,2026-01-01,pigeon,", "z,yes,2026-01-01,,",
    ]  # fmt: skip
    report = give("consents", header, *rows)
    assert reasons() == [
        (2, "said_no"), (3, "said_no"), (7, "said_no"), (8, "bad_status"), (9, "bad_channel"), (10, "unknown_customer"),
    ]  # fmt: skip
    assert (report.created, report.customers) == (3, 2)
    newest = people["c"].consents.get(channel="email")
    assert (newest.status, newest.source, newest.proof) == ("given", "file", {"by": "file", "wording": "Yes please"})
    assert give("consents", header, *rows).unchanged == 3


def test_a_file_of_consents_does_not_renew_what_has_lapsed(give: Give) -> None:
    ana = Customer.objects.create(external_id="a", email="a@x.example")
    record_consent(ana, source="form", now=NOW - dt.timedelta(days=900))
    lapsed = {"channel": "email", "legal_basis": "consent", "source": "country rule", "status": "expired"}
    ConsentRecord.objects.create(customer=ana, recorded_at=NOW - dt.timedelta(days=170), **lapsed)
    with pytest.raises(FileProblem, match="lapsed"):
        give("consents", "customer_id,status,date", "a,yes,2026-02-28")
    assert reasons() == [(2, "said_no")]
    assert give("consents", "customer_id,status,date,channel", "a,yes,2026-02-28,sms").created == 1


def test_nor_what_has_lapsed_while_no_sweep_ran_and_the_lines_of_one_file_renew_nothing(give: Give) -> None:
    """The rule of the country is judged when the file is read; an old yes of the file itself makes its newer one no renewal."""
    CountryRule.objects.all().delete()
    CountryRule.objects.create(country="", consent_months=24)
    ana, ben = (Customer.objects.create(external_id=name, email=f"{name}@x.example") for name in "ab")
    record_consent(ana, source="form", now=NOW - dt.timedelta(days=2_000))
    report = give("consents", "customer_id,status,date", "a,yes,2026-02-28", "b,yes,2020-01-01", "b,yes,2026-02-01")
    assert reasons() == [(2, "said_no")] and report.created == 2
    assert list(ana.consents.order_by("recorded_at").values_list("status", flat=True)) == ["given", "expired"]
    assert ben.consents.latest("recorded_at").status == "given"
    with pytest.raises(FileProblem, match="lapsed"):
        give("consents", "customer_id,status,date", "a,yes,2026-02-28")


@pytest.mark.parametrize(
    ("kind", "header", "row"),
    [
        ("customers", "customer_id,email", "{},{}@x.example"),
        ("events", "customer_id,event,timestamp", "{},search_performed,2026-01-02 10:05"),
        ("consents", "customer_id,status,date", "{},yes,2026-01-02"),
    ],
)
def test_who_was_erased_does_not_come_back_with_a_file(give: Give, kind: str, header: str, row: str) -> None:
    Customer.objects.create(external_id="a")
    ErasedPerson.objects.create(identity_hash=hash_identity("shop", "b"))
    assert give(kind, header, row.format("a", "a"), row.format("b", "b")).customers == 1
    assert list(ImportRejection.objects.values_list("line_number", "reason", "content")) == [(3, "erased", "")]
    assert Customer.objects.get().external_id == "a"


def test_a_parquet_file_of_customers_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    frame = pl.DataFrame({"id": [17850, 17851], "email": ["a@x.example", None], "joined_at": [NOW, None]})
    frame.write_parquet(path)
    options = ImportOptions(guess_columns(frame.columns, "customers"), "GBP", "Europe/London", kind="customers")
    assert import_orders_file(path, options, now=NOW).created == 2
    assert Customer.objects.get(external_id="17850").joined_at == NOW


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(FileProblem, match="pigeons"):
        ImportOptions({"customer": "a"}, "GBP", "UTC", kind="pigeons").check()


def test_counting_says_exactly_what_the_import_then_does(
    marketer: User, settings: Any, tmp_path: Path, django_assert_num_queries: Any
) -> None:
    settings.UPLOAD_DIR = tmp_path / "uploads"
    bad = GOOD.replace("17850", "")
    content = "\n".join([HEADER, GOOD, GOOD, bad, GOOD.replace("536365", "536366")]).encode()
    run = receive_file(marketer, SimpleUploadedFile("orders.csv", content), NOW)
    options = ImportOptions(COLUMNS, currency="GBP", time_zone="Europe/London")
    request_import(marketer, run, options, is_trial=True)
    assert not run_import(run.pk, now=NOW), "nothing changed, so nothing is trained anew"
    run.refresh_from_db()
    assert run.status == ImportRun.Status.CHOOSING and not run.is_trial
    assert not Order.objects.exists() and not Customer.objects.exists() and not Product.objects.exists()
    counted = run.report
    assert (counted["created"], counted["left_out"]) == (2, {"missing_customer": 1, "duplicate_line": 1})
    assert reasons() == [(3, "duplicate_line"), (4, "missing_customer")]

    request_import(marketer, run, options)
    assert run_import(run.pk, now=NOW)
    run.refresh_from_db()
    assert run.status == ImportRun.Status.DONE and Order.objects.count() == 2
    same = ("lines_read", "orders", "customers", "created", "updated", "unchanged", "left_out", "tables")
    assert {key: run.report[key] for key in same} == {key: counted[key] for key in same}
    assert not Path(run.stored_path).exists()
