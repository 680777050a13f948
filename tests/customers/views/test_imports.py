"""Importing on the pages: a file, its columns with a guess made, errors at their field, and what was left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from customers.ingest.runs import run_import
from customers.models import ImportRun
from tests.customers.ingest.conftest import COLUMNS, GOOD, HEADER, NOW

pytestmark = pytest.mark.django_db
CHOICES = {f"column_{key}": column for key, column in COLUMNS.items()} | {
    "currency": "GBP",
    "time_zone": "Europe/London",
    "action": "import",
}


@pytest.fixture(autouse=True)
def _uploads(settings: Any, tmp_path: Path) -> None:
    settings.UPLOAD_DIR = tmp_path / "uploads"


@pytest.fixture
def mara(client: Client, marketer: User) -> Client:
    client.force_login(marketer)
    return client


def give(client: Client, *rows: str, header: str = HEADER, encoding: str = "utf-8", kind: str = "orders") -> Any:
    content = "\n".join([header, *rows]).encode(encoding)
    return client.post("/imports/new/", {"file": SimpleUploadedFile("orders.csv", content), "kind": kind})


def give_and_open(client: Client, *rows: str, **how: str) -> tuple[str, Any]:
    """The address of the columns page, and the page."""
    url = str(give(client, *rows, **how)["Location"])
    return url, client.get(url)


def test_a_file_that_is_no_table_is_told_at_the_field(mara: Client) -> None:
    response = mara.post("/imports/new/", {"file": SimpleUploadedFile("a.xlsx", b"PK\x03\x04")})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["file"]
    assert mara.post("/imports/new/", {}).status_code == 422
    assert not ImportRun.objects.exists()


def test_columns_come_guessed_with_an_example_and_the_rows_as_they_would_be(mara: Client) -> None:
    _url, page = give_and_open(mara, GOOD, GOOD.replace("17850", ""))
    words = page.content.decode()
    assert page.status_code == 200
    assert '<option value="CustomerID" selected>CustomerID (17850)</option>' in words
    assert "8 of 8 columns were recognised" in words
    assert page.context["outlook"].left_out == {"missing_customer": 1}
    assert "left out</span> no customer" in page.content.decode()
    assert "This field is required" not in words


def test_what_is_not_recognised_is_asked_for_without_reproach(mara: Client) -> None:
    _url, page = give_and_open(mara, "1,2020-01-01,3", header="wer,date,price")
    assert page.context["missing"] == ["Customer"]
    assert page.context["outlook"] is None
    assert not page.context["form"].errors


def test_the_choices_start_the_import_once(mara: Client, django_capture_on_commit_callbacks: Any) -> None:
    url, _page = give_and_open(mara, GOOD)
    run = ImportRun.objects.get()
    assert mara.post(url, CHOICES)["Location"] == f"/imports/{run.pk}/"
    run.refresh_from_db()
    assert (run.status, run.options["columns"], run.options["test_contacts"]) == ("waiting", COLUMNS, False)
    assert mara.get(url)["Location"] == f"/imports/{run.pk}/"
    assert mara.post(url, CHOICES | {"action": "drop"})["Location"] == f"/imports/{run.pk}/"
    assert ImportRun.objects.get().status == "waiting"


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"currency": "POU"}, ["currency"]),
        ({"time_zone": "Mars/Base"}, ["time_zone"]),
        ({"column_customer": ""}, ["column_customer"]),
        ({"column_price": ""}, ["column_price"]),
        ({"column_amount": "UnitPrice"}, ["column_amount"]),
        ({"column_amount": "Quantity", "column_quantity": ""}, ["column_amount"]),
        ({"column_country": "CustomerID"}, ["column_country"]),
        ({"column_at": "no such column"}, ["column_at"]),
        ({"encoding": "utf-16"}, ["encoding"]),
    ],
)
def test_what_is_wrong_with_a_choice_is_said_at_it(mara: Client, typed: dict[str, str], fields: list[str]) -> None:
    url, _page = give_and_open(mara, GOOD)
    response = mara.post(url, CHOICES | typed)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == fields
    assert ImportRun.objects.get().status == "choosing"


def test_an_article_may_be_known_by_its_name_alone(mara: Client) -> None:
    url, _page = give_and_open(mara, GOOD)
    assert mara.post(url, CHOICES | {"column_product": "Description"}).status_code == 302


def test_two_columns_of_one_name_are_told_at_the_field(mara: Client) -> None:
    url, _page = give_and_open(mara, "1,2020-01-01,3,4", header="customer,date,price,price")
    names = {"column_customer": "customer", "column_at": "date", "column_price": "price"}
    response = mara.post(url, names | {"currency": "GBP", "time_zone": "UTC", "action": "import"})
    assert "2 columns" in str(response.context["form"].errors["column_price"])


def test_a_change_shows_the_rows_read_anew_without_reproach(mara: Client) -> None:
    url, _page = give_and_open(mara, GOOD)
    fragment = mara.post(url, CHOICES | {"action": "refresh", "currency": "USD"}, headers={"HX-Request": "true"})
    words = fragment.content.decode()
    assert "<html" not in words
    assert "US$2.55" in words or "$2.55" in words
    page = mara.post(url, CHOICES | {"action": "refresh", "column_customer": ""})
    assert (page.status_code, bool(page.context["form"].errors)) == (200, False)
    assert page.context["missing"] == ["Customer"]


def test_columns_are_guessed_afresh_when_the_encoding_is_named(mara: Client) -> None:
    url, page = give_and_open(mara, "1,2020-01-01,5", header="member,日期,price", encoding="big5")
    (wrong,) = set(page.context["form"].sample.header) - {"member", "price"}
    assert wrong != "日期"
    page = mara.post(
        url,
        {"encoding": "big5", "currency": "TWD", "time_zone": "Asia/Taipei", "column_at": wrong, "action": "refresh"},
    )
    assert page.context["form"]["column_at"].value() == "日期"


def test_a_file_can_be_forgotten(mara: Client, settings: Any) -> None:
    url, _page = give_and_open(mara, GOOD)
    assert mara.post(url, {"action": "drop"})["Location"] == "/imports/"
    assert not ImportRun.objects.exists()
    assert list(settings.UPLOAD_DIR.iterdir()) == []


def test_a_file_that_is_gone_is_asked_for_again(mara: Client) -> None:
    url, _page = give_and_open(mara, GOOD)
    Path(ImportRun.objects.get().stored_path).unlink()
    assert mara.get(url)["Location"] == "/imports/new/"


def test_the_result_says_what_was_left_out_and_how_the_file_was_read(mara: Client) -> None:
    url, _page = give_and_open(mara, GOOD, GOOD, GOOD.replace("17850", ""), GOOD.replace("17850", " "))
    mara.post(url, CHOICES)
    run = ImportRun.objects.get()
    assert run_import(run.pk, now=NOW)
    page = mara.get(f"/imports/{run.pk}/")
    told = [
        (reason.count, reason.share, [line.line_number for line in reason.lines]) for reason in page.context["left_out"]
    ]
    assert told == [(2, 0.5, [4, 5]), (1, 0.25, [3])]
    assert ("Customer", "CustomerID") in [(str(label), column) for label, column in page.context["columns"]]
    assert "Europe/London" in page.content.decode()


def test_who_may_not_import_does_not_choose_columns(client: Client, marketer: User, support_agent: User) -> None:
    client.force_login(marketer)
    url, _page = give_and_open(client, GOOD)
    client.force_login(support_agent)
    assert client.get(url).status_code == 403
    assert client.post(url, CHOICES).status_code == 403


def test_home_reminds_of_a_file_whose_columns_are_to_be_chosen(mara: Client, second_marketer: User) -> None:
    url, _page = give_and_open(mara, GOOD)
    assert url in mara.get("/").content.decode()
    mara.force_login(second_marketer)
    assert url not in mara.get("/").content.decode()


def test_the_whole_page_goes_on_to_the_columns_once_a_count_is_through(mara: Client) -> None:
    """Whoever watches it: a redirect would give htmx the first rows alone, and no button to import with."""
    url, _page = give_and_open(mara, GOOD)
    run = ImportRun.objects.get()
    mara.post(url, CHOICES | {"action": "count"})
    watched = f"/imports/{run.pk}/"
    assert "data-poll" in mara.get(watched, headers={"HX-Request": "true"}).text
    run_import(run.pk, now=NOW)
    polled = mara.get(watched, headers={"HX-Request": "true"})
    assert (polled.status_code, polled["HX-Redirect"], polled.content) == (200, f"{url}#reading", b"")
    assert mara.get(watched)["Location"] == url
    assert "All lines, counted" in mara.get(url).text


def test_an_address_may_be_the_only_id_of_a_person(mara: Client) -> None:
    row, header = "ana@shop.test,Ana", "Email,First Name"
    url, page = give_and_open(mara, row, header=header, kind="customers")
    assert page.context["columns"][0] == ("Email", ["Customer", "E-mail"]) and page.context["outlook"] is not None
    chosen = {"column_customer": "Email", "column_email": "Email", "currency": "EUR", "time_zone": "UTC"}
    assert mara.post(url, chosen | {"action": "import"}).status_code == 302


def test_what_an_import_would_do_is_counted_before_anything_is_written(mara: Client) -> None:
    url, page = give_and_open(mara, GOOD, GOOD.replace("17850", ""))
    assert "Count what it would do" in page.content.decode()
    assert mara.post(url, CHOICES | {"action": "count"}).status_code == 302
    run = ImportRun.objects.get()
    run_import(run.pk, now=NOW)
    words = mara.get(url).content.decode()
    assert "Nothing is written yet" in words and "Count again" in words and "No customer" in words
    changed = mara.post(url, CHOICES | {"action": "refresh", "column_country": ""}).content.decode()
    assert "Nothing is written yet" not in changed, "counted with other choices than these"
    mara.post(url, CHOICES)
    assert run_import(run.pk, now=NOW)
    assert "1 new" in mara.get(f"/imports/{run.pk}/").content.decode()


@pytest.mark.parametrize(
    ("kind", "content", "column"),
    [
        ("customers", "customer_id,email\na,a@x.example\n", "E-mail"),
        ("products", "sku,price\nT1,3.50\n", "Price"),
        ("events", "user_id,event,timestamp\na,search_performed,2026-01-01\n", "What happened"),
        ("consents", "user_id,status,date\na,yes,2026-01-01\n", "Yes or no"),
    ],
)
def test_each_kind_of_file_has_its_own_columns(mara: Client, kind: str, content: str, column: str) -> None:
    given = mara.post("/imports/new/", {"kind": kind, "file": SimpleUploadedFile("f.csv", content.encode())})
    page = mara.get(given["Location"])
    words = page.content.decode()
    assert page.status_code == 200 and f"{column}</th>" in words and "test address" not in words
    form = page.context["form"]
    data = {name: form.initial.get(name) or form.data.get(name, "") for name in form.fields} | {"action": "import"}
    answer = mara.post(given["Location"], {key: value for key, value in data.items() if value})
    assert answer.status_code == 302, answer.context["form"].errors
    run = ImportRun.objects.get()
    assert run.options["kind"] == kind
    run_import(run.pk, now=NOW)
    assert mara.get(f"/imports/{run.pk}/").status_code == 200 and mara.get("/imports/").status_code == 200


def test_the_report_by_line_names_every_line_and_runs_no_formula(
    mara: Client, support_agent: User, client: Client
) -> None:
    rows = (GOOD, GOOD.replace("17850", "").replace("536365", "=1+1"), "", GOOD.replace("536365", "536366"))
    url, _page = give_and_open(mara, *rows)
    mara.post(url, CHOICES | {"action": "count"})
    run = ImportRun.objects.get()
    run_import(run.pk, now=NOW)
    lines = f"/imports/{run.pk}/lines/"
    assert lines in mara.get(url).content.decode()
    counted = b"".join(mara.get(lines)).decode().splitlines()  # type: ignore[arg-type]
    mara.post(url, CHOICES)
    assert run_import(run.pk, now=NOW)
    assert lines in mara.get(f"/imports/{run.pk}/").content.decode()
    answer = mara.get(lines)
    told = b"".join(answer).decode().splitlines()  # type: ignore[arg-type]
    assert told == counted
    assert told[:2] == ["line,outcome,reason,content", "2,created,,"]
    assert told[2].startswith("3,left_out,missing_customer,'=1+1 |")
    assert told[3:] == ["5,created,,"]
    assert "attachment" in answer["Content-Disposition"]
    client.force_login(support_agent)
    assert client.get(lines).status_code == 403


def test_an_import_that_stopped_in_the_middle_says_so(mara: Client) -> None:
    url, _page = give_and_open(mara, GOOD)
    mara.post(url, CHOICES)
    ImportRun.objects.update(status="failed", error="The disk was full.", mark={"lines_written": 1_200})
    words = mara.get(f"/imports/{ImportRun.objects.get().pk}/").content.decode()
    assert "imported in part" in words and "nothing was changed" not in words
    ImportRun.objects.update(status="running", step="writing")
    assert "1,200 lines are taken over" in mara.get(f"/imports/{ImportRun.objects.get().pk}/").content.decode()
